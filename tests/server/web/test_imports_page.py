"""A file's way through the import pages."""

from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import Role, User
from tests.server.web.conftest import token_in

FILE = "Kunden-Nr.;Firma;Strasse;PLZ;Ort\nK-1;Bäckerei Amann;Städtle 1;9490;Vaduz\nK-2;;Städtle 2;9490;Vaduz\n"


def test_a_file_is_uploaded_checked_and_applied(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    browser = browser_of(make_user("ada"))
    token = {"_csrf": token_in(browser.get("/imports").text)}
    answer = browser.post("/imports", data=token, files={"file": ("kunden.csv", FILE.encode("cp1252"))})
    assert answer.status_code == 303
    run = answer.headers["location"]
    page = browser.get(run).text
    assert '<option value="name" selected>' in page
    columns = {f"column-{place}": name for place, name in enumerate(("number", "name", "street", "postcode", "city"))}
    answer = browser.post(f"{run}/columns", data=token | columns | {"mode": "both", "key": "number"})
    assert answer.status_code == 303
    page = browser.get(run).text
    assert "Nothing is changed yet" in page
    assert "Name: is missing" in page
    assert session.scalar(select(Account)) is None
    assert browser.post(f"{run}/apply", data=token).status_code == 303
    assert [account.name for account in session.scalars(select(Account))] == ["Bäckerei Amann"]
    assert "Done: 1 accounts are new" in browser.get(run).text


def test_a_file_that_is_none_is_explained_on_the_page(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("ada"))
    token = {"_csrf": token_in(browser.get("/imports").text)}
    answer = browser.post("/imports", data=token, files={"file": ("leer.csv", b"")})
    assert 400 <= answer.status_code < 500
    assert "leer.csv" in answer.text


def test_a_rep_does_not_import(browser_of: Callable[[User], TestClient], make_user: Callable[..., User]) -> None:
    assert browser_of(make_user("rita", Role.REP)).get("/imports").status_code == 403
