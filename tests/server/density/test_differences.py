"""Only what changed is touched, and that comes to the same as counting everything."""

import random
from collections.abc import Callable
from uuid import UUID

import h3
import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.auth.access import system_scope
from server.density import counting, following, kinds, offering, queries, service
from server.density.counting import COARSEST, FINEST
from server.density.models import DensityState
from server.density.whitespace import Which, Wish, ranked
from server.kit.database import transaction
from server.kit.locks import is_first
from server.kit.settings import settings
from server.regions import service as regions
from server.regions.models import Prospect, ProspectChanged, Region, Stage

Customer = Callable[..., Site]
HERE = LonLat(-6.0, 46.0)
FAR = LonLat(-6.03, 46.03)


def _everything(session: Session) -> list[tuple[object, ...]]:
    cells = session.execute(text("select cell, prospects, customers, territory_id from density_cell_now order by cell"))
    counts = session.execute(
        text(
            "select cell, trade_id, sum(prospects), sum(customers) from density_count_now group by 1, 2"
            " having sum(prospects) <> 0 or sum(customers) <> 0 order by 1, 2"
        )
    )
    return [*map(tuple, cells), *map(tuple, counts)]


def test_counting_the_changes_comes_to_the_same_as_counting_everything(
    session: Session, region: Region, customer: Customer
) -> None:
    rows = session.execute(select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).limit(4)).all()
    sites = [customer(name, LonLat(lon, lat)) for name, lon, lat in rows[:3]]
    twice = customer(rows[0][0], LonLat(rows[0][1], rows[0][2]))
    service.refresh(session)
    sites[1].uncertainty_m = 900.0
    session.get_one(Account, sites[2].account_id).status = "former"
    session.get_one(Account, twice.account_id).status = "former"
    customer(rows[3][0], LonLat(rows[3][1], rows[3][2]))
    assert service.refresh(session)
    by_changes = _everything(session)
    for table in ("density_state", "density_cell", "density_count", "density_customer"):
        session.execute(text(f"delete from {table}"))
    session.expire_all()
    service.refresh(session)
    assert _everything(session) == by_changes


_MOVES = {
    "moves": "update site set pin = ST_Point(:lon, :lat, 4326) where id = :site",
    "is less sure": "update site set uncertainty_m = :doubt where id = :site",
    "has no pin": "update site set pin = null where id = :site",
    "is another's": "update site set account_id = :other where id = :site and not is_main",
    "goes to the bin": "update site set deleted_at = now() where id = :site",
    "comes back": "update site set deleted_at = null where id = :site",
    "is removed": "delete from site where id = :site and not is_main",
    "is renamed": "update account set name = :name where id = :account",
    "is of a kind": "update account set kind = :kind where id = :account",
    "is lost": "update account set status = 'former' where id = :account",
    "is won": "update account set status = 'customer' where id = :account",
    "is binned": "update account set deleted_at = now() where id = :account",
    "is merged": "update account set merged_into = :other where id = :account and id <> :other and merged_into is null",
    "is parted": "update account set merged_into = null where id = :account",
    "is worth more": "update account set yearly_value = :doubt, currency = :currency where id = :account",
    "says more": "update account set note = :name where id = :account",
}


def _kept(session: Session) -> dict[str, object]:
    """Everything that is kept by differences."""
    customers = text(
        "select site_id, cells, parts, prospect_id, prospect_cell, prospect_trade_id, trade_id, worth"
        " from density_customer order by 1"
    )
    worth = session.execute(text("select worth_sum, worth_count from density_state")).one()
    return {
        "counts": _everything(session),
        "customers": [tuple(row) for row in session.execute(customers)],
        "worth": (round(worth[0], 2), worth[1]),
    }


def _white(session: Session) -> list[tuple[object, ...]]:
    """White space of every kind, in its order."""
    gaps = [gap for which in Which for gap in ranked(session, system_scope(), Wish(which=which)).gaps]
    return [(one.cell, one.prospects, one.kinds, round(one.value, 3), round(one.per_hour, 3)) for one in gaps]


def _counted_from_nothing[Told](session: Session, told: Callable[[Session], Told]) -> Told:
    with session.begin_nested() as trial:
        for table in ("density_state", "density_cell", "density_cell_change", "density_count", "density_count_change",
                      "density_customer"):  # fmt: skip
            session.execute(text(f"delete from {table}"))
        session.expire_all()
        service.refresh(session)
        found = told(session)
        trial.rollback()
    session.expire_all()
    return found


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_to_customers_the_differences_come_to_what_counting_from_nothing_does(
    session: Session, region: Region, customer: Customer, seed: int
) -> None:
    draw = random.Random(seed)
    rows = session.execute(
        select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).order_by(Prospect.source_id).limit(12)
    ).all()
    sites = [customer(name, LonLat(lon, lat), yearly_value=1000) for name, lon, lat in rows[:5]]
    sites.append(customer("Dorfapotheke Hoop", FAR))
    for at in (HERE, FAR):
        sites.append(Site(account_id=sites[0].account_id, is_main=False, pin=f"SRID=4326;POINT({at.lon} {at.lat})"))
    session.add_all(sites[-2:])
    session.flush()
    known = [(site.id, site.account_id) for site in sites]
    service.refresh(session)
    for round_ in range(12):
        for _ in range(draw.randint(1, 6)):
            name, lon, lat = draw.choice(rows)
            (site, account), (_, other) = draw.choice(known), draw.choice(known)
            asked = {
                "site": site, "account": account, "other": other, "name": name, "lon": lon, "lat": lat,
                "doubt": draw.choice([0, 40, 300, 2500]), "currency": draw.choice(["EUR", "EUR", "CHF"]),
                "kind": draw.choice([None, "shop=wine", "shop=bakery"]),
            }  # fmt: skip
            statement = _MOVES[draw.choice(sorted(_MOVES))]
            session.execute(text(statement), {key: value for key, value in asked.items() if f":{key}" in statement})
        if draw.random() < 0.3:
            name, lon, lat = draw.choice(rows)
            new = customer(name, LonLat(lon, lat))
            known.append((new.id, new.account_id))
        session.expire_all()
        service.refresh(session, by_hand=draw.random() < 0.2)
        assert _kept(session) == _counted_from_nothing(session, _kept), f"round {round_}"
        off = session.execute(
            text(
                "select max(abs(c.expected - k.expected)), max(abs(c.value - k.value)),"
                " count(*) filter (where k is null) from density_cell_now c left join ("
                " select cell, sum((k.prospects + k.customers::float8) * coalesce(t.rate, s.usual_rate)) as expected,"
                " coalesce(sum(k.prospects * t.rate * t.value), 0) as value"
                " from density_state s, density_count_now k left join density_trade t on t.id = k.trade_id"
                " group by cell) k using (cell)"
            )
        ).one()
        assert tuple(off) == (pytest.approx(0, abs=1e-6), pytest.approx(0, abs=1e-4), 0)
        assert not service.refresh(session)


_FIRMS = {
    "goes": "delete from prospect where region_id = :region and id = :id",
    "moves": "update prospect set pin = ST_Point(:lon, :lat, 4326), cell = :cell"
    " where region_id = :region and id = :id",
    "is renamed": "update prospect set name = :name where region_id = :region and id = :id",
    "is of another kind": "update prospect set kind = :kind where region_id = :region and id = :id",
    "is told more of": 'update prospect set tags = \'{"phone": "1"}\' where region_id = :region and id = :id',
    "comes": "insert into prospect values (:region, :fresh, 'n' || :fresh, :name, :kind, '{}', :cell,"
    " ST_Point(:lon, :lat, 4326))",
}


def _newer(session: Session, old: Region, draw: random.Random, changes: int) -> Region:
    """The same region from a newer extract, in which a few firms are others."""
    new = regions.register(session, old.name, f"{draw.getrandbits(256):064x}", "newer.osm.pbf")
    columns = "id, source_id, name, kind, tags, cell, pin"
    copy = text(f"insert into prospect select :new, {columns} from prospect where region_id = :old")
    session.execute(copy, {"new": new.id, "old": old.id})
    firms = "select id, name, kind, ST_X(pin) as lon, ST_Y(pin) as lat, cell from prospect where region_id = :new"
    rows = session.execute(text(f"{firms} order by id limit 30"), {"new": new.id}).all()
    for _ in range(changes):
        of, like = draw.choice(rows), draw.choice(rows)
        asked = {
            "region": new.id, "id": of.id, "fresh": UUID(int=draw.getrandbits(128)), "cell": like.cell,
            "name": draw.choice([like.name, "Dorfapotheke Hoop"]), "lon": like.lon, "lat": like.lat,
            "kind": draw.choice([like.kind, "shop=wine", f"craft={draw.random()}"]),
        }  # fmt: skip
        statement = _FIRMS[draw.choice(sorted(_FIRMS))]
        session.execute(text(statement), {key: one for key, one in asked.items() if f":{key}" in statement})
    new.stage = Stage.PACKED
    regions.publish(session, new.id)
    return new


@pytest.mark.parametrize("seed", range(4))
def test_a_newer_extract_is_followed_by_what_it_changes_and_comes_to_what_counting_from_nothing_does(
    session: Session, region: Region, customer: Customer, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_SHARE", 10)
    draw = random.Random(seed)
    rows = session.execute(
        select(Prospect.name, func.ST_X(Prospect.pin), func.ST_Y(Prospect.pin)).order_by(Prospect.id).limit(20)
    ).all()
    sites = [customer(name, LonLat(lon, lat), yearly_value=1000) for name, lon, lat in rows[::2]]
    sites += [customer(rows[0][0], LonLat(rows[0][1], rows[0][2])), customer("Dorfapotheke Hoop", LonLat(*rows[1][1:]))]
    service.refresh(session)
    for round_ in range(6):
        for _ in range(draw.randint(1, 2)):
            region = _newer(session, region, draw, draw.randint(0, 12))
        if draw.random() < 0.6:
            site, (_, lon, lat) = draw.choice(sites), draw.choice(rows)
            move = "update site set pin = ST_Point(:lon, :lat, 4326) where id = :id"
            session.execute(text(move), {"lon": lon, "lat": lat, "id": site.id})
        session.expire_all()
        with monkeypatch.context() as patch:
            patch.setattr(kinds, "OF_PROSPECTS", text("select 1 / 0"))  # asked when everything is counted
            assert service.refresh(session)
        assert _kept(session) == _counted_from_nothing(session, _kept), f"round {round_}"
        assert session.scalar(select(func.count()).select_from(ProspectChanged)) == 0
        assert not service.refresh(session)
    service.refresh(session, by_hand=True)
    assert _white(session)
    assert _white(session) == _counted_from_nothing(session, _white)


def test_customers_at_the_rim_of_a_firm_that_came_are_found_wherever_the_grid_lays_them(
    session: Session, region: Region, customer: Customer
) -> None:
    firm = LonLat(-6.0004, 46.0004)  # the grid moves places around it by up to half of its width
    away = [(0.0, 0.00134), (0.0, -0.00134), (0.0019, 0.0), (-0.0019, 0.0), (0.0013, 0.0009), (-0.0013, -0.0009)]
    around = [customer("Weinhandlung Öxler", LonLat(firm.lon + east, firm.lat + north)) for east, north in away]
    for name, place in (("Other Ltd", firm), ("Weinhandlung Öxler", LonLat(firm.lon, firm.lat + 0.003))):
        customer(name, place)
    service.refresh(session)
    newer = regions.register(session, region.name, "cd" * 32, "newer.osm.pbf")
    columns = "id, source_id, name, kind, tags, cell, pin"
    copy = text(f"insert into prospect select :new, {columns} from prospect where region_id = :old")
    session.execute(copy, {"new": newer.id, "old": region.id})
    come = {"region": newer.id, "fresh": UUID(int=7), "name": "Weinhandlung Oexler", "kind": "shop=wine"}
    cell = h3.str_to_int(h3.latlng_to_cell(firm.lat, firm.lon, 10))
    session.execute(text(_FIRMS["comes"]), come | {"cell": cell, "lon": firm.lon, "lat": firm.lat})
    newer.stage = Stage.PACKED
    regions.publish(session, newer.id)
    assert service.refresh(session)
    found = session.execute(text("select site_id from density_customer where prospect_id = :id"), {"id": come["fresh"]})
    assert set(found.scalars()) == {site.id for site in around}
    assert _kept(session) == _counted_from_nothing(session, _kept)


def test_phones_are_offered_what_a_newer_extract_has(
    session: Session, market: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MOST_SHARE", 10)
    offering.refresh(session)
    learned_at = session.get_one(DensityState, 1).learned_at
    assert not offering.refresh(session)
    _newer(session, market, random.Random(1), 8)
    assert service.refresh(session)
    assert session.get_one(DensityState, 1).learned_at == learned_at
    assert offering.refresh(session)


def test_everything_is_counted_anew_where_notes_do_not_tell_enough(
    session: Session, region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    def differs() -> bool:
        served = session.execute(counting.REGIONS).scalar_one()
        return following.differs(session, session.get(DensityState, 1), served)

    draw = random.Random(1)
    assert differs(), "nothing was counted yet"
    service.refresh(session)
    assert not differs()
    newer = _newer(session, region, draw, 8)
    monkeypatch.setattr(following, "MOST_SHARE", 0.001)
    assert differs(), "a large part has changed"
    monkeypatch.setattr(following, "MOST_SHARE", 10)
    assert not differs()
    beside = regions.register(session, "beside", "cd" * 32, "beside.osm.pbf")
    columns = "id, source_id, name, kind, tags, cell, pin"
    copy = text(f"insert into prospect select :new, {columns} from prospect where region_id = :old")
    session.execute(copy, {"new": beside.id, "old": newer.id})
    beside.stage = Stage.PACKED
    regions.publish(session, beside.id)
    assert differs(), "another region has come"
    service.refresh(session)
    _newer(session, newer, draw, 8)
    assert differs(), "the other region has the same firms"
    regions.remove(session, "beside")
    assert differs(), "it is gone"


def test_a_site_that_is_removed_is_counted_no_longer(session: Session, region: Region, customer: Customer) -> None:
    customer("Stays Ltd", HERE)
    goes = customer("Goes Ltd", FAR)
    service.refresh(session)
    session.delete(goes)
    session.flush()
    assert service.refresh(session)
    assert queries.totals(session).customers == 1


def test_what_does_not_decide_how_a_customer_counts_costs_nothing(
    session: Session, region: Region, customer: Customer
) -> None:
    site = customer("Stays Ltd", HERE)
    service.refresh(session)
    session.execute(
        text("update account set note = 'edited', account_class = 'A' where id = :id"), {"id": site.account_id}
    )
    assert not service.refresh(session)


def test_a_refresh_writes_beside_the_counts_and_reads_no_customer_that_stayed(
    session: Session, region: Region, customer: Customer
) -> None:
    for number in range(3):
        customer(f"Stays {number}", HERE)
    service.refresh(session)
    counts = [
        tuple(row) for row in session.execute(text("select *, xmin::text, ctid::text from density_cell order by cell"))
    ]
    moves = customer("Moves Ltd", HERE)
    service.refresh(session)
    looked_at = session.execute(text("select id from customer_now")).scalars().all()
    assert looked_at == [moves.id]
    query = text("select *, xmin::text, ctid::text from density_cell order by cell")
    assert [tuple(row) for row in session.execute(query)] == counts
    changed = session.execute(text("select count(*), sum(customers) from density_cell_change")).one()
    assert tuple(changed) == (FINEST - COARSEST + 1, FINEST - COARSEST + 1)
    service.refresh(session, by_hand=True)
    assert session.scalar(text("select count(*) from density_cell_change")) == 0
    assert sum(cell.customers for cell in queries.cells(session, COARSEST)) == 4


def test_an_account_changed_beside_a_site_that_another_transaction_writes_is_counted_by_the_next_refresh(
    empty_database: Engine,
) -> None:
    with transaction() as session:
        bare, full = Account(name="Bare Ltd", status="prospect"), Account(name="Full Ltd", status="prospect")
        session.add_all([bare, full])
        session.flush()
        moves = Site(account_id=full.id, is_main=False, pin=f"SRID=4326;POINT({HERE.lon} {HERE.lat})")
        session.add(moves)
    with transaction() as session:
        service.refresh(session)
    with empty_database.connect() as one, empty_database.connect() as other:
        for connection in (one, other):  # else search and sync make one of them wait for the other
            connection.execute(text("set local sync.suppress = 'on'; set local search.suppress = 'on'"))
        come = "insert into site (id, account_id, is_main, pin) values (:id, :account, true, ST_Point(-6, 46, 4326))"
        one.execute(text(come), {"id": UUID(int=1), "account": bare.id})
        one.execute(text("update site set account_id = :account where id = :id"), {"account": bare.id, "id": moves.id})
        other.execute(text("set local lock_timeout = '20s'"))
        other.execute(text("update account set status = 'customer' where id = :id"), {"id": bare.id})
        one.commit()
        with transaction() as session:
            service.refresh(session)
            assert queries.totals(session).customers == 0
        other.commit()
    with transaction() as session:
        assert service.refresh(session)
        assert queries.totals(session).customers == 2


def test_no_other_region_is_put_into_service_while_the_served_ones_are_counted(empty_database: Engine) -> None:
    with transaction() as session, transaction() as other:
        service.refresh(session)
        assert not is_first(other, regions.SERVED)
        session.commit()
        assert is_first(other, regions.SERVED)


def test_values_are_learned_at_once_when_the_companys_currency_is_another(
    session: Session, region: Region, customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        customer(f"Pays {number}", HERE, kind="shop=bakery", yearly_value=1000, currency="EUR")
        customer(f"Zahlt {number}", HERE, kind="shop=bakery", yearly_value=50_000, currency="CHF")
    monkeypatch.setenv("WAYMARK_CURRENCY", "EUR")
    settings.cache_clear()
    service.refresh(session)
    worth = text("select value from density_trade where kind = 'shop=bakery'")
    assert session.execute(worth).scalar_one() == pytest.approx(1000)
    monkeypatch.setenv("WAYMARK_CURRENCY", "CHF")
    settings.cache_clear()
    assert service.refresh(session)
    assert session.execute(worth).scalar_one() == pytest.approx(50_000)
    assert not service.refresh(session)
    monkeypatch.undo()
    settings.cache_clear()
