"""What a rep takes down at a customer's beside the visit: answers, orders, next steps, leads, photos."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, Uuid, any_, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from geo.types import LonLat
from server.accounts import queries as accounts
from server.accounts import service as accounts_service
from server.accounts.models import Account, Site
from server.activities.agenda import editing
from server.activities.agenda import queries as agenda_queries
from server.activities.agenda import service as agenda
from server.activities.agenda.models import Activity, Kind, State
from server.activities.answering import fitting
from server.activities.service import VisitReport, main_site
from server.attachments import service as attachments
from server.attachments.models import AttachedFile
from server.attachments.service import Announced
from server.auth.access import Scope
from server.auth.roles import Level
from server.contacts import service as contacts_service
from server.contacts.models import Contact
from server.density import claiming
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound, WaymarkError
from server.kit.settings import settings
from server.leads import taking
from server.leads.models import LeadSource
from server.orders import drafting
from server.orders import queries as orders
from server.orders.drafting import NewLine, NewOrder
from server.orders.models import Order
from server.products.money import plain
from server.records.merging import Delta
from server.sync.protocol import wire
from server.sync.protocol.payloads import NewLine as Line
from server.sync.pushing.chains import Chain
from server.tracks import service as tracks
from server.tracks.models import TrackKind
from server.tracks.service import Report, TimedFix

LATE = ("late_scope",)
"""What is odd about a fact at an account that is not the sender's any more."""
KEEPS = timedelta(days=400)
"""So long at most a phone keeps what it could not send."""

type Made = tuple[UUID, int]
"""The id and the revision of what was made."""


def with_answers(session: Session, report: VisitReport) -> VisitReport:
    """A report with answers that its form takes. Others are kept in words below the note, and the visit is flagged:
    it happened all the same."""
    if report.visit_type_id is None:
        return report
    try:
        with session.no_autoflush:
            fitting(session, report)
    except (Invalid, NotFound):
        words = [f"{key}: {value}" for key, value in report.answers.items() if value not in (None, "", [])]
        note = "\n".join([*([report.note] if report.note else []), *words])
        return report.without_form().with_note(note or None, flag="unfit_answers")
    return report


def draft_order(session: Session, op: wire.DraftOrder, scope: Scope, made_at: datetime) -> Made:
    """Draft an order as it was taken down, of that moment and its day, wherever its account has gone. The customer's
    lists of that day price it; what the phone showed is noted where they say something else."""
    scope.need("orders:write")
    at = standing_at(session, scope, op.d.account_id, op.d.site_id, "orders:write")
    lines = [line_of(line) for line in op.d.lines]
    fields: dict[str, object] = {"site_id": at.site_id, "wanted_on": op.d.wanted_on, "note": op.d.note}
    if made_at > clock.now() - KEEPS:  # a clock that says otherwise is off
        fields["day"] = made_at.astimezone(ZoneInfo(scope.zone or settings().zone)).date()
    new = NewOrder(at.account_id, lines=lines, fields=fields, currency=op.d.currency, id=op.id, flags=at.flags)
    order = drafting.draft(session, scope, new)
    order.created_at = min(order.created_at, made_at)
    told = other_prices(session, order, op.d.lines)
    if told and order.internal_note is None:
        order.internal_note = told
    session.flush()
    session.refresh(order)
    return order.id, order.rev


def line_of(line: Line) -> NewLine:
    """A line as orders take it: the price of a product comes from the lists."""
    fields: dict[str, object] = {"quantity": line.quantity, "text": line.text}
    if line.product_id is None:
        fields["unit_price"] = line.unit_price
    return NewLine(product_id=line.product_id, fields=fields, id=line.id)


def other_prices(session: Session, order: Order, shown: list[Line]) -> str | None:
    """The lines whose price on the phone was another one, in words."""
    seen = {line.id: Decimal(line.unit_price) for line in shown if line.unit_price is not None}
    told = [
        f"“{line.text}”: {plain(seen[line.id])} {order.currency} on the phone, {plain(line.unit_price)} by the lists"
        for line in orders.lines_of(session, order.id)
        if line.id in seen and seen[line.id] != line.unit_price
    ]
    return "\n".join(told) or None


def add_activity(session: Session, op: wire.AddActivity, scope: Scope) -> Made:
    """Take a next step down, wherever its account has gone; it is the sender's own. Refuses the id of another one."""
    scope.need("activities:write")
    there = session.get(Activity, op.id)
    if there is not None and there.owner_id != scope.user_id:
        raise Conflict("There is another entry with this id.", help="Enter it once more.", field="id")
    values = wire.emit(op.d)
    kind = Kind(values.pop("kind"))
    flags: tuple[str, ...] = ()
    if op.d.account_id is not None:
        at = standing_at(session, scope, op.d.account_id, op.d.site_id, "activities:write")
        values |= {"account_id": str(at.account_id), "site_id": str(at.site_id) if at.site_id else None}
        flags = at.flags
    row = agenda.add(session, agenda.NewActivity(kind, scope.user_id, values, own={"flags": list(flags)}, id=op.id))
    session.refresh(row)
    return row.id, row.rev


def activity_of(session: Session, scope: Scope, activity_id: UUID) -> Activity:
    """An activity that the sender may change, locked. A repeat of a series is for the web pages."""
    scope.need("activities:write")
    row = agenda_queries.find(session, scope, activity_id, "activities:write")
    session.refresh(row, with_for_update=True)
    if row.rrule is not None:
        raise Invalid("It repeats.", help="Change one of its repeats on the web pages.", field="state")
    return row


def change_activity(
    session: Session, scope: Scope, activity_id: UUID, base_rev: int, deltas: Mapping[str, Delta], chain: Chain,
    made_at: datetime,
) -> tuple[Activity, bool, WaymarkError | None]:  # fmt: skip
    """Change fields of an activity; also tells whether it met somebody else's change, and what is to be said of fields
    that somebody else changed differently: where others are wanted too, those are written without them. What was done
    was done when the phone says; that the office had called it off meanwhile stands there for somebody to look at."""
    row = activity_of(session, scope, activity_id)
    met = base_rev != row.rev
    base_rev = base_rev if base_rev <= row.rev else 0
    own = chain.written(session, row, base_rev, deltas)
    found, refused = editing.merged(session, row, deltas, base_rev, chain.actor, own)
    if refused is not None and not found:
        raise refused
    if found.get("state") == State.DONE and row.state != State.DONE:
        row.done_at = min(made_at, clock.now())
        if row.state == State.CANCELLED:
            row.flags = sorted({*row.flags, "done_after_cancelled"})
    if found:
        agenda.write(session, row, found)
    return row, met, refused


def add_lead(session: Session, op: wire.AddLead, scope: Scope) -> Made:
    """Take a lead in that a rep met in the field, where the pin was dropped, or that is made of a prospect."""
    scope.need("leads:write")
    d = op.d
    fields = {
        "company": d.company, "person": d.person, "note": d.note, "phones": [d.phone] if d.phone else [],
        "emails": [d.email] if d.email else [],
    }  # fmt: skip
    source = LeadSource.MAP if d.prospect_id is None else LeadSource.PROSPECT
    new = taking.NewLead(fields, source, at=LonLat(d.lon, d.lat), id=op.id)
    lead = (
        taking.take_in(session, new, scope).lead
        if d.prospect_id is None
        else claiming.claim(session, scope, d.prospect_id, new)
    )
    session.flush()
    session.refresh(lead)
    return lead.id, lead.rev


def add_account(session: Session, op: wire.AddAccount, scope: Scope) -> Made:
    """Take an account in that a rep founded in the field, with its pin where they stood, or by its address, which is
    then geocoded as any other. It is the sender's own, and its site's territory is the one that covers it. What it may
    double is proposed, not refused: visits hang on it.
    """
    scope.need("accounts:write")
    d, there = op.d, session.get(Account, op.id)
    if (d.lon is None) != (d.lat is None):
        raise Invalid("Longitude and latitude belong together.", help="Give both, or an address alone.", field="lon")
    if d.lon is None and not d.street and not d.postcode and not d.city:
        raise Invalid(
            "The account has neither a place nor an address.", help="Write its street or its town.", field="city"
        )
    if there is not None:
        is_this = there.name == d.name.strip() and there.id in accounts.seen_of(session, scope, [there.id])
        if not is_this or there.deleted_at is not None:
            raise Conflict("There is another entry with this id.", help="Enter it once more.", field="id")
        return there.id, there.rev
    fields = {
        "name": d.name, "status": d.status, "account_class": d.account_class, "tags": d.tags or None,
        "phone": d.phone, "note": d.note, "owner_id": scope.user_id if scope.may("accounts:assign") else None,
    }  # fmt: skip
    site = {"street": d.street, "postcode": d.postcode, "city": d.city, "lon": d.lon, "lat": d.lat}
    known = {name: value for name, value in fields.items() if value is not None}
    new = accounts_service.NewAccount(known, [site], id=op.id)
    account = accounts_service.create(session, scope, new, force=True)
    return account.id, account.rev


def add_contact(session: Session, op: wire.AddContact, scope: Scope) -> Made:
    """Take a person in whom a rep met at an account. Refuses one without a name, and accounts out of reach."""
    scope.need("contacts:write")
    there = session.get(Contact, op.id)
    if there is not None:
        if there.deleted_at is not None or contacts_service.find(session, scope, op.id) is not there:
            raise Conflict("There is another entry with this id.", help="Enter it once more.", field="id")
        return there.id, there.rev
    values = {name: value for name, value in wire.emit(op.d).items() if name != "account_id"}
    place = contacts_service.NewPlace(op.d.account_id, {})
    contact = contacts_service.create(session, scope, values, [place], contact_id=op.id)
    session.refresh(contact)
    return contact.id, contact.rev


class At(NamedTuple):
    """Where something was taken down, as that stands now."""

    account_id: UUID
    site_id: UUID | None
    flags: tuple[str, ...]
    """What is odd about it."""


def standing_at(session: Session, scope: Scope, account_id: UUID, site_id: UUID | None, permission: str) -> At:
    """Where something was taken down: what was merged is what it became, and for a site that is gone stands the
    account's main one. Refuses only an account that does not exist; what is odd is flagged."""
    account = session.get(Account, accounts.surviving(session, account_id))
    if account is None:
        raise NotFound("There is no such account.", field="account_id")
    flags = LATE if out_of_reach(session, scope, [account.id], permission) else ()
    if account.deleted_at is not None:  # its sites are gone with it
        return At(account.id, None, (*flags, "account_deleted"))
    site = session.get(Site, accounts.standing_site(session, site_id)) if site_id else None
    if site_id is None or (
        site is not None and site.deleted_at is None and accounts.surviving(session, site.account_id) == account.id
    ):
        return At(account.id, site.id if site else None, flags)
    main = main_site(session, account.id)
    return At(account.id, main.id if main else None, (*flags, "site_gone"))


def out_of_reach(
    session: Session, scope: Scope, account_ids: Iterable[UUID], permission: str = "activities:write"
) -> set[UUID]:
    """Which of these accounts, with what they were merged into, are not the sender's any more: what happened there
    happened all the same, and is flagged."""
    if scope.level(permission) >= Level.ALL:
        return set()
    within = STANDS.where(accounts.within_reach(scope, permission)).correlate(NAMED)
    return set(session.scalars(ASKED.where(~within.exists()), {"ids": list(account_ids)}))


NAMED = aliased(Account)
ASKED = select(NAMED.id).where(NAMED.id == any_(bindparam("ids", type_=ARRAY(Uuid))))
STANDS = select(Account.id).where(Account.id == func.account_surviving(NAMED.id))
"""What is the same each time is made once."""


def announce(session: Session, op: wire.AddAttachment, scope: Scope, made_at: datetime) -> Made:
    """Take note of a photo; its content follows. Out of the sender's area it is flagged, never refused."""
    d = op.d
    account_id = accounts.surviving(session, d.account_id)
    if session.get(Account, account_id) is None:
        raise NotFound("There is no such account.", field="account_id")
    late = out_of_reach(session, scope, [account_id])
    new = Announced(
        id=op.id, account_id=account_id, entity=d.owner, row_id=d.owner_id, kind=d.kind, name=d.name,
        media_type=d.mime, size=d.size, sha256=d.sha256, thumbnail_sha256=d.thumbnail_sha256, width=d.width,
        height=d.height, taken_at=made_at, device_id=scope.device_id, flags=LATE if late else (),
    )  # fmt: skip
    row = attachments.announce(session, scope, new)
    return row.id, row.rev


def forget(session: Session, attachment_id: UUID, scope: Scope) -> Made:
    """Take a photo of the sender's own away, once or again."""
    row = session.get(AttachedFile, attachment_id, with_for_update=True)
    if row is None or row.made_by != scope.user_id:
        raise NotFound("There is no such file of yours.", help="Somebody has removed it for good.")
    if row.deleted_at is None:
        row = attachments.take_away(session, row)
    return row.id, row.rev


def take_track(session: Session, op: wire.AddTrack, scope: Scope) -> tuple[UUID, int, int]:
    """Keep what may be kept of the sender's way: id and revision (0 where nothing is), and how many fixes may not."""
    fixes = [TimedFix(wire.moment(one.at), LonLat(one.lon, one.lat), one.accuracy_m) for one in op.d.fixes]
    report = Report(op.id, TrackKind(op.d.kind), wire.moment(op.d.at), fixes)
    row, dropped = tracks.take(session, scope.user_id, report)
    return op.id, row.rev if row else 0, dropped


def respect_pauses(session: Session, ops: Iterable[wire.AnyOp | None], scope: Scope) -> None:
    """Once everything of a push is done: nothing is shown of the ways that lies in the pauses, as it told of them."""
    told = [wire.moment(op.d.at) for op in ops if isinstance(op, wire.AddTrack) and op.d.kind != "way"]
    if told:
        tracks.respect_pauses(session, scope.user_id, min(*told, clock.now()))
