"""What was refused of what phones sent: in words for whoever looks after the phone, until somebody has it taken after
all or puts it aside."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, literal, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import Tuple

from server.accounts import editing
from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.activities.agenda import editing as activities
from server.activities.agenda import queries as agenda
from server.activities.agenda.models import Activity
from server.auth.access import Scope
from server.auth.models import Device, User
from server.auth.queries import visible_users
from server.contacts import queries as contacts
from server.contacts import values as contact_values
from server.contacts.models import Contact
from server.kit import clock
from server.kit.errors import BadRequest, Conflict, NotFound
from server.kit.paging import Page, decode_cursor, encode_cursor
from server.sync.leaving import quarantine
from server.sync.leaving.telling import Held, Telling, as_uuid, part, text_of
from server.sync.models import SyncReceipt
from server.sync.protocol import reasons, wire
from server.sync.protocol.messages import Reason
from server.sync.pushing import aside, push, receipts
from server.sync.pushing.receipts import Sent
from server.sync.schemas import RefusedRead

OPEN = (SyncReceipt.status.in_(push.REFUSED), SyncReceipt.body.is_not(None), SyncReceipt.decided_at.is_(None))


def counts(session: Session, device_ids: Iterable[UUID]) -> dict[UUID, int]:
    """How many entries of some phones wait for a decision."""
    statement = select(SyncReceipt.device_id, func.count()).where(SyncReceipt.device_id.in_(list(device_ids)), *OPEN)
    return dict(session.execute(statement.group_by(SyncReceipt.device_id)).tuples().all())


@dataclass(frozen=True)
class OfPhone:
    """How many entries of a phone wait for a decision."""

    device_id: UUID
    device_name: str
    user_id: UUID
    user_name: str
    count: int


def waiting(session: Session, scope: Scope, contact_ids: Collection[UUID] | None = None) -> list[OfPhone]:
    """By phone, of those that somebody looks after, by name: what was refused and waits for a decision; with people
    given, only what is about them."""
    if not scope.may("devices:manage"):
        return []
    people = visible_users(scope.user_id, scope.team_ids, scope.level("devices:manage")).with_only_columns(User.id)
    statement = select(Device.id, Device.name, User.id, User.name, func.count()).select_from(SyncReceipt)
    statement = statement.join(Device, Device.id == SyncReceipt.device_id).join(User, User.id == Device.user_id)
    statement = statement.where(User.id.in_(people.order_by(None)), *OPEN)
    if contact_ids is not None:
        statement = statement.where(SyncReceipt.entity == "contact", SyncReceipt.row_id.in_(contact_ids))
    found = session.execute(statement.group_by(Device.id, User.id).order_by(User.name, Device.name, Device.id))
    return [OfPhone(*row) for row in found.tuples()]


def listed(
    session: Session,
    scope: Scope,
    device_id: UUID,
    *,
    decided: bool = False,
    limit: int = 50,
    cursor: str | None = None,
) -> Page[RefusedRead]:
    """What was refused of a phone, the latest first; or what was decided of that. Refuses a phone of a stranger."""
    device = quarantine.looked_after(session, scope, device_id)
    asked = (SyncReceipt.decided_at.is_not(None),) if decided else OPEN
    statement = select(SyncReceipt, User.name).outerjoin(User, User.id == SyncReceipt.decided_by)
    statement = statement.where(SyncReceipt.device_id == device.id, *asked)
    if cursor:
        statement = statement.where(tuple_(SyncReceipt.recorded_at, SyncReceipt.n) < after(cursor))
    order = (SyncReceipt.recorded_at.desc(), SyncReceipt.n.desc())
    found = session.execute(statement.order_by(*order).limit(limit + 1)).tuples().all()
    last = found[limit - 1][0] if len(found) > limit else None
    return Page(
        items=read(session, scope, found[:limit]),
        next_cursor=None if last is None else encode_cursor((last.recorded_at.isoformat(), last.n)),
    )


def after(cursor: str) -> Tuple:
    """The place behind the last entry of a page; refuses a cursor of another list."""
    try:
        at, n = decode_cursor(cursor, 2) or []
        return tuple_(literal(datetime.fromisoformat(at)), literal(int(n)))
    except (TypeError, ValueError) as error:
        raise BadRequest("The cursor belongs to another list.", help="Start again without a cursor.") from error


def decide(
    session: Session, scope: Scope, device_id: UUID, n: int, *, take: bool, rev: int | None = None
) -> RefusedRead:
    """Have an entry of a phone taken after all, as its rep's, or put it aside; says what became of it. A change is made
    over what the record holds by now, where it is at the revision that the person saw.

    What is still refused stays, with its reason of now. Refuses a phone of a stranger, what somebody has decided
    already, and what builds on an entry that is refused itself and waits for a decision too.
    """
    device = quarantine.looked_after(session, scope, device_id)
    statement = select(SyncReceipt).where(SyncReceipt.device_id == device.id, SyncReceipt.n == n).with_for_update()
    receipt = session.scalars(statement.execution_options(populate_existing=True)).one_or_none()
    if receipt is None or (receipt.body is None and receipt.decided_at is None):
        raise NotFound("There is no such refused entry.")
    if receipt.decided_at is not None or receipt.status not in push.REFUSED:
        raise Conflict("Somebody has decided this already.", help="Load the page again.")
    body = receipt.body or {}
    seen = held(session, scope, body) if rev and quarantine.readable(scope, body) == body else None
    if not take or taken(session, device, receipt, seen, rev):
        receipt.decided_by, receipt.decided_at = scope.user_id, clock.now()
    session.flush()
    return read(session, scope, [(receipt, scope.name if receipt.decided_at else None)])[0]


def taken(
    session: Session, device: Device, receipt: SyncReceipt, seen: Held | None = None, rev: int | None = None
) -> bool:
    """Do what an entry says, by the rules of every push; its answer is another one from now on. A change whose record
    was `seen` at a revision is made on what it held."""
    batch = quarantine.batch_of(session, device)
    op = Sent.of(receipt.n, receipt.op_id, receipt.body_sha, receipt.body or {})
    receipts.remember(session, batch.receipts, device, [op])
    before = batch.receipts[op.dep_op] if op.dep_op else []
    if any(one.status in push.REFUSED and one.decided_at is None for one in before):
        raise Conflict("The entry that it builds on is refused.", help="Take that one first, or put it aside.")
    if seen is not None and isinstance(op.op, wire.Patch) and op.op.decides is None:
        if seen.rev != rev:
            return False
        f = {name: (seen.values.get(name), new) for name, (_, new) in op.op.f.items()}
        op = replace(op, op=op.op.model_copy(update={"base_rev": rev, "f": f}))
    if receipts.was_taken(session, device, op):
        result = wire.OpResult(n=op.n, status="rejected", error=push.there_already())
    else:
        result, _ = push.settle(session, batch, op)
    receipt.status, receipt.result = result.status, wire.emit(result)
    session.flush()
    if result.status in push.REFUSED:
        return False
    aside.fill_all(session, device.user_id, [op.op])
    return True


def read(session: Session, scope: Scope, found: Iterable[tuple[SyncReceipt, str | None]]) -> list[RefusedRead]:
    """Entries with what they say, without fields that the person may not see, and the names of accounts they may."""
    several = [(receipt, name, quarantine.readable(scope, receipt.body or {})) for receipt, name in found]
    at = {receipt.n: quarantine.account_of(body) for receipt, _, body in several}
    sites = {receipt.n: as_uuid(body.get("id")) for receipt, _, body in several if body.get("e") == "site"}
    found_at = session.execute(select(Site.id, Site.account_id).where(Site.id.in_(sites.values()))) if sites else ()
    account_at = {site_id: account_id for site_id, account_id in found_at}
    at |= {n: account_at.get(site_id) for n, site_id in sites.items() if site_id and at[n] is None}
    names = quarantine.names_of(session, scope, at.values())
    telling = Telling(session, [body for _, _, body in several])
    held_now = {r.n: held(session, scope, body) for r, _, body in several if r.decided_at is None}
    return [
        RefusedRead(
            device_id=receipt.device_id,
            n=receipt.n,
            op_id=receipt.op_id,
            status=receipt.status,
            kind=text_of(body.get("k")) or None,
            entity=text_of(body.get("e")) or None,
            made_at=text_of(part(body, "at").get("wall")) or None,
            received_at=receipt.recorded_at,
            why=quarantine.veiled(scope, receipt.body or {}, text_of(part(receipt.result, "error").get("msg"))),
            reasons=reasons_of(receipt, body),
            help=text_of(part(receipt.result, "error").get("help")),
            account_id=at[receipt.n] if at[receipt.n] in names else None,
            account_name=names.get(at[receipt.n] or receipt.op_id),
            **person(session, scope, body),
            content=telling.content(body, held_now.get(receipt.n)),
            rev=now.rev if (now := held_now.get(receipt.n)) else None,
            body=body,
            decided_by_name=name,
            decided_at=receipt.decided_at,
            mended_by=receipt.result.get(receipts.MENDED),
            is_over=receipts.is_over(receipt),
        )
        for receipt, name, body in several
    ]


def reasons_of(receipt: SyncReceipt, told: Mapping[str, Any]) -> list[Reason]:
    """Why an entry was refused, as codes; none where some of it is hidden, for values may stand in them."""
    codes = part(receipt.result, "error").get("reasons") if told == (receipt.body or {}) else None
    found = [Reason.model_validate(one) for one in codes or ()]
    return found if all(one.code in reasons.REASONS for one in found) else []


def person(session: Session, scope: Scope, body: Mapping[str, Any]) -> dict[str, Any]:
    """The person that an entry is about, where somebody may see their name."""
    if body.get("e") != "contact" or scope.hidden("contact") & {"first_name", "last_name"}:
        return {}
    row = contact_of(session, scope, body)
    d = part(body, "d")
    names = (row.first_name, row.last_name) if row else (d.get("first_name"), d.get("last_name"))
    return {"contact_id": row and row.id, "contact_name": " ".join(text_of(one) for one in names if one) or None}


def contact_of(session: Session, scope: Scope, body: Mapping[str, Any]) -> Contact | None:
    """The person that is there of an entry's, where somebody may see them."""
    return session.scalar(contacts.visible_to(scope).where(Contact.id == as_uuid(body.get("id"))))


def held(session: Session, scope: Scope, body: Mapping[str, Any]) -> Held | None:
    """What the record holds now that an entry wants to change, where somebody may see it."""
    row_id = as_uuid(body.get("id"))
    if body.get("k") != "patch" or row_id is None:
        return None
    match body.get("e"):
        case "account" | "site" as entity:
            row: Account | Site | None = session.get(Account, row_id)
            if entity == "site":
                row = session.get(Site, row_id)
            at = row.account_id if isinstance(row, Site) else row_id
            seen = row is not None and at in accounts.seen_of(session, scope, [at])
            return Held(row.rev, editing.editor(session, row).values(row)) if row is not None and seen else None
        case "contact":
            contact = contact_of(session, scope, body)
            return Held(contact.rev, contact_values.editor(session).values(contact)) if contact else None
        case "activity":
            activity = session.scalar(agenda.visible_to(scope).where(Activity.id == row_id))
            return Held(activity.rev, activities.wire_values(activity)) if activity else None
    return None
