"""Small forms of next steps: a new one at an account, another day or other words for one that is known."""

import calendar
from datetime import date, timedelta

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.gridlayout import GridLayout

from mobile.field import reads, taking
from mobile.field.capture import edit
from mobile.field.forms import MONTHS
from mobile.screens.parts import foot_of, frame
from mobile.screens.unfinished import Typed
from mobile.texts import WEEKDAYS
from mobile.theme import RADIUS_CONTROL, TOUCH
from mobile.widgets.base import Column, Row, Scroller, Text, Touchable
from mobile.widgets.controls import IconButton, Notice, PushButton

DAYS = {"w_today": 0, "w_tomorrow": 1, "w_week": 7, "w_month": 30}
ANY_DAY = "w_day"


class DayGrid(Column):
    """A month of days, one of them chosen; `on_choose` gets the date. Days before `first` cannot be chosen."""

    def __init__(self, ctx, chosen, on_choose, first, **kwargs):
        super().__init__(spacing=4, **kwargs)
        self.ctx, self.chosen, self._on_choose, self._first = ctx, chosen, on_choose, first
        self._show((chosen or first).replace(day=1))

    def _show(self, month):
        self.clear_widgets()
        words = self.ctx.words
        before, after = (month - timedelta(days=1)).replace(day=1), (month + timedelta(days=31)).replace(day=1)
        name = Text(f"{MONTHS[words.language][month.month - 1]} {month.year}", 16, True, align="center")
        name.pos_hint = {"center_y": 0.5}
        earlier = IconButton("chevron_left", lambda: self._show(before), words("month_before"))
        if month <= self._first:
            earlier.disabled, earlier.opacity = True, 0
        self.add_widget(
            Row(earlier, name, IconButton("chevron_right", lambda: self._show(after), words("month_after")))
        )
        self.add_widget(
            Row(*(Text(one, 13, ink="quiet", align="center") for one in WEEKDAYS[words.language]), spacing=0)
        )
        grid = GridLayout(cols=7, size_hint_y=None, row_default_height=dp(TOUCH), row_force_default=True)
        grid.bind(minimum_height=grid.setter("height"))
        for week in calendar.monthcalendar(month.year, month.month):
            for number in week:
                grid.add_widget(self._day(month.replace(day=number)) if number else BoxLayout())
        self.add_widget(grid)

    def _day(self, day):
        on, words = day == self.chosen, self.ctx.words
        middle = {"center_y": 0.5}
        over = day < self._first and not on
        ink = "on_brand" if on else "quiet" if over else "brand" if day == self.ctx.today else "ink"
        cell = BoxLayout()
        if not over:
            cell = Touchable(lambda: self._choose(day), "brand" if on else "paper", None, RADIUS_CONTROL)
            cell.label = words.day(day)
        cell.add_widget(Text(str(day.day), 16, on or day == self.ctx.today, ink, align="center", pos_hint=middle))
        return cell

    def _choose(self, day):
        self.chosen = day
        self._on_choose(day)
        self._show(day.replace(day=1))


class StepFields(Column):
    """What is to be done, and when: on one of a few days, or on any."""

    def __init__(self, ctx, typed, **kwargs):
        super().__init__(spacing=10, **kwargs)
        self.ctx, self.typed, words = ctx, typed, ctx.words
        self.subject = typed.field("step", hint=words("next_step_hint"))
        options = [(key, words(key)) for key in (*DAYS, ANY_DAY)]
        self.when = typed.chips("step_when", options, "w_week", lambda _key: self._show_days())
        kept = typed.value("step_day")
        self.day, self.days = date.fromisoformat(kept) if kept else None, Column()
        for part in (self.subject, self.when, self.days):
            self.add_widget(part)
        self._show_days()

    def _show_days(self):
        self.days.clear_widgets()
        if self.when.chosen == ANY_DAY:
            self.day = self.day or self.ctx.today + timedelta(days=DAYS["w_week"])
            self.days.add_widget(DayGrid(self.ctx, self.day, self._choose, self.ctx.today))

    def _choose(self, day):
        self.day = day
        self.typed.keep(step_day=day.isoformat())

    @property
    def due_on(self):
        if self.when.chosen == ANY_DAY:
            return self.day.isoformat()
        return (self.ctx.today + timedelta(days=DAYS[self.when.chosen])).isoformat()


def build(ctx, account_id):
    account = ctx.files.cache.doc("account", account_id) or {}
    typed = Typed(ctx, ("next_step",), {"account_id": account_id}, account.get("name"))
    fields, warning = StepFields(ctx, typed), Column()

    def save():
        if not fields.subject.value:
            warning.clear_widgets()
            warning.add_widget(Notice(ctx.words("subject_missing"), "warn"))
            return
        site = reads.main_site(ctx.files, account_id) or {}
        step, due_on = fields.subject.value, fields.due_on
        typed.save(lambda: taking.next_step(ctx.files, account_id, step, due_on=due_on, site_id=site.get("id")))
        ctx.nav.saved()
        ctx.nav.back()
        ctx.nav.toast(ctx.words("saved"))

    foot = foot_of(warning, PushButton(ctx.words("save"), save, "check"))
    content = Scroller(Text(account.get("name") or "", 20, True), typed.told(), fields)
    return frame(ctx, ctx.words("next_step"), content, back=True, foot=foot)


class TaskEdit(Column):
    """Other words for a task, a call or a meeting, and another day for what has no hour."""

    def __init__(self, ctx, activity_id, **kwargs):
        super().__init__(spacing=10, **kwargs)
        self.ctx, self.activity_id, words = ctx, activity_id, ctx.words
        rev, doc = ctx.files.cache.shown("activity", activity_id)
        seen = [rev, {name: doc.get(name) for name in ("subject", "note", "due_on", "state")}]
        arguments = {"activity_id": activity_id}
        self.typed = Typed(ctx, ("entry",), arguments, doc.get("subject"), {"activity": seen})
        self.seen = self.typed.seen("activity")
        shown = self.seen[1]
        self.subject = self.typed.field("subject", words("field_subject"), shown["subject"] or "")
        self.note = self.typed.field("note", words("note"), shown["note"] or "", lines=3)
        self.due_on, days = self.typed.value("due_on", shown["due_on"]), None
        if not doc.get("starts_at"):
            chosen = date.fromisoformat(self.due_on) if self.due_on else None
            days = Column(
                Text(words("when"), 14, ink="quiet"), DayGrid(ctx, chosen, self._choose, ctx.today), spacing=4
            )
        self.warning = Column()
        save = PushButton(words("save"), self.save, "check")
        for part in (self.typed.told(), self.subject, self.note, days, self.warning, save):
            if part is not None:
                self.add_widget(part)

    def _choose(self, day):
        self.due_on = day.isoformat()
        self.typed.keep(due_on=self.due_on)

    def save(self, **more):
        """Only what was changed is sent; `more` goes with it, as that it is done."""
        self.warning.clear_widgets()
        if not self.subject.value:
            self.warning.add_widget(Notice(self.ctx.words("subject_missing"), "warn"))
            return
        files, row_id, seen = self.ctx.files, self.activity_id, self.seen
        changes = {"subject": self.subject.value, "note": self.note.value or None, "due_on": self.due_on, **more}
        made = self.typed.save(lambda: edit(files, "activity", row_id, changes, seen))
        self.ctx.nav.back()
        if made is not None:
            self.ctx.nav.saved()
            self.ctx.nav.toast(self.ctx.words("saved"))
