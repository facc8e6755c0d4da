"""What forms hold: kept with every letter, there again when they are opened, and told where a rep looks."""

from functools import partial

from kivy.metrics import dp

from mobile import reasons
from mobile.field import drafts, own, reads
from mobile.field.store.drafts import Draft
from mobile.field.store.ids import uuid7
from mobile.field.store.overlay import CUSTOM, value_of
from mobile.screens import values
from mobile.screens.parts import fact, frame, section
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable
from mobile.widgets.controls import Chips, Field, Notice, PushButton

LABELS = {
    "step": "next_step", "reason": "far_why", "chosen": "order", "unread": "order", "at": "pin", "ink": "signature",
    "kind": "visit_type", "lasts": "visit_lasts",
    "site_name": "a_site_name",
}  # fmt: skip
"""How what is typed is called where it is no field of a record."""
TITLES = {
    "visit": "k_visit", "lead": "new_lead", "firm": "make_lead", "edit_account": "kind_account", "person": "add_person",
    "pin": "kind_pin_proposal", "entry": "next_step",
}  # fmt: skip
"""How forms are called where that is not the name of their screen."""
CHOSEN = ("status", "account_class", "preferred_time", "interval_days")
"""What is typed as the record holds it, and told in other words."""
SHORT = 40
"""A text of fewer characters fits into one line."""


class Typed:
    """What one form holds, and what it showed when it was opened first. The one way in which a form keeps anything."""

    def __init__(self, ctx, screens, arguments, called="", seen=None, visit=None):
        """`screens`: this form, and others that share what is typed; `visit`: id, draft and whose it is."""
        self.ctx, self._shown, self._over, self.left = ctx, {}, False, {}
        arguments = {name: value for name, value in arguments.items() if value is not None}
        draft = visit[1] if visit else drafts.of_form(ctx.files, screens, arguments, ctx.draft)
        self.id = visit[0] if visit else draft.id if draft else ctx.draft or uuid7()
        fresh = {"arguments": arguments, "called": called, "seen": seen or {}} | (visit[2] if visit else {})
        self.body = fresh | (draft.body if draft else {}) | {"screen": screens[0]}
        self.at = draft.at if drafts.is_typed(draft) else None

    def seen(self, e):
        """Revision and fields of a record as the form showed them first; None of one that it did not."""
        found = self.body["seen"].get(e)
        return None if found is None else (found[0], found[1])

    def value(self, name, shown=None):
        """What stands in a field: what was typed, else what is shown."""
        self._shown[name] = shown
        return self.body.get(name, shown)

    def field(self, name, label="", shown="", **how):
        """A field that keeps what is typed into it."""
        field = Field(label, self.value(name, shown), **how)
        field.name = name
        field.input.bind(text=lambda _field, text: self.keep(**{name: text}))
        return field

    def chips(self, name, options, shown=None, then=None):
        """The same for a choice; `then` is called after it."""

        def chosen(value):
            self.keep(**{name: value})
            if then is not None:
                then(value)

        chips = Chips(options, self.value(name, shown), chosen)
        chips.name = name
        return chips

    def keep(self, *, for_good=False, **values):
        """Keep what is typed, with every letter; what is as it was shown is no draft."""
        for name, value in values.items():
            self.body.pop(name, None)
            if value != self._shown.get(name):
                self.body[name] = value
        if self._over:
            return
        if self.body.get("begun") or drafts.typed_in(self.body):
            drafts.keep(self.ctx.files, self.id, self.body, for_good=for_good)
        else:
            drafts.discard(self.ctx.files, self.id)

    def save(self, act):
        """Save what the form says, and with the same stroke the draft is gone. Returns what the act returns."""
        draft = Draft(self.id, self.at or "", self.body)
        left = {name: one for name, one in self.left.items() if one}
        made = self.ctx.files.at_once(lambda: drafts.finished(self.ctx.files, draft, left, act))
        self._over = True
        return made

    def keep_again(self):
        """What was saved is undone: what was typed is a draft as before."""
        self._over = False
        self.keep()

    def told(self):
        """That something is not finished, since when, and the way to begin anew; None in a form that is new."""
        if self.at is None:
            return None
        said = Text(typed_at(self.ctx, self.at), 14, ink="quiet", pos_hint={"center_y": 0.5})
        return Row(said, Discard(self.ctx, self._discard), spacing=8)

    def left_over(self):
        """What was typed and this form does not ask any more, to be read and copied; None where nothing is. For when
        the form has all its fields."""
        asked = (*self._shown, *self.left)
        self.left |= {name: one for name, one in drafts.typed_in(self.body).items() if name not in asked}
        told = list(read(self.ctx, drafts.only_left(self.body, self.left)))
        if not told:
            return None
        return Column(Notice(self.ctx.words("left_over"), "warn"), *(_to_copy(*one) for one in told), spacing=8)

    def met(self, e):
        """What somebody else wrote of the fields that a refused entry changes, beside what the rep wrote; a card, or
        None where it is the same by now."""
        seen, card = self.body["seen"].get(e, [0, {}])[1], Card(spacing=10)
        for name in self.body.get("met", ()):
            key = name.removeprefix(CUSTOM)
            mine, stored = (self.body if key == name else self.body.get("own", {})).get(key), value_of(seen, name)
            if mine is not None:
                for part in values.both(self.ctx, e, name, mine, stored, partial(self._take_theirs, name)):
                    card.add_widget(part)
        return card if card.children else None

    def _take_theirs(self, name):
        """The field is as the form shows it; a form in which nothing else was typed is no draft any more."""
        key = name.removeprefix(CUSTOM)
        (self.body if key == name else self.body["own"]).pop(key)
        self.keep()
        self.ctx.nav.again()

    def _discard(self):
        self._over = True
        discard(self.ctx, self.id, self.ctx.nav.again)


class Discard(Row):
    """A button that throws a draft away; what was typed is gone after it, so a second tap says so."""

    def __init__(self, ctx, on_sure):
        super().__init__(height=48, size_hint_x=None)
        self.ctx, self._on_sure = ctx, on_sure
        self._offer("discard", "quiet", self._ask, 140)

    def _offer(self, key, kind, on_tap, wide):
        self.clear_widgets()
        self.width = dp(wide)
        self.add_widget(PushButton(self.ctx.words(key), on_tap, "x", kind))

    def _ask(self):
        self._offer("discard_sure", "danger", self._on_sure, 224)


def discard(ctx, draft_id, then):
    """Throw a draft away, with photos that belong to it alone, and go on."""
    drafts.discard(ctx.files, draft_id)
    then()
    ctx.nav.toast(ctx.words("discarded"))


def typed_at(ctx, at):
    """When something was typed last, in a line."""
    words, at = ctx.words, reads.instant(at).astimezone(ctx.zone)
    if at.date() == ctx.today:
        return words("typed_at", time=words.time(at, ctx.zone))
    return words("typed_on", day=words.day(at.date()), time=words.time(at, ctx.zone))


def title(ctx, draft):
    """Which form it is, and about whom."""
    screen, arguments = drafts.opens(draft)
    key = "edit_person" if arguments.get("contact_id") else TITLES.get(screen, screen)
    key = "kind_site" if key == "kind_account" and arguments.get("site_id") else key
    account = ctx.files.cache.doc("account", arguments.get("account_id") or "") or {}
    called = draft.body.get("called") or account.get("name") or draft.body.get("name")
    return ": ".join(p for p in (ctx.words(key), called) if p)


# -- missed, and not missed after all


def undo_missed(ctx, visit_id, account_id, go):
    """Not missed: the form is as it was, as long as nothing of it was sent."""
    files, typed = ctx.files, drafts.undo_missed(ctx.files, visit_id)
    is_undone, form = typed is not None, ctx.missed.pop(visit_id, None)
    if is_undone and form is not None:
        form.keep_again()
    elif is_undone:  # the app was closed since: what is in the entries themselves
        body = {"screen": "visit", "arguments": {"account_id": account_id}, "seen": {}, "account_id": account_id}
        is_planned = files.cache.doc("visit", visit_id) is not None
        drafts.keep(files, visit_id, body | {"planned": is_planned} | typed)
    known = {"visit_id": visit_id} if files.cache.doc("visit", visit_id) else {}
    go("visit", account_id=account_id, **known)
    ctx.nav.toast(ctx.words("undone" if is_undone else "undo_late"), "good" if is_undone else "info")


def undo_rows(ctx, day):
    """The visits of a day that are marked missed on this phone alone, each with its undo."""
    can = drafts.can_undo(ctx.files)
    for stop in reads.day(ctx.files, ctx.user_id, day).stops if can else ():
        if stop.visit_id in can:
            tap = partial(undo_missed, ctx, stop.visit_id, stop.account_id, ctx.nav.instead)
            yield Card(
                Row(Icon("user_x", 20, "bad"), Text(ctx.words("missed_saved", name=stop.name), 16)),
                PushButton(ctx.words("undo"), tap, "x", "quiet"),
            )


# -- where it is told


def row(ctx, draft):
    """A form that is not finished; a tap opens it."""
    was, at = draft.body.get("was"), typed_at(ctx, draft.at)
    below = ctx.words("typed_for", name=was, at=at) if was else at
    return _way(ctx, title(ctx, draft), below, lambda: _go(ctx.nav.go, *drafts.opens(draft), draft))


def _go(go, screen, arguments, draft):
    """On with a draft: two of one form are two places. That of a visit has the visit's id."""
    go(screen, **arguments, **({} if screen == "visit" else {"draft": draft.id}))


def _way(ctx, label, below, on_tap):
    way = Touchable(
        on_tap, "paper", "line", 10, size_hint_y=None, height=dp(64), padding=(dp(16), dp(8)), spacing=dp(12)
    )
    way.label = label
    way.add_widget(Icon("pencil", 22, "warn", size_hint=(None, 1), width=dp(26)))
    lines = Column(Text(label, 16, True, lines=1), Text(below, 13, ink="quiet", lines=1), spacing=0)
    lines.pos_hint = {"center_y": 0.5}
    way.add_widget(lines)
    way.add_widget(Icon("chevron_right", 20, "quiet", size_hint=(None, 1), width=dp(20)))
    return way


def way(ctx):
    """One line wherever one looks first: the only form that is not finished, or the way to all; None without any."""
    found = drafts.unfinished(ctx.files)
    if len(found) < 2:
        return row(ctx, found[0]) if found else None
    said = ctx.words("unfinished_n", n=len(found))
    return _way(ctx, said, ctx.words("unfinished_about"), lambda: ctx.nav.go("unfinished"))


def build(ctx):
    """All forms that are not finished, the latest first."""
    rows = [row(ctx, one) for one in drafts.unfinished(ctx.files)]
    return frame(
        ctx, ctx.words("unfinished"), Scroller(*(rows or [Notice(ctx.words("unfinished_none"), "info")])), back=True
    )


# -- what it was about is not here


def build_stranded(ctx, draft):
    """What was typed, to be read: what it was about is not on this phone any more, or would be entered twice."""
    words, into = ctx.words, drafts.gone_into(ctx.files, draft)
    if drafts.was_taken(ctx.files, draft.body):
        into, told = ctx.files.cache.doc("account", drafts.account_at(draft) or ""), words("taken_meanwhile")
        go = lambda: ctx.nav.go("account", account_id=into["id"])  # noqa: E731 one of two
    elif into:
        told = words("stranded_merged", was=draft.body.get("called") or "–", into=into["name"])
        go = lambda: _carry_over(ctx, draft, into)  # noqa: E731 one of two
    else:
        told = words("stranded")
    way = PushButton(words("open_named", name=into["name"]), go) if into else None
    page = Scroller(Text(title(ctx, draft), 20, True), Notice(told, "warn"), way, *held(ctx, draft))
    return frame(ctx, words("unfinished"), page, back=True)


def _carry_over(ctx, draft, into):
    _go(ctx.nav.instead, *drafts.carry_over(ctx.files, draft, into), draft)


def held(ctx, draft):
    """What was typed into a form that cannot be opened, and the way to throw it away."""
    told = list(read(ctx, draft.body))
    lines = [_to_copy(name, said) if len(said) > reasons.MOST else fact(name, said) for name, said in told]
    return section(typed_at(ctx, draft.at), *lines), Row(Discard(ctx, lambda: discard(ctx, draft.id, ctx.nav.back)))


def _to_copy(label, text):
    """A text that is not changed here, whole."""
    lines = 1 if len(text) < SHORT and "\n" not in text else 4
    field = Field(label, text, lines=lines)
    field.input.readonly = True
    return field


def read(ctx, body):
    """What of a draft can be read, as names and words."""
    for name, value in drafts.typed_in(body).items():
        if name in CHOSEN:
            yield values.heading(ctx, "account", name), values.told(ctx, "account", name, value)
            continue
        if name.removesuffix(drafts.LEFT) in drafts.OWN:
            for key, one in value.items() if isinstance(value, dict) else value:
                yield _own(ctx, name.removesuffix(drafts.LEFT), key, one, body)
            continue
        if name == "answers":
            given = (values.answer(ctx, key, one, body) for key, one in value.items() if one not in own.NOTHING)
            yield from ((one.label, one.words) for one in given)
            continue
        label = ctx.words(LABELS[name]) if name in LABELS else values.heading(ctx, "", name)
        for said in _said(ctx, name, value):
            if said:
                yield label, said


def _own(ctx, which, key, value, body):
    """How one of the company's own fields is called, and what was typed there; as it was told then, where the office
    has taken that away since."""
    e = "site" if which == "own_site" else "contact" if body.get("screen") == "person" else "account"
    field, name = own.named(ctx.files, e, own.CUSTOM + key), own.CUSTOM + key
    then, called, said = body.get(which + drafts.SAID, {}).get(key) or (None, None, None)
    if then != value or (field is not None and own.holds(field, own.typed(field, value))):
        return values.heading(ctx, e, name), values.told(ctx, e, name, value)
    return (values.heading(ctx, e, name) if field else called), said


def _said(ctx, name, value):
    if name == "outcome":
        return [dict(ctx.outcomes()).get(value, value)]
    if name == "chosen":
        return [f"{called} × {much}" for much, called in value.values()]
    if name == "kind":
        return [ctx.words.own((ctx.files.cache.doc("visit_type", value) or {}).get("name") or "")]
    if name in ("signature", "ink"):
        return [value["name"]]
    if name == "photos":
        return [str(len(value))]
    if name == "at":
        return [f"{value[1]:.5f}, {value[0]:.5f}"]
    return [", ".join(value.values()) if isinstance(value, dict) else str(value)]
