"""A firm that open data knows near the rep: who it is, and one tap to make a lead of it."""

from mobile.field import around, hours, taking
from mobile.screens.leads import address_of, ways
from mobile.screens.parts import fact, frame
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Card, Scroller, Text
from mobile.widgets.controls import Notice, PushButton


def build(ctx, firm_id):
    """What is known of it, and whose data that is."""
    words = ctx.words
    doc = next((one for one in around.firms(ctx.files) if one["id"] == firm_id), None)
    if doc is None:
        return frame(ctx, words("firm"), Scroller(Notice(words("firm_gone"), "warn")), back=True)
    kind = around.firm(doc).kind_word(words.language)
    card = Card(Text(doc["name"], 20, True), Text(kind, 14, ink="quiet"), spacing=6)
    card.add_widget(ways(ctx, doc, [doc["phone"]] if doc.get("phone") else []))
    facts = Card(spacing=8)
    opens = hours.told(doc.get("opening_hours") or "", words.language)
    values = (("address", address_of(doc)), ("phone", doc.get("phone")), ("opening_hours", opens))
    for key, value in values:
        if value:
            facts.add_widget(fact(words(key), str(value)))
    typed = Typed(ctx, ("firm",), {"firm_id": firm_id}, doc["name"])
    note = typed.field("note", words("note"), lines=3)
    make = PushButton(words("make_lead"), lambda: _make(ctx, typed, doc, note.value), "flag")
    help = Text(words("make_lead_help"), 14, ink="quiet")
    credit = Text(words("data_of", credit=doc["credit"]), 12, ink="quiet")
    page = Scroller(card, facts if facts.children else None, typed.told(), note, make, help, credit)
    return frame(ctx, words("firm"), page, back=True)


def _make(ctx, typed, doc, note):
    typed.save(lambda: taking.lead_of_firm(ctx.files, doc, note))
    ctx.nav.saved()
    ctx.nav.back()
    ctx.nav.toast(ctx.words("lead_made"))
