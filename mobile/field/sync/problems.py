"""The error contract: which code means what the phone must do."""

from collections.abc import Mapping
from typing import Any


class Problem(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, code: str, detail: str, extra: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail or code)
        self.status = status
        self.code = code
        self.detail = detail
        self.extra = dict(extra or {})

    @property
    def after_s(self) -> float | None:
        """How long the server asked to be left alone."""
        value = self.extra.get("after_s")
        return float(value) if isinstance(value, int | float) else None

    @property
    def said(self) -> dict[str, Any]:
        """What is kept of it for the rep to read: its code, the server's words, and their codes."""
        more = {key: self.extra[key] for key in ("help", "reasons") if self.extra.get(key)}
        return {"code": self.code, "msg": self.detail, **more}


class UnknownOutcome(Problem):
    """A gateway gave up: the request may or may not have been done."""


class Busy(Problem):
    """Try later."""


class SignInNeeded(Problem):
    """The tokens no longer work; the outbox stays as it is."""


class TokenExpired(Problem):
    """The access token is too old; a refresh helps."""


class DeviceBarred(Problem):
    """This phone is locked, retired or to be wiped."""


class NotAllowed(Problem):
    """The rep's role does not sync any more, or does not send."""


class EpochChanged(Problem):
    """The server is another incarnation of its database."""


class Gap(Problem):
    """The server expects an earlier op number."""


class DeviceForked(SignInNeeded):
    """Another copy of this phone used the same op numbers: a new device id is needed."""


class StartOver(Problem):
    """A cursor is no longer good; the buckets must be read again."""


class UpgradeNeeded(Problem):
    """This app is too old to read; it may still push."""


class Indigestible(Problem):
    """The server cannot take this batch, however often it is sent."""


class Broken(Problem):
    """The server failed on this request."""


class WrongOffset(Problem):
    """A piece of a photo that the server has already, or that is not next; it says where to go on."""


class Damaged(Problem):
    """A piece of a photo that was damaged on its way; it says where to go on."""


class FileRefused(Problem):
    """A photo that the server does not take, however often it is sent."""


class NotAnnounced(Problem):
    """A photo of which the server has not heard yet, or no longer."""


BY_CODE: dict[str, type[Problem]] = {
    "busy": Busy,
    "replica_behind": Busy,
    "rate_limited": Busy,
    "token_expired": TokenExpired,
    "login_required": SignInNeeded,
    "device_locked": DeviceBarred,
    "retired": DeviceBarred,
    "wipe": DeviceBarred,
    "not_allowed": NotAllowed,
    "epoch_changed": EpochChanged,
    "gap": Gap,
    "device_forked": DeviceForked,
    "op_id_reuse": Indigestible,
    "cursor_expired": StartOver,
    "bucket_gen": StartOver,
    "too_big": Indigestible,
    "upgrade": UpgradeNeeded,
    "bad_request": Indigestible,
    "wrong_offset": WrongOffset,
    "checksum_mismatch": Damaged,
    "file_refused": FileRefused,
    "not_announced": NotAnnounced,
}

BY_STATUS: dict[int, type[Problem]] = {
    401: SignInNeeded,
    410: StartOver,
    413: Indigestible,
    422: Indigestible,
    426: UpgradeNeeded,
    429: Busy,
    502: UnknownOutcome,
    503: Busy,
    504: UnknownOutcome,
}


def problem(status: int, body: Mapping[str, Any], retry_after: str | None) -> Problem:
    """The named problem for an error answer, by its code first and its status second."""
    code = str(body.get("code") or "")
    kind = BY_CODE.get(code) or BY_STATUS.get(status) or (Broken if status >= 500 else Problem)
    extra = dict(body)
    if retry_after and retry_after.strip().isdigit():
        extra["after_s"] = int(retry_after)
    return kind(status, code or f"http_{status}", str(body.get("detail") or body.get("title") or ""), extra)
