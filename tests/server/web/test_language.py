"""Numbers, distances and texts as people read them."""

import json
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

from server.reports.periods import Period, Span, around
from server.web.language import FOLDER, Language, chosen

EN, DE = Language("en"), Language("de")
TEMPLATES = FOLDER.parent / "templates"


def test_numbers_have_the_separators_of_the_language() -> None:
    assert EN.number(48210) == "48,210"
    assert DE.number(48210.5, 1) == "48.210,5"


def test_distances_and_durations_are_short() -> None:
    assert [EN.distance(64), EN.distance(1400), DE.distance(1400)] == ["64 m", "1.4 km", "1,4 km"]
    assert [EN.duration(45 * 60), EN.duration(8100)] == ["45 min", "2 h 15 min"]


def test_one_of_something_is_one() -> None:
    assert [EN.t("{n} deals", n=n) for n in ("1", 2)] == ["1 deal", "2 deals"]
    assert [DE.t("{n} deals", n=n) for n in (1, "12")] == ["1 Verkaufschance", "12 Verkaufschancen"]
    assert DE.said("1 leads were changed.") == "1 Lead wurde geändert."
    assert [EN.amount(Decimal(much), "EUR") for much in ("4920.46", "5000.00")] == ["4,920.46 EUR", "5,000 EUR"]
    assert DE.amount(Decimal("1.250"), "KWD") == "1,250 KWD"


def test_a_time_is_shown_where_the_visit_takes_place() -> None:
    at = datetime(2026, 11, 26, 9, 40, tzinfo=ZoneInfo("UTC"))
    assert EN.clock(at, "Europe/Vaduz") == "10:40"
    assert DE.day(date(2026, 11, 26), year=False) == "Do 26. Nov."
    assert EN.moment("2026-11-26T09:40:11.500Z", "Europe/Vaduz") == EN.moment(at, "Europe/Vaduz")
    for said in ("noon", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"):  # a phone may write anything
        assert EN.moment(said, "Europe/Vaduz") == said


def test_a_period_below_a_bar_is_short() -> None:
    day = date(2026, 11, 26)
    assert EN.period(around(day, Span.MONTH)) == "November 2026"
    assert [EN.short_period(around(day, span)) for span in (Span.WEEK, Span.MONTH)] == ["W48 2026", "Nov 2026"]
    assert DE.short_period(around(day, Span.WEEK)) == "KW 48 2026"
    assert DE.short_period(Period(day, date(2026, 12, 3))) == "26. Nov. – 3. Dez."


def test_the_own_wish_beats_the_browser_and_unknown_languages_are_passed_over() -> None:
    assert chosen("de", "en") == "de"
    assert chosen(None, "fr-CH, de;q=0.8, en;q=0.7") == "de"
    assert chosen("xx", "") == "en"


def test_translations_keep_the_gaps_of_the_text() -> None:
    texts = json.loads((FOLDER / "de.json").read_text("utf-8"))
    gaps = {key: (sorted(re.findall(r"{\w+}", key)), sorted(re.findall(r"{\w+}", text))) for key, text in texts.items()}
    assert {key: pair for key, pair in gaps.items() if pair[0] != pair[1]} == {}


def test_most_texts_are_there_in_german() -> None:
    known = json.loads((FOLDER / "de.json").read_text("utf-8"))
    used = {text for path in TEMPLATES.rglob("*.html") for text in texts_of(path)}
    missing = sorted(used - set(known))
    assert len(missing) <= len(used) * 0.1, missing


def texts_of(path: Path) -> list[str]:
    """The texts that a template shows."""
    return [found[1] for found in re.findall(r"""\bt\((["'])(.+?)\1[),]""", path.read_text("utf-8"))]


def test_every_door_by_which_a_change_comes_has_words() -> None:
    for source in ("sync", "api", "import", "job", "cli", "demo", "undo"):
        assert EN.t(f"by {source}") != DE.t(f"by {source}") != f"by {source}"


def test_kinds_of_firms_have_words_and_one_without_is_readable() -> None:
    assert Language("en").firm("shop=bakery") == "Bakery"
    assert Language("en").firm("office=it") == "IT company"
    assert Language("de").firm("shop=bakery") == "Bäckerei"
    assert Language("de").firm("shop=gold;precious_metal") == "Goldhandel"
    assert Language("de").firm("shop=never_heard;of") == "Never heard"


def test_a_text_that_was_stored_with_its_values_writes_their_numbers_as_the_reader_does() -> None:
    text = "{sites} of {everything} sites that name a country are in {country}"
    why = {"text": text, "sites": 1666, "everything": 1714, "country": "DE"}
    assert Language("en").filled(why) == "1,666 of 1,714 sites that name a country are in DE"
    assert Language("de").filled(why).startswith("1.666 von 1.714 Standorten")
