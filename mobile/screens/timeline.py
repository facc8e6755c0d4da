"""What happened at an account as a list: each with its icon, who and when, the latest first."""

from datetime import date

from kivy.metrics import dp

from mobile.screens.parts import mark_icon, section, state_ink
from mobile.widgets.base import Column, Icon, Row, Text, rule
from mobile.widgets.controls import PushButton
from mobile.widgets.icons import STATE_ICONS

FIRST = 5
"""So many are shown before one asks for all."""
ICONS = {
    "call": "phone", "meeting": "users", "task": "check", "note": "notebook_pen", "ticket": "circle_alert",
    "order": "tag", "quote": "tag", "credit": "tag", "mail": "mail", "stage": "flag",
}  # fmt: skip
STATES = {"visit": "s", "call": "s", "meeting": "s", "task": "s", "ticket": "ts", "mail": "md", "stage": "ds"}
"""Where the words of a state stand; those of orders in `os`."""


def build(ctx, entries, has_older, first=None):
    """The card of a timeline; with `first` the others unfold at a tap."""
    words, box = ctx.words, section(ctx.words("timeline"))
    if not entries:
        box.add_widget(Text(words("no_timeline"), 16, ink="quiet"))
        return box
    outcomes, rows = dict(ctx.outcomes()), Column(spacing=8)
    box.add_widget(rows)

    def show(several):
        for entry in several:
            if rows.children:
                rows.add_widget(rule())
            rows.add_widget(_entry(ctx, entry, outcomes))

    def unfold():
        box.remove_widget(more)
        show(entries[first:])
        say_older()

    def say_older():
        if has_older:
            box.add_widget(Text(words("timeline_older"), 14, ink="quiet"))

    show(entries[:first])
    more = PushButton(words("timeline_all", n=len(entries)), unfold, "history", "quiet")
    if first and len(entries) > first:
        box.add_widget(more)
    else:
        say_older()
    return box


def _entry(ctx, entry, outcomes):
    words = ctx.words
    state, outcome = f"{STATES.get(entry.kind, 'os')}_{entry.state}", f"ao_{entry.outcome}"
    what = outcomes.get(entry.outcome, entry.outcome)
    if entry.kind != "visit" and words.has(outcome):
        what = words(outcome)
    parts = [words(f"t_{entry.kind}"), entry.title, words.money(*entry.amount) if entry.amount else ""]
    parts += [words(state) if entry.state and words.has(state) else entry.state, what]
    lines = Column(Text("  ·  ".join(p for p in parts if p), 16), spacing=0)
    day = words.day(date.fromisoformat(entry.day)) if entry.day else ""
    time = words.time(entry.at, ctx.zone)
    flags = ", ".join(words(f"flag_{one}") if words.has(f"flag_{one}") else one for one in entry.flags)
    note = entry.note if len(entry.note or "") <= 400 else f"{entry.note[:400]} …"
    for text in (note, "  ·  ".join(p for p in (f"{day} {time}".strip(), entry.who) if p), flags):
        if text:
            lines.add_widget(Text(text, 14, ink="quiet"))
    name = STATE_ICONS.get(entry.state, "circle") if entry.kind == "visit" else ICONS.get(entry.kind, "circle")
    icon = Icon(name, 20, state_ink(entry.state), size=(dp(22), dp(24)), pos_hint={"top": 1})
    return Row(icon, lines, mark_icon(entry.mark), spacing=10)
