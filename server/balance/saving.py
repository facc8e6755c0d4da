"""Saving a change of territories in one transaction, keeping one that came too late, and taking one back exactly."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from geoalchemy2 import WKBElement
from geoalchemy2.shape import from_shape
from shapely.geometry import MultiPolygon
from sqlalchemy import cast, delete, func, select, text, true
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from server.accounts import pins
from server.auth.models import User
from server.balance.drafts import Change, Draft
from server.balance.moves import Effects, effects
from server.balance.people import changed
from server.kit import clock
from server.kit.errors import Conflict, NotFound, PreconditionFailed
from server.kit.settings import settings
from server.leads import placing
from server.notifications.kinds import About
from server.notifications.service import notify
from server.territories import members, queries
from server.territories import service as territories
from server.territories.members import Span, spans_of
from server.territories.models import ChangeState, Territory, TerritoryChange, TerritoryChangePart

DONE = (ChangeState.APPLIED, ChangeState.UNDONE)


class Stale(PreconditionFailed):
    """Somebody else changed the territory first."""


def lock(session: Session) -> None:
    """From here to the end of the transaction nobody else changes territories; reading goes on."""
    session.execute(text("lock table territory in share row exclusive mode"))
    session.expire_all()


def realign(session: Session) -> None:
    """Put accounts and open leads into the territories that cover them now."""
    pins.realign(session)
    placing.realign_open(session)


def save(session: Session, change: Change, *, why: str = "", waited: TerritoryChange | None = None) -> TerritoryChange:
    """Apply a change, write its history and realign accounts; one that waited for its day stays the same change.

    Refuses one drawn on an older state, by name.
    """
    rows = rows_of(session, [draft.id for draft in change.drafts])
    check_fresh(session, change, rows)
    kept = written(session, change, why, ChangeState.APPLIED, effects_of(session, change).wire(), waited)
    placed = [draft.id for draft in change.drafts if is_placed(draft, rows.get(draft.id))]
    for draft in change.drafts:
        part = part_of(session, kept.id, draft, rows.get(draft.id))
        row = rows.get(draft.id) or Territory(id=draft.id)
        session.add(put(row, draft))
        session.flush()
        if draft.people is not None:
            members.put(session, row, draft.people)
        session.refresh(row, ["rev"])
        part.rev = row.rev
        session.add(part)
    session.flush()
    territories.check_tree(session, placed)
    if change.moves_ground:
        realign(session)
    return kept


def effects_of(session: Session, change: Change) -> Effects:
    """What a change would move, of ground or of people; nothing is changed."""
    people = changed(session, [draft for draft in change.drafts if not draft.is_new])
    return (
        replace(effects(session, change.drafts), people=people) if change.moves_ground else Effects((), (), 0, people)
    )


def is_placed(draft: Draft, row: Territory | None) -> bool:
    """Whether a draft makes a territory, takes it away or puts it below another one."""
    return row is None or row.deleted_at is not None or draft.area is None or row.parent_id != draft.parent_id


def keep(session: Session, change: Change, *, why: str = "", waited: TerritoryChange | None = None) -> TerritoryChange:
    """Keep a change that came too late, as it was drawn: nothing of it is lost."""
    rows = rows_of(session, [draft.id for draft in change.drafts])
    told = {"people": list(changed(session, change.drafts)), "wish": change.wish}
    kept = written(session, change, why, ChangeState.KEPT, told, waited)
    for draft in change.drafts:
        part = part_of(session, kept.id, draft, rows.get(draft.id))
        part.rev = draft.rev
        session.add(part)
    session.flush()
    return kept


def wait(
    session: Session, change: Change, day: date, wish: dict[str, Any], *, why: str = "",
    waited: TerritoryChange | None = None,
) -> TerritoryChange:  # fmt: skip
    """Write down what shall be done on a day, with what it would move today; one that `waited` already stays the same
    change. Refuses one drawn on an older state.
    """
    rows = rows_of(session, [draft.id for draft in change.drafts])
    check_fresh(session, change, rows)
    told = effects_of(session, change).wire() | {"wish": wish}
    kept = written(session, change, why, ChangeState.WAITING, told, waited)
    kept.apply_on = day
    session.add_all(part_of(session, kept.id, draft, rows.get(draft.id)) for draft in change.drafts)
    session.flush()
    if change.moves_ground:
        tell_of(session, change, About("territory_change", kept.id))
    return kept


def waits(session: Session, wish: dict[str, Any], *, but: TerritoryChange | None = None) -> bool:
    """Whether the very same waits for a day already, as after a double click."""
    same = TerritoryChange.state == ChangeState.WAITING, TerritoryChange.effects["wish"] == cast(wish, JSONB)
    found = select(TerritoryChange.id).where(*same, TerritoryChange.id != but.id if but else true())
    return session.scalar(found.limit(1)) is not None


def overtaken(session: Session, seen: Mapping[UUID, int]) -> str:
    """Who changed one of some territories after these revisions of them, in words; empty: nobody."""
    for row in sorted(rows_of(session, seen).values(), key=lambda one: one.name):
        if row.deleted_at is None and ground_changed(row, seen[row.id]):
            who = last_change(session, row.id) or "Somebody"
            return f"{who} changed “{row.name}” after this was set: it will not be done on its day, but kept."
    return ""


def due(session: Session, today: date) -> list[UUID]:
    """The changes whose day has come, in the order in which they were asked for."""
    waits = TerritoryChange.state == ChangeState.WAITING
    statement = select(TerritoryChange.id).where(waits, TerritoryChange.apply_on <= today)
    return list(session.scalars(statement.order_by(TerritoryChange.apply_on, TerritoryChange.at)))


COMING = "Territories that you work will change: {names}. See which of your accounts move, and when."


def tell_of(session: Session, change: Change, about: About) -> None:
    """Tell the people of some territories that these change on a day to come, but whoever set the day."""
    ids = {draft.id for draft in change.drafts}
    today = clock.today(settings().zone)
    people = {
        one.user_id
        for one in queries.memberships(session)
        if one.territory_id in ids and (one.valid_to is None or one.valid_to > today)
    }
    names = ", ".join(sorted(draft.name for draft in change.drafts))
    notify(
        session, people, "moving", COMING, "/territories/coming", about, gaps={"names": names}, by=whoever(session)[0]
    )


NOT_DONE = "Your change of territories could not be done on its day: {names}. It is kept, with the reason."


def fail(session: Session, change_id: UUID, trouble: str) -> None:
    """What could not be applied on its day is kept, with the reason; whoever set the day is told."""
    change = session.get_one(TerritoryChange, change_id)
    change.effects = {name: told for name, told in change.effects.items() if name != "wish"} | {"trouble": trouble}
    change.state = ChangeState.KEPT
    names = ", ".join(names_in(parts_of(session, change_id)))
    if change.actor_id is not None:
        about, link = About("territory_change", change_id), f"/territories?kept={change_id}"
        notify(session, [change.actor_id], "territory", NOT_DONE, link, about, gaps={"names": names})


def written(
    session: Session, change: Change, why: str, state: ChangeState, told: dict[str, Any],
    waited: TerritoryChange | None = None,
) -> TerritoryChange:  # fmt: skip
    """The change's line in the history; of one that waited, the line it had, as done now."""
    made = waited or TerritoryChange(kind=change.kind)
    if waited is not None:
        session.execute(delete(TerritoryChangePart).where(TerritoryChangePart.change_id == waited.id))
        waited.at = func.clock_timestamp()
    made.actor_id, made.source = whoever(session)
    made.why, made.state, made.effects = why.strip(), state, told
    if change.notes:
        made.effects = told | {"notes": list(change.notes)}
    session.add(made)
    session.flush()
    return made


def whoever(session: Session) -> tuple[UUID | None, str]:
    """Who acts in this transaction, and by which door."""
    names = ("waymark.actor", "waymark.source")
    actor, source = session.execute(select(*(func.current_setting(name, True) for name in names))).one()
    return (UUID(actor) if actor else None), source or "sql"


def rows_of(session: Session, ids: Iterable[UUID]) -> dict[UUID, Territory]:
    """Territories by id, also those that were taken away."""
    statement = select(Territory).where(Territory.id.in_(list(ids))).execution_options(populate_existing=True)
    return {row.id: row for row in session.scalars(statement)}


def check_fresh(session: Session, change: Change, rows: dict[UUID, Territory]) -> None:
    """Refuse drafts of territories that somebody changed after they were read: people are apart from the outline."""
    is_changed = ground_changed if change.moves_ground else people_changed
    for draft in change.drafts:
        row = rows.get(draft.id)
        if draft.is_new:
            continue
        if row is None or (row.deleted_at is not None and draft.rev is None):
            raise gone(session, row)
        if draft.rev is not None and (is_changed(row, draft.rev) or row.deleted_at is not None):
            who = last_change(session, row.id) or "Somebody"
            raise Stale(
                f"{who} changed “{row.name}” after you opened it."
                if row.deleted_at is None
                else f"{who} took “{row.name}” away after you opened it.",
                help="Your version is kept in the history: look at the present one, then apply yours or drop it.",
                territory_id=str(row.id),
                rev=row.rev,
            )


def ground_changed(row: Territory, seen: int) -> bool:
    """Whether anything but its people was changed after a revision of a territory was seen."""
    return any(rev > seen for name, rev in row.frev.items() if name != "staffing")


def people_changed(row: Territory, seen: int) -> bool:
    """Whether its people were changed after a revision of a territory was seen."""
    return row.frev.get("staffing", 0) > seen


def gone(session: Session, row: Territory | None) -> NotFound:
    """The refusal of a territory that is not there; of one that was taken away says which, and by whom."""
    if row is None:
        return NotFound("There is no such territory.")
    who = last_change(session, row.id)
    return NotFound(
        f"{who} took “{row.name}” away." if who else f"“{row.name}” was taken away.",
        help="Undo that in the history of territories, or choose another one.",
    )


def last_change(session: Session, territory_id: UUID) -> str | None:
    """Who changed a territory last."""
    statement = (
        select(User.name)
        .join(TerritoryChange, func.coalesce(TerritoryChange.undone_by, TerritoryChange.actor_id) == User.id)
        .join(TerritoryChangePart, TerritoryChangePart.change_id == TerritoryChange.id)
        .where(TerritoryChangePart.territory_id == territory_id, TerritoryChange.state.in_(DONE))
        .order_by(func.coalesce(TerritoryChange.undone_at, TerritoryChange.at).desc())
    )
    return session.scalars(statement.limit(1)).first()


def put(row: Territory, draft: Draft) -> Territory:
    """A territory as its draft says."""
    if draft.area is None:
        row.deleted_at = clock.now()
        return row
    row.name, row.colour, row.parent_id, row.deleted_at = draft.name, draft.colour, draft.parent_id, None
    row.area = stored(draft.area)
    return row


def stored(area: MultiPolygon) -> WKBElement:
    """An area as the database keeps it, bit by bit."""
    kept: WKBElement = from_shape(area, srid=4326)
    return kept


def part_of(session: Session, change_id: UUID, draft: Draft, row: Territory | None) -> TerritoryChangePart:
    """A territory before and after."""
    is_there = row is not None and row.deleted_at is None
    were = None if draft.people is None else spans_of(session, draft.id)
    return TerritoryChangePart(
        change_id=change_id,
        territory_id=draft.id,
        before=facts(row.name, row.colour, row.parent_id, were) if row is not None and is_there else None,
        area_before=row.area if row is not None and is_there else None,
        after=None if draft.area is None else facts(draft.name, draft.colour, draft.parent_id, draft.people),
        area_after=None if draft.area is None else stored(draft.area),
    )


def facts(name: str, colour: str, parent_id: UUID | None, people: Sequence[Span] | None) -> dict[str, Any]:
    """What is kept of a territory beside its area; its people only where they changed."""
    more = {} if people is None else {"people": [one.stored() for one in people]}
    return {"name": name, "colour": colour, "parent_id": str(parent_id) if parent_id else None} | more


def undo(session: Session, change_id: UUID) -> TerritoryChange:
    """Put every territory of a change back as it was. Refuses while a later change lies on top, and names it."""
    lock(session)
    change = session.get(TerritoryChange, change_id)
    if change is None:
        raise NotFound("There is no such change.")
    if change.state != ChangeState.APPLIED:
        raise Conflict("This change was not applied, or is undone already.")
    parts = parts_of(session, change_id)
    rows = rows_of(session, [part.territory_id for part in parts])
    for part in parts:
        row = rows[part.territory_id]
        if row.rev != part.rev:
            raise Conflict(
                f"“{row.name}” was changed again after that by {last_change(session, row.id) or 'somebody'}.",
                help="Undo the later change first.",
            )
    for part in sorted(parts, key=lambda one: (one.before is not None, rows[one.territory_id].deleted_at is not None)):
        restore(session, rows[part.territory_id], part)
    territories.check_tree(session, [part.territory_id for part in parts if placed_elsewhere(part)])
    change.state, change.undone_at, change.undone_by = ChangeState.UNDONE, clock.now(), whoever(session)[0]
    session.flush()
    stand_again(session, list(rows))
    if change.kind != "members":
        realign(session)
    return change


def placed_elsewhere(part: TerritoryChangePart) -> bool:
    """Whether a change made a territory, took it away or put it below another one."""
    if part.before is None or part.after is None:
        return True
    return bool(part.before["parent_id"] != part.after["parent_id"])


def restore(session: Session, row: Territory, part: TerritoryChangePart) -> None:
    """A territory as it was before a change."""
    if part.before is None or part.area_before is None:
        row.deleted_at = clock.now()
    else:
        taken = select(Territory.id).where(
            Territory.name == part.before["name"], Territory.deleted_at.is_(None), Territory.id != row.id
        )
        if session.scalars(taken).first() is not None:
            raise Conflict(f"There is a territory “{part.before['name']}” already.", help="Rename that one first.")
        parent = part.before["parent_id"]
        row.name, row.colour, row.deleted_at = part.before["name"], part.before["colour"], None
        row.parent_id = UUID(parent) if parent else None
        row.area = part.area_before
        if "people" in part.before:
            members.put(session, row, [Span.read(one) for one in part.before["people"]])
    session.flush()


STAND_AGAIN = text(
    """
    update territory_change_part p set rev = t.rev
    from territory t, (
        select distinct on (p.territory_id) p.territory_id, p.change_id
        from territory_change_part p join territory_change c on c.id = p.change_id
        where p.territory_id = any(:ids) and c.state = 'applied'
        order by p.territory_id, c.at desc, c.id desc
    ) latest
    where p.territory_id = latest.territory_id and p.change_id = latest.change_id and t.id = p.territory_id
    """
)


def stand_again(session: Session, ids: list[UUID]) -> None:
    """The change before an undone one lies on top again: it can be undone next."""
    session.execute(STAND_AGAIN, {"ids": ids})
    session.expire_all()


def parts_of(session: Session, change_id: UUID) -> list[TerritoryChangePart]:
    """The territories of a change."""
    statement = select(TerritoryChangePart).where(TerritoryChangePart.change_id == change_id)
    return list(session.scalars(statement.order_by(TerritoryChangePart.territory_id)))


def names_in(parts: Iterable[TerritoryChangePart]) -> tuple[str, ...]:
    """What the territories of a change are called after it; before it, where they are taken away."""
    return tuple(sorted(str((part.after or part.before or {}).get("name", "")) for part in parts))


def drop(session: Session, change_id: UUID) -> None:
    """Let go of a change that was kept or waits. Refuses one that was applied: that is undone."""
    change = session.get(TerritoryChange, change_id, with_for_update=True, populate_existing=True)
    if change is None or change.state in DONE:
        raise NotFound("No such change is kept.")
    session.delete(change)
    session.flush()
