"""Sending exports to their targets: each revision once, later ones in the place of those that still wait."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.export.tour import Span
from server.auth.models import User
from server.jobs import outgoing
from server.jobs.outgoing import State
from server.kit import clock
from server.kit.errors import Conflict, NotFound
from server.kit.locks import one_at_a_time
from server.kit.settings import settings
from server.mail import service as mail
from server.plans.exporting import folders, places, sending, service, targets
from server.plans.exporting.sending import NotDelivered, Parcel
from server.plans.exporting.target_models import ExportDelivery, Target
from server.webhooks import service as webhooks


def queue(session: Session, export: folders.Export, rep_id: UUID) -> list[ExportDelivery]:
    """Send a rep's files to everybody who wants them and has not got this revision; returns what is new or changed.

    Webhooks are told too. What still waits for its hour is brought up to the new revision instead of sent twice.
    """
    webhooks.announce(session, "plan_export", f"{export.span}/{export.login}", export.revision[:32])
    found = [_of_target(session, target, export, rep_id) for target in targets.wanting(session, export.span, rep_id)]
    return [delivery for delivery in found if delivery is not None]


def _of_target(session: Session, target: Target, export: folders.Export, rep_id: UUID) -> ExportDelivery | None:
    one_at_a_time(session, f"export:{target.id}:{export.login}:{export.span}")
    last = session.scalars(
        select(ExportDelivery)
        .where(
            ExportDelivery.target_id == target.id,
            ExportDelivery.login == export.login,
            ExportDelivery.span == str(export.span),
        )
        .order_by(ExportDelivery.created_at.desc(), ExportDelivery.id.desc())
        .limit(1)
    ).one_or_none()
    if last is not None and last.revision == export.revision:
        return None
    if last is not None and last.state == State.WAITING:
        last.revision = export.revision
        return last
    delivery = ExportDelivery(
        target=target, rep_id=rep_id, login=export.login, span=str(export.span), revision=export.revision,
        next_at=due_at(target),
    )  # fmt: skip
    session.add(delivery)
    session.flush()
    return delivery


def due_at(target: Target) -> datetime:
    """Now, or the next time that the clock of the company shows the target's hour."""
    now = clock.now()
    if target.hour is None:
        return now
    local = now.astimezone(ZoneInfo(settings().zone))
    at = local.replace(hour=target.hour, minute=0, second=0, microsecond=0)
    if local.hour == target.hour:
        return now
    return at if at > local else at + timedelta(days=1)


def send_again(session: Session, delivery_id: UUID) -> ExportDelivery:
    """Send a delivery once more because somebody asks for it. Refuses one that is on its way."""
    delivery = session.get(ExportDelivery, delivery_id, with_for_update={"of": ExportDelivery})
    if delivery is None:
        raise NotFound("There is no such delivery.")
    if not delivery.target.active:
        raise Conflict("The target is switched off.", help="Switch it on, then send again.")
    is_on_its_way = delivery.state == State.SENDING or (
        delivery.mail is not None and delivery.mail.state in (State.WAITING, State.SENDING)
    )
    if is_on_its_way:
        raise Conflict("It is on its way.", help="Wait for its outcome.")
    delivery.mail = None
    outgoing.ask_again(delivery)
    session.flush()
    return delivery


def latest(session: Session, limit: int = 50) -> Sequence[ExportDelivery]:
    """The latest deliveries."""
    statement = select(ExportDelivery).order_by(ExportDelivery.created_at.desc(), ExportDelivery.id.desc())
    return session.scalars(statement.limit(limit)).all()


def parcel_of(session: Session, delivery: ExportDelivery) -> tuple[folders.Export, Parcel]:
    """The files of a delivery. A machine that has not got them writes them: they come out the same."""
    span = Span.parse(delivery.span)
    try:
        export = folders.export_of(span, delivery.login)
    except folders.NoExport:
        written = service.write_rep(session, span, delivery.rep_id)
        if written is None:
            raise NotDelivered("Nothing is planned on these days any more.", is_final=True) from None
        export = written
    delivery.revision = export.revision
    return export, Parcel.of(export, delivery.target.formats)


def by_mail(session: Session, delivery: ExportDelivery, export: folders.Export, parcel: Parcel) -> str:
    """Put the files into the outbox of mail, once per try that somebody asked for; returns what is to be known."""
    config = delivery.target.config
    rep = session.get_one(User, delivery.rep_id)
    to = [*([rep.email] if config["to_rep"] and rep.email else []), *config["copies"]]
    note = f"{rep.name} has no e-mail address; enter it under Users." if config["to_rep"] and not rep.email else ""
    if not to:
        raise NotDelivered(note, is_final=True)
    subject, text = sending.words(export)
    key = f"export:{delivery.id}:{delivery.revision}:{delivery.next_at.isoformat()}"
    delivery.mail = mail.queue(
        session, key=key, purpose="export", to=to, subject=subject, body=text, files=parcel.attachments
    )
    return note


def bring(kind: str, config: dict[str, object], place: places.Place | None, parcel: Parcel) -> None:
    """Bring the files to a folder or to another machine; outside of any transaction."""
    if place is not None:
        from server.plans.exporting import sftp

        sftp.upload(place, parcel)
    elif kind == "folder":
        sending.put_into(Path(str(config["folder"])), parcel)
