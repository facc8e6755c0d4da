"""The visit form: checked in, outcome, save. Three taps; note, questions, order, signature and next step beside."""

from datetime import date
from functools import partial

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

from mobile.field import drafts, forms, photos, reads, records, restday, taking, zones
from mobile.field.capture import VisitTarget, visit_event
from mobile.field.checkin import radius_m, recorded
from mobile.field.pins import is_approximate
from mobile.field.reached import dialled
from mobile.field.store import clock
from mobile.field.store.ids import uuid7
from mobile.screens import gallery, work
from mobile.screens.parts import foot_of, frame
from mobile.screens.questions import Answers
from mobile.screens.steps import StepFields
from mobile.screens.unfinished import Typed, undo_missed
from mobile.widgets.bars import UNDO_S
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, gap
from mobile.widgets.controls import Chips, IconButton, Notice, PushButton

KINDS = {
    "verified": "good",
    "out_of_range": "warn",
    "low_accuracy": "warn",
    "unverifiable": "info",
    "suspected_mock": "warn",
}


CHECKS = {"q_missing": forms.missing} | {f"q_{why}": partial(forms.unfit, why=why) for why in forms.FAULTS}
"""What of answers keeps a visit from being saved, by how it is told."""


def target_at(ctx, visit, account_id, site_id, visit_id=None):
    """What an event of a visit belongs to; of today where nobody planned it."""
    zone = visit.get("zone") or zones.name_of(ctx.files.outbox)
    day = visit.get("day") or zones.today(ctx.files.outbox, zone).isoformat()
    has_pin = reads.place_of(ctx.files, account_id, site_id).get("lat") is not None
    return VisitTarget(account_id, site_id, day, zone, visit_id or visit.get("id"), has_pin)


def check_in(ctx, target):
    """Tap one: save that I am here, now. Returns the visit's id."""
    op = visit_event(ctx.files, target, "checked_in", fix=ctx.phone.position.fix())
    ctx.nav.saved()
    return op.body["d"]["visit_id"]


class VisitForm(BoxLayout):
    """One visit, planned or not."""

    def __init__(self, ctx, visit_id=None, account_id=None, **kwargs):
        super().__init__(orientation="vertical", **kwargs)
        self.ctx = ctx
        visit_id = visit_id or None  # a stop of a route that is not published has none
        kept = drafts.at_visit(ctx.files, visit_id, account_id)
        self.visit_id = visit_id or (kept.id if kept else uuid7())
        self.visit = ctx.files.cache.doc("visit", self.visit_id) or {}
        self.account_id = self.visit.get("account_id") or account_id
        self.account = ctx.files.cache.doc("account", self.account_id) or {}
        fresh = {"account_id": self.account_id, "planned": visit_id is not None}
        self.typed = Typed(
            ctx, ("visit",), {"account_id": self.account_id}, self.account.get("name"),
            visit=(self.visit_id, kept, fresh),
        )  # fmt: skip
        self.site = self._site()
        self.checkin, self.warning, self.asked_why = Column(spacing=8), Column(), False
        self.why = self.typed.value("reason", "")
        self.is_missed = self.visit.get("state") == "missed"
        chosen = self.typed.value("outcome", None if self.is_missed else self.visit.get("outcome"))
        self.outcomes = Chips(ctx.outcomes(), chosen, self._chosen)
        shown = self.visit.get("note") or ""
        self.note = self.typed.field("note", "", shown, lines=4, hint=ctx.words("note_hint"))
        self.step = StepFields(ctx, self.typed)
        self._show_checkin()
        self.page = Scroller(self._head(), *self._cards())
        self.add_widget(self.page)
        self.add_widget(self._foot())

    def _cards(self):
        """What is taken down, in the order of a visit."""
        words = self.ctx.words
        kinds = forms.visit_types(self.ctx.files)
        chosen = self.typed.value("kind", self.visit.get("visit_type_id"))
        self.asked = Answers(self.ctx, self.typed, self.visit.get("answers") or {}, kinds, chosen, self._look_again)
        cards = [
            Card(Text(words("check_in"), 14, True, "quiet"), self.checkin, spacing=8),
            Card(Text(words("outcome"), 14, True, "quiet"), self.outcomes, spacing=10),
            Card(Text(words("note"), 14, True, "quiet"), self.note, spacing=6),
        ]
        if kinds:
            chips = Chips([(kind.id, words.own(kind.name)) for kind in kinds], chosen, self._choose_kind)
            cards.insert(2, Card(Text(words("visit_type"), 14, True, "quiet"), chips, self.asked, spacing=10))
        else:
            cards.insert(2, self.asked)
        return [
            *cards,
            self._photos(),
            self._extras(),
            Card(Text(words("next_step"), 14, True, "quiet"), self.step, spacing=8),
        ]

    def _choose_kind(self, kind_id):
        self.warning.clear_widgets()
        self.asked.ask(kind_id)
        self.typed.keep(kind=kind_id)

    def _photos(self):
        """The photos of this visit, and one tap for another."""
        words, self.gallery = self.ctx.words, Column()
        self._show_photos()
        button = PushButton(words("take_photo"), self.take_photo, "plus", "quiet")
        return Card(Text(words("photos"), 14, True, "quiet"), self.gallery, button, spacing=8)

    def _show_photos(self):
        self.gallery.clear_widgets()
        taken = photos.of_owner(self.ctx.files, self.account_id, self.visit_id)
        if taken:
            self.gallery.add_widget(gallery.strip(self.ctx, taken))

    def take_photo(self):
        """On this phone for good once it is taken; that of a visit that nobody knows yet is sent with the visit."""
        if gallery.take(self.ctx, self.account_id, "visit", self.visit_id, in_draft=not self.visit):
            kept = drafts.at_visit(self.ctx.files, self.visit_id, None)
            if kept is not None and "photos" in kept.body:
                self.typed.keep(photos=kept.body["photos"])
            self._show_photos()

    def _show_orders(self):
        self.orders.clear_widgets()
        for order in records.orders_on(self.ctx.files, self.account_id, self._target().day):
            self.orders.add_widget(work.order_row(self.ctx, order))

    def came_in(self):
        """What was taken down here has reached the server: its marks say so, and nothing that is typed moves away."""
        self._show_orders()
        self._show_photos()

    def _extras(self):
        """An order, and the customer's signature."""
        words, go, self.orders = self.ctx.words, self.ctx.nav.go, Column(spacing=10)
        self._show_orders()
        box = Card(self.orders, spacing=10)
        box.add_widget(PushButton(words("take_order"), lambda: go("order", account_id=self.account_id), "tag", "quiet"))
        signed = self.typed.value("signature")
        if signed is not None:
            box.add_widget(Row(Icon("circle_check", 20, "good"), Text(words("signed_by", name=signed["name"]), 16)))
        sign = lambda: go("sign", visit_id=self.visit_id, account_id=self.account_id)  # noqa: E731 a tap
        box.add_widget(PushButton(words("sign"), sign, "pencil", "quiet"))
        return box

    def _site(self):
        return reads.place_of(self.ctx.files, self.account_id, self.visit.get("site_id"))

    def _head(self):
        address = ", ".join(str(self.site[k]) for k in ("street", "city") if self.site.get(k))
        rough = self.ctx.words("approximate") if is_approximate(self.site) else None
        head = Column(Text(self.account.get("name") or "", 20, True), spacing=0)
        for line in (address, self.visit.get("objective")):
            if line:
                head.add_widget(Text(line, 14, ink="quiet"))
        if rough:
            head.add_widget(Notice(rough, "warn"))
        if self.is_missed:
            head.add_widget(gap(8))
            head.add_widget(Notice(self.ctx.words("missed_now"), "info"))
            if self.visit_id in drafts.can_undo(self.ctx.files):
                tap = partial(undo_missed, self.ctx, self.visit_id, self.account_id, self.ctx.nav.instead)
                head.add_widget(PushButton(self.ctx.words("undo_missed"), tap, "x", "quiet"))
        if (told := self.typed.told()) is not None:
            head.add_widget(told)
        return head

    def _foot(self):
        words = self.ctx.words
        self.save_button = PushButton(words("save_visit"), self.save, "check", height=dp(54), size_hint_x=0.6)
        missed = PushButton(words("missed"), self.miss, "user_x", "quiet", height=dp(54), size_hint_x=0.4)
        buttons = Row(None if self.is_missed else missed, self.save_button, spacing=10, height=54)
        return foot_of(self.warning, buttons)

    # -- check-in

    def _show_checkin(self):
        self.checkin.clear_widgets()
        words = self.ctx.words
        if self.visit.get("state") == "checked_in":
            when = reads.instant(self.visit.get("checked_in_at"))
            zone = clock.zone(self.visit.get("zone"))
            text = f"{words('checked_in')} {words.time(when, zone)}" if when else words("checked_in")
            self.checkin.add_widget(Row(Icon("map_pin", 20, "good"), Text(text, 16)))
            self._show_verdict()
            return
        help_text = words("checkin_help")
        if self.site.get("lat") is not None:
            radius = radius_m(0.0, self.site.get("uncertainty_m"))
            help_text += " " + words("checkin_radius", radius=words.distance(radius))
        self.checkin.add_widget(Text(help_text, 14, ink="quiet"))
        self.checkin.add_widget(PushButton(words("check_in"), self.check_in, "map_pin", "quiet"))

    def _verdict(self):
        site = self.site
        return recorded(self.visit.get("checkin"), site.get("lon"), site.get("lat"), site.get("uncertainty_m"))

    def _show_verdict(self):
        """What the check-in is worth. A poor one can be repeated, one far off asks for a reason."""
        verdict, words = self._verdict(), self.ctx.words
        values = {
            "distance": words.distance(verdict.distance_m or 0),
            "radius": words.distance(verdict.radius_m or 0),
        }
        has_place = (self.visit.get("checkin") or {}).get("lon") is not None
        told = "v_no_pin" if verdict.status == "unverifiable" and has_place else f"v_{verdict.status}"
        self.checkin.add_widget(Notice(words(told, **values), KINDS[verdict.status]))
        if verdict.status == "out_of_range":
            self.reason = self.typed.field("reason", words("far_why"), hint=words("far_why_hint"))
            self.reason.input.bind(text=lambda _f, text: self._reasoned(text))
            self.checkin.add_widget(self.reason)
        if verdict.status != "verified":
            again = PushButton(words("check_in_again"), self.check_in, "map_pin", "quiet")
            self.checkin.add_widget(again)

    def _reasoned(self, text):
        self.why = text.strip()
        self._look_again()

    def check_in(self):
        """Save that I am here; the verdict is shown, never a barrier."""
        self.ctx.files.at_once(self._begin)
        self._see()

    def _begin(self):
        check_in(self.ctx, self._target())
        drafts.send_photos(self.ctx.files, self.typed.value("photos", []))
        begun = {} if self.typed.body["planned"] else {"begun": True}  # so that *Log visit* finds it again
        self.typed.keep(photos=[], for_good=True, **begun)

    def _see(self):
        """Show the visit as it stands after what was saved."""
        self.visit = self.ctx.files.cache.doc("visit", self.visit_id) or {}
        self._show_checkin()

    # -- saving

    def _target(self):
        return target_at(self.ctx, self.visit, self.account_id, self.site.get("id"), self.visit_id)

    def _chosen(self, value):
        self.typed.keep(outcome=value)
        self._look_again()

    def _warn(self, text):
        """Say above the buttons what is missing; nothing where nothing is."""
        self.warning.clear_widgets()
        if text:
            self.warning.add_widget(Notice(text, "warn"))

    def _look_again(self):
        """What was said to be missing may be there by now."""
        if self.warning.children:
            self._warn(self._lacks()[0])

    def _lacks(self):
        """What has to be answered before the visit is done, in words (empty: nothing), and where; marked there."""
        words, kind, form, typed = self.ctx.words, self.asked.kind, self.asked.form, self.asked.answers
        found = {key: wrong(kind.questions, typed) for key, wrong in CHECKS.items()} if kind else {}
        first = form.mark([one for several in found.values() for one in several]) if form else None
        if self.outcomes.chosen is None:
            return words("choose_outcome"), self.outcomes
        for key, several in found.items():
            if several:
                names = ", ".join(words.own(one["label"]) for one in several)
                return words(key, names=names, most=forms.figure(forms.MOST, words.language)), first
        return (words("far_missing"), self.reason) if self._asks_why() else ("", None)

    def _asks_why(self):
        """Whether the rep has not said yet why they are far off; asked for once, never a barrier."""
        is_far = self.visit.get("state") == "checked_in" and self._verdict().status == "out_of_range"
        return is_far and not self.why.strip() and not self.asked_why

    def _form(self):
        kind = self.asked.kind
        if kind is None:
            return None
        answers = forms.answers_to(kind.questions, self.asked.answers, self.ctx.words.language)
        return taking.Form(kind.id, kind.version_id, answers)

    def save(self):
        """Tap three: the visit is done and on this phone for good."""
        lacks, where = self._lacks()
        self._warn(lacks)
        if lacks:
            self.page.show_soon(where)
            self.asked_why = lacks == self.ctx.words("far_missing")
            return
        files, fix = self.ctx.files, self._fix()
        self._close(fix, lambda: taking.finish(
            files, self._target(), self.outcomes.chosen, note=self.asked.noted(self.note.value), form=self._form(),
            signature=self._signature(), fix=fix,
        ))  # fmt: skip
        self.ctx.nav.saved()
        self.ctx.nav.back()
        self.ctx.nav.toast(self.ctx.words("saved"))

    def _signature(self):
        signed = self.typed.value("signature")
        if signed is None:
            return None
        return taking.Signature(signed["name"], tuple(map(tuple, signed["strokes"])), tuple(signed["box"]))

    def _fix(self):
        """Where the phone is at the end of a visit; nobody asks where there was no check-in."""
        return self.ctx.phone.position.fix() if self.visit.get("checked_in_at") else None

    def _say_why(self, fix):
        """Why the rep is far off: a further check-in, with where they are now. Returns the ops of it."""
        reason = self.why.strip()
        return [visit_event(self.ctx.files, self._target(), "checked_in", note=reason, fix=fix)] if reason else []

    def _close(self, fix, end):
        """The visit is over: why it was far off, its end, its photos and the next step, all of it at once. Returns the
        ops but those of photos."""
        files, step = self.ctx.files, self.step

        def all_of_it():
            made = [*self._say_why(fix), end()]
            drafts.send_photos(files, self.typed.value("photos", []))
            if step.subject.value:
                site_id, due_on = self.site.get("id"), step.due_on
                made.append(
                    taking.next_step(files, self.account_id, step.subject.value, due_on=due_on, site_id=site_id)
                )
            return made

        return self.typed.save(all_of_it)

    def miss(self):
        """No visit came of it; why, says only the rep."""
        ctx, said = self.ctx, {"outcome": self.outcomes.chosen, "note": self.note.value}
        ops = self._close(self._fix(), lambda: visit_event(ctx.files, self._target(), "missed", **said))
        ctx.nav.saved(UNDO_S + 2)
        day = date.fromisoformat(self.visit["day"]) if self.visit.get("day") else None
        can_undo = not self.typed.body.get("photos")  # they are sent with it
        if can_undo:
            drafts.keep_undo(ctx.files, self.visit_id, [op.op_id for op in ops])
            ctx.missed[self.visit_id] = self.typed
        ctx.nav.back()  # the day tells the undo
        rest = restday.ahead_of(ctx.files, ctx.user_id, day) if day else None
        if rest and not rest.is_over and day == zones.today(ctx.files.outbox, self.visit.get("zone")):
            ctx.nav.go("replan", day=day)  # says who was missed, with the undo
            return
        undo = (ctx.words("undo"), lambda: undo_missed(ctx, self.visit_id, self.account_id, ctx.nav.go))
        ctx.nav.toast(ctx.words("missed_saved", name=self.account.get("name") or ""), undo=undo if can_undo else None)


def build(ctx, visit_id=None, account_id=None):
    form = VisitForm(ctx, visit_id, account_id)
    day = form.visit.get("day")
    title = ctx.words.day(date.fromisoformat(day)) if day else ctx.words("unplanned").capitalize()
    return frame(ctx, title, form, back=True, actions=_to_account(ctx, form))


def _to_account(ctx, form):
    """The account's phone, and the account: its people, last visits and tickets."""
    go = lambda: ctx.nav.go("account", account_id=form.account_id)  # noqa: E731 a tap
    buttons = [IconButton("building_2", go, ctx.words("to_account"))]
    if number := form.account.get("phone"):
        call = lambda: ctx.nav.open_link(dialled(number))  # noqa: E731 a tap
        buttons.insert(0, IconButton("phone", call, ctx.words("call")))
    return buttons
