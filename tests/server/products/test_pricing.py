"""Prices: who decides, which quantity, what they say of themselves. Taxes by country and day."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.kit.errors import Invalid
from server.products.money import plain
from server.products.pricing import Book, Listed, Rank, Rate, in_words, line_amount, price_of, rate_on
from server.products.values import barcode, check_digit, decimal
from server.records.currencies import rounded

DAY = date(2026, 6, 1)
COFFEE = UUID(int=1)
RETAIL, TRADE, OWN, OLD = (UUID(int=number) for number in (11, 12, 13, 14))


def book(*uses: tuple[Rank, UUID], breaks: dict[UUID, list[tuple[str, str]]] | None = None) -> Book:
    lists = (
        Listed(RETAIL, "Retail 2026", "CHF", valid_from=date(2026, 1, 1)),
        Listed(OLD, "Retail 2025", "CHF", valid_from=date(2025, 1, 1), valid_to=date(2025, 12, 31)),
        Listed(TRADE, "Trade", "CHF", base_id=RETAIL, percent=Decimal(-5)),
        Listed(OWN, "Amann", "CHF"),
    )
    known = breaks or {RETAIL: [("1", "20"), ("10", "18")], OLD: [("1", "15")]}
    steps = {
        (one, COFFEE): [(Decimal(least), Decimal(price)) for least, price in found] for one, found in known.items()
    }
    return Book({one.id: one for one in lists}, steps, uses)


def test_the_closest_list_decides() -> None:
    lists = book((Rank.EVERYBODY, RETAIL), (Rank.ACCOUNT, OWN), breaks={RETAIL: [("1", "20")], OWN: [("1", "17.5")]})
    found = price_of(lists, COFFEE, Decimal(1), DAY)
    assert found is not None
    assert (found.unit_price, in_words(found.reasons)) == (Decimal("17.5"), "list Amann")


def test_a_list_that_does_not_name_the_product_lets_the_next_one_decide() -> None:
    lists = book((Rank.ACCOUNT, OWN), (Rank.EVERYBODY, RETAIL))
    found = price_of(lists, COFFEE, Decimal(1), DAY)
    assert found is not None
    assert found.unit_price == 20


def test_a_price_says_where_it_comes_from() -> None:
    found = price_of(book((Rank.CLASS, TRADE)), COFFEE, Decimal(10), DAY)
    assert found is not None
    assert found.unit_price == Decimal("17.1000")
    assert in_words(found.reasons, "pc") == "list Trade, list Retail 2026, from 10 pc, −5 %"


def test_a_list_counts_on_its_days_only() -> None:
    lists = book((Rank.EVERYBODY, RETAIL), (Rank.EVERYBODY, OLD))
    then = price_of(lists, COFFEE, Decimal(1), date(2025, 12, 31))
    assert then is not None
    assert then.unit_price == 15
    assert price_of(lists, COFFEE, Decimal(1), date(2024, 12, 31)) is None


def test_another_currency_has_no_price_and_nobody_guesses_one() -> None:
    assert price_of(book((Rank.EVERYBODY, RETAIL)), COFFEE, Decimal(1), DAY, "EUR") is None


@pytest.mark.parametrize(("quantity", "price"), [("1", "20"), ("9.999", "20"), ("10", "18"), ("-10", "18")])
def test_the_quantity_chooses_the_break(quantity: str, price: str) -> None:
    found = price_of(book((Rank.EVERYBODY, RETAIL)), COFFEE, Decimal(quantity), DAY)
    assert found is not None
    assert found.unit_price == Decimal(price)


def test_a_line_is_rounded_once_half_up() -> None:
    assert line_amount(Decimal("0.0333"), Decimal(3), Decimal(0), "CHF") == Decimal("0.10")
    assert line_amount(Decimal("0.125"), Decimal(1), Decimal(0), "CHF") == Decimal("0.13")
    assert line_amount(Decimal("0.125"), Decimal(-1), Decimal(0), "CHF") == Decimal("-0.13")
    assert line_amount(Decimal("99.5"), Decimal(1), Decimal(0), "JPY") == Decimal(100)
    assert line_amount(Decimal("10"), Decimal(3), Decimal("33.333"), "CHF") == Decimal("20.00")


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=6), st.sampled_from(["CHF", "JPY", "KWD"]))
def test_rounding_is_never_more_than_half_a_unit_away(amount: Decimal, currency: str) -> None:
    unit = {"CHF": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    assert abs(rounded(amount, currency) - amount) <= unit / 2
    assert rounded(-amount, currency) == -rounded(amount, currency)


def test_the_tax_is_that_of_the_country_and_the_day() -> None:
    rates = [
        Rate("LI", date(2018, 1, 1), Decimal("7.7")),
        Rate("LI", date(2024, 1, 1), Decimal("8.1")),
        Rate("", date(2000, 1, 1), Decimal(0)),
    ]
    assert rate_on(rates, "LI", date(2023, 12, 31)) == Decimal("7.7")
    assert rate_on(rates, "LI", date(2024, 1, 1)) == Decimal("8.1")
    assert rate_on(rates, "JP", DAY) == 0
    assert rate_on(rates[:2], "JP", DAY) is None


@given(st.text("0123456789", min_size=12, max_size=12))
def test_a_barcode_with_its_check_digit_is_taken_and_any_wrong_digit_is_refused(digits: str) -> None:
    code = digits + check_digit(digits)
    assert barcode(code) == code
    wrong = str((int(code[0]) + 1) % 10) + code[1:]
    with pytest.raises(Invalid, match="check digit"):
        barcode(wrong)


def test_numbers_are_read_as_people_write_them() -> None:
    assert decimal("1’250.5", 2) == Decimal("1250.50")
    assert decimal("12,5", 3) == Decimal("12.500")
    assert plain(Decimal("1200.500")) == "1200.5"
    with pytest.raises(Invalid, match="too many digits"):
        decimal("0.00001", 4)
    with pytest.raises(Invalid, match="not a number"):
        decimal("NaN ", 2)
