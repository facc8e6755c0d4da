"""Leads on the phone: one of them as a card, and a new one where the map was held, with what it may double."""

from kivy.metrics import dp

from mobile.field import around, taking
from mobile.screens.parts import fact, frame
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable
from mobile.widgets.controls import Field, Notice, PushButton

LAYER_ICONS = {"customer": "building_2", "prospect": "star", "lead": "flag"}
LAYER_INKS = {"customer": "brand", "prospect": "info", "lead": "warn"}


def build(ctx, lead_id):
    """Who it is, and the thumb's ways to it."""
    words, doc = ctx.words, ctx.files.cache.doc("lead", lead_id)
    if doc is None:
        return frame(ctx, words("lead"), Scroller(Notice(words("lead_gone"), "warn")), back=True)
    phones = [_value(one) for one in doc.get("phones") or ()] or [p for p in (doc.get("phone"),) if p]
    mails = [_value(one) for one in doc.get("emails") or ()] or [m for m in (doc.get("email"),) if m]
    state = words(f"ls_{doc['state']}") if words.has(f"ls_{doc.get('state')}") else words("lead_waits")
    card = Card(Text(around.lead_name(doc), 20, True), Text(state, 14, ink="quiet"), spacing=6)
    card.add_widget(_ways(ctx, doc, phones, mails))
    facts = Card(spacing=8)
    town = " ".join(str(doc[k]) for k in ("postcode", "city") if doc.get(k))
    address = ", ".join(p for p in (doc.get("street"), town) if p)
    values = (
        ("person", doc.get("person") if doc.get("company") else None), ("address", address),
        ("phone", ", ".join(phones)), ("email", ", ".join(mails)), ("note", doc.get("note")),
    )  # fmt: skip
    for key, value in values:
        if value:
            facts.add_widget(fact(words(key), str(value)))
    return frame(ctx, words("lead"), Scroller(card, facts if facts.children else None), back=True)


def _value(one):
    return str(one.get("value")) if isinstance(one, dict) else str(one)


def _ways(ctx, doc, phones, mails):
    words, open_link = ctx.words, ctx.nav.open_link
    row = Row(spacing=8, height=48)
    if phones:
        row.add_widget(PushButton(words("call"), lambda: open_link(f"tel:{phones[0]}"), "phone", "quiet"))
    if mails:
        row.add_widget(PushButton(words("mail"), lambda: open_link(f"mailto:{mails[0]}"), "mail", "quiet"))
    if doc.get("lat") is not None:
        place = f"geo:{doc['lat']},{doc['lon']}?q={doc['lat']},{doc['lon']}"
        row.add_widget(PushButton(words("navigate"), lambda: open_link(place), "navigation", "quiet"))
    return row if row.children else Column()


def open_somebody(ctx, who):
    """An account's card, or a lead's."""
    if who.layer == "lead":
        ctx.nav.go("lead_card", lead_id=who.id)
    else:
        ctx.nav.go("account", account_id=who.id)


def near_row(ctx, near):
    """Somebody with the distance, for lists."""
    words, who = ctx.words, near.who
    row = Touchable(
        lambda: open_somebody(ctx, who), "paper", "line", 10, size_hint_y=None, height=dp(64),
        padding=(dp(12), dp(8)), spacing=dp(10),
    )  # fmt: skip
    row.label = who.name
    late = words("overdue", n=who.overdue_days) if (who.overdue_days or 0) > 0 else ""
    below = "  ·  ".join(p for p in (words(f"layer_{who.layer}"), who.place, late) if p)
    lines = Column(
        Text(who.name, 16, True, lines=1), Text(below, 14, ink="bad" if late else "quiet", lines=1),
        spacing=0, pos_hint={"center_y": 0.5},
    )  # fmt: skip
    row.add_widget(Icon(LAYER_ICONS[who.layer], 20, LAYER_INKS[who.layer], size_hint=(None, 1), width=dp(24)))
    row.add_widget(lines)
    away = Text(words.distance(near.distance_m), 14, True, size_hint_x=None, width=dp(64), align="right")
    away.pos_hint = {"center_y": 0.5}
    row.add_widget(away)
    return row


class LeadForm(Scroller):
    """Somebody met in the field; what may be the same is named with its distance before it is saved."""

    def __init__(self, ctx, lon, lat, **kwargs):
        self.ctx, self.lon, self.lat = ctx, lon, lat
        words = ctx.words
        self.fields = {key: Field(words(key)) for key in ("company", "person", "phone")}
        self.note = Field(words("note"), lines=3)
        self.alike, self.warning, self.shown = Column(), Column(), frozenset()
        self.button = PushButton(words("save"), self.save, "check")
        place = Text(words("lead_here", place=f"{lat:.5f}, {lon:.5f}"), 14, ink="quiet")
        super().__init__(
            place, self.fields["company"], self.alike, self.fields["person"], self.fields["phone"], self.note,
            self.warning, self.button, **kwargs,
        )  # fmt: skip
        self.fields["company"].input.bind(text=lambda _f, _text: self.look())
        self.look()

    def look(self):
        """Who is near and called alike, and who stands at the same door."""
        words = self.ctx.words
        name = self.fields["company"].value
        found = around.alike(self.ctx.files, self.ctx.accounts(), name, self.lon, self.lat)
        self.alike.clear_widgets()
        if found:
            self.alike.add_widget(Notice(words("lead_like"), "warn"))
        for near in found:
            self.alike.add_widget(near_row(self.ctx, near))
        return frozenset(near.who.id for near in found)

    def save(self):
        """Once for somebody new; a second tap where somebody alike is near."""
        words, values = self.ctx.words, {key: field.value for key, field in self.fields.items()}
        self.warning.clear_widgets()
        if not values["company"] and not values["person"]:
            self.warning.add_widget(Notice(words("lead_missing"), "warn"))
            return
        found = self.look()
        if found - self.shown:
            self.shown = found
            self.warning.add_widget(Notice(words("lead_sure"), "warn"))
            return
        taking.new_lead(self.ctx.files, self.lon, self.lat, note=self.note.value, **values)
        self.ctx.nav.saved()
        self.ctx.nav.back()
        self.ctx.nav.toast(words("saved"))


def build_new(ctx, lon, lat):
    return frame(ctx, ctx.words("new_lead"), LeadForm(ctx, lon, lat), back=True)
