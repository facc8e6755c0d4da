"""Reads of timelines: one union, each source limited before it, so that a long story is read from indexes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    null,
    select,
    true,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session
from sqlalchemy.sql.selectable import Subquery
from sqlalchemy.types import DateTime, Uuid

from server.accounts.opening import Opened, opened
from server.accounts.reach import Reader
from server.auth.access import Scope
from server.kit.errors import NotFound
from server.kit.paging import decode_cursor, encode_cursor
from server.kit.settings import settings
from server.timeline import entries as reading
from server.timeline.entries import Entry
from server.timeline.sources import INTERNAL_FACTS, SOURCES, Source

MOMENT = DateTime(timezone=True)
APART = 4
"""Up to so many merged accounts are named in the statement one by one; more of them are a list that it runs along."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants to read of a timeline."""

    kinds: frozenset[str] = frozenset()
    """Empty: everything."""
    people: frozenset[UUID] = frozenset()
    first: date | None = None
    last: date | None = None
    shareable: bool = False
    """Only what the customer may read."""
    search: str | None = None


@dataclass(frozen=True)
class Listing:
    """One page of a timeline."""

    entries: list[Entry]
    next_cursor: str | None


def page(
    session: Session,
    scope: Scope,
    account: UUID | Opened,
    wish: Wish,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Listing:
    """One page of what happened at an account and at those merged into it, the latest first.

    What one person changed within a minute is one entry, so a page may have fewer entries than its limit. An account
    that the caller has opened was asked for the `PERMISSIONS`.
    """
    at = opened(session, scope, account, PERMISSIONS)
    if "accounts:read" not in at.granted:
        raise NotFound("There is no such account.", id=str(at.account_id))
    granted = at.granted | {one for one in OF_PEOPLE if scope.may(one)}
    chosen = [
        source for source in SOURCES if source.permission in granted and (not wish.kinds or source.kinds & wish.kinds)
    ]
    family = at.family
    after = decode_cursor(cursor, 3)
    statement = drafted(Reader.of(scope), tuple(chosen), len(family), wish, after is not None, limit + 1)
    rows = session.execute(statement, values_of(family, after)).all() if statement is not None else []
    entries = [Entry(**{**row._asdict(), "facts": row.facts or {}}) for row in rows]
    shown, following = reading.grouped(entries, limit)
    reading.fill_in(session, scope, shown)
    for entry in shown:
        entry.link = link_of(entry, chosen)
        entry.is_internal |= any(entry.kind in source.internal_kinds for source in chosen)
    key = (following.at.isoformat(), following.entity, following.id) if following else None
    return Listing(shown, encode_cursor(key) if key else None)


OF_PEOPLE = frozenset(source.permission for source in SOURCES if source.permission.startswith("plans:"))
"""Permissions of sources that do not reach by the account."""
PERMISSIONS = frozenset({"accounts:read", *(source.permission for source in SOURCES)}) - OF_PEOPLE
"""Permissions of sources that do."""


def values_of(family: Sequence[UUID], after: list[Any] | None) -> dict[str, Any]:
    """What a drafted statement is run with."""
    values: dict[str, Any] = {"family": list(family)}
    if len(family) <= APART:
        values = {f"account_{number}": one for number, one in enumerate(family)}
    if after is not None:
        values |= dict(zip(("after_at", "after_entity", "after_id"), map(str, after), strict=True))
    return values


@lru_cache(maxsize=256)
def drafted(
    reader: Reader, chosen: tuple[Source, ...], family: int, wish: Wish, follows: bool, limit: int
) -> CompoundSelect[Any] | Select[Any] | None:
    """The newest rows of all sources; None when nothing is asked for.

    It is long, so it is drafted once for a reader, not for each page: `values_of` says whose story and from where on.
    """
    if family > APART:
        one = select(literal_column("kin.id", Uuid()))
        branches = [along(branch(source, reader.scope, one, wish, follows, limit), limit) for source in chosen]
    else:
        apart = [select(bindparam(f"account_{number}", type_=Uuid())) for number in range(family)]
        branches = [branch(source, reader.scope, one, wish, follows, limit) for source in chosen for one in apart]
    if not branches:
        return None
    if len(branches) == 1:
        return branches[0]  # it is ordered and limited already
    order: list[ColumnElement[Any]] = [literal_column(name).desc() for name in ("at", "entity", "id")]
    return union_all(*branches).order_by(*order).limit(limit)


def along(branch: Select[Any], limit: int) -> Select[Any]:
    """The newest rows of one source at many accounts: the newest of each, from its index, and of those the newest."""
    kin = func.unnest(bindparam("family", type_=ARRAY(Uuid()))).table_valued("id").render_derived(name="kin")
    rows = branch.lateral("rows")
    return select(*rows.c).select_from(kin.join(rows, true())).order_by(rows.c.at.desc(), rows.c.id.desc()).limit(limit)


def branch(
    source: Source, scope: Scope, account_ids: Select[Any], wish: Wish, follows: bool, limit: int
) -> Select[Any]:
    """The newest rows of one source."""
    rows = source.happenings(scope, account_ids).subquery()
    columns = {column.name: column for column in rows.c}
    if hidden := scope.hidden(source.of):
        columns["facts"] = (rows.c.facts - cast(sorted(hidden), ARRAY(Text))).label("facts")
        if source.body_is in hidden:
            columns["body"] = cast(null(), Text).label("body")
    if wish.shareable:
        columns["facts"] = (columns["facts"] - cast(list(INTERNAL_FACTS), ARRAY(Text))).label("facts")
        if source.body_is_internal:
            columns["body"] = cast(null(), Text).label("body")
    statement = select(*columns.values()).where(*conditions(rows, columns, source, scope, wish))
    if follows:
        moment, entity, key = bindparam("after_at", type_=MOMENT), bindparam("after_entity", type_=Text()), "after_id"
        here, there = tuple_(rows.c.at, rows.c.entity, rows.c.id), (cast(moment, MOMENT), entity)
        statement = statement.where(
            rows.c.at <= there[0], here < tuple_(*there, cast(bindparam(key, type_=Uuid()), Uuid))
        )
    return statement.order_by(rows.c.at.desc(), rows.c.id.desc()).limit(limit)


def conditions(
    rows: Subquery, columns: Mapping[str, ColumnElement[Any]], source: Source, scope: Scope, wish: Wish
) -> list[ColumnElement[bool]]:
    """What a wish leaves of a source."""
    found: list[ColumnElement[bool]] = []
    if wish.kinds and not source.kinds <= wish.kinds:
        found.append(rows.c.kind.in_(sorted(wish.kinds)))
    if wish.people:
        found.append(rows.c.actor_id.in_(sorted(wish.people)))
    zone = ZoneInfo(scope.zone or settings().zone)
    if wish.first is not None:
        found.append(rows.c.at >= datetime.combine(wish.first, time(), zone))
    if wish.last is not None:
        found.append(rows.c.at < datetime.combine(wish.last + timedelta(days=1), time(), zone))
    if wish.shareable:
        found += [~rows.c.is_internal, rows.c.facts["state"].astext.is_distinct_from("draft")]
        if source.internal_kinds:
            found.append(rows.c.kind.not_in(sorted(source.internal_kinds)))
    if wish.search and wish.search.strip():
        text = func.search_text(func.concat_ws(" ", rows.c.title, columns["body"]))
        for word in wish.search.split()[:8]:
            folded = func.regexp_replace(func.search_text(word), r"([\\%_])", r"\\\1", "g")
            found.append(text.like(func.concat("%", folded, "%")))
    return found


def link_of(entry: Entry, chosen: Sequence[Source]) -> str | None:
    """Where an entry is read."""
    link = next((source.link for source in chosen if entry.kind in source.kinds and source.link), "")
    texts = {name: value for name, value in entry.facts.items() if isinstance(value, str)} | {"id": str(entry.id)}
    try:
        return link.format(**texts) or None
    except KeyError:
        return None
