"""What fields accept, and how spreadsheets write it."""

from contextlib import suppress
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.types import LonLat
from server.accounts import values
from server.accounts.importing import cells
from server.accounts.opening_hours import HoursNotUnderstood, parse_hours
from server.accounts.pins import point_of, standing
from server.kit.errors import Invalid
from server.web.language import Language


@pytest.mark.parametrize(
    ("written", "amount", "currency"),
    [
        ("1234", "1234", None), ("1'234.50", "1234.50", None), ("1.234,50 €", "1234.50", "EUR"),
        ("CHF 12'500.–", "12500", "CHF"), ("12'500.-", "12500", None), ("1,234.56", "1234.56", None),
        ("12 500,5", "12500.5", None), ("1.234", "1234", None), ("0.123", "0.123", None),
        ("1.234.567", "1234567", None),
        ("$ 99", "99", "USD"), ("Fr. 20.50", "20.50", "CHF"), ("10k", "10000", None), ("12,5", "12.5", None),
        ("ca. 5000 EUR pro Jahr", "5000", "EUR"), ("1,5 Mio.", "1500000", None), ("CHF12'500", "12500", "CHF"),
        ("-3,50 €", "-3.50", "EUR"), ("12,34,567.5", "1234567.5", None), (".5", "0.5", None),
        ("12500 /Jahr", "12500", None),
        ("12'500 –", "12500", None), ("3 Stk.", "3", None),
    ],
)  # fmt: skip
def test_amounts_are_read_in_every_writing(written: str, amount: str, currency: str | None) -> None:
    assert cells.amount(written) == (Decimal(amount), currency)


@pytest.mark.parametrize("written", ["1½", "1²", "1" + "a" * 60 + "!", "3 Filialen seit dem Jahresbeginn?", "1" * 101])
def test_what_holds_no_single_number_is_none(written: str) -> None:
    assert cells.amount(written) is None


@given(st.decimals(0, 10**9, places=2), st.sampled_from(["{:,.2f}", "de", "ch"]))
def test_an_amount_written_with_cents_is_read_as_it_was_meant(amount: Decimal, style: str) -> None:
    english = f"{amount:,.2f}"
    german = english.translate(str.maketrans(",.", ".,"))
    written = {"de": german, "ch": english.replace(",", "'")}.get(style, english)
    assert cells.amount(written) == (amount, None)


@given(st.text(max_size=40))
def test_no_text_breaks_the_readers(text: str) -> None:
    cells.amount(text), cells.days(text), cells.seconds(text), cells.day(text), cells.degrees(text), cells.pair(text)
    cells.status(text), values.phone_e164(text, "LI"), values.country_code(text)
    for rule in (*values.ACCOUNT.values(), *values.SITE.values()):
        with suppress(Invalid):
            rule.clean(text)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2026-03-01", (date(2026, 3, 1), False)), ("1.3.2026", (date(2026, 3, 1), False)),
        ("13/3/26", (date(2026, 3, 13), False)), ("3/13/2026", (date(2026, 3, 13), False)),
        ("3/4/2026", (date(2026, 4, 3), True)), ("46082", (date(2026, 3, 1), False)), ("31.2.2026", None),
        ("2026-03-01 00:00:00", (date(2026, 3, 1), False)),
    ],
)  # fmt: skip
def test_dates_are_read_and_unclear_ones_are_known(written: str, expected: tuple[date, bool] | None) -> None:
    assert cells.day(written) == expected


def test_durations_and_intervals_are_read() -> None:
    assert [cells.seconds(text) for text in ("30", "45 min", "1 h", "1,5 Std.", "1:30", "90 sec")] == [
        1800, 2700, 3600, 5400, 5400, 90,
    ]  # fmt: skip
    assert [cells.days(text) for text in ("14", "4 weeks", "2 Monate", "monatlich", "nie")] == [14, 28, 56, 28, None]


@pytest.mark.parametrize(
    ("text", "monday", "sunday"),
    [
        ("Mo-Fr 08:00-12:00,13:30-18:00; Sa 09:00-12:00; PH off", ((480, 720), (810, 1080)), ()),
        ("24/7", ((0, 1440),), ((0, 1440),)),
        ("Mo-Fr 08:00-18:00, Sa 09:00-12:00", ((480, 1080),), ()),
        ("08:00-20:00; Su off", ((480, 1200),), ()),
        ("Fr-Mo 22:00-02:00", ((1320, 1560),), ((1320, 1560),)),
        ('Mo 08:00-12:00 "by appointment"', ((480, 720),), ()),
    ],
)
def test_opening_hours_become_spans_of_a_week(text: str, monday: object, sunday: object) -> None:
    week = parse_hours(text)
    assert (week[0], week[6]) == (monday, sunday)


@given(st.text(alphabet="MoTuWeFr0123456789:-,; off", max_size=40))
def test_opening_hours_are_understood_or_refused(text: str) -> None:
    with suppress(HoursNotUnderstood):
        assert all(0 <= start < end <= 2 * 1440 for day in parse_hours(text) for start, end in day)


@pytest.mark.parametrize(
    ("name", "code"), [("Liechtenstein", "LI"), ("FL", None), ("schweiz", "CH"), ("Svizzera", "CH"), ("de", "DE")]
)
def test_countries_are_known_by_name_in_any_language(name: str, code: str | None) -> None:
    assert values.country(name) == (code or values.country_code(name) or name)


@pytest.mark.parametrize("written", ["1e+20", "1.2E+06", "CHF 1,5e5", "1e400"])
@pytest.mark.parametrize("beside", ["{}", "ca. {} pro Jahr"])
def test_an_amount_that_a_spreadsheet_rounded_is_none(written: str, beside: str) -> None:
    assert cells.amount(beside.format(written)) is None


@pytest.mark.parametrize(
    "written",
    ["0,1+0,2", "0x10", "=1", "1.2.3", "12 5", "3*4", "10-20", "10/20", "(500)", "500-", "5%", ">100", "1,2,3.4", "x10",
     "1.234.5,6", "2 x 50", "#1", "1_000", "--5", "12.500,00.1"],
)  # fmt: skip
def test_what_is_not_one_number_is_no_amount(written: str) -> None:
    assert cells.amount(written) is None


@pytest.mark.parametrize(
    "unseen", ["\u200b", "\u200b \ufeff", "\u2060\u200d", "\u3164", "\u2800", "\u00ad", "\u202e\u202c"]
)
def test_a_name_that_nobody_can_see_is_no_name(unseen: str) -> None:
    with pytest.raises(Invalid, match="Name: is missing"):
        values.cleaned(values.ACCOUNT, "name", unseen)
    assert values.cleaned(values.ACCOUNT, "note", unseen) is None


def test_marks_within_words_that_people_see_stay() -> None:
    for name in ("می\u200cخواهم", "☎\ufe0f Amann", "👩\u200d🍳"):
        assert values.cleaned(values.ACCOUNT, "name", name) == name


@pytest.mark.parametrize(
    ("lon", "lat", "why"),
    [(9.5, 90, "pole"), (9.5, -85.07, "pole"), (0, 0, "off Africa"), (9.5, 91, "outside"), ("x", 47, "no place")],
)
def test_no_pin_stands_at_a_pole_or_at_zero(lon: float, lat: float, why: str) -> None:
    with pytest.raises(Invalid, match=why):
        point_of(lon, lat)
    if why in ("pole", "off Africa"):
        assert why in str(cells.point(lon, lat)), "an import says the same"
        with pytest.raises(Invalid, match=why):
            standing(LonLat(lon, lat))
    assert point_of(0, 47.1) == LonLat(0, 47.1)
    assert point_of(9.5, -85.06) == LonLat(9.5, -85.06)


@pytest.mark.parametrize(
    ("written", "kept", "german"),
    [
        ("Di–Fr 08:00–12:00; So geschlossen", "Tu-Fr 08:00-12:00; Su off", "Di–Fr 08:00–12:00; So geschlossen"),
        ("Mo,Mi 14:00-17:00;PH off", "Mo,We 14:00-17:00;PH off", "Mo, Mi 14:00–17:00; Feiertage geschlossen"),
        ('Do 08:00-12:00 "So ist es"', 'Th 08:00-12:00 "So ist es"', 'Th 08:00-12:00 "So ist es"'),
        ("24/7", "24/7", "24/7"),
    ],
)
def test_opening_hours_are_written_and_told_in_german_too(written: str, kept: str, german: str) -> None:
    assert values.opening_hours(written) == kept
    assert Language("de").hours(kept) == german
    assert parse_hours(values.opening_hours(german) or "") == parse_hours(kept), "what is read can be written"
