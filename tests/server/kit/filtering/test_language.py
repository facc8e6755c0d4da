"""The filter language: what it understands, where it says it is wrong, and that its text form is one."""

import re
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.types import LonLat
from server.kit.filtering import FilterError, compile_filter, fits_phone, from_json, parse, to_json, write
from server.kit.filtering import nodes as n
from server.kit.filtering.compiler import MOST_LISTED, unknown
from server.kit.filtering.dates import day_of, days_of
from tests.server.kit.filtering.strategies import filters
from tests.server.kit.filtering.world import TODAY, VOCABULARY


@settings(max_examples=300, deadline=None)
@given(filters())
def test_what_is_written_reads_back_as_the_same_tree(tree: n.Node) -> None:
    text = write(tree)
    again = parse(text)
    assert again == tree
    assert write(again) == text


@settings(max_examples=200, deadline=None)
@given(filters())
def test_a_filter_travels_as_json(tree: n.Node) -> None:
    assert from_json(to_json(tree)) == tree


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="ab<=>!~()'\" .,0123456789-+andornotinwithtodayover", max_size=60))
def test_any_text_is_a_filter_or_an_error_with_a_place(text: str) -> None:
    place = 0
    try:
        parse(text)
    except FilterError as error:
        place = error.position
    assert 0 <= place <= len(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("CLASS=a AND (city='Vaduz' or value>5000)", "class = a and (city = Vaduz or value > 5000)"),
        ("not visited since 30d", "not visited since 30 days"),
        ("created in last quarter", "created = last quarter"),
        ("last_visit<today-30d", "last_visit < today - 30 days"),
        ("last_visit < today -30 days", "last_visit < today - 30 days"),
        ("due <= end of month+1w", "due <= end of month + 1 week"),
        ("due = yesterday", "due = today - 1 day"),
        ("due in next 7 days", "due = next 7 days"),
        ("name not starts with 'Bä'", "name not starts with Bä"),
        ("value not between 1 and 2", "value not between 1 and 2"),
        ("orders.sum(amount) over 24 months > 5000", "orders.sum(amount) over 24 months > 5000"),
        ("visits.count() over 90d = 0", "visits.count() over 90 days = 0"),
        ("deals.max(day where amount > 3 or a = b) < today", "deals.max(day where amount > 3 or a = b) < today"),
        ("contact with (role = buyer and not language = de)", "contact with (role = buyer and not language = de)"),
        ("within 20 min of \"Vaduz\"", 'within 20 minutes of "Vaduz"'),
        ("within 500m of account K-1", 'within 500 m of account "K-1"'),
        ("within 1.5 km of 9.52,47.14", "within 1.5 km of 9.52, 47.14"),
        ("in polygon (9.5 47.1, 9.6 47.1, 9.6 47.2, 9.5 47.1)", "in polygon (9.5 47.1, 9.6 47.1, 9.6 47.2)"),
        ("in territory North or not in segment 'Best bakers'", 'in territory "North" or not in segment "Best bakers"'),
        ("name = \"and\"", 'name = "and"'),
    ],
)  # fmt: skip
def test_people_may_write_as_they_like(text: str, canonical: str) -> None:
    assert write(parse(text)) == canonical
    assert write(parse(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("class = A and", 13, "expected the name of a field"),
        ("class = A or or class = B", 16, "expected"),
        ("class A", 6, "expected ="),
        ('city = "Vaduz', 7, "not understood"),
        ("(class = A", 10, "expected “)”"),
        ("class = A class = B", 10, "one word too many"),
        ("(kind = shop=bakery) and class = A", 8, "“shop=bakery” needs quotes"),
        ("orders.sum() > 3", 0, "sum needs a field"),
        ("orders.count(amount) > 3", 0, "count counts rows"),
        ("orders.count() over 3 > 3", 20, "expected days"),
        ("due in this 3 months", 7, "from 1"),
        ("due = 2026-02-30", 6, "not a date"),
        ("in polygon (9 47, 10 47)", 0, "3 to 500 corners"),
        ("within 900 km of 9, 47", 0, "not between"),
        ("not " * 50 + "class = A", 160, "nested too deeply"),
        (" and ".join(["a = 1"] * 101), 1000, "more than 100 conditions"),
    ],
)
def test_an_error_says_where(text: str, position: int, words: str) -> None:
    with pytest.raises(FilterError, match=re.escape(words)) as caught:
        parse(text)
    assert caught.value.position == position


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("kidn = A", "Did you mean “kind”"),
        ("kind = D", "One of: A, B, C"),
        ("deal.stat = open", "Did you mean “deal.state”"),
        ("deal = 3", "deals.count"),
        ("worth = much", "12.5"),
        ("last_visit > 5", "today - 30 days"),
        ("orders.count() > 3", "Known: deal, deals"),
        ("deals.count over 24 months > 3", "deals.count() over 12 months > 3"),
    ],
)
def test_a_wrong_word_is_told_the_right_one(text: str, help: str) -> None:
    with pytest.raises(FilterError) as caught:
        compile_filter(parse(text), VOCABULARY)
    assert help in caught.value.help


def test_days_are_counted_by_the_calendar() -> None:
    assert day_of(n.Moment(-1, "months"), date(2026, 3, 31)) == date(2026, 2, 28)
    assert day_of(n.Moment(0, "days", "start of", "quarters"), TODAY) == date(2026, 1, 1)
    assert day_of(n.Moment(0, "days", "end of", "weeks"), TODAY) == date(2026, 3, 15)
    assert days_of(n.Period("last", 1, "quarters"), TODAY) == (date(2025, 10, 1), date(2025, 12, 31))
    assert days_of(n.Period("this", 1, "months"), TODAY) == (date(2026, 3, 1), date(2026, 3, 31))
    assert days_of(n.Period("last", 7, "days"), TODAY) == (date(2026, 3, 8), date(2026, 3, 14))
    assert days_of(n.Period("next", 7, "days"), TODAY) == (date(2026, 3, 16), date(2026, 3, 22))


def test_a_filter_for_the_phone_asks_of_the_object_alone() -> None:
    assert fits_phone(parse("class = A and not (city = Vaduz or value is empty)"))
    assert not fits_phone(parse("class = A and order.state = open"))
    assert not fits_phone(parse("within 5 km of 9, 47"))


def test_a_point_keeps_its_digits() -> None:
    assert parse("within 5 km of 9.1234567, -47.1") == n.Near(5000.0, LonLat(9.1234567, -47.1))
    assert parse("value = 5.50") == n.Comparison("value", "=", n.Value(Decimal("5.50")))


def test_a_refusal_lists_a_dozen_names_at_most_those_most_like_the_one_written() -> None:
    names = [f"field_{number}" for number in range(200)]
    near = unknown("field", "field_17x", names, 0)
    assert near.help == "Did you mean “field_17”?"
    far = unknown("field", "zzz_17", names, 0)
    assert len(far.help.split(", ")) <= MOST_LISTED + 1
