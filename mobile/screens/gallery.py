"""Photos on screens: small ones in a row, one of them large."""

import io

from kivy.core.image import Image as Loaded
from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.image import Image
from kivy.uix.stacklayout import StackLayout

from mobile import reasons
from mobile.field import photos, reads
from mobile.screens.parts import frame, mark_icon
from mobile.widgets.base import Column, Icon, Text, Touchable
from mobile.widgets.controls import Notice, PushButton

SIDE = 84
TOLD_FROM = 100_000
"""Bytes: less is told as this, nothing that waits weighs nothing."""


def picture(ctx, path, fit):
    """A picture from a sealed file without a suffix; an icon when it cannot be drawn."""
    try:
        content = photos.read(ctx.files, path)
        texture = Loaded(io.BytesIO(content), ext="webp" if content[8:12] == b"WEBP" else "jpg").texture
    except Exception:  # noqa: BLE001 each of Kivy's loaders fails in its own way
        return Icon("circle_x", 24, "quiet")
    return Image(texture=texture, fit_mode=fit)


def strip(ctx, shown):
    """Small photos in rows; a tap shows one large."""
    box = StackLayout(size_hint_y=None, spacing=dp(8))
    box.bind(minimum_height=box.setter("height"))
    for photo in shown:
        tile = Touchable(
            lambda one=photo: ctx.nav.go("photo", photo_id=one.id, account_id=one.account_id), "ground", "line", 6,
            size_hint=(None, None), size=(dp(SIDE), dp(SIDE)), orientation="vertical",
        )  # fmt: skip
        tile.label = photo.name
        tile.add_widget(picture(ctx, photo.small, "cover") if photo.small else Icon("download", 24, "quiet"))
        if photo.mark != "server":
            mark = mark_icon(photo.mark)
            mark.size_hint_y, mark.height, mark.pos_hint = None, dp(20), {"center_x": 0.5}
            tile.add_widget(mark)
        box.add_widget(tile)
    return box


def take(ctx, account_id, owner, owner_id, in_draft=False):
    """One tap: the photo is taken and on this phone for good; in a draft it is sent with the visit."""
    words, phone = ctx.words, ctx.phone
    try:
        photo_id = photos.take(ctx.files, phone.camera, phone.pictures, account_id, owner, owner_id, in_draft=in_draft)
    except photos.TooMany:
        ctx.nav.toast(words("too_many_photos"), "bad")
        return False
    except (OSError, ValueError):
        photo_id = None
    if photo_id is None:
        ctx.nav.toast(words("no_camera"), "bad")
        return False
    ctx.nav.saved()
    return True


def build(ctx, photo_id, account_id):
    """One photo as large as it is here."""
    words = ctx.words
    photo = next((one for one in photos.at_account(ctx.files, account_id) if one.id == photo_id), None)
    page = BoxLayout(orientation="vertical", padding=dp(12), spacing=dp(12))
    account = ctx.files.cache.doc("account", account_id) or {}
    if account.get("name"):
        page.add_widget(Text(account["name"], 16, True))
    if photo is not None:
        path = photo.large or photo.small
        page.add_widget(picture(ctx, path, "contain") if path else Icon("download", 32, "quiet"))
        if photo.mark == "phone":
            page.add_widget(Notice(words("photo_waits"), "info"))
        if photo.large is None:
            ctx.nav.fetch_pictures([photo.sha256])
        page.add_widget(PushButton(words("delete_photo"), lambda: _discard(ctx, photo_id), "x", "danger"))
    return frame(ctx, _title(ctx, photo) if photo else words("photo"), page, back=True)


def _title(ctx, photo):
    """When it was taken: a file name says nothing, and two of one second have the same."""
    at = reads.instant(photo.taken_at)
    if at is None:
        return ctx.words("photo")
    return f"{ctx.words.day(at.astimezone(ctx.zone).date())}, {ctx.words.time(at, ctx.zone)}"


def _discard(ctx, photo_id):
    photos.discard(ctx.files, photo_id)
    ctx.nav.saved()
    ctx.nav.back()
    ctx.nav.toast(ctx.words("photo_deleted"))


def waiting(ctx):
    """What of photos is not on the server, in plain words; nothing when everything is."""
    words, state = ctx.words, photos.waiting(ctx.files)
    box = Column(spacing=8)
    if state.photos:
        by_wifi = ctx.phone.settings()["photos"] == "wifi"
        box.add_widget(
            Text(words("photos_waiting", n=state.photos, size=words.fine_size(max(state.size, TOLD_FROM))), 16, True)
        )
        box.add_widget(Text(words("photos_wait_wifi" if by_wifi else "photos_wait_net"), 14, ink="quiet"))
    for blob in state.refused:
        box.add_widget(Notice(words("photo_refused", reason=reasons.problem(words, blob.error or {})), "warn"))
    return box
