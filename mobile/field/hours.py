"""Opening hours on the phone: the plain part of OpenStreetMap's syntax; what is not understood counts as open."""

import re

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
RULE = re.compile(r"(?P<days>(?:(?:mo|tu|we|th|fr|sa|su|ph|sh)[\s,-]*)*)(?P<times>.*)")
SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
type Spans = tuple[tuple[int, int], ...]
ANY_TIME: Spans = ((0, 48 * 3600),)


def open_spans(text: str | None, weekday: int) -> Spans:
    """When a place is open on a day of the week (0 = Monday), in seconds of the day; a later rule replaces earlier."""
    found: Spans = ANY_TIME
    for part in re.sub(r'"[^"]*"', "", (text or "").lower()).split(";"):
        rule = RULE.fullmatch(part.strip())
        if rule is None or not part.strip() or part.strip() == "24/7":
            continue
        times = rule["times"].strip()
        spans = [tuple(map(int, one)) for one in SPAN.findall(times)]
        if not spans and times not in ("off", "closed"):
            return ANY_TIME
        if not rule["days"].strip() or weekday in _days(rule["days"]):
            found = tuple(sorted(_seconds(*one) for one in spans))
        elif found == ANY_TIME and _days(rule["days"]):
            found = ()  # hours are given, and this day is in none of them so far
    return found


def _seconds(from_h: int, from_min: int, to_h: int, to_min: int) -> tuple[int, int]:
    opens, closes = from_h * 3600 + from_min * 60, to_h * 3600 + to_min * 60
    return opens, closes if closes > opens else closes + 86_400


def _days(text: str) -> set[int]:
    """Numbers of the days that a rule names; holidays are none of them."""
    found: set[int] = set()
    for first, last in re.findall(r"(mo|tu|we|th|fr|sa|su)(?:\s*-\s*(mo|tu|we|th|fr|sa|su))?", text):
        a, b = DAYS.index(first), DAYS.index(last or first)
        found |= set(range(a, b + 1)) if a <= b else {*range(a, 7), *range(b + 1)}
    return found
