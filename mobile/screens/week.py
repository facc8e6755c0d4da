"""The calendar week: visits, meetings, calls and tasks by day; a tap opens what they are about."""

from datetime import timedelta

from kivy.metrics import dp

from mobile.field import agenda, drafts
from mobile.field.store import moments
from mobile.screens import steps, unfinished
from mobile.screens.parts import fact, frame, mark_icon, state_ink
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable, rule
from mobile.widgets.controls import IconButton, Notice, PushButton
from mobile.widgets.icons import STATE_ICONS

KIND_ICONS = {"meeting": "users", "call": "phone", "task": "notebook_pen"}


def build(ctx, monday=None):
    monday = monday or agenda.monday_of(ctx.day or ctx.today)
    days = agenda.week(ctx.files, ctx.user_id, monday, ctx.zone)
    arrows = (
        IconButton("chevron_left", lambda: _turn(ctx, monday, -7), "previous week"),
        IconButton("chevron_right", lambda: _turn(ctx, monday, 7), "next week"),
    )
    content = _list(ctx, days)
    if ctx.wide:  # seven days need the whole width
        content = Scroller(_columns(ctx, days), padding=(8, 10, 8, 24), is_readable=False)
    return frame(ctx, ctx.words.week(monday), content, back=True, actions=arrows)


def _turn(ctx, monday, days):
    ctx.nav.instead("week", monday=monday + timedelta(days=days))


def _list(ctx, days):
    """The days under each other; the present one stands out."""
    page = Scroller(spacing=12)
    for weekday in days:
        card = Card(_heading(ctx, weekday), spacing=6)
        for place, entry in enumerate(weekday.entries):
            if place:
                card.add_widget(rule())
            card.add_widget(_line(ctx, entry, weekday.day))
        page.column.add_widget(card)
        if weekday.day == ctx.today:
            page.begin_with(card)
    return page


def _columns(ctx, days):
    """The days beside each other."""
    row = Row(spacing=6)
    for weekday in days:
        card = Card(_heading(ctx, weekday, narrow=True), spacing=6, padding=8)
        card.pos_hint = {"top": 1}
        if not weekday.entries:
            card.add_widget(Text(ctx.words("nothing_planned"), 14, ink="quiet"))
        for entry in weekday.entries:
            card.add_widget(rule())
            card.add_widget(_line(ctx, entry, weekday.day, narrow=True))
        row.add_widget(card)
    return row


def _heading(ctx, weekday, narrow=False):
    today = weekday.day == ctx.today
    row = Row(Text(ctx.words.day(weekday.day), 14, True, "brand" if today else "quiet", lines=1), height=24)
    if not weekday.entries and not narrow:
        row.add_widget(Text(ctx.words("nothing_planned"), 14, ink="quiet", lines=1, align="right"))
    if today:
        row.add_widget(Icon("circle_dot", 16, "brand"))
    return row


def _line(ctx, entry, day, narrow=False):
    words, late = ctx.words, entry.is_late(day, ctx.today, moments.now(ctx.files.outbox))
    icon = STATE_ICONS.get(entry.state, "circle") if entry.kind == "visit" else KIND_ICONS[entry.kind]
    ink = state_ink(entry.state) if entry.kind == "visit" or not entry.open else "brand"
    row = Touchable(
        lambda: _open(ctx, entry), "paper", size_hint_y=None, padding=(0, dp(4)), spacing=dp(8),
        orientation="vertical" if narrow else "horizontal",
    )  # fmt: skip
    row.bind(minimum_height=lambda _r, high: setattr(row, "height", max(dp(48), high)))
    row.label = entry.title or words("busy")
    told = (words("late") if late else "", words(f"k_{entry.kind}"), entry.account, *_state(ctx, entry))
    below = "  ·  ".join(p for p in told if p)
    title = Text(entry.title or words("busy"), 14 if narrow else 16, True, lines=0 if narrow else 1)
    lines = Column(title, Text(below, 13, ink="bad" if late else "quiet"), spacing=0, pos_hint={"center_y": 0.5})
    if narrow:
        row.add_widget(Row(Icon(icon, 16, ink), Text(_times(ctx, entry), 13, True, lines=1), spacing=4, height=22))
        row.add_widget(lines)
        return row
    row.add_widget(Text(_times(ctx, entry), 14, True, size_hint_x=None, width=dp(58), pos_hint={"center_y": 0.5}))
    row.add_widget(Icon(icon, 20, ink, size_hint=(None, 1), width=dp(24)))
    row.add_widget(lines)
    if entry.waits:
        row.add_widget(mark_icon("phone"))
    return row


def _state(ctx, entry):
    """What became of it, where that is worth a word."""
    if entry.kind == "visit":
        if entry.is_out:
            return [ctx.words("fits_no_more")]
        return [] if entry.state == "planned" else [ctx.words(f"s_{entry.state}")]
    return [] if entry.open else [ctx.words("s_done" if entry.state == "done" else "s_cancelled")]


def _times(ctx, entry):
    words = ctx.words
    if entry.starts_at is None:
        return "–"
    return words("all_day") if entry.all_day else words.time(entry.starts_at, ctx.zone)


def _open(ctx, entry):
    if entry.kind == "visit" and entry.open:
        ctx.nav.go("visit", visit_id=entry.id, account_id=entry.account_id)
    elif entry.kind == "visit":
        ctx.nav.go("account", account_id=entry.account_id)
    else:
        ctx.nav.go("entry", activity_id=entry.id)


def build_entry(ctx, activity_id):
    """A meeting, a call or a task: what, when, with whom, and the tap that says it is done."""
    words, entry = ctx.words, agenda.entry_of(ctx.files, activity_id)
    if entry is None:
        return frame(ctx, words("week"), Scroller(Notice(words("entry_gone"), "warn")), back=True)
    doc = ctx.files.cache.doc("activity", activity_id) or {}
    card = Card(Text(entry.title or words("busy"), 20, True), spacing=8)
    for key, value in (("when", _when(ctx, doc, entry)), ("account", entry.account), ("place", doc.get("place"))):
        if value:
            card.add_widget(fact(words(key), value))
    may_change = entry.open and entry.title and not entry.waits and not doc.get("rrule")
    if doc.get("note") and not may_change:
        card.add_widget(Text(doc["note"], 16))
    page = Scroller(card)
    if entry.account_id and ctx.files.cache.doc("account", entry.account_id):
        go = lambda: ctx.nav.go("account", account_id=entry.account_id)  # noqa: E731 a tap
        page.column.add_widget(PushButton(words("open_account"), go, "building_2", "quiet"))
    if doc.get("rrule"):
        page.column.add_widget(Notice(words("repeats"), "info"))
    elif may_change:
        form = steps.TaskEdit(ctx, activity_id)
        page.column.add_widget(PushButton(words("task_done"), lambda: form.save(state="done"), "circle_check", "quiet"))
        page.column.add_widget(Card(form))
    draft = None if may_change else drafts.of_form(ctx.files, ("entry",), {"activity_id": activity_id})
    if drafts.is_typed(draft):
        for part in (Notice(words("entry_over"), "warn"), *unfinished.held(ctx, draft)):
            page.column.add_widget(part)
    return frame(ctx, words(f"k_{entry.kind}"), page, back=True)


def _when(ctx, doc, entry):
    words = ctx.words
    if entry.starts_at is None:
        return words.day_text(doc.get("due_on"))
    zone = ctx.zone
    day = words.day(entry.starts_at.astimezone(zone).date())
    if entry.all_day:
        return f"{day}, {words('all_day')}"
    ends = f" – {words.time(entry.ends_at, zone)}" if entry.ends_at else ""
    return f"{day}, {words.time(entry.starts_at, zone)}{ends}"
