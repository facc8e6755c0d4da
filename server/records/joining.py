"""Two records of one kind that are the same thing become one, and are taken apart again for 30 days.

Each room says in `Fields` what of its records is chosen. Leads, products and contacts go the whole way through here:
the loser keeps its row, its history and what hangs on it, gets `merged_into` and goes out of sight; `RecordMerge` holds
what an undo needs. Accounts choose by the same rules and have a table of their own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal, get_args
from uuid import UUID

from geoalchemy2 import WKBElement
from sqlalchemy import JSON, ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound
from server.kit.ids import uuid7
from server.records.merging import Json
from server.records.models import FieldHistory, Joinable, RecordMerge
from server.records.revising import wire as plain
from server.records.service import BY_PEOPLE
from server.records.together import folded, own_given_back, word

UNDO = timedelta(days=30)
"""How long a merge can be taken back."""

type Side = Literal["winner", "loser"]
type Choice = Literal["winner", "loser", "both"]
type MayChange = Callable[[Sequence[str]], bool]
"""Whether the person may write some columns."""


class AlreadyMerged(Conflict):
    """One of the two has gone into another meanwhile."""

    code = "already_merged"


class UndoTooLate(Conflict):
    """A merge lies too far back."""

    code = "undo_too_late"


@dataclass(frozen=True)
class Fields:
    """What of two records of a kind is chosen when they become one."""

    entity: str
    """The name of the table."""
    columns: Mapping[str, tuple[str, ...]]
    """Each field with the columns that say it."""
    labels: Mapping[str, str]
    """What people call each field."""
    along: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Columns that go with a field and do not tell whether two are the same."""
    both: Mapping[str, Callable[[Any, Any], Any]] = field(default_factory=dict)
    """Fields whose values can be put together, and how: winner's and loser's."""
    longest: Mapping[str, int] = field(default_factory=dict)
    """Signs that a text may have; two that are longer together cannot be put together."""
    prefers: Mapping[str, Callable[[Any, Any], Side]] = field(default_factory=dict)
    """Fields that are proposed by a rule of their own and not by who was edited last."""
    alike: Mapping[str, str] = field(default_factory=dict)
    """Columns that are compared by another one, where that is known: a phone by how it is dialled."""
    by_rule: frozenset[str] = frozenset()
    """Fields that nobody chooses: `prefers` says whose holds."""
    hides: bool = True
    """Whether the one that goes counts as deleted; else `merged_into` alone takes it out of sight."""

    def written(self, name: str) -> tuple[str, ...]:
        """Every column that a choice of this field writes."""
        return (*self.columns[name], *self.along.get(name, ()))

    def values(self, row: Any, name: str) -> tuple[Any, ...]:
        """What is compared of a field."""
        known = self.alike.get(self.columns[name][0])
        if known is not None and getattr(row, known):
            return (getattr(row, known),)
        return tuple(getattr(row, column) for column in self.columns[name])

    def may_both(self, name: str, winner: Any, loser: Any) -> bool:
        """Whether both values of a field can stay."""
        if name not in self.both:
            return False
        return name not in self.longest or len(self.both[name](winner, loser) or "") <= self.longest[name]

    def left_out(self, name: str, winner: Any, loser: Any) -> list[str]:
        """What of two lists finds no place when they are put together."""
        column = self.columns[name][0]
        if not isinstance(getattr(winner, column), list) or not self.may_both(name, winner, loser):
            return []
        kept = {folded(one) for one in self.both[name](winner, loser)}
        return [word(one) for row in (winner, loser) for one in getattr(row, column) if folded(one) not in kept]

    def is_empty(self, row: Any, name: str) -> bool:
        """Whether there is nothing to keep; a currency alone says nothing."""
        said = [getattr(row, column) for column in self.columns[name] if column != "currency"]
        return all(value in (None, "", [], {}) for value in said)


type Proposal = tuple[str, bool, Choice]
"""A field, whether both sides agree in it, and the side that is proposed."""


def proposed(session: Session, fields: Fields, winner: Any, loser: Any, may_change: MayChange) -> list[Proposal]:
    """Each field with the side that is proposed.

    What is not empty stays; of two values the one that a person edited last, else the winner's. What can be put
    together is. What the person may not change stays the winner's.
    """
    edited = edited_at(session, fields.entity, winner, loser)
    found: list[Proposal] = []
    for name in fields.columns:
        same = fields.values(winner, name) == fields.values(loser, name)
        choice: Choice = "winner"
        if name in fields.by_rule:
            choice = fields.prefers[name](winner, loser)
        elif same or fields.is_empty(loser, name) or not may_change(fields.columns[name]):
            choice = "winner"
        elif fields.is_empty(winner, name):
            choice = "loser"
        elif fields.may_both(name, winner, loser):
            choice = "both"
        elif name in fields.prefers:
            choice = fields.prefers[name](winner, loser)
        else:
            choice = later(edited, winner, loser, fields.columns[name])
        found.append((name, same, choice))
    return found


def edited_at(session: Session, entity: str, *rows: Any) -> dict[tuple[Any, str], Any]:
    """When a person last edited each field of some records."""
    statement = (
        select(FieldHistory.row_id, FieldHistory.field, func.max(FieldHistory.id))
        .where(
            FieldHistory.entity == entity,
            FieldHistory.row_id.in_([row.id for row in rows]),
            FieldHistory.actor.is_not(None),
            FieldHistory.source.in_(BY_PEOPLE),
            FieldHistory.field != "*",
        )
        .group_by(FieldHistory.row_id, FieldHistory.field)
    )
    return {(row_id, name): latest for row_id, name, latest in session.execute(statement)}


def later(edited: Mapping[tuple[Any, str], Any], winner: Any, loser: Any, columns: Sequence[str]) -> Side:
    """The side that a person edited last."""
    mine, theirs = (max(edited.get((row.id, column), 0) for column in columns) for row in (winner, loser))
    return "loser" if theirs > mine else "winner"


def chosen_values(fields: Fields, winner: Any, loser: Any, choices: Mapping[str, str]) -> dict[str, Any]:
    """The winner's new values, by column. Refuses fields that cannot be chosen and sides that do not exist."""
    taken: dict[str, Any] = {}
    for name, choice in choices.items():
        if name not in fields.columns:
            known = ", ".join(fields.columns)
            raise Invalid(f"“{name}” cannot be chosen.", help=f"Known: {known}.", field=name)
        if choice == "both" and name in fields.both and not fields.may_both(name, winner, loser):
            raise Invalid(
                f"{fields.labels[name]}: both texts together are longer than {fields.longest[name]:,} characters.",
                help="Choose one of them.",
                field=name,
            )
        if choice not in get_args(Choice.__value__) or (choice == "both" and name not in fields.both):
            raise Invalid(f"“{choice}” is no choice for {name}.", help="Choose winner or loser.", field=name)
        if choice == "both":
            taken[fields.columns[name][0]] = fields.both[name](winner, loser)
        elif choice == "loser":
            taken |= {column: getattr(loser, column) for column in fields.written(name)}
    return taken


def both[R: Joinable](
    session: Session, reach: Select[R], kind: type[R], winner_id: UUID, loser_id: UUID, what: str
) -> tuple[R, R]:
    """Winner and loser, locked in one order whoever asks.

    `reach` are the living rows that the person may change. Refuses one row twice, what is out of reach, and what went
    into another row meanwhile.
    """
    if winner_id == loser_id:
        raise Invalid(f"A {what} cannot be merged with itself.", help="Choose another one.", field="loser_id")
    statement = reach.where(kind.id.in_((winner_id, loser_id))).order_by(kind.id)
    rows = session.scalars(statement.with_for_update().execution_options(populate_existing=True))
    found = {row.id: row for row in rows}
    for key in (winner_id, loser_id):
        if key not in found:
            refuse_missing(session, kind, key, what)
    return found[winner_id], found[loser_id]


def refuse_missing(session: Session, kind: type[Joinable], key: UUID, what: str) -> None:
    """Say why a row cannot be merged: it has gone into another one, or it is not there."""
    into = session.scalar(select(kind.merged_into).where(kind.id == key))
    if into is not None:
        raise AlreadyMerged(
            f"This {what} has been merged into another one in the meantime.",
            help="Reload to see what is left to decide.",
            into=str(into),
        )
    raise NotFound(f"There is no such {what}.", id=str(key))


def join(
    session: Session,
    fields: Fields,
    winner: Joinable,
    loser: Joinable,
    values: Mapping[str, Any],
    *,
    by: UUID | None,
    moved: Mapping[str, Sequence[UUID | str]],
) -> RecordMerge:
    """Let the loser go into the winner, which takes these values; whatever went into the loser follows.

    `moved` are rows of the same room that were hung on the winner, by what they are.
    """
    kind, now = type(winner), clock.now()
    chain = update(kind).where(kind.merged_into == loser.id).values(merged_into=winner.id).returning(kind.id)
    followers = list(session.scalars(chain))
    loser.merged_into, loser.deleted_at = winner.id, now if fields.hides else loser.deleted_at
    session.flush()  # Before the winner takes a number that no two living rows can have.
    changed = {name: value for name, value in values.items() if wire(getattr(winner, name)) != wire(value)}
    touched = {name for group in groups(fields) if changed.keys() & set(group) for name in group}
    said = {name: value for name, value in values.items() if name in touched}
    made = RecordMerge(
        id=uuid7(), entity=fields.entity, winner_id=winner.id, loser_id=loser.id, merged_at=now, merged_by=by,
        fields={name: [wire(getattr(winner, name)), wire(value)] for name, value in said.items()},
        moved={name: [str(one) for one in ids] for name, ids in {**moved, "merged": followers}.items() if ids},
    )  # fmt: skip
    for name, value in changed.items():
        setattr(winner, name, value)
    session.add(made)
    session.flush()
    for row in (winner, loser):
        session.refresh(row)
    return made


def latest(session: Session, entity: str, winner_id: UUID, loser_id: UUID) -> RecordMerge | None:
    """The merge that let one row go into another, while it holds."""
    statement = select(RecordMerge).where(
        RecordMerge.entity == entity,
        RecordMerge.winner_id == winner_id,
        RecordMerge.loser_id == loser_id,
        RecordMerge.undone_at.is_(None),
    )
    return session.scalars(statement).one_or_none()


def of_winner(session: Session, entity: str, winner_id: UUID) -> list[RecordMerge]:
    """What was merged into a row and can still be taken back, the latest first."""
    statement = select(RecordMerge).where(
        RecordMerge.entity == entity,
        RecordMerge.winner_id == winner_id,
        RecordMerge.undone_at.is_(None),
        RecordMerge.merged_at > clock.now() - UNDO,
    )
    return list(session.scalars(statement.order_by(RecordMerge.merged_at.desc())))


def merge_of(session: Session, entity: str, merge_id: UUID) -> RecordMerge:
    """A merge of this kind, locked for its undo. Refuses one that lies too far back."""
    made = session.get(RecordMerge, merge_id, with_for_update=True, populate_existing=True)
    if made is None or made.entity != entity:
        raise NotFound("There is no such merge.", id=str(merge_id))
    if made.undone_at is None and clock.now() - made.merged_at > UNDO:
        raise UndoTooLate("The merge lies more than 30 days back.", help="Make a new record instead.")
    return made


def apart[R: Joinable](
    session: Session, made: RecordMerge, kind: type[R], reach: ColumnElement[bool], what: str
) -> tuple[R, R]:
    """Winner and loser of a merge that is to be taken back, locked.

    `reach` says which rows the person may change, deleted or not. Refuses what is out of reach, and a winner that has
    gone into another row or into the bin.
    """
    ids = (made.winner_id, made.loser_id)
    statement = select(kind).where(kind.id.in_(ids), reach).order_by(kind.id).with_for_update()
    found = {row.id: row for row in session.scalars(statement.execution_options(populate_existing=True))}
    if not found:
        raise NotFound(f"There is no such {what}.", id=str(made.loser_id))
    if len(found) < len(ids):
        raise Forbidden("You reach only one of the two records of this merge.", help="Ask somebody who reaches both.")
    winner, loser = (found[key] for key in ids)
    if winner.merged_into is not None:
        raise AlreadyMerged(
            f"The {what} that it went into has gone into another one since.",
            help="Undo that merge first.",
            into=str(winner.merged_into),
        )
    later = select(RecordMerge.id).where(
        RecordMerge.entity == made.entity,
        RecordMerge.winner_id == winner.id,
        RecordMerge.undone_at.is_(None),
        RecordMerge.merged_at > made.merged_at,
    )
    if session.scalar(later.limit(1)) is not None:  # it built on this one: what it found is not there any more
        raise Conflict(f"Another {what} has gone into the same one since.", help="Undo that merge first.")
    if winner.deleted_at is not None:
        raise Conflict(f"The {what} that it went into is in the bin.", help="Restore it first, then undo the merge.")
    return winner, loser


def give_back(
    fields: Fields,
    winner: Any,
    changed: Mapping[str, Any],
    spelled: Callable[[str, Any], Json] = lambda _name, value: wire(value),
) -> list[str]:
    """Give the winner its values from before a merge, each field as a whole: a street without its town, an amount with
    the currency of another, would be nobody's.

    `changed` holds each column before and after, written as `spelled` does. Returns the columns of fields that were
    edited since, which stay.
    """
    kept: list[str] = []
    known = groups(fields)
    if "custom" in changed and own_given_back(winner, *changed["custom"]):
        kept.append("custom")
    changed = {name: values for name, values in changed.items() if name != "custom"}
    alone = [(name,) for name in changed if not any(name in group for group in known)]
    for group in (*known, *alone):
        held = {name: changed[name] for name in group if name in changed}
        if all(spelled(name, getattr(winner, name)) == after for name, (_before, after) in held.items()):
            for name, (before, _after) in held.items():
                setattr(winner, name, stored(type(winner), name, before))
        else:
            kept += list(held)
    return kept


def part[R: Joinable](
    session: Session,
    fields: Fields,
    made: RecordMerge,
    winner: R,
    loser: R,
    *,
    by: UUID | None,
    check: Callable[[R], None],
) -> list[str]:
    """Take a merge back: the loser stands for itself again, the winner has its values from before.

    What was edited since the merge stays as it is; the columns are returned. `check` refuses a row with a
    number that somebody else has by now: the winner before it is written, then the loser.
    """
    kept, kind = give_back(fields, winner, made.fields), type(winner)
    with session.no_autoflush:
        check(winner)
    session.flush()
    check(loser)
    loser.merged_into, loser.deleted_at = None, None
    followers = [UUID(one) for one in made.moved.get("merged", ())]
    mine = kind.id.in_(followers), kind.merged_into == winner.id
    session.execute(update(kind).where(*mine).values(merged_into=loser.id))
    made.undone_at, made.undone_by = clock.now(), by
    session.flush()
    for row in (winner, loser):
        session.refresh(row)
    return kept


def groups(fields: Fields) -> list[tuple[str, ...]]:
    """The columns of each field, which are changed and taken back together."""
    return [fields.written(name) for name in fields.columns]


def labels_of(fields: Fields, columns: Sequence[str]) -> tuple[str, ...]:
    """What people call the fields that some columns belong to, each once."""
    owner = {column: name for name in fields.columns for column in fields.written(name)}
    return tuple(dict.fromkeys(fields.labels[owner[column]] for column in columns if column in owner))


def wire(value: Any) -> Json:
    """A value as a merge keeps it; a point as hexadecimal EWKB."""
    return str(value.desc) if isinstance(value, WKBElement) else plain(value)


def stored(kind: type[Any], name: str, value: Any) -> Any:
    """A value that a merge kept as its column holds it."""
    kept = kind.__table__.c[name].type
    if value is None:
        return None
    if hasattr(kept, "geometry_type"):
        return WKBElement(bytes.fromhex(value), extended=True)
    python: Any = kept.python_type
    if isinstance(value, python) or isinstance(kept, JSON):
        return value
    return python.fromisoformat(value) if hasattr(python, "fromisoformat") else python(value)
