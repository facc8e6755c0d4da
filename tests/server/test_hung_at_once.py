"""What is hung on an account at the moment at which that is deleted is refused, not left at a deleted account."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from server.accounts import service as accounts
from server.accounts.models import Account
from server.accounts.queries import today_of
from server.accounts.service import NewAccount
from server.auth.access import system_scope
from server.kit.database import transaction
from server.kit.errors import NotFound
from server.opportunities import pipelines
from server.opportunities import service as deals
from server.orders import drafting as orders
from server.tickets import opening as tickets
from server.tickets import queues
from server.tickets.models import Source
from tests.server.at_once import overlapping


def deal(session: Session, account_id: UUID) -> None:
    pipelines.create_usual(session)
    today = today_of(system_scope())
    fields = {
        "name": "Oven", "account_id": account_id, "close_on": today + timedelta(days=9), "next_step": "Call",
        "next_step_on": today + timedelta(days=2),
    }  # fmt: skip
    deals.create(session, system_scope(), deals.NewDeal(fields))


def order(session: Session, account_id: UUID) -> None:
    orders.draft(session, system_scope(), orders.NewOrder(account_id))


def ticket(session: Session, account_id: UUID) -> None:
    queue = queues.create(session, system_scope(), {"name": "Help", "hours": "24/7"})
    tickets.open_ticket(session, tickets.NewTicket(queue.id, "It hums", Source.WEB, {"account_id": account_id}))


@pytest.mark.parametrize("hang", [deal, order, ticket])
def test_what_comes_to_an_account_that_is_being_deleted_waits_and_is_refused(
    empty_database: Engine, hang: Callable[[Session, UUID], None]
) -> None:
    with transaction() as session:
        account = accounts.create(session, system_scope(), NewAccount({"name": "Amann"}, []), force=True)
        key, rev = account.id, account.rev
    came = overlapping(
        lambda session: accounts.delete(session, system_scope(), key, rev), lambda session: hang(session, key)
    )
    assert isinstance(came, NotFound)
    assert came.message == "There is no such account."


def test_an_account_to_which_a_deal_is_coming_is_deleted_after_it(empty_database: Engine) -> None:
    with transaction() as session:
        account = accounts.create(session, system_scope(), NewAccount({"name": "Amann"}, []), force=True)
        key, rev = account.id, account.rev
    came = overlapping(
        lambda session: deal(session, key), lambda session: accounts.delete(session, system_scope(), key, rev)
    )
    assert isinstance(came, Account)
