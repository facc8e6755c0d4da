"""Settings: appearance, language, networks, the lock, the data on this phone, what works offline, the way out."""

from mobile.field import drafts, holdings, locking, reads, tracks
from mobile.field.store import clock
from mobile.field.sync.hello import APP_VERSION
from mobile.screens.parts import fact, frame, section
from mobile.texts import LANGUAGES
from mobile.widgets.base import Column, Icon, Row, Scroller, Text
from mobile.widgets.controls import Chips, Notice, PushButton

OFFLINE = ("today", "map", "accounts", "visit", "photos", "order", "lead", "times", "replan", "week", "export")
ONLINE = ("sign_in", "sync", "pictures")


def build(ctx, at=None):
    """All of them; `at` "tracks": scrolled to what is recorded of the way."""
    words, chosen = ctx.words, ctx.phone.settings()

    def choice(title, key, options):
        chips = Chips(options, chosen[key], lambda value: ctx.nav.choose(key, value))
        return section(words(title), chips)

    photos = choice("photos_by", "photos", [(k, words(f"by_{k}")) for k in ("any", "wifi")])
    photos.add_widget(Text(words("photos_by_help"), 14, ink="quiet"))
    ways = _tracks(ctx)
    page = Scroller(
        choice("appearance", "appearance", [(k, words(k)) for k in ("light", "dark")]),
        choice("language", "language", list(LANGUAGES.items())),
        photos,
        ways,
        _lock(ctx),
        _data(ctx),
        _offline(ctx),
        section(
            words("about"),
            fact(words("version"), APP_VERSION),
            fact(words("server"), ctx.who.server),
            fact(words("login"), ctx.who.login),
        ),
        *_signing_out(ctx),
    )
    if at == "tracks":
        page.show_soon(ways)
    return frame(ctx, words("settings"), page, back=True)


def _signing_out(ctx):
    """The way out; not over work that is not sent."""
    words, unsent, begun = ctx.words, reads.sync_state(ctx.files).unsent, len(drafts.unfinished(ctx.files))
    if unsent:
        return [Notice(words.count("sign_out_blocked", "sign_out_blocked_1", unsent), "warn")]
    told = [Notice(words.count("sign_out_drafts", "sign_out_drafts_1", begun), "info")] if begun else []
    return [*told, PushButton(words("sign_out"), ctx.nav.sign_out, "log_out", "danger")]


def _tracks(ctx):
    """What is recorded of the rep's way, in plain words, and the pause of it."""
    words, outbox, now = ctx.words, ctx.files.outbox, clock.now()
    box, known = section(words("tracks")), tracks.rules(outbox)
    if known is None:
        box.add_widget(Text(words("tracks_off"), 14, ink="quiet"))
        return box
    tracks.read(outbox)
    today = now.astimezone(known.zone).date()
    shift, paused = known.shift_of(today), tracks.is_paused(outbox, now)
    box.add_widget(Text(words("tracks_on"), 16))
    when = words("tracks_free")
    if shift is not None:
        when = words(
            "tracks_today",
            start=f"{shift.starts_at.astimezone(known.zone):%H:%M}",
            end=f"{shift.ends_at.astimezone(known.zone):%H:%M}",
        )
    box.add_widget(Text(when, 16, True))
    box.add_widget(Text(words("tracks_what"), 14, ink="quiet"))
    box.add_widget(Text(words("tracks_who", n=known.keep_days), 14, ink="quiet"))
    if paused:
        box.add_widget(Notice(words("tracks_paused"), "info"))
    else:
        count = words.number(sum(map(len, tracks.fixes_of(ctx.files, today))))
        box.add_widget(
            Text(words("tracks_now" if tracks.shift_now(outbox, now) else "tracks_later", n=count), 14, True)
        )
    if paused:
        box.add_widget(PushButton(words("tracks_resume"), lambda: _take_up(ctx), "route", "quiet"))
    elif shift is not None and now <= shift.ends_at:
        box.add_widget(PushButton(words("tracks_pause"), lambda: _pause(ctx), "ban", "quiet"))
    return box


def _pause(ctx):
    tracks.pause(ctx.files)
    _said(ctx, "tracks_paused_now")


def _take_up(ctx):
    tracks.resume(ctx.files)
    _said(ctx, "tracks_resumed")


def _said(ctx, key):
    ctx.nav.saved()
    ctx.nav.again()
    ctx.nav.toast(ctx.words(key))


def _lock(ctx):
    """A PIN, or none."""
    words, is_set = ctx.words, locking.has_pin(ctx.phone.secrets, ctx.user_id)
    remove = lambda: ctx.nav.go("set_pin", removes=True)  # noqa: E731 a tap
    box = section(words("lock"), Text(words("pin_help"), 14, ink="quiet"))
    title = words("change_pin") if is_set else words("set_pin")
    box.add_widget(PushButton(title, lambda: ctx.nav.go("set_pin"), "shield_check", "quiet"))
    if is_set:
        box.add_widget(PushButton(words("lock_now"), ctx.nav.guard.lock, "shield_check", "quiet"))
        box.add_widget(PushButton(words("remove_pin"), remove, "x", "quiet"))
    box.add_widget(Text(words("sealed_help"), 14, ink="quiet"))
    return box


def _data(ctx):
    """Counts and megabytes by kind."""
    words, box = ctx.words, section(ctx.words("data"))
    held = holdings.everything(ctx.files, [pack.path for pack in ctx.packs])
    for one in held:
        counted = words.number(one.count) if one.kind not in ("map", "other") else "–"
        row = Row(
            Text(words(f"h_{one.kind}"), 16, size_hint_x=0.58, lines=1),
            Text(counted, 16, size_hint_x=0.16, align="right"),
            Text(words.fine_size(one.octets), 16, ink="quiet", size_hint_x=0.26, align="right"),
            spacing=8,
        )
        box.add_widget(row)
    total = words.fine_size(sum(one.octets for one in held))
    box.add_widget(Row(Text(words("h_total"), 16, True, size_hint_x=0.6), Text(total, 16, True, align="right")))
    said = holdings.too_much(ctx.files.outbox)
    if said is not None:
        _too_much(words, box, said)
    return box


def _too_much(words, box, said):
    """What this phone is not given, and who can change that."""
    box.add_widget(Notice(words("too_much", n=words.number(said["max_rows"])), "info"))
    for one in said["left_out"]:
        name = one["name"] or words("too_much_nobody")
        box.add_widget(Text(words(f"too_much_{one['kind']}", name=name, n=words.number(one["rows"])), 16))
    if said["further"]:
        box.add_widget(Text(words.count("too_much_further", "too_much_further_1", said["further"]), 16))
    box.add_widget(Text(words("too_much_help"), 14, ink="quiet"))


def _offline(ctx):
    """What works without a network, and what does not."""
    words, column = ctx.words, Column(spacing=4)
    for keys, icon, ink in ((OFFLINE, "check", "good"), (ONLINE, "cloud_off", "quiet")):
        for key in keys:
            mark = Icon(icon, 18, ink, size=(22, 22))
            column.add_widget(Row(mark, Text(words(f"off_{key}"), 14), spacing=8))
    return section(words("offline_title"), column)
