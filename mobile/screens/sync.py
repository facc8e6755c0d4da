"""Sync status: the three marks, what is not yet sent and why, and what needs the rep."""

from dataclasses import replace
from datetime import datetime
from functools import partial

from kivy.metrics import dp

from mobile import reasons
from mobile.field import conflicts, drafts, entries, photos, reads
from mobile.screens import export, gallery, unfinished, values
from mobile.screens.parts import MARK_INKS, frame, mark_icon
from mobile.theme import TOUCH
from mobile.widgets.bars import UNDO_S
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable
from mobile.widgets.controls import Notice, PushButton
from mobile.widgets.icons import MARK_ICONS

AT_ONCE = 50
ANSWERS = {"delete_vs_edit": ("delete_it", "keep_it"), "edit_after_delete": ("bring_back", "leave_deleted")}
"""How both answers are called where they are about a deletion."""


def build(ctx):
    words, state = ctx.words, reads.sync_state(ctx.files)
    page = Scroller()
    add = page.column.add_widget
    if ctx.problem:
        add(Notice(ctx.problem, "warn"))
    if ctx.files.outbox.meta.get("sign_in_needed"):
        add(Notice(words("sign_in_again"), "info"))
        add(PushButton(words("sign_in"), lambda: ctx.nav.go("sign_in")))
    if state.unreadable:
        add(Notice(words.count("unreadable", "unreadable_1", state.unreadable), "warn"))
        add(PushButton(words("understood"), lambda: _understood(ctx), kind="quiet"))
    if state.verifying:
        add(Notice(words("verifying"), "info"))
    add(_marks(ctx, state))
    label = words("syncing") if ctx.syncing else words("sync_now")
    add(PushButton(label, ctx.nav.sync_now, "refresh_cw"))
    questions = conflicts.questions(ctx.files)
    several = _several(ctx, questions)
    if sum(bool(one.decided) for one in questions) > 1:
        add(PushButton(words("all_understood"), lambda: _all_understood(ctx, questions), kind="quiet"))
    attention = [op for op in state.attention if not (op.state == "conflict" and op.result.get("conflicts"))]
    for op in attention:
        add(_needing(ctx, op))
    for question in sorted(questions, key=lambda one: bool(one.decided)):
        if (card := several.pop(entries.account_of(ctx.files, question.op), None)) is not None:
            add(card)
        add(_question(ctx, question))
    forms = unfinished.way(ctx)
    if forms:
        add(forms)
    add(_waiting(ctx, state))
    add(gallery.waiting(ctx))
    kept = len(ctx.files.outbox.aside.all())
    for part in export.offered(ctx) or ([export.Export(ctx)] if kept else []):
        add(Card(Text(words.count("set_aside", "set_aside_1", kept), 14) if kept else None, part))
    return frame(ctx, words("sync"), page, back=True)


def _marks(ctx, state):
    """Three numbers with their marks; the same signs stand at every row of the app."""
    words = ctx.words
    applied = sum(ctx.files.outbox.counts().get(s, 0) for s in ("applied", "merged"))
    row = Row(spacing=8, height=92)
    for mark, n in (
        ("phone", len(state.waiting) + state.photos),
        ("server", applied),
        ("attention", state.needing + state.unreadable),
    ):
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
    elif op.e == "account" and op.kind == "create":
        what = words("kind_new_account")
    else:
        what = words(f"kind_{op.e}") if words.has(f"kind_{op.e}") else op.e
    return ": ".join(p for p in (what, entries.called(ctx.files, op)) if p)


def _waiting(ctx, state):
    words = ctx.words
    elsewhere = state.attention or ctx.files.outbox.aside.all() or photos.waiting(ctx.files).refused
    elsewhere = elsewhere or any(one.body.get("mends") for one in drafts.unfinished(ctx.files))
    if not state.waiting and (state.photos or elsewhere):
        return Column()  # what is not on the server is told above or below
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
        lines, changed = Column(Text(_title(ctx, op), 16), spacing=0, pos_hint={"center_y": 0.5}), _changed(ctx, op)
        if changed:
            lines.add_widget(Text(changed, 14, ink="quiet"))
        lines.add_widget(Text(f"{_moment(ctx, op.created_wall)}  ·  {words(_why(ctx, op))}", 14, ink="quiet"))
        card.add_widget(_way(ctx, op, lines))
        if conflicts.can_undo(op):
            tap = partial(_undo, ctx, [op.op_id])
            card.add_widget(PushButton(words("undo_decision"), tap, "x", "quiet"))
    rest = ops[AT_ONCE:]
    if rest:
        label = words("show_more", n=words.number(len(rest)))
        more = PushButton(label, lambda: (card.remove_widget(more), _list(ctx, card, rest)), kind="quiet")
        card.add_widget(more)


def _changed(ctx, op):
    """The fields that an entry changes: one form may make several entries."""
    names = op.body["f"] if op.kind == "patch" else [op.body["field"]] if op.kind in ("setadd", "setdel") else ()
    return ", ".join(values.heading(ctx, op.e, name) for name in names)


def _way(ctx, op, lines):
    """What waits; a tap shows the order or the lead that it made, else the account that it is about."""
    known, account_id = ctx.files.cache.doc, entries.account_of(ctx.files, op)
    place = None
    if op.e == "order":
        place = "order", {"account_id": account_id, "order_id": op.row_id}
    elif op.e == "lead" and known("lead", op.row_id):
        place = "lead_card", {"lead_id": op.row_id}
    elif account_id and known("account", account_id):
        place = "account", {"account_id": account_id}
    if place is None:
        return Row(mark_icon("phone"), lines, spacing=10)
    way = Touchable(lambda: ctx.nav.go(place[0], **place[1]), size_hint_y=None, spacing=dp(10))
    way.bind(minimum_height=lambda _way, high: setattr(way, "height", max(dp(TOUCH), high)))
    way.label = _title(ctx, op)
    for part in (mark_icon("phone"), lines, Icon("chevron_right", 18, "quiet", size_hint=(None, 1), width=dp(18))):
        way.add_widget(part)
    return way


def _why(ctx, op):
    """Why an op is not on the server: there may be a network, and its turn is to come."""
    is_soon = op.state == "queued" and ctx.problem != ctx.words("err_unreachable")
    return "why_soon" if is_soon else f"why_{op.state}"


def _content(ctx, card, op):
    """What was written down: it is in no list as long as the server does not take it."""
    told_below = conflicts.overtaken(ctx.files, op)
    for name, value in (one for one in entries.content(ctx.files, op) if one[0] not in told_below):
        said = reasons.brief(values.told(ctx, op.e, name, value))
        card.add_widget(Text(f"{values.heading(ctx, op.e, name)}: {said}", 14, ink="quiet"))


def _needing(ctx, op):
    """One thing that needs the rep: the plain reason and what can be done."""
    words, result = ctx.words, op.result or {}
    card = Card(Row(mark_icon("attention", 20), Text(_title(ctx, op), 16, True), spacing=10), spacing=10)
    error = result.get("error") or {}
    if op.state == "stuck":
        card.add_widget(Text(words("why_stuck", reason=reasons.problem(words, error)), 16))
        _content(ctx, card, op)
        choices = ((words("try_again"), lambda: _retry(ctx), "primary"),)
    else:
        card.add_widget(Text(words("why_rejected", reason=values.refusal(ctx, op, error)), 16))
        _content(ctx, card, op)
        for name, stored in conflicts.overtaken(ctx.files, op).items():
            mine = conflicts.said(op)[name][1]
            for part in values.both(ctx, op.e, name, mine, stored, lambda name=name: _take_theirs(ctx, op, name)):
                card.add_widget(part)
        choices = ((words("understood"), lambda: _dismiss(ctx, op.op_id), "quiet"),)
        if drafts.can_reopen(ctx.files, op):
            choices = ((words("open"), lambda: _open(ctx, op), "primary"), *choices)
    card.add_widget(_choices(choices))
    return card


def _open(ctx, op):
    """The form from which it came, with what was typed; where that is none, the record."""
    screen, arguments = drafts.reopen(ctx.files, op)
    ctx.nav.go(screen, **arguments)


def _take_theirs(ctx, op, name):
    conflicts.take_theirs(ctx.files, op, name)
    ctx.nav.again()


def _question(ctx, question):
    """A field that somebody else changed too: what the rep says to it, or who decided before them."""
    words, op, kind, lone = ctx.words, question.op, question.conflict.get("kind"), False
    if kind == "edit_after_delete" and entries.is_site_alone(ctx.files, op):
        lone, question = True, replace(question, conflict=question.conflict | {"kind": "site_after_delete"})
    conflict = question.conflict
    mark = "server" if question.decided else "attention"
    card = Card(Row(mark_icon(mark, 20), Text(_title(ctx, op), 16, True), spacing=10), spacing=10)
    choices = ((words("understood"), lambda: _dismiss(ctx, conflict["id"]), "quiet"),)
    if question.decided:
        card.add_widget(Text(values.decided(ctx, question), 16))
    else:
        card.add_widget(Text(values.clash(ctx, question), 16))
        if told := values.wrote(ctx, question):
            card.add_widget(Text(told, 14, ink="quiet"))
        is_lost = kind == "edit_after_delete" and not lone and not conflicts.may_restore(ctx.files.outbox)
        if question.refused:
            card.add_widget(Text(words("why_rejected", reason=values.refusal(ctx, op, question.refused)), 16))
        elif kind == "edit_after_delete":
            card.add_widget(Text(words("office_restores" if is_lost else "mine_restores"), 16))
        if kind != "out_of_scope" and not is_lost:
            mine, theirs = ANSWERS.get(kind, ("take_mine", "keep_theirs"))
            keeps = (words(theirs), lambda: _answer(ctx, question, False), "quiet")
            takes = (words(mine), lambda: _answer(ctx, question, True), "primary")
            is_gone = not values.can_take(ctx, question)
            if is_gone and not question.refused:
                card.add_widget(Text(words("mine_is_gone"), 16))
            choices = (keeps, *choices) if question.refused or is_gone else (takes, keeps)
    card.add_widget(_choices(choices))
    return card


def _several(ctx, questions):
    """Above several open questions of one account: one tap for all of them, by account."""
    asked = {}
    for one in questions:
        is_open = one.decided is None and one.refused is None
        if is_open and one.conflict.get("kind", "concurrent") in ("concurrent", "back"):
            asked.setdefault(entries.account_of(ctx.files, one.op), []).append(one)
    return {account_id: _all(ctx, account_id, several) for account_id, several in asked.items() if len(several) > 1}


def _all(ctx, account_id, several):
    words, account = ctx.words, ctx.files.cache.doc("account", account_id or "") or {}
    told = Text(words("several_asked", n=len(several), name=account.get("name") or "–"), 16, True)
    every = lambda mine: lambda: _answer_all(ctx, several, mine)  # noqa: E731 two taps
    mine, theirs = (words("all_mine"), every(True), "primary"), (words("all_theirs"), every(False), "quiet")
    return Card(Row(mark_icon("attention", 20), told, spacing=10), _choices((mine, theirs)), spacing=10)


def _answer_all(ctx, several, mine):
    several = [one for one in several if not mine or values.can_take(ctx, one)]
    _answered(ctx, ctx.files.at_once(lambda: [conflicts.answer(ctx.files, one, mine=mine) for one in several]))


def _choices(choices):
    row = Row(spacing=10, height=48)
    for label, tap, kind in choices:
        row.add_widget(PushButton(label, tap, kind=kind))
    return row


def _answer(ctx, question, mine):
    _answered(ctx, [conflicts.answer(ctx.files, question, mine=mine)])


def _answered(ctx, ops):
    """It is gone from the list, and said that it is kept; it is sent once the undo is gone."""
    ctx.nav.saved(UNDO_S + 2)
    ctx.nav.again()
    undo = (ctx.words("undo"), partial(_undo, ctx, [op.op_id for op in ops]))
    ctx.nav.toast(ctx.words("saved"), undo=undo)


def _undo(ctx, op_ids):
    """The question stands again, as long as nothing of the answer was sent."""
    is_undone = ctx.files.take_back(op_ids)
    ctx.nav.again()
    ctx.nav.toast(ctx.words("decision_undone" if is_undone else "decision_sent"), "good" if is_undone else "info")


def _understood(ctx):
    """The rep has read of it; what was set aside stays, and goes along with what is exported."""
    for one in ctx.files.outbox.aside.all():
        ctx.files.outbox.dismiss(one["op_id"])
    ctx.nav.again()


def _all_understood(ctx, questions):
    """The rep has read what others decided; what is still asked stays."""
    for one in questions:
        if one.decided:
            ctx.files.outbox.dismiss(one.conflict["id"])
    ctx.nav.again()


def _dismiss(ctx, what):
    ctx.files.outbox.dismiss(what)
    ctx.nav.again()


def _retry(ctx):
    ctx.files.outbox.retry_parked()
    ctx.nav.sync_now()
    ctx.nav.again()
