"""Opening hours: the part of OpenStreetMap's syntax that says when a visit is welcome in an ordinary week.

`Mo-Fr 08:00-12:00,13:30-18:00; Sa 09:00-12:00; PH off`, `24/7`, `Mo,We 14:00-17:00; Tu off`. A later rule replaces the
earlier ones on its days. Public and school holidays are understood and left out. Comments in quotes are ignored.
"""

import re

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
    rules = re.sub(r"(?<=\d)\s*,\s*(?=[A-Za-z])", ";", re.sub(r'"[^"]*"', "", text))
    for part in rules.split(";"):
        rule = part.strip()
        if not rule:
            continue
        if rule == "24/7":
            week = [((0, MINUTES),)] * 7
            continue
        match = RULE.fullmatch(rule)
        if match is None:
            raise not_understood(rule)
        days = days_of(match["days"], rule)
        spans = spans_of(match["times"].strip(), rule)
        for day in days:
            week[day] = spans
    return (week[0], week[1], week[2], week[3], week[4], week[5], week[6])


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
