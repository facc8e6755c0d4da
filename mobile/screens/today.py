"""Today: the next stop as a large card, then the day as a timeline; the map beside it on wide windows."""

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from functools import partial

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

from mobile import plantexts
from mobile.field import drafts, reads, records, restday, tracks, zones
from mobile.field.store import clock, moments
from mobile.screens import map_view, unfinished, visit
from mobile.screens.parts import class_badge, frame, mark_icon, state_ink, whole
from mobile.widgets.bars import badge
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable, gap, paint
from mobile.widgets.controls import IconButton, Notice, PushButton, Working
from mobile.widgets.icons import STATE_ICONS

LATE = timedelta(minutes=5)
"""So long after its time a visit that has not begun is late."""


def build(ctx, at=None):
    """The day that was chosen; `at` names it where one turned to it, so that it begins at its top."""
    day_date = ctx.day or ctx.today
    day = restday.day_as_taken(ctx.files, ctx.user_id, day_date)
    content = _timeline(ctx, day, day_date)
    if ctx.wide:
        pane = BoxLayout()
        content.size_hint_x, content.width = None, dp(400)
        pane.add_widget(content)
        pane.add_widget(map_view.DayMap(ctx, day))
        content = pane
    arrows = (
        IconButton("calendar_days", lambda: ctx.nav.go("week"), ctx.words("week")),
        IconButton("chevron_left", lambda: _turn(ctx, day_date, -1), "previous day"),
        IconButton("chevron_right", lambda: _turn(ctx, day_date, 1), "next day"),
    )
    title = ctx.words("today") if day_date == ctx.today else ctx.words.day(day_date)
    return frame(ctx, title, content, tab="today", actions=arrows)


def _turn(ctx, day, days):
    ctx.day = day + timedelta(days=days)
    ctx.nav.instead("today", at=ctx.day)


def _timeline(ctx, day, day_date):
    scroller = Scroller(spacing=0, padding=(12, 10, 12, 24))
    column = scroller.column
    column.add_widget(Text(_summary(ctx, day, day_date), 14, ink="quiet"))
    column.add_widget(gap(6))
    if tracks.is_news(ctx.files.outbox):
        column.add_widget(_news(ctx))
        column.add_widget(gap(10))
    if (begun := unfinished.way(ctx)) is not None:
        column.add_widget(begun)
        column.add_widget(gap(10))
    if not day.stops:
        column.add_widget(_empty(ctx, day_date))
        return scroller
    shown, upcoming = _in_time([s for s in day.stops if not s.is_out]), day.next_stop
    if upcoming is not None:
        upcoming = next((one for one in shown if one.visit_id == upcoming.visit_id), upcoming)
        column.add_widget(_next_card(ctx, upcoming))
    else:
        column.add_widget(Card(Row(Icon("circle_check", 22, "good"), Text(_over(ctx, day), 16))))
    column.add_widget(gap(14))
    if day.start and upcoming is not None and day_date >= zones.today(ctx.files.outbox, day.zone):
        column.add_widget(_order(ctx, day_date, restday.is_taken(day)))
    zone, can_undo = clock.zone(day.zone), drafts.can_undo(ctx.files)
    if day.start:
        column.add_widget(_anchor(ctx, day.leaves_at, "start_at", day.start, zone))
    rest = day.rest
    for stop in shown:
        is_before = bool(rest) and not stop.is_passed and stop.begins_at is not None and rest[0] <= stop.begins_at
        if is_before and not (stop.arrives_at and stop.arrives_at <= rest[0]):
            column.add_widget(_break(ctx, rest, zone))
            is_before, rest = False, ()
        if stop.drive_s:
            column.add_widget(_drive(ctx, stop.drive_s, stop.distance_m, stop.estimated))
        else:
            column.add_widget(gap(8))
        if is_before:
            column.add_widget(_break(ctx, rest, zone))
            rest = ()
        column.add_widget(_stop_row(ctx, stop, zone, can_undo))
    if rest:
        column.add_widget(_break(ctx, rest, zone))
    if day.end and day.returns_at:
        seconds, metres = day.way_home
        if seconds:
            column.add_widget(_drive(ctx, seconds, metres, day.estimated or restday.is_taken(day)))
        column.add_widget(_anchor(ctx, _back_at(day, seconds), "back_at", day.end, zone))
    for stop in (s for s in day.stops if s.is_out):
        column.add_widget(gap(8))
        column.add_widget(_stop_row(ctx, stop, zone, can_undo))
    return scroller


def _back_at(day, way_home_s):
    """When the rep is back: as planned, and once nothing lies ahead no earlier than the way home takes them."""
    done = [stop.done_at for stop in day.stops if stop.done_at]
    if not done or day.next_stop is not None:
        return day.returns_at
    return max(day.returns_at, max(done) + timedelta(seconds=way_home_s or 0))


def _in_time(stops):
    """The stops in their order, and among them what was done beside the route, where its time is; from there the rep
    comes to the next one on a way that is no leg of the route."""
    line = [stop for stop in stops if stop.arrives_at or not stop.done_at]
    for one in sorted((s for s in stops if s not in line), key=lambda s: s.done_at):
        later = (n for n, stop in enumerate(line) if stop.begins_at and stop.begins_at > one.done_at)
        at = next(later, len(line))
        line[at : at + 1] = [one, *(replace(stop, drive_s=None) for stop in line[at : at + 1])]
    return line


def _news(ctx):
    """The company records the rep's way: told once, before anything else, with the way to what it is."""
    see = PushButton(ctx.words("tracks_show"), lambda: ctx.nav.go("settings", at="tracks"), "route", "quiet")
    return Column(Notice(ctx.words("tracks_news"), "info"), see, spacing=8)


def _summary(ctx, day, day_date):
    words = ctx.words
    parts = [words.day(day_date)]
    if day.stops:
        parts.append(words.count("stops", "stop_1", sum(not stop.is_out for stop in day.stops)))
    if day.leaves_at and day.returns_at:
        parts.append(words.duration((day.returns_at - day.leaves_at).total_seconds()))
    if day.distance_m:
        parts.append(words.distance(day.distance_m))
    if day.estimated:
        parts.append(words("estimated"))
    return "  ·  ".join(parts)


def _over(ctx, day):
    """That nothing lies ahead any more, and what became of it where not all of it is done."""
    states = Counter("fits_no_more" if stop.is_out else f"s_{stop.state}" for stop in day.stops)
    if states.keys() == {"s_done"}:
        return ctx.words("day_done")
    return ctx.words("day_over", told=", ".join(f"{n} {ctx.words(state)}" for state, n in states.most_common()))


def _empty(ctx, day_date):
    """No visits: say so, and offer the next day that has some."""
    later = [d for d in reads.planned_days(ctx.files, ctx.user_id, day_date) if d > day_date.isoformat()]
    if ctx.problem is None and ctx.files.cache.meta.get("synced_at") is None:  # the first sync is under way
        return Working(ctx.words("no_visits_fetched"))
    card = Card(Row(Icon("calendar_days", 24, "quiet"), Text(ctx.words("no_visits"), 20, True)), spacing=12)
    if later:
        coming = date.fromisoformat(later[0])
        name = ctx.words.day(coming)
        card.add_widget(Text(ctx.words("no_visits_help", day=name), 16, ink="quiet"))
        card.add_widget(PushButton(ctx.words("show_day", day=name), lambda: _turn(ctx, coming, 0), "calendar_days"))
    else:
        card.add_widget(Text(ctx.words("no_visits_none"), 16, ink="quiet"))
        card.add_widget(PushButton(ctx.words("sync_now"), ctx.nav.sync_now, "refresh_cw"))
    return card


def _next_card(ctx, stop):
    words, zone = ctx.words, clock.zone(stop.zone)
    begins = stop.begins_at
    late = begins is not None and begins + LATE < moments.now(ctx.files.outbox)
    parts = (words("next_stop"), words.time(begins, zone), words("late") if late else "")
    eyebrow = "  ·  ".join(p for p in parts if p)
    address = ", ".join(p for p in (stop.street, whole(stop.city)) if p)
    drive = words("drive_short", time=words.duration(stop.drive_s)) if stop.drive_s else ""
    form = lambda: ctx.nav.go("visit", **_visit(stop))  # noqa: E731 a tap
    head = Row(Text(eyebrow, 14, True, "bad" if late else "accent"), class_badge(stop.account_class))
    lines = Column(head, Text(stop.name, 20, True), Text(address, 16, ink="quiet"), spacing=4)
    for line in (stop.objective, plantexts.why(stop.why or "", words.language), drive):
        if line:
            lines.add_widget(Text(line, 14, ink="quiet"))
    told = Touchable(form, size_hint_y=None)
    lines.bind(height=told.setter("height"))
    told.add_widget(lines)
    card = Card(told, spacing=4, radius=10)
    card.stop = stop
    for code in stop.cautions:
        if words.has(f"c_{code}"):
            card.add_widget(Notice(words(f"c_{code}"), "warn"))
    for ticket in records.tickets_at(ctx.files, stop.account_id)[:2]:
        card.add_widget(Notice(words("open_ticket", number=ticket["number"], subject=ticket["subject"]), "warn"))
    card.add_widget(gap(8))
    lon, lat = stop.entry or (stop.lon, stop.lat)
    link = f"geo:{lat},{lon}?q={lat},{lon}" if lat is not None else None
    if (ctx.day or ctx.today) != ctx.today:
        act = ("open", "notebook_pen", form)  # nobody is checked in on another day
    elif stop.state == "checked_in":
        act = ("finish", "circle_check", form)
    else:
        act = ("check_in", "map_pin", lambda: _check_in(ctx, stop))
    buttons = Row(spacing=10, height=52)
    if link:
        buttons.add_widget(PushButton(words("navigate"), lambda: ctx.nav.open_link(link), "navigation", "quiet"))
    buttons.add_widget(PushButton(words(act[0]), act[2], act[1]))
    card.add_widget(buttons)
    return card


def _check_in(ctx, stop):
    """One tap: checked in, and the form of the visit."""
    planned = ctx.files.cache.doc("visit", stop.visit_id) or {} if stop.visit_id else {}
    target = visit.target_at(ctx, planned, stop.account_id, stop.site_id)
    ctx.nav.go("visit", visit_id=visit.check_in(ctx, target), account_id=stop.account_id)


def _order(ctx, day_date, taken):
    """The way to another order of what is left; and, once one is taken, the word that it is this phone's."""
    words, box = ctx.words, Column(spacing=8)
    if taken:
        box.add_widget(Notice(words("order_here"), "info"))
        back = PushButton(words("order_of_office"), lambda: _of_office(ctx), "x", "quiet")
        box.add_widget(back)
    box.add_widget(PushButton(words("replan"), lambda: ctx.nav.go("replan", day=day_date), "route", "quiet"))
    box.add_widget(gap(6))
    return box


def _of_office(ctx):
    restday.give_back(ctx.files)
    ctx.nav.again()


def _stop_row(ctx, stop, zone, can_undo):
    row = Touchable(
        lambda: ctx.nav.go("visit" if stop.open else "account", **_target(stop)),
        "paper", "line", 10, size_hint_y=None, padding=(dp(12), dp(10)), spacing=dp(10),
    )  # fmt: skip
    row.bind(minimum_height=row.setter("height"))
    row.label = name = stop.name or ctx.words("stop_left")
    time = ctx.words.time(stop.came_at or stop.begins_at, zone)
    row.add_widget(Text(time or "–", 16, True, size_hint_x=None, width=dp(50), pos_hint={"top": 1}))
    row.add_widget(Icon(STATE_ICONS[stop.state], 20, state_ink(stop.state), size=(dp(22), dp(24)), pos_hint={"top": 1}))
    lines = Column(Text(name, 16, True, lines=2), spacing=0, pos_hint={"top": 1})
    below = [ctx.words(f"s_{stop.state}")] if stop.state != "planned" else []
    below += [ctx.words("fits_no_more")] if stop.is_out else []
    below += [ctx.words("stop_deleted")] if stop.gone == "deleted" else []
    lines.add_widget(Text("  ·  ".join([*below, *(p for p in (stop.street, whole(stop.city)) if p)]), 14, ink="quiet"))
    if stop.visit_id in can_undo:
        tap = partial(unfinished.undo_missed, ctx, stop.visit_id, stop.account_id, ctx.nav.go)
        lines.add_widget(gap(6))
        lines.add_widget(PushButton(ctx.words("undo"), tap, None, "quiet", size_hint_x=None, width=dp(128)))
    row.add_widget(lines)
    for extra in (mark_icon(stop.mark), class_badge(stop.account_class)):
        if extra is not None:
            row.add_widget(extra)
    return row


def _target(stop):
    return _visit(stop) if stop.open else {"account_id": stop.account_id}


def _visit(stop):
    return {"visit_id": stop.visit_id, "account_id": stop.account_id}


def _drive(ctx, seconds, metres, estimated):
    words = ctx.words
    text = words("drive_short", time=words.duration(seconds))
    if metres:
        text = words("drive", time=words.duration(seconds), distance=words.distance(metres))
    row = Row(spacing=10, height=30, padding=(74, 0, 0, 0))
    line = BoxLayout(size_hint=(None, 1), width=dp(2))
    paint(line, "line")
    row.add_widget(line)
    row.add_widget(Icon("car", 16, "quiet", size_hint=(None, 1), width=dp(18)))
    row.add_widget(Text(text, 13, ink="quiet", lines=1, pos_hint={"center_y": 0.5}))
    if estimated:
        row.add_widget(badge(words("estimated"), "warn"))
    return row


def _break(ctx, rest, zone):
    """The planned break, between the stops."""
    row = Row(spacing=10, height=40, padding=(12, 0, 12, 0))
    begins, ends = (ctx.words.time(one, zone) for one in rest)
    row.add_widget(Text(begins, 16, True, size_hint_x=None, width=dp(50), pos_hint={"center_y": 0.5}))
    row.add_widget(Icon("clock", 20, "quiet", size_hint=(None, 1), width=dp(22)))
    told = ctx.words("break_until", time=ends)
    row.add_widget(Text(told, 14, ink="quiet", lines=1, pos_hint={"center_y": 0.5}))
    return row


def _anchor(ctx, instant, key, place, zone):
    row = Row(spacing=10, height=40, padding=(12, 0, 12, 0))
    row.add_widget(
        Text(ctx.words.time(instant, zone), 16, True, size_hint_x=None, width=dp(50), pos_hint={"center_y": 0.5})
    )
    row.add_widget(Icon("house", 20, "quiet", size_hint=(None, 1), width=dp(22)))
    row.add_widget(
        Text(ctx.words(key, place=place.get("name") or ""), 14, ink="quiet", lines=1, pos_hint={"center_y": 0.5})
    )
    return row
