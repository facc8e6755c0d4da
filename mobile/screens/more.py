"""More: who I am, what is on this phone, appearance, language, signing out."""

from kivy.metrics import dp

from mobile.field import reads, records
from mobile.screens.parts import frame, section, sync_line
from mobile.screens.work import task_row
from mobile.texts import LANGUAGES
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable
from mobile.widgets.controls import Chips, Notice, PushButton

TASKS_SHOWN = 20


def build(ctx):
    words, who, state = ctx.words, ctx.who, reads.sync_state(ctx.files)
    chosen = ctx.phone.settings()
    person = Row(
        Icon("users", 24, "brand"),
        Column(Text(who.name, 20, True), Text(who.server, 14, ink="quiet", lines=1), spacing=0),
    )
    page = Scroller(
        Card(person, spacing=6),
        _sync_row(ctx),
        _tasks(ctx),
        section(words("data"), Text(_data(ctx, state), 16), _offline(ctx)),
        section(
            words("appearance"),
            Chips(
                [(k, words(k)) for k in ("light", "dark")],
                chosen["appearance"],
                lambda v: ctx.nav.choose("appearance", v),
            ),
        ),
        section(
            words("language"),
            Chips(list(LANGUAGES.items()), chosen["language"], lambda v: ctx.nav.choose("language", v)),
        ),
        section(
            words("photos_by"),
            Chips(
                [(k, words(f"by_{k}")) for k in ("any", "wifi")],
                chosen["photos"],
                lambda v: ctx.nav.choose("photos", v),
            ),
        ),
    )
    if state.unsent:
        page.column.add_widget(Notice(words("sign_out_blocked", n=state.unsent), "warn"))
    else:
        page.column.add_widget(PushButton(words("sign_out"), ctx.nav.sign_out, "log_out", "danger"))
    return frame(ctx, words("more"), page, tab="more")


def _sync_row(ctx):
    row = Touchable(
        lambda: ctx.nav.go("sync"), "paper", "line", 10, size_hint_y=None, height=dp(64), padding=(dp(16), dp(8))
    )
    row.label = ctx.words("sync")
    row.add_widget(Column(Text(ctx.words("sync"), 16, True), sync_line(ctx), spacing=0, pos_hint={"center_y": 0.5}))
    row.add_widget(Icon("chevron_right", 20, "quiet", size_hint=(None, 1), width=dp(20)))
    return row


def _tasks(ctx):
    """What I have to do, what is late first."""
    tasks = records.tasks_of(ctx.files, ctx.user_id)
    box = section(ctx.words("my_tasks"))
    if not tasks:
        box.add_widget(Text(ctx.words("no_tasks"), 16, ink="quiet"))
    for task in tasks[:TASKS_SHOWN]:
        box.add_widget(task_row(ctx, task, with_account=True))
    return box


def _data(ctx, state):
    words = ctx.words
    sizes = [pack.path.stat().st_size for pack in ctx.packs]
    return words(
        "data_line", accounts=words.number(state.accounts), map=words.size(sum(sizes)) if sizes else words("no_map")
    )


def _offline(ctx):
    words = ctx.words
    return Column(
        Text(words("offline_title"), 14, True, "quiet"), Text(words("offline_list"), 14, ink="quiet"), spacing=0
    )
