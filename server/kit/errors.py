"""The families of errors and how each is answered. A rule raises a named subclass where it lives."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar


class WaymarkError(Exception):
    """Something a person can act on: what went wrong, and the way out.

    Parameters
    ----------
    message
        What is wrong; names the row, field or file.
    help
        How to mend it.
    details
        Further members for the API's problem document (JSON-able).
    """

    code: ClassVar[str] = "error"
    status: ClassVar[HTTPStatus] = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str, *, help: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.help = help
        self.details: Mapping[str, Any] = details

    def problem(self) -> dict[str, Any]:
        """The RFC 9457 problem document of this error."""
        body: dict[str, Any] = {
            "type": f"about:blank#{self.code}",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.message,
            "code": self.code,
        }
        if self.help:
            body["help"] = self.help
        return body | dict(self.details)


class Invalid(WaymarkError):
    """A value cannot be accepted."""

    code = "invalid"
    status = HTTPStatus.UNPROCESSABLE_ENTITY


class BadRequest(WaymarkError):
    """A request that cannot be understood."""

    code = "bad_request"
    status = HTTPStatus.BAD_REQUEST


class NotSignedIn(WaymarkError):
    """Nobody is signed in, or the token is not valid any more."""

    code = "login_required"
    status = HTTPStatus.UNAUTHORIZED


class Forbidden(WaymarkError):
    """The person may not do this."""

    code = "not_allowed"
    status = HTTPStatus.FORBIDDEN


class NotFound(WaymarkError):
    """There is no such thing, or it is not the person's to see."""

    code = "not_found"
    status = HTTPStatus.NOT_FOUND


class Conflict(WaymarkError):
    """The request contradicts what is stored."""

    code = "conflict"
    status = HTTPStatus.CONFLICT


class Gone(WaymarkError):
    """It was there once and is not any more."""

    code = "gone"
    status = HTTPStatus.GONE


class PreconditionFailed(WaymarkError):
    """Somebody else changed it in between."""

    code = "changed_meanwhile"
    status = HTTPStatus.PRECONDITION_FAILED


class TooLarge(WaymarkError):
    """More than the limit allows."""

    code = "too_big"
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class UpgradeRequired(WaymarkError):
    """The client is too old for this."""

    code = "upgrade"
    status = HTTPStatus.UPGRADE_REQUIRED


class TooManyRequests(WaymarkError):
    """Slow down."""

    code = "rate_limited"
    status = HTTPStatus.TOO_MANY_REQUESTS


class Unavailable(WaymarkError):
    """Something the server needs is not there right now."""

    code = "unavailable"
    status = HTTPStatus.SERVICE_UNAVAILABLE


class Busy(Unavailable):
    """The same request will be answered in a moment."""

    code = "busy"
