"""Who is around: customers, prospects, leads and firms of open data on this phone, the nearest first."""

from mobile.field import around, reads
from mobile.screens.leads import near_row
from mobile.screens.parts import frame
from mobile.screens.pin import middle_of
from mobile.widgets.base import Column, Scroller, Text
from mobile.widgets.controls import Chips, Notice, PushButton

SHOWN = 40
ON_MAP = 12
"""So many of the nearest fit on the map when it opens."""
KINDS = 8
"""So many kinds of firms are offered to choose from, the commonest."""


def build(ctx, layer=None, kind=""):
    words = ctx.words
    layer, kind = _chosen(ctx, layer, kind)
    (lon, lat), from_where = _here(ctx)
    layers = around.LAYERS if layer == "all" else (layer,)
    people = around.everybody(ctx.files, ctx.accounts())
    kinds = around.kinds(people)[:KINDS] if layer == "firm" else []
    found = around.nearest((one for one in people if not kind or one.kind == kind), lon, lat, layers)
    chips = Chips(
        [("all", words("layer_all")), *((name, words(f"layers_{name}")) for name in around.LAYERS)],
        layer,
        lambda chosen: ctx.nav.instead("nearby", layer=chosen),
    )
    spots = [(lon, lat), *((near.who.lon, near.who.lat) for near in found[:ON_MAP])]
    go = lambda: ctx.nav.go("map", layers=layers, kind=kind, spots=spots)  # noqa: E731 a tap
    of_kinds = None
    if len(kinds) > 1:
        named = [(key, one.kind_word(words.language)) for key, one in kinds]
        choose = lambda chosen: ctx.nav.instead("nearby", layer="firm", kind=chosen)  # noqa: E731 a tap
        of_kinds = Chips([("", words("every_kind")), *named], kind, choose)
    show = PushButton(words("show_map"), go, "map", "quiet")
    page = Scroller(chips, of_kinds, Text(from_where, 14, ink="quiet"), show)
    rows = Column(*(near_row(ctx, near) for near in found[:SHOWN]), spacing=8)
    page.column.add_widget(rows if found else Notice(words("nobody_near"), "info"))
    if len(found) > SHOWN:
        page.column.add_widget(Text(words("nearest_of", n=SHOWN, all=words.number(len(found))), 14, ink="quiet"))
    if credits := sorted({doc["credit"] for doc in around.firms(ctx.files)} if layer in ("all", "firm") else ()):
        page.column.add_widget(Text(words("data_of", credit="; ".join(credits)), 12, ink="quiet"))
    return frame(ctx, words("nearby"), page, back=True)


def _chosen(ctx, layer, kind):
    """What is shown; what the rep chose last where nothing is chosen now."""
    if layer is None:
        layer, _, kind = ctx.phone.settings()["nearby"].partition(" ")
    elif ctx.phone.settings()["nearby"] != f"{layer} {kind}":
        ctx.phone.choose("nearby", f"{layer} {kind}")
    return layer, kind


def _here(ctx):
    """Where distances are counted from: my place, else the next stop, else the middle of the map."""
    words, fix = ctx.words, ctx.phone.position.fix()
    if fix is not None:
        return (fix.lon, fix.lat), words("from_me", n=words.distance(fix.accuracy_m))
    day = reads.day(ctx.files, ctx.user_id, ctx.day or ctx.today)
    upcoming = next((s for s in day.stops if s.open and s.lat is not None), None)
    if upcoming is not None:
        return (upcoming.lon, upcoming.lat), words("from_stop", name=upcoming.name)
    placed = [line for line in ctx.accounts().search() if line.lat is not None]
    middle = middle_of(ctx.packs) if ctx.packs or not placed else (placed[0].lon, placed[0].lat)
    return middle, words("from_middle")
