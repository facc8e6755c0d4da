"""Webhooks: which programs are told of what, and what became of each delivery."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.web.forms import Sent
from server.web.forms import text as text_of
from server.web.pages import attempt, go, render
from server.webhooks import service, signing

router = APIRouter(prefix="/integrations/webhooks", include_in_schema=False)

Read = Annotated[Scope, requires("integrations:read")]
Write = Annotated[Scope, requires("integrations:write")]


@router.get("")
def show_webhooks(request: Request, scope: Read, session: Db) -> Response:
    """All endpoints and the latest deliveries."""
    return webhooks_page(request, scope, session)


def webhooks_page(
    request: Request,
    scope: Scope,
    session: Session,
    *,
    values: dict[str, Any] | None = None,
    secret: str | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with a new secret or what was refused."""
    return render(
        request,
        "integrations/webhooks.html",
        scope,
        status=int(error.status) if error else 200,
        endpoints=service.endpoints(session),
        sent=service.deliveries(session),
        types=service.TYPES,
        header=signing.HEADER,
        example="https://example.com/hook",
        receiver=signing.RECEIVER,
        values=values or {"types": list(service.TYPES)},
        secret=secret,
        error=error,
    )


@router.post("")
def add(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Tell another program from now on; its secret is shown this once."""
    values = {name: text_of(sent, name) or "" for name in ("name", "url")}
    types = [str(one) for one in sent.getlist("types")]
    try:
        with attempt(session):
            _endpoint, secret = service.add(session, values["name"], values["url"], types)
    except WaymarkError as error:
        return webhooks_page(request, scope, session, values={**values, "types": types}, error=error)
    return webhooks_page(request, scope, session, secret=secret)


@router.post("/{endpoint_id}/switch")
def switch(endpoint_id: UUID, scope: Write, session: Db, active: Annotated[bool, Form()]) -> Response:
    """Switch an endpoint on or off."""
    service.switch(session, endpoint_id, active)
    return go("/integrations/webhooks")


@router.post("/{endpoint_id}/remove")
def remove(endpoint_id: UUID, scope: Write, session: Db) -> Response:
    """Tell it nothing any more."""
    service.remove(session, endpoint_id)
    return go("/integrations/webhooks")


@router.post("/deliveries/{delivery_id}/replay")
def replay(request: Request, delivery_id: UUID, scope: Write, session: Db) -> Response:
    """Send a delivery once more."""
    try:
        with attempt(session):
            service.replay(session, delivery_id)
    except WaymarkError as error:
        return webhooks_page(request, scope, session, error=error)
    return go("/integrations/webhooks#sent")
