"""One rule of decimals for forms, programs, files and phones: rounded once, where the currency is known."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from mobile.field import catalogue
from server.auth.models import User
from server.fields.models import FieldKind
from server.fields.values import Shape, accepted
from server.records.currencies import CURRENCIES, DIGITS, digits, in_minor_units, rounded
from server.records.values import money, spelled

amounts = st.decimals(0, 10**11, allow_nan=False, places=6)
currencies = st.sampled_from(sorted(CURRENCIES))


@given(amount=amounts, currency=currencies)
def test_an_amount_is_rounded_once_half_of_a_minor_unit_up(amount: Decimal, currency: str) -> None:
    read = money(str(amount))
    assert read == amount, "reading rounds nothing"
    units = 10 ** digits(currency)
    wanted = Fraction(int(Fraction(amount) * units + Fraction(1, 2)), units)
    kept = rounded(amount, currency)
    assert Fraction(kept) == wanted
    assert -int(kept.as_tuple().exponent) == digits(currency)
    assert rounded(kept, currency) == kept
    assert Decimal(spelled(amount)) == amount
    assert in_minor_units({"value": amount, "currency": currency}, ["value"])["value"] == kept


def test_the_phone_knows_the_same_decimals() -> None:
    assert catalogue.DIGITS == DIGITS
    assert DIGITS.keys() <= CURRENCIES


GIVEN = {"EUR": ("1.2345", "1.23"), "JPY": ("12.5", "13"), "KWD": ("1.0005", "1.001"), "CHF": ("0.005", "0.01")}


@pytest.mark.parametrize("currency", GIVEN)
def test_accounts_leads_deals_and_own_fields_keep_the_decimals_of_their_currency(
    client_for: Callable[..., TestClient], make_user: Callable[..., User], currency: str
) -> None:
    admin_client = client_for(make_user("ada"))
    written, kept = GIVEN[currency]

    def sent(path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = admin_client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    account = sent("accounts", {"name": "Beck AG", "yearly_value": written, "currency": currency})
    assert Decimal(account["yearly_value"]) == Decimal(kept)
    seen = {"If-Match": f'"{account["rev"]}"'}
    edited = admin_client.patch(f"/api/v1/accounts/{account['id']}", json={"yearly_potential": written}, headers=seen)
    assert Decimal(edited.json()["yearly_potential"]) == Decimal(kept), edited.text
    lead = sent("leads", {"company": "Meier AG", "expected_value": written, "currency": currency})
    assert Decimal(lead["expected_value"]) == Decimal(kept)
    admin_client.post("/api/v1/pipelines/usual")
    deal = {"name": "Roof", "account_id": account["id"], "amount": written, "currency": currency}
    deal |= {"close_on": "2031-05-01", "next_step": "Call", "next_step_on": "2031-04-01"}
    assert sent("opportunities", deal)["amount"] == kept
    shape = Shape(FieldKind.MONEY, "Price", unit=currency)
    assert accepted(shape, written) == {"amount": kept, "currency": currency}
