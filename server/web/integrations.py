"""Integrations: where the files of plans go, the mail server, and what became of each sending."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from server.auth.access import Scope, requires
from server.auth.models import Role, Team, User
from server.kit.database import Db
from server.kit.errors import NotFound, WaymarkError
from server.kit.settings import settings
from server.mail import queries as mail_queries
from server.mail import service as mail
from server.mail.models import shown
from server.plans.exporting import deliveries, delivery_jobs, targets
from server.plans.exporting.target_schemas import DeliveryRead, TargetRead, TargetWrite
from server.web.forms import Sent, checked, number
from server.web.forms import text as text_of
from server.web.pages import attempt, go, render
from server.web.users import people_of

router = APIRouter(prefix="/integrations", include_in_schema=False)

Read = Annotated[Scope, requires("integrations:read")]
Write = Annotated[Scope, requires("integrations:write")]


@router.get("")
def show_targets(request: Request, scope: Read, session: Db) -> Response:
    """Where exports go, and what was sent lately."""
    return targets_page(request, scope, session)


def targets_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    return render(
        request,
        "integrations/targets.html",
        scope,
        status=int(error.status) if error else 200,
        targets=[TargetRead.of(target) for target in targets.all_targets(session)],
        sent=[DeliveryRead.of(one) for one in deliveries.latest(session)],
        kinds=targets.KINDS,
        has_mail=mail_queries.configured(session) is not None,
        names=dict(session.execute(select(User.id, User.name)).tuples().all())
        | dict(session.execute(select(Team.id, Team.name)).tuples().all()),
        error=error,
    )


@router.post("/deliveries/{delivery_id}/again")
def send_again(request: Request, delivery_id: UUID, scope: Write, session: Db) -> Response:
    """Send a rep's files once more."""
    try:
        with attempt(session):
            delivery_jobs.ask(session, [deliveries.send_again(session, delivery_id)])
    except WaymarkError as error:
        return targets_page(request, scope, session, error)
    return go("/integrations#sent")


@router.get("/targets/new")
def show_new_target(request: Request, scope: Write, session: Db, kind: str = "mail") -> Response:
    """The form for a new target."""
    return target_page(request, scope, session, _known(kind))


@router.post("/targets/new")
def add_target(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Send exports somewhere from now on; an SFTP server is asked for its key at once."""
    kind = _known(str(sent.get("kind")))
    try:
        with attempt(session):
            target = targets.add(session, wish_of(sent, kind))
    except WaymarkError as error:
        return target_page(request, scope, session, kind, sent=sent, error=error)
    if kind != "sftp":
        return go("/integrations")
    return ask_for_key(request, target.id, scope, session)


@router.get("/targets/{target_id}")
def show_target(request: Request, target_id: UUID, scope: Write, session: Db) -> Response:
    """One target."""
    target = TargetRead.of(targets.find(session, target_id))
    return target_page(request, scope, session, target.kind, target)


@router.post("/targets/{target_id}")
def change_target(request: Request, target_id: UUID, scope: Write, session: Db, sent: Sent) -> Response:
    """Change a target."""
    target = TargetRead.of(targets.find(session, target_id))
    try:
        with attempt(session):
            targets.change(session, target_id, wish_of(sent, target.kind))
    except WaymarkError as error:
        return target_page(request, scope, session, target.kind, target, sent=sent, error=error)
    return go(f"/integrations/targets/{target_id}?saved=1")


@router.post("/targets/{target_id}/remove")
def remove_target(target_id: UUID, scope: Write, session: Db) -> Response:
    """Send nothing there any more."""
    targets.remove(session, target_id)
    return go("/integrations")


@router.post("/targets/{target_id}/host-key")
def ask_for_key(request: Request, target_id: UUID, scope: Write, session: Db) -> Response:
    """Ask a server for its key, for somebody to compare."""
    try:
        with attempt(session):
            targets.offered_key(session, target_id)
    except WaymarkError as error:
        target = TargetRead.of(targets.find(session, target_id))
        return target_page(request, scope, session, target.kind, target, error=error)
    return go(f"/integrations/targets/{target_id}#key")


@router.post("/targets/{target_id}/trust")
def trust_key(request: Request, target_id: UUID, scope: Write, session: Db, sent: Sent) -> Response:
    """Trust the key that was compared."""
    try:
        with attempt(session):
            targets.trust(session, target_id, text_of(sent, "fingerprint") or "")
    except WaymarkError as error:
        target = TargetRead.of(targets.find(session, target_id))
        return target_page(request, scope, session, target.kind, target, error=error)
    return go(f"/integrations/targets/{target_id}?saved=1")


def target_page(
    request: Request,
    scope: Scope,
    session: Session,
    kind: str,
    target: TargetRead | None = None,
    *,
    sent: FormData | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The form of a target, with what was entered and what was refused."""
    return render(
        request,
        "integrations/target.html",
        scope,
        status=int(error.status) if error else 200,
        kind=kind,
        kinds=targets.KINDS,
        target=target,
        values=entered(sent) if sent is not None else values_of(target),
        formats=targets.FORMATS,
        reps=people_of(session, scope, Role.REP),
        teams=session.scalars(select(Team).where(Team.deleted_at.is_(None)).order_by(Team.name)).all(),
        company_zone=settings().zone,
        error=error,
    )


def values_of(target: TargetRead | None) -> dict[str, Any]:
    """What the form shows of a target; of a new one the usual."""
    if target is None:
        return {"formats": ["ics", "pdf"], "covers": "both", "to_rep": True, "active": True, "port": 22}
    return {**target.model_dump(), **target.config}


def entered(sent: FormData) -> dict[str, Any]:
    """What somebody has entered, as it stood in the form."""
    texts = ("name", "covers", "hour", "copies", "folder", "host", "port", "username")
    values: dict[str, Any] = {name: text_of(sent, name) or "" for name in texts}
    values |= {name: sent.get(name) is not None for name in ("active", "to_rep")}
    return values | {name: [str(one) for one in sent.getlist(name)] for name in ("formats", "rep_ids", "team_ids")}


def wish_of(sent: FormData, kind: str) -> TargetWrite:
    """The target that a form describes; names the field that cannot be read."""
    values = entered(sent)
    copies = values["copies"].replace(",", " ").replace(";", " ").split()
    hour, port = number(sent, "hour"), number(sent, "port")
    values |= {"kind": kind, "copies": copies, "secret": text_of(sent, "secret")}
    values |= {"hour": None if hour is None else int(hour), "port": 22 if port is None else int(port)}
    return checked(TargetWrite, values)


def _known(kind: str) -> str:
    if kind not in targets.KINDS:
        raise NotFound("There is no such kind of target.")
    return kind


@router.get("/mail")
def show_mail(request: Request, scope: Read, session: Db) -> Response:
    """The mail server, and the outbox."""
    return mail_page(request, scope, session)


def mail_page(
    request: Request,
    scope: Scope,
    session: Session,
    values: dict[str, Any] | None = None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, with what was refused."""
    server = mail_queries.configured(session)
    usual = {"port": 465, "security": "tls", "sender_name": settings().company}
    me = session.get(User, scope.user_id)
    return render(
        request,
        "integrations/mail.html",
        scope,
        status=int(error.status) if error else 200,
        server=server,
        values=values or shown(server) or usual,
        outbox=mail_queries.outbox(session),
        mine=(me.email if me else "") or "",
        error=error,
    )


@router.post("/mail")
def set_mail(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Say through which server mail leaves."""
    names = ("host", "security", "sender", "sender_name", "username")
    values: dict[str, Any] = {name: text_of(sent, name) or "" for name in (*names, "port")}
    try:
        with attempt(session):
            port = int(number(sent, "port") or 0)
            setup = mail.Setup(**{name: values[name] for name in names}, port=port, password=text_of(sent, "password"))
            mail.configure(session, setup)
    except WaymarkError as error:
        has_password = (shown(mail_queries.configured(session)) or {}).get("has_password", False)
        return mail_page(request, scope, session, {**values, "has_password": has_password}, error)
    return go("/integrations/mail?saved=1")


@router.post("/mail/test")
def send_test(request: Request, scope: Write, session: Db, sent: Sent) -> Response:
    """Send a mail to try the settings."""
    try:
        with attempt(session):
            mail.send_trial(session, scope.name, text_of(sent, "to") or "")
    except WaymarkError as error:
        return mail_page(request, scope, session, error=error)
    return go("/integrations/mail?asked=1#outbox")


@router.post("/mail/{message_id}/again")
def send_mail_again(request: Request, message_id: UUID, scope: Write, session: Db) -> Response:
    """Send a mail that failed or may not have arrived."""
    try:
        with attempt(session):
            mail.send_again(session, message_id)
    except WaymarkError as error:
        return mail_page(request, scope, session, error=error)
    return go("/integrations/mail#outbox")
