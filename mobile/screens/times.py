"""Find a time: the gaps of the planned days on this phone, coloured by the driving that they cost."""

from kivy.metrics import dp
from kivy.uix.stacklayout import StackLayout

from mobile.field import offers, reads, taking
from mobile.field.store import clock
from mobile.screens.parts import frame, section
from mobile.theme import TINT, TOUCH
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, Touchable, Word, paint
from mobile.widgets.controls import Chips, Notice, PushButton

LASTS_MIN = (15, 30, 45, 60, 90)
BEST = 3
"""So many times stand above the days; where there are no more than twice as many, the days alone do."""
SHADE_ICONS = {"good": "circle_check", "warn": "clock", "bad": "car"}


def build(ctx, account_id, lasts_s=None, more=False):
    """The best times of all days first; with `more` the days below them too."""
    words, account = ctx.words, ctx.files.cache.doc("account", account_id) or {}
    site = reads.main_site(ctx.files, account_id) or {}
    lasts_s = lasts_s or offers.service_s(site)
    page = Scroller(Text(account.get("name") or "", 20, True), Text(words("times_help"), 14, ink="quiet"))
    page.column.add_widget(_lasts(ctx, account_id, lasts_s))
    try:
        days = offers.offers(
            ctx.files, ctx.user_id, account_id, ctx.today, lasts_s=lasts_s, fix=ctx.phone.position.fix()
        )
    except offers.NoPlace:
        page.column.add_widget(Notice(words("times_no_place"), "warn"))
        return frame(ctx, words("find_time"), page, back=True)
    if not days:
        page.column.add_widget(Notice(words("times_no_plan"), "info"))
    else:
        page.column.add_widget(_legend(ctx))
    found = [(offer, clock.zone(day.zone)) for day in days for offer in day.offers]
    is_short = len(found) <= 2 * BEST
    if not is_short:
        best = sorted(found, key=lambda one: (one[0].detour_s, one[0].starts_at))[:BEST]
        slots = (_slot(ctx, account_id, site, offer, zone, with_day=True) for offer, zone in best)
        page.column.add_widget(section(words("times_best"), _stack(slots)))
    if more or is_short:
        for day in days:
            page.column.add_widget(_day(ctx, account_id, site, day))
    else:
        go = lambda: ctx.nav.instead("times", account_id=account_id, lasts_s=lasts_s, more=True)  # noqa: E731 a tap
        rest = words.count("times_more", "times_more_1", len(found) - BEST)
        page.column.add_widget(PushButton(rest, go, "chevron_down", "quiet"))
    return frame(ctx, words("find_time"), page, back=True)


def _lasts(ctx, account_id, lasts_s):
    """How long the visit will take."""
    minutes = sorted({*LASTS_MIN, round(lasts_s / 60)})
    again = lambda m: ctx.nav.instead("times", account_id=account_id, lasts_s=m * 60)  # noqa: E731 a tap
    return Chips([(m, ctx.words.duration(m * 60)) for m in minutes], round(lasts_s / 60), again)


def _legend(ctx):
    """What the colours mean, by sign and word too."""
    column = Column(spacing=4)
    for shade in ("good", "warn", "bad"):
        icon = Icon(SHADE_ICONS[shade], 18, shade, size=(dp(22), dp(22)))
        column.add_widget(Row(icon, Text(ctx.words(f"shade_{shade}"), 14, ink="quiet"), spacing=8))
    return column


def _day(ctx, account_id, site, day):
    words = ctx.words
    box = section(words.day(day.day))
    if not day.offers:
        box.add_widget(Text(words("times_closed" if day.is_closed else "times_full"), 14, ink="quiet"))
        return box
    offers_ = sorted(day.offers, key=lambda one: one.starts_at)
    box.add_widget(_stack(_slot(ctx, account_id, site, offer, clock.zone(day.zone)) for offer in offers_))
    return box


def _stack(slots):
    """Beside each other, as many as there is room for."""
    row = StackLayout(size_hint_y=None, spacing=dp(8))
    row.bind(minimum_height=row.setter("height"))
    for slot in slots:
        row.add_widget(slot)
    return row


def _slot(ctx, account_id, site, offer, zone, *, with_day=False):
    words = ctx.words
    chip = Touchable(
        lambda: ctx.nav.go("time", account_id=account_id, site_id=site.get("id"), offer=offer, zone=zone),
        "paper", offer.shade, 10, size_hint=(None, None), height=dp(TOUCH), padding=(dp(10), 0), spacing=dp(8),
    )  # fmt: skip
    paint(chip, offer.shade, radius=10, alpha=TINT)
    detour = f"+{words.duration(offer.detour_s)}"
    time = words.time(offer.starts_at, zone)
    time = f"{words.day(offer.starts_at.astimezone(zone).date())}, {time}" if with_day else time
    chip.label = f"{words.moment(offer.starts_at, zone)} ({detour})"
    icon = Icon(SHADE_ICONS[offer.shade], 18, offer.shade, size_hint=(None, 1), width=dp(22))
    first, second = Word(time, 16, True), Word(detour, 14, ink="quiet")
    for part in (icon, first, second):
        chip.add_widget(part)
    chip.width = first.width + second.width + dp(22 + 16 + 20)
    return chip


def build_offer(ctx, account_id, site_id, offer, zone):
    """One time, before it is kept as a meeting."""
    words, account = ctx.words, ctx.files.cache.doc("account", account_id) or {}
    lasts = (offer.ends_at - offer.starts_at).total_seconds()
    day = words.day(offer.starts_at.astimezone(zone).date())
    times = f"{day}, {words.time(offer.starts_at, zone)} – {words.time(offer.ends_at, zone)}"
    card = Card(Text(account.get("name") or "", 20, True), Text(times, 20), spacing=6)
    parts = [words.duration(lasts), words("detour", n=words.duration(offer.detour_s))]
    card.add_widget(Text("  ·  ".join(parts), 16, ink="quiet"))
    if offer.after:
        card.add_widget(Text(words("after_stop", name=offer.after), 16, ink="quiet"))

    def keep():
        taking.next_step(
            ctx.files, account_id, words("visit_at", name=account.get("name") or ""), kind="meeting", site_id=site_id,
            starts_at=offer.starts_at.isoformat(), ends_at=offer.ends_at.isoformat(),
        )  # fmt: skip
        ctx.nav.saved()
        ctx.nav.back(2)
        ctx.nav.toast(words("time_kept"))

    page = Scroller(card, Notice(words("time_kept_help"), "info"), PushButton(words("keep_time"), keep, "check"))
    return frame(ctx, words("find_time"), page, back=True)
