"""More: who I am, the week, who is near, settings, my next steps."""

from kivy.metrics import dp

from mobile.field import records
from mobile.screens import unfinished
from mobile.screens.parts import frame, section, sync_line
from mobile.screens.work import task_row
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable
from mobile.widgets.controls import PushButton

TASKS_SHOWN = 20


def build(ctx):
    words, who = ctx.words, ctx.who
    person = Row(
        Icon("users", 24, "brand"),
        Column(Text(who.name, 20, True), Text(who.server, 14, ink="quiet", lines=1), spacing=0),
    )
    page = Scroller(
        Card(person, spacing=6),
        unfinished.way(ctx),
        _way(ctx, "sync", words("sync"), "refresh_cw", sync_line(ctx)),
        _way(ctx, "week", words("week"), "calendar_days", _about(words("week_about"))),
        _way(ctx, "nearby", words("nearby"), "locate_fixed", _about(words("nearby_about"))),
        _way(ctx, "settings", words("settings"), "settings", _about(words("settings_about"))),
        _tasks(ctx),
    )
    return frame(ctx, words("more"), page, tab="more")


def _about(text):
    return Text(text, 13, ink="quiet", lines=1)


def _way(ctx, screen, title, icon, below):
    """A place to go, with a line that says what is there."""
    row = Touchable(
        lambda: ctx.nav.go(screen), "paper", "line", 10, size_hint_y=None, height=dp(64), padding=(dp(16), dp(8)),
        spacing=dp(12),
    )  # fmt: skip
    row.label = title
    row.add_widget(Icon(icon, 22, "brand", size_hint=(None, 1), width=dp(26)))
    row.add_widget(Column(Text(title, 16, True), below, spacing=0, pos_hint={"center_y": 0.5}))
    row.add_widget(Icon("chevron_right", 20, "quiet", size_hint=(None, 1), width=dp(20)))
    row.bind(minimum_height=lambda _row, high: setattr(row, "height", max(dp(64), high)))
    return row


def _tasks(ctx):
    """What I have to do, what is late first."""
    tasks = records.tasks_of(ctx.files, ctx.user_id)
    box = section(ctx.words("my_tasks"))
    if not tasks:
        box.add_widget(Text(ctx.words("no_tasks"), 16, ink="quiet"))
    _show(ctx, box, tasks)
    return box


def _show(ctx, box, tasks):
    """Some of them, and the way to the next."""
    for task in tasks[:TASKS_SHOWN]:
        box.add_widget(task_row(ctx, task, with_account=True))
    if rest := tasks[TASKS_SHOWN:]:
        label = ctx.words("show_more", n=ctx.words.number(len(rest)))
        more = PushButton(label, lambda: (box.remove_widget(more), _show(ctx, box, rest)), kind="quiet")
        box.add_widget(more)
