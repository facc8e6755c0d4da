"""Sync status: the three marks, what is not yet sent and why, and what needs the rep."""

from datetime import datetime

from kivy.metrics import dp

from mobile import reasons
from mobile.field import reads
from mobile.field.capture import take_mine
from mobile.screens import gallery
from mobile.screens.parts import MARK_INKS, frame, mark_icon
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text
from mobile.widgets.controls import Notice, PushButton
from mobile.widgets.icons import MARK_ICONS

AT_ONCE = 50


def build(ctx):
    words, state = ctx.words, reads.sync_state(ctx.files)
    page = Scroller()
    add = page.column.add_widget
    if ctx.problem:
        add(Notice(ctx.problem, "warn"))
    if ctx.files.outbox.meta.get("sign_in_needed"):
        add(Notice(words("sign_in_again"), "info"))
        add(PushButton(words("sign_in"), lambda: ctx.nav.go("sign_in")))
    if state.verifying:
        add(Notice(words("verifying"), "info"))
    add(_marks(ctx, state))
    label = words("syncing") if ctx.syncing else words("sync_now")
    add(PushButton(label, ctx.nav.sync_now, "refresh_cw"))
    for op in state.attention:
        add(_needing(ctx, op))
    add(_waiting(ctx, state))
    add(gallery.waiting(ctx))
    return frame(ctx, words("sync"), page, back=True)


def _marks(ctx, state):
    """Three numbers with their marks; the same signs stand at every row of the app."""
    words = ctx.words
    applied = sum(ctx.files.outbox.counts().get(s, 0) for s in ("applied", "merged"))
    row = Row(spacing=8, height=92)
    for mark, n in (("phone", len(state.waiting)), ("server", applied), ("attention", len(state.attention))):
        box = Column(spacing=2, size_hint_y=1)
        box.add_widget(Icon(MARK_ICONS[mark], 26, MARK_INKS[mark], size_hint=(1, None), height=dp(30)))
        box.add_widget(Text(words.number(n), 20, True, align="center"))
        box.add_widget(Text(words(f"mark_{mark}"), 13, ink="quiet", align="center", lines=1))
        row.add_widget(box)
    when = words("last_sync", when=_moment(ctx, state.synced_at)) if state.synced_at else words("never_synced")
    return Card(row, Text(when, 14, ink="quiet", align="center"), spacing=8)


def _moment(ctx, text):
    return ctx.words.moment(datetime.fromisoformat(text), ctx.zone) if text else ""


def _title(ctx, op):
    words = ctx.words
    if op.e == "visit_event":
        what = words("kind_visit_event", state=words(f"s_{op.body['d']['state']}"))
    elif op.e == "track":
        what = words(f"kind_{op.body['d']['kind']}")
    else:
        what = words(f"kind_{op.e}") if words.has(f"kind_{op.e}") else op.e
    return ": ".join(p for p in (what, reads.called(ctx.files, op)) if p)


def _waiting(ctx, state):
    words = ctx.words
    if not state.waiting:
        return Card(Row(Icon("check_check", 22, "good"), Text(words("nothing_waiting"), 16), spacing=10))
    head = words("not_yet_sent", n=words.number(len(state.waiting)), when=_moment(ctx, state.oldest_unsent))
    card = Card(Text(head, 14, True, "quiet"), spacing=12)
    _list(ctx, card, state.waiting)
    return card


def _list(ctx, card, ops):
    """Fifty of what waits, and the way to the next: a phone does not draw a thousand rows at once."""
    words = ctx.words
    for op in ops[:AT_ONCE]:
        lines = Column(
            Text(_title(ctx, op), 16),
            Text(f"{_moment(ctx, op.created_wall)}  ·  {words(f'why_{op.state}')}", 14, ink="quiet"),
            spacing=0,
        )
        card.add_widget(Row(mark_icon("phone"), lines, spacing=10))
    rest = ops[AT_ONCE:]
    if rest:
        label = words("show_more", n=words.number(len(rest)))
        more = PushButton(label, lambda: (card.remove_widget(more), _list(ctx, card, rest)), kind="quiet")
        card.add_widget(more)


def _content(ctx, card, op):
    """What was written down: it is in no list as long as the server does not take it."""
    for name, value in reads.content(ctx.files, op):
        value = ctx.words(f"s_{value}") if name == "state" and ctx.words.has(f"s_{value}") else value
        card.add_widget(Text(f"{reasons.label(ctx.words, name)}: {value}", 14, ink="quiet"))


def _needing(ctx, op):
    """One thing that needs the rep: the plain reason and what can be done."""
    words, result = ctx.words, op.result or {}
    card = Card(Row(mark_icon("attention", 20), Text(_title(ctx, op), 16, True), spacing=10), spacing=10)
    error = result.get("error") or {}
    if op.state == "conflict":
        for conflict in result.get("conflicts", []):
            card.add_widget(Text(reasons.clash(words, conflict), 16))
        choices = (
            (words("take_mine"), lambda: _act(ctx, take_mine, op), "primary"),
            (words("keep_theirs"), lambda: _dismiss(ctx, op), "quiet"),
        )
        if all(conflict.get("kind") == "out_of_scope" for conflict in result.get("conflicts", [])):
            choices = ((words("understood"), lambda: _dismiss(ctx, op), "quiet"),)
    elif op.state == "stuck":
        card.add_widget(Text(words("why_stuck", reason=reasons.problem(words, error)), 16))
        _content(ctx, card, op)
        choices = ((words("try_again"), lambda: _retry(ctx), "primary"),)
    else:
        card.add_widget(Text(words("why_rejected", reason=reasons.reason(words, error)), 16))
        _content(ctx, card, op)
        choices = ((words("understood"), lambda: _dismiss(ctx, op), "quiet"),)
    row = Row(spacing=10, height=48)
    for label, tap, kind in choices:
        row.add_widget(PushButton(label, tap, kind=kind))
    card.add_widget(row)
    return card


def _act(ctx, action, op):
    action(ctx.files, op)
    ctx.nav.saved()
    ctx.nav.again()


def _dismiss(ctx, op):
    ctx.files.outbox.dismiss(op.op_id)
    ctx.nav.again()


def _retry(ctx):
    ctx.files.outbox.retry_parked()
    ctx.nav.sync_now()
    ctx.nav.again()
