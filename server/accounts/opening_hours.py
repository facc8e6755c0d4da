"""Opening hours: the part of OpenStreetMap's syntax that says when a visit is welcome in an ordinary week.

`Mo-Fr 08:00-12:00,13:30-18:00; Sa 09:00-12:00; PH off`, `24/7`, `Mo,We 14:00-17:00; Tu off`. A later rule replaces the
earlier ones on its days. Public holidays have hours of their own (`holiday_hours`); school holidays are understood and
left out. Comments in quotes are ignored.
"""

import re
from collections.abc import Iterator, Mapping

from server.kit.errors import Invalid

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
MINUTES = 24 * 60

type Spans = tuple[tuple[int, int], ...]
type Week = tuple[Spans, Spans, Spans, Spans, Spans, Spans, Spans]
"""For Monday to Sunday: spans as minutes after midnight, sorted; past midnight goes on to at most 48 * 60."""

SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
DAY_PART = re.compile(r"(Mo|Tu|We|Th|Fr|Sa|Su)(?:\s*-\s*(Mo|Tu|We|Th|Fr|Sa|Su))?", re.IGNORECASE)
RULE = re.compile(r"(?P<days>(?:(?:Mo|Tu|We|Th|Fr|Sa|Su|PH|SH)[\s,-]*)*)(?P<times>.*)", re.IGNORECASE)
EXAMPLE = "Write them like “Mo-Fr 08:00-12:00,13:30-18:00; Sa 09:00-12:00”, or “24/7”."

GERMAN = {
    "di": "Tu", "mi": "We", "do": "Th", "so": "Su", "feiertag": "PH", "feiertage": "PH", "schulferien": "SH",
    "geschlossen": "off", "zu": "off",
}  # fmt: skip
"""German words that mean one thing only beside those of the syntax."""


class HoursNotUnderstood(Invalid):
    """Opening hours that are not in the syntax."""

    code = "hours_not_understood"


def parse_hours(text: str) -> Week:
    """The spans of an ordinary week.

    Raises
    ------
    HoursNotUnderstood
        Names the part that is not understood.
    """
    week: list[Spans] = [()] * 7
    for days, _, spans in rules_of(text):
        for day in days:
            week[day] = spans
    return (week[0], week[1], week[2], week[3], week[4], week[5], week[6])


def in_syntax(text: str) -> str:
    """Hours as the syntax has them, from German days and dashes too; remarks in quotes stay as they are."""
    parts = re.split(r'("[^"]*")', text)
    for at in range(0, len(parts), 2):
        plain = re.sub("[–—]", "-", parts[at])
        parts[at] = re.sub(r"\b[A-Za-z]+\b", lambda word: GERMAN.get(word[0].lower(), word[0]), plain)
    return "".join(parts)


def told(text: str, words: Mapping[str, str]) -> str:
    """Hours for people, "Mo–Fr 08:00–12:00"; `words` says days, `ph`, `sh` and `off` in their language, by small
    letters.
    What is not understood, or holds a remark, stays as it is: as the phone tells it."""
    try:
        parse_hours(text)
    except HoursNotUnderstood:
        return text
    if '"' in text:
        return text
    spoken = re.sub(r"\b[A-Za-z]+\b", lambda word: words.get(word[0].lower(), word[0]), text)
    return re.sub(r"\s*,\s*", ", ", re.sub(r"\s*-\s*", "–", re.sub(r"\s*;\s*", "; ", spoken)))


def holiday_hours(text: str) -> Spans | None:
    """The spans of a public holiday, empty when closed; None when the hours say nothing of holidays."""
    found: Spans | None = None
    for _, on_holidays, spans in rules_of(text):
        if on_holidays:
            found = spans
    return found


def rules_of(text: str) -> Iterator[tuple[set[int], bool, Spans]]:
    """Each rule in order: its weekdays, whether it speaks of public holidays, its spans."""
    for part in re.sub(r"(?<=\d)\s*,\s*(?=[A-Za-z])", ";", re.sub(r'"[^"]*"', "", text)).split(";"):
        rule = part.strip()
        if not rule:
            continue
        if rule == "24/7":
            yield set(range(7)), True, ((0, MINUTES),)
            continue
        match = RULE.fullmatch(rule)
        if match is None:
            raise not_understood(rule)
        on_holidays = bool(re.search(r"\bPH\b", match["days"], re.IGNORECASE))
        yield days_of(match["days"], rule), on_holidays, spans_of(match["times"].strip(), rule)


def days_of(text: str, rule: str) -> set[int]:
    """The weekdays of a rule, 0 = Monday; a rule without days means every day, one for holidays only means none."""
    named = text.strip(" ,")
    if not named:
        return set(range(7))
    days: set[int] = set()
    for item in re.split(r"\s*,\s*|\s+(?!-)(?<!-\s)", named):
        if item.upper() in ("PH", "SH"):
            continue
        match = DAY_PART.fullmatch(item)
        if match is None:
            raise not_understood(rule)
        first = DAYS.index(match[1].title())
        last = DAYS.index((match[2] or match[1]).title())
        days.update((first + step) % 7 for step in range((last - first) % 7 + 1))
    return days


def spans_of(text: str, rule: str) -> Spans:
    """The spans of a rule's times."""
    if text.lower() in ("off", "closed"):
        return ()
    spans = []
    for item in text.split(","):
        match = SPAN.fullmatch(item.strip())
        if match is None:
            raise not_understood(rule)
        start, end = int(match[1]) * 60 + int(match[2]), int(match[3]) * 60 + int(match[4])
        if start >= MINUTES or end > 2 * MINUTES or int(match[2]) > 59 or int(match[4]) > 59 or start == end:
            raise not_understood(rule)
        spans.append((start, end if end > start else end + MINUTES))
    return tuple(sorted(spans))


def not_understood(rule: str) -> HoursNotUnderstood:
    """The error for one rule."""
    return HoursNotUnderstood(f"the opening hours “{rule[:80]}” are not understood", help=EXAMPLE)
