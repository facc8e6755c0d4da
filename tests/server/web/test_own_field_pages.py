"""The company's own fields on every page that shows them, whatever stands in them."""

import json
from collections.abc import Callable
from itertools import batched, product
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from server.accounts.models import Account, Site
from server.auth.models import User
from server.contacts.models import Contact
from server.fields import service as fields
from server.records.merging import Clash, Policy
from server.records.models import ConflictKind, FieldConflict
from server.records.service import Actor, keep_clash

type BrowserOf = Callable[[User], TestClient]

CHOICES = [{"value": "s", "label": "Side"}, {"value": "f", "label": "Front"}]
STORED: dict[str, tuple[Any, str, str]] = {
    "text": ("AB-12", "AB-12", "AB-12"),
    "long_text": ("two\nlines", "two\nlines", "two\nlines"),
    "number": (1234.125, "1,234.125", "1.234,125"),
    "money": ({"amount": "1234.50", "currency": "EUR"}, "1,234.50 EUR", "1.234,50 EUR"),
    "date": ("2023-03-31", "Fri 31 Mar 2023", "Fr 31. März 2023"),
    "flag": (False, "no", "nein"),
    "choice": ("s", "Side", "Side"),
    "choices": (["s", "f"], "Side", "Side"),
    "url": ("https://bakery.li", "https://bakery.li", "https://bakery.li"),
    "mail": ("anna@bakery.li", "anna@bakery.li", "anna@bakery.li"),
    "phone": ("+423 237 12 12", "+423 237 12 12", "+423 237 12 12"),
}
"""By kind: a value as it is stored, and how it is said in English and German."""
ODD: list[Any] = [
    0, -1, 10**30, 1e300, "", " ", "1e999999", {}, [], [[]], [None], [{"a": [1]}], {"amount": None}, {"amount": "12.5"},
    {"amount": "NaN", "currency": "EUR"}, {"amount": "1e999999", "currency": "EUR"}, {"amount": 5, "currency": ["EUR"]},
    {"amount": [], "currency": {}}, {"currency": "EUR"}, {"value": 5}, [{"value": None}], "javascript:alert(1)",
    "2023-02-31", True, "<b>bold</b>",
]  # fmt: skip
"""What no kind stores, and a phone that lies may send."""


LEFT = [*(value for value, _, _ in STORED.values()), *ODD]
AT_ONCE = 4
"""So many fields of each kind, each with another odd value."""
SPELLINGS = [f"{kind}{n}" for kind in STORED for n in range(AT_ONCE)]


@pytest.fixture
def desk(session: Session, make_user: Callable[..., User], make_account: Callable[..., Account]) -> dict[str, Any]:
    """Two accounts and two people; accounts, sites and people have fields of each kind."""
    account, other = make_account("Amann", phone="1"), make_account("Amann AG")
    site = session.query(Site).filter_by(account_id=account.id).one()
    contact, twin = Contact(last_name="Marxer", owner_id=account.owner_id), Contact(last_name="Marxer")
    twin.owner_id = account.owner_id
    session.add_all([contact, twin])
    session.flush()
    for entity, key in product(("account", "site", "contact"), SPELLINGS):
        kind = key.rstrip("0123456789")
        more = {"choices": CHOICES} if "choice" in kind else {}
        fields.add(session, entity, {"key": key, "label": f"Own {key}", "kind": kind, **more})
    return {
        "account": account, "site": site, "contact": contact, "other": other, "twin": twin, "rita": make_user("rita"),
    }  # fmt: skip


def fill(session: Session, desk: dict[str, Any], values: dict[str, Any]) -> None:
    """Store values in the fields as they are, behind every rule; the history tells of them."""
    for entity in ("account", "site", "contact"):
        statement = f"update {entity} set custom = cast(:custom as jsonb) where id = :id"
        session.execute(text(statement), {"custom": json.dumps(values), "id": desk[entity].id})
    session.expire_all()


def ask(session: Session, desk: dict[str, Any], entity: str, key: str, *values: Any) -> None:
    """A question about a field: what a rep saw, what they wrote, and what was stored."""
    clash = Clash(f"custom.{key}", ConflictKind.CONCURRENT, Policy.KEEP_SERVER, *values)
    keep_clash(session, entity, desk[entity].id, clash, Actor(desk["rita"].id, "sync"))


def pages(desk: dict[str, Any]) -> list[str]:
    """Every page that shows the fields of an account, of its site or of a person, forms and files too."""
    account, site, contact, other, twin = (desk[one].id for one in ("account", "site", "contact", "other", "twin"))
    return [
        f"/accounts/{account}", f"/accounts/{account}/edit", f"/accounts/{account}/timeline",
        f"/accounts/{account}/sites/{site}/edit", f"/contacts/{contact}", f"/contacts/{contact}/edit",
        f"/contacts/{contact}/merge/{twin}", f"/duplicates/{account}/{other}", "/conflicts",
        "/api/v1/accounts/export.csv", "/api/v1/accounts/export.xlsx", "/api/v1/accounts/export.geojson",
        "/api/v1/accounts/export.gpkg",
        "/api/v1/contacts/export.csv", "/api/v1/contacts/export.xlsx", f"/api/v1/accounts/{account}",
        f"/api/v1/accounts/{account}/timeline", f"/api/v1/contacts/{contact}", "/api/v1/conflicts",
    ]  # fmt: skip


def failing(browser: TestClient, desk: dict[str, Any]) -> dict[str, int]:
    """The pages that do not answer."""
    asked = {path: browser.get(path, headers={"HX-Request": "true"}).status_code for path in pages(desk)}
    return {path: status for path, status in asked.items() if status != 200}


def test_every_page_says_a_value_of_each_kind_in_its_language(
    session: Session, desk: dict[str, Any], make_user: Callable[..., User], browser_of: BrowserOf
) -> None:
    fill(session, desk, {f"{kind}0": value for kind, (value, _, _) in STORED.items()})
    for kind, (value, _, _) in STORED.items():
        ask(session, desk, "account", f"{kind}0", None, value, None)
    ada = make_user("ada")
    browser = browser_of(ada)
    assert failing(browser, desk) == {}
    account, contact = desk["account"].id, desk["contact"].id
    shown = (f"/accounts/{account}", f"/accounts/{account}/timeline", f"/contacts/{contact}", "/conflicts")
    for language, place in (("en", 1), ("de", 2)):
        ada.language = language
        session.flush()
        for path in shown:
            told = browser.get(path).text
            missing = [kind for kind, words in STORED.items() if words[place] not in told]
            assert missing == [], (path, language)
            assert "custom." not in told.replace('name="custom.', ""), path


def test_no_page_fails_for_values_left_from_another_kind(
    session: Session, desk: dict[str, Any], make_user: Callable[..., User], browser_of: BrowserOf
) -> None:
    browser = browser_of(make_user("ada"))
    for several in batched(LEFT, AT_ONCE):
        values = {f"{kind}{n}": value for kind, (n, value) in product(STORED, enumerate(several))}
        fill(session, desk, values)
        for entity, (key, value) in product(("account", "site"), values.items()):
            ask(session, desk, entity, key, value, {"x": value}, value)
        assert failing(browser, desk) == {}, several
        for path in pages(desk)[:9]:
            told = browser.get(path).text
            assert ('href="javascript' in told, "<b>bold" in told) == (False, False), path
        session.query(FieldConflict).delete()
