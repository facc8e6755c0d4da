"""Totals are exact: sums of rounded lines, one tax per rate, nothing lost on the way."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from server.products.totals import Item, TaxLine, totals
from server.records.currencies import rounded

RATES = [Decimal(rate) for rate in ("0", "2.6", "8.1", "19", "7.7")]
amounts = st.decimals(min_value=-(10**8), max_value=10**8, places=2)
items = st.lists(st.builds(Item, amounts, st.sampled_from([None, *RATES]), st.booleans()), max_size=30)


def test_tax_is_rounded_once_for_each_rate() -> None:
    lines = [Item(Decimal("0.33"), Decimal("8.1"))] * 3 + [Item(Decimal("10"), Decimal("2.6"))]
    found = totals(lines, "CHF")
    assert found.taxes == (
        TaxLine(Decimal("8.1"), Decimal("0.99"), Decimal("0.08")),
        TaxLine(Decimal("2.6"), Decimal("10.00"), Decimal("0.26")),
    )
    assert (found.net, found.tax, found.gross) == (Decimal("10.99"), Decimal("0.34"), Decimal("11.33"))


def test_a_price_with_tax_is_what_the_customer_pays() -> None:
    found = totals([Item(Decimal("119.00"), Decimal(19), is_gross=True)], "EUR")
    assert (found.net, found.tax, found.gross) == (Decimal("100.00"), Decimal("19.00"), Decimal("119.00"))


@given(items)
def test_net_and_tax_are_the_total_and_the_lines_are_never_lost(lines: list[Item]) -> None:
    found = totals(lines, "CHF")
    assert found.net + found.tax == found.gross
    assert found.net == sum((tax.net for tax in found.taxes), Decimal(0))
    assert found.tax == sum((tax.tax for tax in found.taxes), Decimal(0))
    assert all(isinstance(one, Decimal) and one == rounded(one, "CHF") for one in (found.net, found.tax, found.gross))
    without = sum((line.amount for line in lines if not line.is_gross), Decimal(0))
    within = sum((line.amount for line in lines if line.is_gross), Decimal(0))
    on_top = sum(
        (rounded(sum((one.amount for one in lines if not one.is_gross and (one.tax_percent or 0) == rate),
                     Decimal(0)) * rate / 100, "CHF") for rate in RATES),
        Decimal(0),
    )  # fmt: skip
    assert found.gross == without + within + on_top


@given(items)
def test_a_credit_note_for_everything_comes_to_the_opposite(lines: list[Item]) -> None:
    back = [Item(-line.amount, line.tax_percent, line.is_gross) for line in lines]
    assert totals(back, "CHF").gross == -totals(lines, "CHF").gross


@given(items)
def test_the_order_of_lines_does_not_matter(lines: list[Item]) -> None:
    assert totals(lines, "CHF") == totals(list(reversed(lines)), "CHF")
