"""Accounts counted beforehand: the tiles say what asking every row would say, whatever happened since."""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import cycle
from typing import Any

import pytest
from sqlalchemy import Engine, and_, func, select, text, update
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import gathered, places, queries, service, tallying, tiles
from server.accounts.duplicates import merging
from server.accounts.duplicates.merging import MergeWish
from server.accounts.models import Account, Site
from server.accounts.pins import wkt
from server.accounts.reaching import Reaching
from server.accounts.tally_models import Changed, Spot, Tally
from server.auth.access import Scope, scope_of
from server.auth.models import Role, User
from server.auth.service import create_user, set_team
from server.kit.database import transaction
from server.kit.layers import Layer
from server.kit.tiles import MAX_ZOOM, Tile
from server.territories import service as territories
from server.territories.models import Territory

type MakeAccount = Callable[..., Account]
type MakeScope = Callable[[User], Scope]

ASKED_OF_ALL = 'city is empty and name ~ "o"'
FILTERS = (
    "class = A",
    "status = customer",
    "owner = rita or owner is empty",
    'territory = "West" and not class = B',
    "class is empty",
    ASKED_OF_ALL,
    'territory in ("East", "West") and status != former',
)
TILES = cycle((Tile(0, 0, 0), Tile(6, 33, 22), Tile(8, 134, 89), Tile(11, 1076, 717)))


def naive(session: Session, scope: Scope, at: Tile, filter: str | None) -> list[tuple[int, ...]]:
    """The clusters of a tile, each account looked at."""
    layer = Layer("accounts", at, Site.pin, single_from_zoom=MAX_ZOOM + 1)
    accounts = queries.chosen(Reaching(session), scope, filter=filter)
    inside = layer.inside(accounts.join(Site, and_(Site.account_id == Account.id, Site.deleted_at.is_(None))))
    rows = layer.clusters(inside, Account.account_class.label("class"), totals=by_class)
    return told(session, rows)


def by_class(points: Any) -> list[Any]:
    return [func.count().filter(points["class"] == name).label(name.lower()) for name in ("A", "B", "C")]


def told(session: Session, rows: Any) -> list[tuple[int, ...]]:
    """Place in pixels and counts of every feature, in order."""
    found = rows.subquery()
    counts = (found.c["count"], found.c.a, found.c.b, found.c.c)
    at = (func.round(func.ST_X(found.c.geom) / 16), func.round(func.ST_Y(found.c.geom) / 16))
    return sorted(tuple(map(int, row)) for row in session.execute(select(*at, *counts)))


@pytest.fixture
def agree(
    session: Session,
    scope: MakeScope,
    ada: User,
    rita: User,
    otto: User,
    make_user: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], None]:
    """Compare counts and rows for people of every reach, by every filter."""
    monkeypatch.setattr(tiles, "MOST_SINGLES", -1)
    mona = make_user("mona", Role.MANAGER)
    set_team(session, "West", [mona.id, rita.id])

    turns, people = cycle(FILTERS), cycle((ada, mona, rita, otto))

    def check(after: str) -> None:
        at = next(TILES)
        for person in (next(people), next(people), next(people)):
            for filter in (None, next(turns)):
                session.flush()
                _, rows = tiles.features(session, scope(person), at, filter=filter)
                expected = naive(session, scope(person), at, filter)
                assert told(session, rows) == expected, (after, person.login, filter)
                if filter == ASKED_OF_ALL and at.z <= gathered.DEEPEST_ZOOM:
                    gathered.shelf.clear()
                    with pytest.MonkeyPatch.context() as patch:
                        patch.setattr(gathered, "WORTH", -1)
                        _, rows = tiles.features(session, scope(person), at, filter=filter)
                    assert told(session, rows) == expected, (after, person.login, "gathered")

    return check


def steps(
    session: Session, scope: MakeScope, ada: User, rita: User, otto: User, make_account: MakeAccount
) -> Iterator[str]:
    """What happens to accounts, one after the other."""
    beck = make_account("Beck", at=(9.2, 47.1), account_class="A", owner_id=rita.id, status="customer")
    ost = make_account("Ost", at=(9.7, 47.2), account_class="B", owner_id=otto.id)
    nobody = make_account("Nobody", at=(9.21, 47.12))
    make_account("Placeless", account_class="C")
    pole = make_account("Südpol", at=(0.0, -85.0))  # what stands there since before poles were refused
    session.execute(update(Site).where(Site.account_id == pole.id).values(pin=wkt(LonLat(0.0, -89.9))))
    yield "accounts are created"
    ost.account_class, nobody.status = "A", "former"
    yield "class and status change"
    nobody.owner_id, ost.owner_id = otto.id, None
    yield "owners change"
    site = session.scalars(select(Site).where(Site.account_id == nobody.id)).one()
    places.place_by_hand(session, scope(ada), site.id, LonLat(9.65, 47.3))
    yield "a pin is moved into another territory"
    places.create_site(session, scope(ada), beck.id, {"name": "Lager", "lon": 9.8, "lat": 47.2})
    yield "a second site stands in another territory"
    service.assign(session, scope(ada), ost.id, [rita.id])
    yield "a rep is assigned by hand"
    made = merging.merge(session, scope(ada), beck.id, ost.id, MergeWish({}))
    yield "two are merged"
    merging.undo(session, scope(ada), made.id)
    yield "the merge is taken back"
    session.execute(text("update account set deleted_at = now() where id = :id"), {"id": nobody.id})
    session.expire_all()
    yield "one is deleted"
    session.execute(text("update account set deleted_at = null where id = :id"), {"id": nobody.id})
    session.execute(
        text(
            "with made as (insert into account (id, name, account_class) select gen_random_uuid(), 'Row ' || n, 'C'"
            " from generate_series(1, 30) n returning id)"
            " insert into site (id, account_id, is_main, pin) select gen_random_uuid(), id, true,"
            " ST_SetSRID(ST_MakePoint(9 + random(), 47 + random() / 2), 4326) from made"
        )
    )
    yield "many come at once"


def test_tiles_are_true_after_every_change(
    session: Session,
    scope: MakeScope,
    ada: User,
    rita: User,
    otto: User,
    make_account: MakeAccount,
    agree: Callable[[str], None],
) -> None:
    counts = cycle((False, True, False))
    for after in steps(session, scope, ada, rita, otto, make_account):
        agree(after)
        if next(counts):
            tallying.count(session)
            agree(f"{after}, and counted")
    tallying.count(session)
    agree("everything is counted")
    assert session.scalar(select(func.count()).select_from(Changed)) == 0
    assert session.scalar(select(func.count()).select_from(Spot)) == session.scalar(
        select(func.sum(Tally.sites)).where(Tally.level == tallying.FINEST_KEPT)
    )
    assert tallying.count(session) == 0


def test_the_list_of_changes_is_emptied_for_good_unless_somebody_writes_it(
    empty_database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallying, "LARGE", 0)
    insert = text("insert into account_changed (site_id) values (gen_random_uuid())")
    size = text("select pg_relation_size('account_changed')")
    with transaction() as session:
        # a vacuum that happens to come by is somebody at the list, too
        session.execute(text("alter table account_changed set (autovacuum_enabled = false)"))
        session.execute(insert)
    with transaction() as session:
        assert tallying.count(session) == 1
    with transaction() as session, empty_database.connect() as other:
        other.execute(insert)
        tallying.shrink(session)
        assert session.scalar(size)
        other.rollback()
        tallying.shrink(session)
        assert session.scalar(size) == 0


def test_an_account_changed_beside_a_site_that_another_transaction_writes_is_counted_the_next_time(
    empty_database: Engine,
) -> None:
    with transaction() as session:
        account = Account(name="Beck", status="prospect")
        session.add(account)
    with empty_database.connect() as one, empty_database.connect() as other:
        for connection in (one, other):  # else search and sync make one of them wait for the other
            connection.execute(text("set local sync.suppress = 'on'; set local search.suppress = 'on'"))
        come = (
            "insert into site (id, account_id, is_main, pin) select gen_random_uuid(), :id, true, ST_Point(9, 47, 4326)"
        )
        one.execute(text(come), {"id": account.id})
        other.execute(text("update account set status = 'customer' where id = :id"), {"id": account.id})
        one.commit()
        with transaction() as session:
            tallying.count(session)
        other.commit()
    with transaction() as session:
        tallying.count(session)
        assert session.scalars(select(Spot.status)).all() == ["customer"]


def test_crowded_tiles_are_counted_at_every_zoom(
    session: Session, scope: MakeScope, ada: User, make_account: MakeAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        make_account("Same place", at=(9.52, 47.14), account_class="A", tags=["x"])
    at = Tile(14, 8625, 5753)
    assert tiles.tile(session, scope(ada), at).count(b"Same place") == 1, "values are written once"
    assert b"overdue_days" in tiles.tile(session, scope(ada), at, filter="tag = x")
    monkeypatch.setattr(tiles, "MOST_SINGLES", 2)
    for filter in (None, "class = A", "tag = x"):
        crowded = tiles.tile(session, scope(ada), at, filter=filter)
        assert b"Same place" not in crowded
        assert b"count" in crowded


def test_what_a_filter_leaves_is_gathered_once_for_each_person(
    session: Session,
    scope: MakeScope,
    ada: User,
    rita: User,
    east: Territory,
    make_account: MakeAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathered, "WORTH", -1)
    gathered.shelf.clear()

    def seen(person: User, filter: str = 'name ~ "beck"') -> int:
        _, rows = tiles.features(session, scope(person), Tile(0, 0, 0), filter=filter)
        return sum(row[2] for row in told(session, rows))

    make_account("Beck", at=(9.7, 47.2))
    theirs = make_account("Becker", at=(9.7, 47.3))
    assert (seen(ada), seen(rita)) == (2, 0)
    session.execute(text("update account set name = 'Müller' where id = :id"), {"id": theirs.id})
    assert (seen(ada), seen(ada, 'name ~ "Beck"')) == (2, 1), "another question is asked anew"
    assert session.scalar(select(func.current_setting("work_mem"))) == "32MB", "less for that one statement alone"
    gathered.shelf.clear()
    assert seen(ada) == 1
    # What rights depend on is part of the question: a territory that somebody was given, or lost, counts at once.
    session.execute(text("update account set territory_id = :id where name = 'Beck'"), {"id": east.id})
    assert seen(rita) == 0
    territories.set_members(session, east.id, [rita.id], day=date(2020, 1, 1))
    assert seen(rita) == 1
    territories.set_members(session, east.id, [], day=date(2020, 1, 1))
    assert seen(rita) == 0
    with pytest.raises(ZeroDivisionError):
        gathered.shelf.get("wrong", lambda: 1 // 0, lambda _: True)  # type: ignore[arg-type, return-value]
    none = (
        select(text("1"), text("1")).where(text("false")).union_all(select(text("1"), text("1")).where(text("false")))
    )
    empty = gathered.shelf.get("wrong", lambda: gathered.gathered(session, scope(ada), none), lambda _: True)
    assert len(empty.squares) == 0


def test_what_is_gathered_is_not_kept_beyond_an_edit_of_its_reader(
    session: Session,
    scope: MakeScope,
    ada: User,
    rita: User,
    make_account: MakeAccount,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gathered, "WORTH", -1)
    gathered.shelf.clear()
    beck, becker = make_account("Beck", at=(9.7, 47.2)), make_account("Becker", at=(9.7, 47.3))
    session.flush()

    def seen() -> int:
        _, rows = tiles.features(session, scope(ada), Tile(0, 0, 0), filter='name ~ "beck"')
        return sum(row[2] for row in told(session, rows))

    def rename(account: Account, writer: User) -> None:
        session.execute(text("select set_config('waymark.actor', :id, true)"), {"id": str(writer.id)})
        session.execute(text("update account set name = 'Müller' where id = :id"), {"id": account.id})

    assert seen() == 2
    rename(beck, rita)
    assert seen() == 2, "what others change is seen a little later"
    rename(becker, ada)
    assert seen() == 0
    assert seen() == 0


def test_a_tile_is_planned_for_its_reader_however_often_a_connection_has_drawn_it(
    empty_database: Engine,
) -> None:
    prepared = text(
        "select coalesce(sum(custom_plans), 0), coalesce(sum(generic_plans), 0) from pg_prepared_statements"
        " where statement like '%ST_AsMVT(%'"
    )
    with transaction() as session:
        lead = create_user(session, login="lead", name="Lead", role=Role.MANAGER, password="three words make one")
        for x in range(16):  # a connection prepares what it is asked again, and keeps one plan after five more
            tiles.tile(session, scope_of(session, lead, source="api"), Tile(6, x, 20))
        own, kept = session.execute(prepared).one()
    assert own > 5
    assert kept == 0
