"""Accounts that move while somebody changes what goes with them: whoever comes second waits, and neither is missed."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from server.kit.database import transaction
from server.sync.pulling.epochs import misplaced
from tests.server.sync.world import World

MOVE = (
    "with of_account as (update account set territory_id = :area where id = :account)"
    " update site set territory_id = :area where account_id = :account"
)
BACK = "update contact set deleted_at = null where id = :person"
PLACE = "update contact_account set deleted_at = null where contact_id = :person"


@pytest.fixture
def beside(empty_database: Engine) -> Iterator[tuple[Connection, Connection]]:
    """Two transactions at once; one that meets the other's lock is refused at once."""
    with empty_database.connect() as one, empty_database.connect() as other:
        for connection in (one, other):
            connection.execute(text("set lock_timeout = '20ms'"))
            connection.commit()
        yield one, other


@pytest.mark.parametrize("who", [BACK, PLACE])
@pytest.mark.parametrize("is_move_first", [True, False])
def test_a_person_is_where_the_account_went(
    world: World, beside: tuple[Connection, Connection], who: str, is_move_first: bool
) -> None:
    west, east = world.phone("rita"), world.phone("otto")
    account = world.account("Bakery", "west")
    person = world.person(account)
    table = "contact" if who is BACK else "contact_account"
    world.sql(f"update {table} set deleted_at = now() where {'id' if who is BACK else 'contact_id'} = :id", id=person)
    west.sync()
    values: dict[str, UUID] = {"area": world.territories["east"], "account": account, "person": person}
    first, second = (MOVE, who) if is_move_first else (who, MOVE)
    one, other = beside
    one.execute(text(first), values)
    with pytest.raises(OperationalError, match="lock timeout"):
        other.execute(text(second), values)
    other.rollback()
    one.commit()
    other.execute(text(second), values)
    other.commit()
    with transaction() as session:
        assert {name: rows for name, rows in misplaced(session).items() if rows} == {}
    west.sync()
    east.sync()
    assert (west.ids("contact"), east.ids("contact")) == (set(), {str(person)})
