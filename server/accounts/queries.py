"""Reads of accounts. Every read starts at `visible_to(scope)`: it decides lists, maps, exports and phones alike."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    exists,
    func,
    literal,
    select,
)
from sqlalchemy.orm import Session, aliased, defer
from sqlalchemy.types import Text

from server.accounts.around import Around
from server.accounts.fields import INTERVAL_DAYS, KIND, KIND_SOURCE, known, matches, overdue_days
from server.accounts.models import Account, AccountRep, Site
from server.accounts.reach import GATHERED, LIVING, Reached, all_reached
from server.accounts.reach import Reader as Reader
from server.accounts.reach import at_reached as at_reached
from server.accounts.reach import own_or_reached as own_or_reached
from server.accounts.reach import reached_ids as reached_ids
from server.accounts.reach import reached_one_by_one as reached_one_by_one
from server.accounts.reach import reached_through as reached_through
from server.accounts.reach import standing_for as standing_for
from server.accounts.reach import today_of as today_of
from server.accounts.reach import within_reach as within_reach
from server.accounts.reaching import Reaching, Trip
from server.accounts.values import country_code
from server.auth.access import Scope
from server.auth.models import User
from server.auth.roles import Level
from server.kit.errors import NotFound
from server.kit.filtering import Field, Vocabulary, compile_filter, parse, vocabulary
from server.kit.filtering.guard import Estimate, answers_in_time, asks_for_text, check
from server.kit.filtering.judging import Judged, judged
from server.kit.filtering.listing import Listing, key_of, page_of
from server.kit.filtering.nodes import Node
from server.regions.queries import served_countries
from server.territories.models import Territory


def visible_to(
    scope: Scope, permission: str = "accounts:read", *, few: bool = False, listed: bool = False
) -> Select[Account]:
    """The accounts that a permission of somebody reaches; deleted and merged ones are left out.

    With `few` each of a few accounts is asked, such as those of a tile, instead of gathering all that are reached;
    `listed` says that all are wanted, or those that a filter leaves of them.
    """
    living = select(Account).where(Account.deleted_at.is_(None), Account.merged_into.is_(None))
    if scope.level(permission) >= Level.ALL:
        return living
    if few:
        return living.where(within_reach(scope, permission))
    return living.where(all_reached(scope, permission) if listed else Account.id.in_(reached_ids(scope, permission)))


def chosen(
    reaching: Reaching,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    permission: str = "accounts:read",
    words: Vocabulary | None = None,
    few: bool = False,
    reached: Reached | None = None,
) -> Select[Account]:
    """The accounts that a filter and a search leave of what somebody may see: the same for list, map and export.

    `reaching` answers and remembers the drives that the filter asks for; `words` is its `language`, where it is known.
    With `reached`, read beforehand, those of several teams are found by going through all accounts.
    """
    if reached is not None and scope.level(permission) not in GATHERED:
        statement = select(Account).where(LIVING, reached.team())
    else:
        statement = visible_to(scope, permission, few=few, listed=True)
    if filter and filter.strip():
        statement = statement.where(compile_filter(parse(filter), words or language(reaching, scope)))
    if search and search.strip():
        statement = statement.where(matches(reaching.session, search[:200], scope.hidden("account")))
    return statement


def language(reaching: Reaching, scope: Scope, fields: Mapping[str, Field] | None = None) -> Vocabulary:
    """What accounts can be asked by somebody."""
    session, today = reaching.session, today_of(scope)
    around = Around(session, visible_to(scope), reaching)
    fields = known(session, today) if fields is None else fields
    return vocabulary(session, scope, "account", fields, today=today, places=around)


@dataclass(frozen=True)
class Row:
    """An account as lists show it, with its main site and names."""

    account: Account
    site: Site | None
    owner_name: str | None
    territory_name: str | None
    overdue_days: int | None
    interval_days: int | None
    lon: float | None
    lat: float | None
    kind: str | None = None
    """Kind of firm, said or guessed."""
    kind_source: str | None = None
    """said, map or name."""
    trip: Trip | None = None
    """The drive there, when the filter asks for one."""


def with_details(statement: Select[Account], today: date | ColumnElement[date]) -> Select[Any]:
    """A selection of accounts with the columns of `Row`."""
    main = and_(Site.account_id == Account.id, Site.is_main, Site.deleted_at.is_(None))
    return (
        statement.outerjoin(Site, main)
        .outerjoin(User, User.id == Account.owner_id)
        .outerjoin(Territory, Territory.id == Account.territory_id)
        .with_only_columns(
            Account,
            Site,
            User.name,
            Territory.name,
            overdue_days(today),
            INTERVAL_DAYS,
            func.ST_X(Site.pin),
            func.ST_Y(Site.pin),
            KIND,
            KIND_SOURCE,
        )
    )


EARLIEST = date(1, 1, 1)
ONE, TODAY = bindparam("account_id", type_=Uuid()), bindparam("today", type_=Date())
IDS = any_(bindparam("ids", type_=ARRAY(Uuid)))


@lru_cache(maxsize=4)
def sort_keys(today: date) -> Mapping[str, ColumnElement[Any]]:
    """What a list can be sorted by; nulls come as the least value, so that a cursor can point between rows."""
    main_city = select(func.search_text(Site.city, type_=Text)).where(
        Site.account_id == Account.id, Site.is_main, Site.deleted_at.is_(None)
    )
    return {
        "name": func.search_text(Account.name, type_=Text),
        "number": func.coalesce(Account.number, ""),
        "class": func.coalesce(Account.account_class, "~"),
        "status": Account.__table__.c.status,
        "city": func.coalesce(main_city.scalar_subquery(), ""),
        "value": func.coalesce(Account.yearly_value, literal(Decimal(-1))),
        "potential": func.coalesce(Account.yearly_potential, literal(Decimal(-1))),
        "overdue": func.coalesce(overdue_days(today), -1_000_000),
        "last_visit": func.coalesce(Account.last_visit_on, EARLIEST),
        "created": Account.__table__.c.created_at,
        "updated": Account.__table__.c.updated_at,
    }


@answers_in_time
def page(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    sort: str = "name",
    cursor: str | None = None,
    limit: int = 50,
    exact: bool = False,
    fields: Mapping[str, Field] | None = None,
) -> Listing[Row]:
    """One page of the accounts that somebody may see. `sort` names a key, with `-` in front for the other way round.

    `exact` counts to the end where a long list would otherwise say about how many; `fields` are read here unless given.
    """
    today = today_of(scope)
    reaching = Reaching(session)
    words = language(reaching, scope, fields) if filter and filter.strip() else None
    statement = chosen(reaching, scope, filter=filter, search=search, words=words)
    keys = scope.askable("account", sort_keys(today)) | {"drive": reaching.drive_s}
    key = key_of(keys, sort)
    if sort == "name" and (number := asked_number(session, scope, search)) is not None:
        key = case((func.lower(Account.number) == number, ""), else_=key)
    tree = parse(filter) if filter and words else None
    total = expected = None
    if tree is not None and words is not None:
        all_searched = chosen(reaching, scope, search=search).with_only_columns(Account.id)
        expected, first = counted(session, statement, tree, words, everything=all_searched, exact=exact)
        if first.ids is not None:
            statement = select(Account).where(Account.id == any_(literal(first.ids, ARRAY(Uuid))))
        elif first.one_by_one:
            statement = chosen(reaching, scope, filter=filter, search=search, words=replace(words, one_by_one=True))
        total = first.total
    by_text = bool(search and search.strip()) or (tree is not None and asks_for_text(tree))
    found = page_of(
        session, statement, Account.id, key,
        sort=sort, cursor=cursor, limit=limit, exact=exact, total=total, expected=expected,
        by_text=by_text,
    )  # fmt: skip
    rows = session.execute(PAGE, {"ids": found.ids, "today": today})
    trips = reaching.of_accounts(found.ids)
    return found.listing([replace(Row(*row), trip=trips.get(row[0].id)) for row in found.in_order(rows)])


PAGE = with_details(select(Account).where(Account.id == IDS), TODAY).options(defer(Site.pin), defer(Site.custom))


def asked_number(session: Session, scope: Scope, search: str | None) -> str | None:
    """The number of an account that a search is, in small letters: that account is wanted before those like it."""
    number = (search or "").strip().lower()
    if not number or "number" in scope.hidden("account"):
        return None
    return session.scalar(select(literal(number)).where(exists().where(func.lower(Account.number) == number)))


def counted(
    session: Session, statement: Select[Account], tree: Node, words: Vocabulary, *, everything: Select[Any], exact: bool
) -> tuple[Estimate, Judged]:
    """What the planner expects of a filter and how many accounts it finds; refuses what would search too much."""
    condition, gathered = partial(compile_filter, vocabulary=words), statement.with_only_columns(Account.id)
    ways = {False: words, True: replace(words, one_by_one=True)}
    expected = check(session, gathered, tree, condition, everything=everything)
    return expected, judged(
        session,
        tree,
        words,
        lambda part, one_by_one: compile_filter(part, ways[one_by_one]),
        gathered=gathered,
        everything=everything,
        cost=expected.cost,
        exact=exact,
    )


def detail(session: Session, scope: Scope, account_id: UUID, permission: str = "accounts:read") -> Row | None:
    """One account, when the permission reaches it."""
    statement = visible_to(scope, permission).where(Account.id == account_id)
    found = session.execute(with_details(statement, today_of(scope))).one_or_none()
    return Row(*found) if found else None


def granted(session: Session, scope: Scope, account_id: UUID, permissions: Iterable[str]) -> set[str]:
    """Which of these permissions of somebody reach an account; one query, however many there are."""
    held = {permission: scope.level(permission) for permission in permissions if scope.may(permission)}
    reach = reach_by_level(scope, account_id, held)
    found = dict(zip(reach, session.execute(select(*reach.values())).one(), strict=True)) if reach else {}
    return {permission for permission, level in held.items() if found[level]}


def reach_by_level(scope: Scope, account_id: UUID, held: Mapping[str, Level]) -> dict[Level, ColumnElement[bool]]:
    """Whether permissions that somebody has reach an account, by their level."""
    levels = {level: permission for permission, level in held.items()}
    return {
        level: visible_to(scope, one).with_only_columns(Account.id).where(Account.id == account_id).exists()
        for level, one in levels.items()
    }


def seen_of(session: Session, scope: Scope, account_ids: Iterable[UUID]) -> set[UUID]:
    """Which of these accounts somebody may see, themselves or as what they were merged into."""
    one, asked = aliased(Account), list(account_ids)
    if not asked:
        return set()
    return set(session.scalars(select(one.id).where(one.id.in_(asked), reached_through(one.id, scope))))


def sites_of(session: Session, account_ids: Iterable[UUID]) -> list[Site]:
    """The sites of some accounts, main ones first."""
    return list(session.scalars(SITES, {"ids": list(account_ids)}))


SITES = (
    select(Site)
    .where(Site.account_id == IDS, Site.deleted_at.is_(None))
    .order_by(Site.account_id, Site.is_main.desc(), Site.id)
)


def all_sites_of(session: Session, account_ids: Iterable[UUID]) -> list[UUID]:
    """The sites of some accounts, deleted and folded ones too: for their history."""
    return list(session.scalars(select(Site.id).where(Site.account_id.in_(list(account_ids)))))


def reps_of(session: Session, account_id: UUID) -> list[UUID]:
    """The reps to whom an account is assigned by hand."""
    return list(session.scalars(REPS, {"account_id": account_id}))


REPS = select(AccountRep.user_id).where(AccountRep.account_id == ONE).order_by(AccountRep.user_id)


def home_country(session: Session) -> str | None:
    """The country in which numbers without +… are dialled: that of the map, when it shows a single one."""
    countries = {country_code(country) for country in served_countries(session)}
    return countries.pop() if len(countries) == 1 else None


def surviving(session: Session, account_id: UUID) -> UUID:
    """The account that stands for this one after all merges."""
    return session.scalar(SURVIVING, {"account_id": account_id}) or account_id


SURVIVING: Select[UUID] = select(func.account_surviving(ONE))


def hold(session: Session, account_id: UUID) -> None:
    """Keep an account from being deleted until what is being hung on it is stored, waiting for whoever deletes it.

    Refuses one that is deleted by then.
    """
    there = select(Account.id).where(Account.id == account_id, Account.deleted_at.is_(None))
    if session.scalar(there.with_for_update(read=True, key_share=True)) is None:
        raise NotFound("There is no such account.", field="account_id")


def survivors(session: Session, account_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The accounts that stand for these after all merges; without those that do not exist."""
    return dict(session.execute(SURVIVORS, {"ids": list(account_ids)}).tuples().all())


SURVIVORS: Select[UUID, UUID] = select(Account.id, func.account_surviving(Account.id)).where(Account.id == IDS)


def standing_sites(session: Session, site_ids: Collection[UUID]) -> dict[UUID, UUID]:
    """The sites that stand for these after all merges."""
    asked = select(Site.id, func.site_standing(Site.id)).where(Site.id.in_(site_ids))
    return dict(session.execute(asked).tuples().all())


def standing_site(session: Session, site_id: UUID) -> UUID:
    """The site that stands for this one: itself, or the main site of the winner when a merge folded it away."""
    return session.scalar(select(func.site_standing(site_id))) or site_id


def family(account_id: UUID | ColumnElement[UUID]) -> Select[UUID]:
    """The ids of an account and of all accounts merged into it: rooms above read their rows through this."""
    tree = select(Account.id).where(Account.id == account_id).cte("family", recursive=True)
    tree = tree.union(select(Account.id).join(tree, Account.merged_into == tree.c.id))
    return select(tree.c.id)
