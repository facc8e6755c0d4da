"""Who is around: customers, prospects and leads on this phone, the nearest first."""

from mobile.field import around, reads
from mobile.field.store import clock
from mobile.screens.leads import near_row
from mobile.screens.parts import frame
from mobile.screens.pin import middle_of
from mobile.widgets.base import Column, Scroller, Text
from mobile.widgets.controls import Chips, Notice, PushButton

SHOWN = 40


def build(ctx, layer="all"):
    words = ctx.words
    (lon, lat), from_where = _here(ctx)
    layers = around.LAYERS if layer == "all" else (layer,)
    found = around.nearest(around.everybody(ctx.files, ctx.accounts()), lon, lat, layers)
    chips = Chips(
        [("all", words("layer_all")), *((name, words(f"layers_{name}")) for name in around.LAYERS)],
        layer,
        lambda chosen: ctx.nav.instead("nearby", layer=chosen),
    )
    go = lambda: ctx.nav.go("map")  # noqa: E731 a tap
    page = Scroller(chips, Text(from_where, 14, ink="quiet"), PushButton(words("show_map"), go, "map", "quiet"))
    rows = Column(*(near_row(ctx, near) for near in found[:SHOWN]), spacing=8)
    page.column.add_widget(rows if found else Notice(words("nobody_near"), "info"))
    if len(found) > SHOWN:
        page.column.add_widget(Text(words("nearest_of", n=SHOWN, all=words.number(len(found))), 14, ink="quiet"))
    return frame(ctx, words("nearby"), page, back=True)


def _here(ctx):
    """Where distances are counted from: my place, else the next stop, else the middle of the map."""
    words, fix = ctx.words, ctx.phone.position.fix()
    if fix is not None:
        return (fix.lon, fix.lat), words("from_me", n=words.distance(fix.accuracy_m))
    day = reads.day(ctx.files, ctx.user_id, ctx.day or clock.today())
    upcoming = next((s for s in day.stops if s.open and s.lat is not None), None)
    if upcoming is not None:
        return (upcoming.lon, upcoming.lat), words("from_stop", name=upcoming.name)
    placed = [line for line in ctx.accounts().search() if line.lat is not None]
    middle = middle_of(ctx.packs) if ctx.packs or not placed else (placed[0].lon, placed[0].lat)
    return middle, words("from_middle")
