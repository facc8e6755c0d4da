"""Charts as SVG: drawn on the server, labelled directly, in the page's colours; a table stands behind each."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from html import escape

from markupsafe import Markup

from server.opportunities.accuracy import Hit
from server.opportunities.changes import Bridge, Change
from server.reports.figures import Moment, Report
from server.reports.measures import Measure
from server.web.language import Language

WIDE, HIGH = 960, 260
LEFT, RIGHT, TOP, BOTTOM = 12, 12, 28, 46


def bar(x: float, y: float, width: float, height: float, fill: str) -> str:
    """A bar with softened corners."""
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{max(height, 1):.1f}" rx="2" fill="{fill}"/>'


def label(x: float, y: float, text: str, kind: str = "") -> str:
    """A text, centred at x."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" class="{kind}">{escape(text)}</text>'


def framed(title: str, parts: Sequence[str], high: float = HIGH, wide: int = WIDE, kind: str = "") -> Markup:
    """The parts as one picture with a title for those who do not see it."""
    inside, named = "".join(parts), escape(title)
    box = f'class="{f"chart {kind}".strip()}" viewBox="0 0 {wide} {high:.0f}"'
    return Markup(f'<svg {box} role="img" aria-label="{named}">{inside}</svg>')  # noqa: S704 (texts are escaped)


def bridge_chart(bridge: Bridge, names: Mapping[Change, str], words: Language) -> Markup:
    """From the old sum over each reason to the new one."""
    steps = bridge.by_change()
    levels, at = [bridge.before], bridge.before
    for _count, amount in steps.values():
        at += amount
        levels.append(at)
    high = max([*levels, bridge.after, Decimal(1)])
    slots = len(steps) + 2
    slot = (WIDE - LEFT - RIGHT) / slots
    width = min(slot * 0.68, 84)

    def y(value: Decimal) -> float:
        return TOP + (HIGH - TOP - BOTTOM) * (1 - float(value / high))

    def column(place: int, low: Decimal, top: Decimal, fill: str, figure: str, name: str) -> list[str]:
        middle = LEFT + slot * (place + 0.5)
        lines = name.split(" ", 1)
        written = [label(middle, HIGH - 28 + 13 * line, part) for line, part in enumerate(lines)]
        drawn = bar(middle - width / 2, y(top), width, y(low) - y(top), fill)
        return [drawn, label(middle, y(top) - 6, figure, "strong"), *written]

    zero = Decimal(0)
    parts = column(0, zero, bridge.before, "var(--quiet)", words.number(bridge.before), words.t("Before"))
    at = bridge.before
    for place, (change, (_count, amount)) in enumerate(steps.items(), start=1):
        fill = "var(--good)" if amount > 0 or change is Change.WON else "var(--bad)" if amount < 0 else "var(--info)"
        sign = "+" if amount > 0 else ""
        low, top = min(at, at + amount), max(at, at + amount)
        parts += column(place, low, top, fill, f"{sign}{words.number(amount)}", names[change])
        at += amount
    parts += column(slots - 1, zero, bridge.after, "var(--brand)", words.number(bridge.after), words.t("Now"))
    parts.append(f'<line class="axis" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y(zero):.1f}" y2="{y(zero):.1f}"/>')
    return framed(words.t("From the old sum to the new one"), parts)


SERIES = (("commit", "var(--category-1)"), ("weighted", "var(--category-2)"), ("best_case", "var(--category-5)"))


def accuracy_chart(hits: Sequence[Hit], words: Language) -> Markup:
    """For each period what was sold, and what had been said as marks on it."""
    values = [one.sold for one in hits]
    values += [getattr(one.said, name) for one in hits if one.said for name, _ in SERIES]
    high = max([*values, Decimal(1)])
    slot = (WIDE - LEFT - RIGHT) / max(len(hits), 1)
    width = min(slot * 0.5, 64)

    def y(value: Decimal) -> float:
        return TOP + (HIGH - TOP - BOTTOM) * (1 - float(value / high))

    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{y(Decimal(0)):.1f}" y2="{y(Decimal(0)):.1f}"/>']
    for place, one in enumerate(hits):
        middle = LEFT + slot * (place + 0.5)
        fill = "color-mix(in srgb, var(--brand) 32%, var(--paper))"
        parts.append(bar(middle - width / 2, y(one.sold), width, y(Decimal(0)) - y(one.sold), fill))
        parts.append(label(middle, HIGH - 28, words.short_period(one.period), "strong"))
        parts.append(label(middle, HIGH - 14, words.number(one.sold)))
        for at, (name, colour) in enumerate(SERIES):
            if one.said:
                level = y(getattr(one.said, name))
                x = middle + (at - 1) * width * 0.55
                parts.append(f'<circle cx="{x:.1f}" cy="{level:.1f}" r="5" fill="{colour}" stroke="var(--paper)"/>')
    return framed(words.t("What was sold, and what had been said"), parts)


type Figure = Callable[[float | None], str]
ROW, LETTER = 26, 6.6
NARROW = 300


def groups_chart(found: Report, measure: Measure, figure: Figure, words: Language) -> Markup:
    """A bar for each group, and a mark where it stood in the period that it is compared with.

    Drawn twice: a phone shows the narrow one, or the ends of the bars would lie outside.
    """
    return _bars(found, measure, figure, words, WIDE, 32) + _bars(found, measure, figure, words, NARROW, 12)


def _bars(found: Report, measure: Measure, figure: Figure, words: Language, wide: int, letters: int) -> Markup:
    values = [(group, measure.value(group.now), measure.value(group.then)) for group in found.groups]
    most = max([*(abs(one or 0) for _g, *pair in values for one in pair), 1e-9])
    names = [group.name or words.t("none") for group in found.groups]
    left = 24 + LETTER * min(letters, max(map(len, names), default=0))
    room = wide - left - (110 if wide == WIDE else 84)
    parts = []
    for row, (name, (_group, now, then)) in enumerate(zip(names, values, strict=True)):
        y = 8 + row * ROW
        short = name if len(name) <= letters else name[: letters - 1] + "…"
        parts.append(f'<text x="{left - 10:.1f}" y="{y + 14}" text-anchor="end" class="strong">{escape(short)}</text>')
        length = room * max(now or 0, 0) / most
        parts.append(bar(left, y + 2, max(length, 1), 16, "color-mix(in srgb, var(--brand) 70%, var(--paper))"))
        written, says = left + length + 8, figure(now)
        if then is not None:
            x = left + room * max(then, 0) / most
            if written - 4 < x < written + LETTER * len(says) + 4:  # the line would strike the value through
                written = x + 6
            parts.append(f'<line class="then" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 1}" y2="{y + 21}"/>')
        parts.append(f'<text x="{written:.1f}" y="{y + 14}">{escape(says)}</text>')
    kind = "wide-only" if wide == WIDE else "narrow-only"
    return framed(words.t(measure.name), parts, max(len(values), 1) * ROW + 16, wide, kind)


def trend_chart(moments: Sequence[Moment], measure: Measure, figure: Figure, words: Language) -> Markup:
    """A column for each of the last periods, the chosen one last."""
    values = [measure.value(one.sums) for one in moments]
    most = max([*(one or 0 for one in values), 1e-9])
    slot = (WIDE - LEFT - RIGHT) / max(len(moments), 1)
    width = min(slot * 0.6, 56)
    base = HIGH - BOTTOM
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDE - RIGHT}" y1="{base}" y2="{base}"/>']
    for place, (one, value) in enumerate(zip(moments, values, strict=True)):
        middle = LEFT + slot * (place + 0.5)
        high = (base - TOP) * max(value or 0, 0) / most
        is_last = place == len(moments) - 1
        fill = "var(--brand)" if is_last else "color-mix(in srgb, var(--brand) 45%, var(--paper))"
        if value is not None:
            parts.append(bar(middle - width / 2, base - high, width, high, fill))
        parts.append(label(middle, base - high - 6, figure(value), "strong" if is_last else ""))
        parts.append(label(middle, HIGH - 28, words.short_period(one.period), "strong" if is_last else ""))
    return framed(f"{words.t(measure.name)}: {words.t('the last periods')}", parts)
