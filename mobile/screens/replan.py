"""The rest of the day planned anew on the phone: what changes for whom, before it is taken."""

from threading import Thread

from kivy.clock import Clock
from kivy.metrics import dp

from mobile.field import restday
from mobile.field.store import clock
from mobile.screens import unfinished
from mobile.screens.parts import class_badge, frame
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, rule
from mobile.widgets.controls import Notice, PushButton, Working

INKS = {"same": "quiet", "earlier": "info", "later": "warn", "out": "bad", "back": "info"}


def build(ctx, day):
    words, rest = ctx.words, restday.ahead_of(ctx.files, ctx.user_id, day, ctx.phone.position.fix())
    undo = unfinished.undo_rows(ctx, day)
    if rest is None or rest.is_over:
        page = Scroller(*undo, Card(Row(Icon("info", 22, "quiet"), Text(_nothing(ctx, rest), 16))))
        return frame(ctx, words("replan_title"), page, back=True)
    found = Column(Working(words("replan_working")), _leave(ctx), spacing=12)
    Thread(target=_work, args=(ctx, rest, found), daemon=True).start()
    return frame(ctx, words("replan_title"), Scroller(*undo, found), back=True)


def _nothing(ctx, rest):
    """Why there is nothing to plan."""
    if rest is None:
        return ctx.words("replan_nothing")
    since = ctx.words.time(rest.closes_at, clock.zone(rest.day.zone))
    return ctx.words("replan_over", time=since, drive=ctx.words.duration(rest.home_s))


def _leave(ctx):
    return PushButton(ctx.words("replan_leave"), ctx.nav.back, "x", "quiet", height=dp(54))


def _work(ctx, rest, found):
    """Beside the screen, which keeps answering; what is found is shown if the rep still waits for it."""
    proposal = restday.propose(rest)
    Clock.schedule_once(lambda _dt: _show(ctx, proposal, found), 0)


def _show(ctx, proposal, found):
    if found.get_root_window() is None:
        return
    found.clear_widgets()
    for part in _page(ctx, proposal):
        found.add_widget(part)


def _page(ctx, proposal):
    """What one gets for it, then every stop with its old and its new time."""
    words, zone = ctx.words, clock.zone(proposal.rest.day.zone)
    drive, before = words.duration(proposal.answer.drive_s), words.duration(proposal.drive_before_s)
    key = "replan_sum" if proposal.answer.stops else "replan_none"
    sums = words(key, drive=drive, before=before, back=words.time(proposal.returns_at, zone))
    head = Card(Text(sums, 20, True), spacing=4)
    out = [change.stop.name for change in proposal.changes if change.after is None]
    if out:
        head.add_widget(Text(words("replan_out", names=", ".join(out)), 16, ink="bad"))
    for line in _why(ctx, proposal):
        head.add_widget(Text(line, 16))
    head.add_widget(Text(words("replan_estimated"), 14, ink="quiet"))
    kinds = {change.kind for change in proposal.changes}
    if kinds <= {"same"}:
        head.add_widget(Text(words("replan_same"), 16))
    yield head
    rows, rest = Column(spacing=8), proposal.rest_at
    for change in proposal.changes:
        if rest and (change.after is None or change.after >= rest[0]):
            if rows.children:
                rows.add_widget(rule())
            rows.add_widget(_break(ctx, rest, zone))
            rest = ()
        if rows.children:
            rows.add_widget(rule())
        rows.add_widget(_line(ctx, change, proposal.rest.closes_at, zone))
    if rest:
        rows.add_widget(_break(ctx, rest, zone))
    yield Card(rows)
    if proposal.rest.unplaced:
        yield Notice(words("r_unplaced", names=", ".join(proposal.rest.unplaced)), "warn")
    if proposal.answer.stops:
        yield Notice(words("replan_kept_here"), "info")
        yield PushButton(words("replan_take"), lambda: _take(ctx, proposal), "check", height=dp(54))
    yield _leave(ctx)


def _why(ctx, proposal):
    """What has upset the day."""
    words = ctx.words
    if proposal.missed:
        yield words("replan_missed", names=", ".join(proposal.missed))
    if proposal.behind_s >= restday.NOTICED_S:
        yield words("replan_behind", time=words.duration(proposal.behind_s))


def _break(ctx, rest, zone):
    """The break between the stops: the way back is counted with it."""
    begins, ends = (ctx.words.time(one, zone) for one in rest)
    when = Text(begins, 16, True, size_hint_x=None, width=dp(56))
    return Row(when, Text(ctx.words("break_until", time=ends), 14, ink="quiet"), spacing=10)


def _minute(instant):
    """As it is shown: the difference is that of the times beside it."""
    return instant.replace(second=0, microsecond=0)


def _why_out(ctx, change, closes, zone):
    """Why somebody has no place any more."""
    if change.why:
        spans = ", ".join("–".join(f"{s // 3600:02}:{s // 60 % 60:02}" for s in span) for span in change.windows)
        why = f"o_{change.why}" if change.why != "hours" or spans else "o_closed"
        when = change.before if change.why == "promised" else change.kept.starts_at if change.kept else closes
        name = change.kept.name if change.kept else ""
        yield ctx.words(why, hours=spans, time=ctx.words.time(when, zone), name=name)


def _line(ctx, change, closes, zone):
    """Old time, new time, who, and what that means for them: what is moved by minutes alone is said, in a quiet ink."""
    words, stop = ctx.words, change.stop
    old, new = words.time(change.before, zone), words.time(change.after, zone)
    times = Column(Text(new or "–", 16, True, "bad" if change.after is None else "ink"), spacing=0)
    if old and old != new:
        times.add_widget(Text(f"[s]{old}[/s]", 14, ink="quiet", markup=True))
    times.size_hint_x, times.width = None, dp(56)
    times.pos_hint = {"top": 1}
    moved = (_minute(change.after) - _minute(change.before)).total_seconds() if old and new else 0
    kind = "later" if moved > 0 else "earlier"
    kind = kind if moved and change.kind == "same" else change.kind
    is_told = bool(moved) or change.kind not in ("later", "earlier")  # whose time nobody had planned is not later
    below = [words(f"r_{kind}", n=words.duration(abs(moved)))] if is_told else []
    below += _why_out(ctx, change, closes, zone)
    below += [words("r_promised")] if stop.appointment == "fixed" else []
    below += [words("drive_short", time=words.duration(change.drive_s))] if change.drive_s else []
    lines = Column(
        Text(stop.name, 16, True, lines=2),
        Text("  ·  ".join(below), 14, ink=INKS[change.kind]),
        spacing=0,
        pos_hint={"top": 1},
    )
    row = Row(times, lines, spacing=10)
    if stop.account_class:
        row.add_widget(class_badge(stop.account_class))
    return row


def _take(ctx, proposal):
    restday.take(ctx.files, proposal)
    ctx.nav.back()
    ctx.nav.toast(ctx.words("replan_taken"))
