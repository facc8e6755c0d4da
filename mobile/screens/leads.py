"""Leads on the phone: one of them as a card, who is near in lists, and a new one where the map was held, with what it
may double."""

from math import isinf

from kivy.metrics import dp

from mobile.field import around, taking
from mobile.field.reached import dialled
from mobile.screens.parts import fact, foot_of, frame
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable
from mobile.widgets.controls import Chips, Notice, PushButton

LAYER_ICONS = {"customer": "building_2", "prospect": "star", "lead": "flag", "firm": "map_pin"}
BOTH = ("lead", "new_account")
LAYER_INKS = {"customer": "brand", "prospect": "info", "lead": "warn", "firm": "quiet"}


def build(ctx, lead_id):
    """Who it is, and the thumb's ways to it."""
    words, doc = ctx.words, ctx.files.cache.doc("lead", lead_id)
    if doc is None:
        return frame(ctx, words("lead"), Scroller(Notice(words("lead_gone"), "warn")), back=True)
    doc = around.with_place(ctx.files, doc, around.everybody(ctx.files, ctx.accounts()))
    phones = [_value(one) for one in doc.get("phones") or ()] or [p for p in (doc.get("phone"),) if p]
    mails = [_value(one) for one in doc.get("emails") or ()] or [m for m in (doc.get("email"),) if m]
    state = words(f"ls_{doc['state']}") if words.has(f"ls_{doc.get('state')}") else words("lead_waits")
    card = Card(Text(around.lead_name(doc), 20, True), Text(state, 14, ink="quiet"), spacing=6)
    card.add_widget(ways(ctx, doc, phones, mails))
    facts = Card(spacing=8)
    address = address_of(doc)
    values = (
        ("person", doc.get("person") if doc.get("company") else None), ("address", address),
        ("phone", ", ".join(phones)), ("email", ", ".join(mails)), ("note", doc.get("note")),
    )  # fmt: skip
    for key, value in values:
        if value:
            facts.add_widget(fact(words(key), str(value)))
    return frame(ctx, words("lead"), Scroller(card, facts if facts.children else None), back=True)


def address_of(doc):
    """Street and town in one line."""
    town = " ".join(str(doc[k]) for k in ("postcode", "city") if doc.get(k))
    return ", ".join(p for p in (doc.get("street"), town) if p)


def _value(one):
    return str(one.get("value")) if isinstance(one, dict) else str(one)


def ways(ctx, doc, phones, mails=()):
    """Call, mail, navigate: what there is for it."""
    words, open_link = ctx.words, ctx.nav.open_link
    buttons = []
    if phones:
        buttons.append(PushButton(words("call"), lambda: open_link(dialled(phones[0])), "phone", "quiet"))
    if mails:
        buttons.append(PushButton(words("mail"), lambda: open_link(f"mailto:{mails[0]}"), "mail", "quiet"))
    if doc.get("lat") is not None:
        place = f"geo:{doc['lat']},{doc['lon']}?q={doc['lat']},{doc['lon']}"
        buttons.append(PushButton(words("navigate"), lambda: open_link(place), "navigation", "quiet"))
    return Column(*(Row(*buttons[n : n + 2], height=48) for n in range(0, len(buttons), 2)))


def open_somebody(ctx, who):
    """An account's card, a lead's, or that of a firm of open data."""
    if who.layer == "lead":
        ctx.nav.go("lead_card", lead_id=who.id)
    elif who.layer == "firm":
        ctx.nav.go("firm", firm_id=who.id)
    else:
        ctx.nav.go("account", account_id=who.id)


def is_late(who):
    return (who.overdue_days or 0) > 0


def told_of(ctx, who):
    """How late a visit is, else what somebody is, and where, in one line."""
    words = ctx.words
    what = who.kind_word(words.language) if who.kind else words(f"layer_{who.layer}")
    late = words.count("overdue", "overdue_1", who.overdue_days) if is_late(who) else ""
    return "  ·  ".join(p for p in (late or what, who.place) if p)


def near_row(ctx, near):
    """Somebody with the distance, for lists."""
    words, who = ctx.words, near.who
    row = Touchable(
        lambda: open_somebody(ctx, who), "paper", "line", 10, size_hint_y=None, height=dp(64),
        padding=(dp(12), dp(8)), spacing=dp(10),
    )  # fmt: skip
    row.label = who.name
    late = is_late(who)
    lines = Column(
        Text(who.name, 16, True, lines=1), Text(told_of(ctx, who), 14, ink="bad" if late else "quiet", lines=1),
        spacing=0, pos_hint={"center_y": 0.5},
    )  # fmt: skip
    row.add_widget(Icon(LAYER_ICONS[who.layer], 20, LAYER_INKS[who.layer], size_hint=(None, 1), width=dp(24)))
    row.add_widget(lines)
    away = Text(
        "" if isinf(near.distance_m) else words.distance(near.distance_m),
        14,
        True,
        size_hint_x=None,
        width=dp(64),
        align="right",
    )
    away.pos_hint = {"center_y": 0.5}
    row.add_widget(away)
    return row


class NewForm(Scroller):
    """Somebody met in the field; what may be the same is named with its distance before it is saved."""

    KIND = ""
    NAME = ""
    """The field in which they are called something."""

    def __init__(self, ctx, lon, lat, **kwargs):
        self.ctx, self.lon, self.lat = ctx, lon, lat
        words = ctx.words
        self.typed = Typed(ctx, (self.KIND, *BOTH), {"lon": lon, "lat": lat})
        self.fields = self.asked()
        self.note = self.typed.field("note", words("note"), lines=3)
        self.neighbours = around.Neighbours(ctx.files, ctx.accounts(), lon, lat)
        self.alike, self.warning, self.shown, self.lacks = Column(), Column(), frozenset(), False
        self.foot = foot_of(self.warning, PushButton(words("save"), self.save, "check"))
        held = words("by_address") if lon is None else words("lead_here", place=self._around())
        place = Text(held, 14, ink="quiet")
        both = [("lead", words("new_lead")), ("new_account", words("new_account"))]
        kinds = None if lon is None else Chips(both, self.KIND, self.instead)
        name, *others = self.fields.values()
        head = (self.typed.told(), kinds, place, name, self.alike)
        super().__init__(*head, *others, *self.chosen(), self.note, **kwargs)
        for field in (name, self.fields.get("city")) if lon is None else (name,):
            field.input.bind(text=lambda _f, _text: self.look())
        for field in self.fields.values():
            field.input.bind(text=lambda _f, _text: self._written())
        self.look()

    def asked(self):
        """The fields by their keys, the name first."""
        raise NotImplementedError

    def field(self, key, label, shown=""):
        """One of them; what somebody is called stays when the kind changes."""
        return self.typed.field("name" if key == self.NAME else key, label, shown)

    def chosen(self):
        """What is chosen beside what is typed."""
        return ()

    def _around(self):
        """The town there, and how far whoever is nearest is: figures of a map say nothing to people."""
        people = around.everybody(self.ctx.files, self.ctx.accounts())
        near = around.nearest(people, self.lon, self.lat)[:1]
        told = [around.town_of(people, self.lon, self.lat)]
        told += [self.ctx.words("away", n=self.ctx.words.distance(n.distance_m), name=n.who.name) for n in near]
        return ", ".join(p for p in told if p) or f"{self.lat:.5f}, {self.lon:.5f}"

    def instead(self, kind):
        """The other kind of somebody, at the same place."""
        if kind != self.KIND:
            self.typed.body["screen"] = kind
            self.typed.keep()
            self.ctx.nav.instead(kind, lon=self.lon, lat=self.lat)

    def missing(self, values):
        """What to say when nobody could tell who it is; None when somebody could."""
        raise NotImplementedError

    def keep(self, values):
        """Save it on this phone."""
        raise NotImplementedError

    def look(self):
        """Who is near and called alike, and who stands at the same door."""
        words = self.ctx.words
        name = self.fields[self.NAME].value
        town = self.fields["city"].value if "city" in self.fields else ""
        found = self.neighbours.alike(name, town)
        self.alike.clear_widgets()
        if found:
            self.alike.add_widget(Notice(words("lead_like"), "warn"))
        for near in found:
            self.alike.add_widget(near_row(self.ctx, near))
        return frozenset(near.who.id for near in found)

    def _written(self):
        """What was said to be missing may be there by now."""
        if self.lacks and self.missing({key: field.value for key, field in self.fields.items()}) is None:
            self.lacks = False
            self.warning.clear_widgets()

    def save(self):
        """Once for somebody new; a second tap where somebody alike is near."""
        words, values = self.ctx.words, {key: field.value for key, field in self.fields.items()}
        self.warning.clear_widgets()
        missing = self.missing(values)
        self.lacks = missing is not None
        self.fields[self.NAME].mark(missing in ("lead_missing", "account_missing"))
        if self.lacks:
            self.warning.add_widget(Notice(words(missing), "warn"))
            return
        found = self.look()
        if found - self.shown:
            self.shown = found
            self.warning.add_widget(Notice(words("lead_sure"), "warn"))
            return
        self.typed.save(lambda: self.keep(dict(values)))
        self.ctx.nav.saved()
        self.ctx.nav.back()
        self.ctx.nav.toast(words("saved"))


class LeadForm(NewForm):
    """A lead: the name of a company or of a person is enough."""

    KIND, NAME = "lead", "company"

    def asked(self):
        return {key: self.field(key, self.ctx.words(key)) for key in ("company", "person", "phone")}

    def missing(self, values):
        return None if values["company"] or values["person"] else "lead_missing"

    def keep(self, values):
        taking.new_lead(self.ctx.files, self.lon, self.lat, note=self.note.value, **values)


class AccountForm(NewForm):
    """An account: on this phone at once, so that a visit can be recorded there before the server has heard of it."""

    KIND, NAME = "new_account", "name"

    def asked(self):
        words, people = self.ctx.words, around.everybody(self.ctx.files, self.ctx.accounts())
        shown = {} if self.lon is None else {"city": around.town_of(people, self.lon, self.lat)}
        keys = ("name", "street", "postcode", "city", "phone", "tags")
        return {key: self.field(key, words(f"a_{key}"), shown.get(key, "")) for key in keys}

    def chosen(self):
        words = self.ctx.words
        kinds = [(key, words(f"st_{key}")) for key in ("prospect", "customer")]
        self.status = self.typed.chips("status", kinds, "prospect")
        classes = [("", words("no_class")), *((key, key) for key in "ABC")]
        self.account_class = self.typed.chips("account_class", classes, "")
        return (self.status, self.account_class)

    def missing(self, values):
        if not values["name"]:
            return "account_missing"
        has_place = self.lon is not None or values["street"] or values["postcode"] or values["city"]
        return None if has_place else "address_missing"

    def keep(self, values):
        tags = tuple(tag for one in values.pop("tags").split(",") if (tag := one.strip()))
        new = taking.NewAccount(
            lon=self.lon, lat=self.lat, status=self.status.chosen, account_class=self.account_class.chosen or None,
            tags=tags, note=self.note.value, **values,
        )  # fmt: skip
        taking.new_account(self.ctx.files, new)
        self.ctx.index = None


def build_new_account(ctx, lon=None, lat=None):
    """With a place: where the map was held; without one it is found by its address."""
    return _framed(ctx, AccountForm(ctx, lon, lat), "new_account")


def build_new(ctx, lon, lat):
    return _framed(ctx, LeadForm(ctx, lon, lat), "new_lead")


def _framed(ctx, form, title):
    return frame(ctx, ctx.words(title), form, back=True, foot=form.foot)
