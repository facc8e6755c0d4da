"""What is shown of a phone that the office has locked or retired, or whose clock cannot be true: why, and what becomes
of unsent work. No data."""

from kivy.uix.anchorlayout import AnchorLayout

from mobile.field import locking, reads
from mobile.field.sync import leaving
from mobile.screens.sign_in import Mark
from mobile.widgets.base import Card, Scroller, Text, gap, paint
from mobile.widgets.controls import Notice, PushButton


def why(ctx, guard):
    """What bars this phone; None where nothing does."""
    return locking.barred(ctx.files.outbox) or (locking.DOUBTED if guard.doubts else None)


def build(ctx, code):
    words = ctx.words
    card = Card(Text(words(f"{code}_title"), 20, True), Text(words(f"{code}_help"), 16), spacing=12)
    kept = _kept(ctx, code)
    if kept:
        card.add_widget(Notice(kept, "info"))
    again = words("syncing") if ctx.syncing else words("try_again")
    name = Text(ctx.who.name if ctx.who else "", 14, ink="quiet", align="center")
    page = Scroller(gap(24), Mark(), Text("Waymark", 28, True, align="center"), name, gap(8), card, gap(8), spacing=6)
    page.column.add_widget(PushButton(again, ctx.nav.sync_now, "refresh_cw"))
    if code == "retired":  # a locked phone is opened by the office alone
        page.column.add_widget(PushButton(words("sign_in"), lambda: ctx.nav.go("sign_in"), kind="quiet"))
    ground = AnchorLayout()
    paint(ground, "ground")
    ground.add_widget(page)
    return ground


def _kept(ctx, code):
    """Where the rep's unsent work is."""
    words, held, unsent = ctx.words, leaving.held(ctx.files), reads.sync_state(ctx.files).unsent
    if code == "retired" and held:
        return words.count("held", "held_1", held)
    return words.count(f"{code}_kept", f"{code}_kept_1", unsent) if unsent else ""
