"""Opening hours on the phone: the plain part of OpenStreetMap's syntax; what is not understood counts as open."""

import re

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
RULE = re.compile(r"(?P<days>(?:(?:mo|tu|we|th|fr|sa|su|ph|sh)[\s,-]*)*)(?P<times>.*)")
DAY = re.compile(r"(mo|tu|we|th|fr|sa|su)(?:\s*-\s*(mo|tu|we|th|fr|sa|su))?|ph|sh")
SPAN = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
CALLED = {
    "en": dict(zip(DAYS, ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"), strict=True))
    | {"ph": "public holidays", "sh": "school holidays", "off": "closed", "closed": "closed"},
    "de": dict(zip(DAYS, ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"), strict=True))
    | {"ph": "Feiertage", "sh": "Schulferien", "off": "geschlossen", "closed": "geschlossen"},
}
"""How days are called, by language."""
GERMAN = {
    "di": "Tu", "mi": "We", "do": "Th", "so": "Su", "feiertag": "PH", "feiertage": "PH", "schulferien": "SH",
    "geschlossen": "off", "zu": "off",
}  # fmt: skip
"""German words that mean one thing only beside those of the syntax, as the server reads them."""
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


def in_syntax(text: str) -> str:
    """Hours as the syntax has them, from German days and dashes too; remarks in quotes stay as they are."""
    parts = re.split(r'("[^"]*")', text)
    for at in range(0, len(parts), 2):
        plain = re.sub("[–—]", "-", parts[at])
        parts[at] = re.sub(r"\b[A-Za-z]+\b", lambda word: GERMAN.get(word[0].lower(), word[0]), plain)
    return "".join(parts)


def told(text: str, language: str) -> str:
    """Opening hours for people: days in their language, "Mo–Fr 08:00–12:00"; what is not understood, or holds a remark,
    stays as it is."""
    if '"' in text or not is_understood(text):
        return text
    spoken = re.sub(
        r"\b[a-z]+\b", lambda word: CALLED[language].get(word[0].lower(), word[0]), text, flags=re.IGNORECASE
    )
    return re.sub(r"\s*,\s*", ", ", re.sub(r"\s*-\s*", "–", re.sub(r"\s*;\s*", "; ", spoken)))


def is_understood(text: str) -> bool:
    """Whether the server takes them: it wants every part in the syntax."""
    parts = re.sub(r"(?<=\d)\s*,\s*(?=[a-z])", ";", re.sub(r'"[^"]*"', "", text.lower())).split(";")
    return all(_is_rule(part.strip()) for part in parts if part.strip())


def _is_rule(part: str) -> bool:
    rule = RULE.fullmatch(part)
    if part == "24/7" or rule is None:
        return part == "24/7"
    days, times = rule["days"].strip(" ,"), rule["times"].strip()
    items = re.split(r"\s*,\s*|\s+(?!-)(?<!-\s)", days) if days else []
    if not all(DAY.fullmatch(one) for one in items):
        return False
    return times in ("off", "closed") or all(_is_span(SPAN.fullmatch(one.strip())) for one in times.split(","))


def _is_span(span: re.Match[str] | None) -> bool:
    if span is None:
        return False
    from_h, from_min, to_h, to_min = map(int, span.groups())
    opens, closes = from_h * 60 + from_min, to_h * 60 + to_min
    return opens < 1440 and closes <= 2880 and from_min < 60 and to_min < 60 and opens != closes


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
