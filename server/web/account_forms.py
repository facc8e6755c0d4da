"""What the forms of accounts and sites share."""

from collections.abc import Iterable
from typing import Any

from fastapi import Request, Response
from starlette.datastructures import FormData

from server.accounts.schemas import AccountRead
from server.auth.access import Scope
from server.fields.models import CustomField
from server.kit.errors import PreconditionFailed, WaymarkError
from server.web.forms import given
from server.web.own_fields import sent_own
from server.web.pages import render

SITE_FIELDS = ("street", "postcode", "city", "country", "opening_hours")


def form_page(
    request: Request,
    scope: Scope,
    template: str,
    account: AccountRead,
    values: dict[str, Any],
    *,
    rev: int,
    error: WaymarkError | None = None,
    **more: Any,
) -> Response:
    """A fragment: the form of an account or site. A clash shows both values of each field."""
    clashes = {}
    if isinstance(error, PreconditionFailed):
        clashes = {clash["field"]: clash for clash in error.details.get("conflicts", [])}
        rev = error.details.get("rev", rev)
    more |= {"account": account, "values": values, "rev": rev, "error": error, "clashes": clashes}
    return render(request, template, scope, status=int(error.status) if error else 200, **more)


def chosen_changes(sent: FormData, names: list[str], fields: Iterable[CustomField] = ()) -> dict[str, Any]:
    """What the form changes, without the fields for which the other person's value was chosen."""
    values = {**given(sent, names), **sent_own(sent, fields)}
    return {name: value for name, value in values.items() if sent.get(f"choose-{name}") != "theirs"}
