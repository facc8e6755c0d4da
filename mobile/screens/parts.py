"""Pieces that several screens show: the frame, the sync line, class badges, sections."""

from kivy.metrics import dp

from mobile.field import reads
from mobile.theme import CLASS_COLOURS
from mobile.widgets.bars import BottomBar, Shell, SyncLine, TopBar, badge
from mobile.widgets.base import Card, Column, Icon, Row, Text, paint, readable
from mobile.widgets.icons import MARK_ICONS

PLACES = (("today", "calendar_check"), ("map", "map"), ("accounts", "building_2"), ("more", "ellipsis"))
MARK_INKS = {"phone": "info", "server": "good", "attention": "warn"}


def sync_line(ctx):
    """The one line that says where the rep's work is; tapping it opens the sync status."""
    return SyncLine(*sync_words(ctx), lambda: ctx.nav.go("sync"))


def sync_words(ctx):
    """The mark and the words of the sync line at this moment."""
    words, state = ctx.words, reads.sync_state(ctx.files)
    if needing := state.needing + state.unreadable:
        unsent = words("on_phone", n=state.unsent) if state.unsent else ""
        mark = "attention"
        text = "  ·  ".join(p for p in (words.count("needs_you", "needs_you_1", needing), unsent) if p)
    elif ctx.syncing:
        mark, text = ("phone" if state.unsent else "server"), words("syncing")
    elif state.unsent:
        mark, text = "phone", words("on_phone", n=state.unsent)
    elif state.synced_at is None:
        mark, text = "phone", words("never_synced")
    else:
        mark, text = "server", words("all_on_server")
    return mark, text


def frame(ctx, title, content, *, tab=None, back=False, actions=(), foot=None):
    """A screen: top bar with sync line, content, and the bar of places; or a foot that stays in sight."""
    ctx.sync_line = sync_line(ctx)
    top = TopBar(title, ctx.sync_line, ctx.nav.back if back else None, actions)
    places = [(name, icon, ctx.words(name)) for name, icon in PLACES]
    bottom = BottomBar(places, tab, ctx.nav.go) if tab else foot
    return Shell(top, content, bottom)


def foot_of(*children):
    """What stays in sight below a form: what is to be said of it, and how it is saved."""
    foot = Column(*children, spacing=8, padding=(16, 10, 16, 12))
    paint(foot, "paper")
    return readable(foot)


def section(title, *children):
    """A titled card."""
    return Card(Text(title, 14, True, "quiet"), *children, spacing=8)


def fact(label, value):
    """A name and its value beside each other."""
    name = Text(label, 14, ink="quiet", size_hint_x=0.36, pos_hint={"top": 1})
    return Row(name, Text(value, 16, size_hint_x=0.64, pos_hint={"top": 1}), spacing=8)


def class_badge(account_class):
    """The account's class as letter and colour; nothing when it has none."""
    return badge(account_class, CLASS_COLOURS.get(account_class, "quiet"), 0.35, "ink") if account_class else None


def whole(text):
    """Words that stay on one line, as a postcode and its town."""
    return (text or "").replace(" ", "\u00a0")


def mark_icon(mark, size=18):
    """✓ on phone, ✓✓ on server, ⚠ needs you."""
    return Icon(MARK_ICONS[mark], size, MARK_INKS[mark], size_hint=(None, 1), width=dp(size + 4)) if mark else None


def state_ink(state):
    return {"done": "good", "missed": "bad", "cancelled": "quiet", "checked_in": "accent", "en_route": "accent"}.get(
        state, "quiet"
    )
