"""Only what changed is touched, and that comes to the same as counting everything."""

import random
from collections.abc import Callable

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Account, Site
from server.density import queries, service
from server.density.counting import COARSEST, FINEST
from server.regions.models import Prospect, Region

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


def _counted_from_nothing(session: Session) -> dict[str, object]:
    with session.begin_nested() as trial:
        for table in ("density_state", "density_cell", "density_cell_change", "density_count", "density_count_change",
                      "density_customer"):  # fmt: skip
            session.execute(text(f"delete from {table}"))
        session.expire_all()
        service.refresh(session)
        found = _kept(session)
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
        assert _kept(session) == _counted_from_nothing(session), f"round {round_}"
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
