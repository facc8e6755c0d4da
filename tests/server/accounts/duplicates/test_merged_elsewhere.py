"""A merged account is found, filtered, exported and imported as the one it went into."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from server.accounts import queries
from server.accounts.duplicates import merging
from server.accounts.duplicates.merging import MergeWish
from server.accounts.models import Account
from server.auth.access import Scope
from server.auth.models import User

type MakeAccount = Callable[..., Account]


@pytest.fixture
def one(
    session: Session, scope: Callable[[User], Scope], make_account: MakeAccount, ada: User, rita: User, otto: User
) -> Account:
    """An account in the west with another one from the east merged into it."""
    winner = make_account("Garage Beck AG", at=(9.2, 47.1), number="K-1", city="Vaduz", street="Landstrasse 1")
    loser = make_account("Autohaus Kieber", at=(9.7, 47.2), number="K-2", city="Schaan", street="Gasse 9")
    merging.merge(session, scope(ada), winner.id, loser.id, MergeWish({}))
    return winner


def names(client: TestClient, **wanted: str) -> list[str]:
    return [row["name"] for row in client.get("/api/v1/accounts", params=wanted).json()["items"]]


def test_search_and_filter_find_the_winner_under_the_losers_name_number_and_place(
    admin_client: TestClient, one: Account
) -> None:
    for words in ("kieber", "K-2", "schaan", "gasse 9"):
        assert names(admin_client, q=words) == ["Garage Beck AG"], words
    assert names(admin_client, filter="city = Schaan") == ["Garage Beck AG"]
    assert names(admin_client, filter='name ~ "Kieber"') == []


def test_the_export_has_one_row(admin_client: TestClient, one: Account) -> None:
    lines = admin_client.get("/api/v1/accounts/export.csv").text.strip().splitlines()
    assert len(lines) == 2
    assert "Garage Beck AG" in lines[1]


def test_both_reps_work_it_now(
    client_for: Callable[[User | None], TestClient], one: Account, rita: User, otto: User
) -> None:
    assert names(client_for(rita)) == ["Garage Beck AG"]
    assert names(client_for(otto)) == ["Garage Beck AG"]


def test_the_api_says_where_the_loser_went(session: Session, admin_client: TestClient, one: Account) -> None:
    (loser,) = [key for key in session.scalars(queries.family(one.id)) if key != one.id]
    answer = admin_client.get(f"/api/v1/accounts/{loser}")
    assert (answer.status_code, answer.json()["merged_into"]) == (404, str(one.id))
    fields = {change["field"] for change in admin_client.get(f"/api/v1/accounts/{one.id}/history").json()["items"]}
    assert "merged_into" in fields


def test_an_import_means_the_winner_by_the_losers_number_or_name(
    session: Session, tmp_path: Path, one: Account
) -> None:
    from tests.server.accounts.importing.test_importing import run_import, write

    by_number = run_import(session, write(tmp_path, "number,name,phone\nK-2,Autohaus Kieber,2371212\n"))
    assert (by_number.counts["create"], by_number.counts["update"]) == (0, 1)
    by_name = run_import(session, write(tmp_path, "name,street,city,phone\nAutohaus Kieber,Gasse 9,Schaan,2371213\n"))
    assert (by_name.counts["create"], by_name.counts["update"]) == (0, 1)
    session.refresh(one)
    assert one.phone == "2371213"
