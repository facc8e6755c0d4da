"""The account card: call, navigate, log a visit; what is due and what happened there, facts, sites."""

from kivy.core.window import Window
from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

from mobile.field import drafts, finding, hours, own, photos, pins, reads, rights
from mobile.field.store.cache import DELETED
from mobile.screens import gallery, leads, timeline, unfinished, work
from mobile.screens.parts import class_badge, fact, frame, mark_icon, section
from mobile.widgets.bars import badge
from mobile.widgets.base import Card, Column, Row, Scroller, Text, Word
from mobile.widgets.controls import IconButton, Notice, PushButton

BAR_DP = 116
"""What the buttons of the bar take of its width, and what is left free beside a name."""


def build(ctx, account_id):
    card = reads.account_card(ctx.files, account_id)
    if card is None:
        was = ctx.files.cache.doc(DELETED, account_id) or {}
        told = ctx.words("deleted_here" if was else "not_here")
        return frame(ctx, was.get("name") or ctx.words("accounts"), Scroller(Notice(told, "warn")), back=True)
    first = [_head(ctx, card), *work.due(ctx, account_id)]
    more = [
        *work.known(ctx, account_id),
        _photos(ctx, account_id),
        _facts(ctx, card),
        *(_site(ctx, card, site) for site in card.sites or _new_site(ctx, card)),
    ]
    if ctx.wide:
        content = BoxLayout()
        content.add_widget(Scroller(*first, *more))
        content.add_widget(Scroller(timeline.build(ctx, card.timeline, card.has_older)))
    else:
        content = Scroller(*first, timeline.build(ctx, card.timeline, card.has_older, timeline.FIRST), *more)
    change = IconButton("pencil", lambda: ctx.nav.go("edit_account", account_id=account_id), ctx.words("edit"))
    actions = (change,) if rights.may_change(ctx.files.outbox, "account") else ()
    return frame(ctx, card.account.get("name") or "", content, back=True, actions=actions)


def _head(ctx, card):
    words, account = ctx.words, card.account
    status = words(f"st_{account['status']}") if account.get("status") in ("customer", "prospect", "former") else ""
    late = (card.overdue_days or 0) > 0
    told = "  ·  ".join(
        p for p in (status, words.count("overdue", "overdue_1", card.overdue_days) if late else "") if p
    )
    line = Row(Text(told, 16, True, ink="bad" if late else "ink"), mark_icon(card.mark))
    line.add_widget(class_badge(account.get("account_class")) or Column(size_hint=(None, 1), width=0))
    head = Card(line, spacing=6)
    if Word(account.get("name") or "", 20, True).width > Window.width - dp(BAR_DP):  # told whole where the bar cuts it
        head.add_widget(Text(account["name"], 20, True), index=1)
    if card.leaving:
        head.add_widget(Notice(words("leaving"), "warn"))
    site = card.sites[0] if card.sites else account
    if not card.sites and finding.waits_for_pin(account):
        head.add_widget(Notice(words("placed_later"), "info"))
    phones, mails = ([account[key]] if account.get(key) else [] for key in ("phone", "email"))
    if phones or mails or site.get("lat") is not None:
        head.add_widget(leads.ways(ctx, site, phones, mails))
    for button in _log(ctx, account["id"]):
        head.add_widget(button)
    find = PushButton(words("find_time"), lambda: ctx.nav.go("times", account_id=account["id"]), "clock", "quiet")
    head.add_widget(find)
    head.add_widget(
        PushButton(words("take_order"), lambda: ctx.nav.go("order", account_id=account["id"]), "tag", "quiet")
    )
    return head


def _log(ctx, account_id):
    """The way to today's visit, planned or begun, else to one that nobody planned; a missed one can still be made."""
    words, known = ctx.words, reads.visit_today(ctx.files, ctx.user_id, account_id) or {}
    is_missed = known.get("state") == "missed"
    today = lambda: ctx.nav.go("visit", visit_id=known["id"], account_id=account_id)  # noqa: E731 a tap
    undo = lambda: unfinished.undo_missed(ctx, known["id"], account_id, ctx.nav.go)  # noqa: E731 a tap
    new = lambda: ctx.nav.go("visit", account_id=account_id)  # noqa: E731 a tap
    if is_missed:
        yield PushButton(words("visited_after_all"), today, "notebook_pen")
    if is_missed and known["id"] in drafts.can_undo(ctx.files):
        yield PushButton(words("undo_missed"), undo, "x", "quiet")
    log = today if known and not is_missed else new
    yield PushButton(words("log_visit"), log, "notebook_pen", "quiet" if is_missed else "primary")


def _photos(ctx, account_id):
    """The latest photos; small ones that are not here are brought while one looks."""
    words, shown = ctx.words, photos.at_account(ctx.files, account_id)[:12]

    def take():
        if gallery.take(ctx, account_id, "account", account_id):
            ctx.nav.again()

    ctx.nav.fetch_pictures(photos.wanted(ctx.files, account_id)[:12])
    content = gallery.strip(ctx, shown) if shown else Text(words("no_photos"), 16, ink="quiet")
    return section(words("photos"), content, PushButton(words("take_photo"), take, "plus", "quiet"))


def _facts(ctx, card):
    words, account = ctx.words, card.account
    values = [
        ("number", account.get("number")),
        ("phone", account.get("phone")),
        ("email", account.get("email")),
        ("website", account.get("website")),
        ("owner", card.owner),
        ("preferred_time", words(f"pt_{account['preferred_time']}") if account.get("preferred_time") else None),
        ("interval", words("days", n=card.interval_days) if card.interval_days else None),
        ("note", account.get("note")),
    ]
    box = section(words("facts"), *(fact(words(key), str(value)) for key, value in values if value))
    _own(ctx, box, "account", account)
    tags = account.get("tags") or []
    if tags:
        row = Row(spacing=6, height=26)
        for tag in tags[:5]:
            row.add_widget(badge(tag, "brand"))
        row.add_widget(BoxLayout())
        box.add_widget(row)
    return box


def _own(ctx, box, kind, row):
    """What the company's own fields of a row hold."""
    for label, value in own.filled(ctx.files, kind, row, ctx.words):
        box.add_widget(fact(label, value))


def _new_site(ctx, card):
    """What was written of the place of an account that was founded here."""
    account = card.account
    return [account] if finding.is_new(account) and (account.get("street") or account.get("city")) else []


def _site(ctx, card, site):
    words = ctx.words
    address = ", ".join(
        p for p in (site.get("street"), " ".join(str(site[k]) for k in ("postcode", "city") if site.get(k))) if p
    )
    is_known = "account_id" in site
    box = section(
        _called(words, card, site) if is_known else words("site"),
        Row(Text(address, 16, pos_hint={"center_y": 0.5}), _show_on_map(ctx, card))
        if site.get("lat") is not None
        else Text(address, 16),
    )
    if site.get("opening_hours"):
        box.add_widget(fact(words("opening_hours"), hours.told(site["opening_hours"], words.language)))
    stale = is_known and pins.is_stale(ctx.files, site)
    box.add_widget(fact(words("pin"), words("pin_stale") if stale else _pin_words(words, site)))
    if is_known:
        _own(ctx, box, "site", site)
    if pins.is_approximate(site) and not stale:
        box.add_widget(Notice(words("approximate"), "warn"))
    mine = pins.proposed_pins(ctx.files, card.account["id"]).get(site["id"])
    if mine is not None:
        when = words.moment(mine.at, ctx.zone) if mine.at else ""
        kind = {"accepted": "good", "refused": "warn"}.get(mine.state, "info")
        box.add_widget(Notice(words(f"p_{mine.state}", when=when, answer=mine.answer or ""), kind))
    if is_known:
        move = PushButton(words("move_pin"), lambda: ctx.nav.go("pin", site_id=site["id"]), "map_pin", kind="quiet")
        box.add_widget(move)
    if site in card.sites[1:] and rights.may_change(ctx.files.outbox, "account"):  # the first is in the account's form
        which = {"account_id": card.account["id"], "site_id": site["id"]}
        change = PushButton(words("edit_address"), lambda: ctx.nav.go("edit_account", **which), "pencil", kind="quiet")
        box.add_widget(change)
    return box


def _called(words, card, site):
    """What a site is called; of several, whether it is the main one."""
    rank = words("main_site" if site.get("is_main") else "further_site") if len(card.sites) > 1 else ""
    return "  ·  ".join(p for p in (site.get("name"), rank) if p) or words("site")


def _pin_words(words, site):
    """How good the pin is, why, and who says so."""
    if site.get("lat") is None:
        reason = f"r_{site.get('geocode_reason')}"
        none = words("not_placed_yet" if finding.waits_for_pin(site) else "g_none")
        return ". ".join(p for p in (none, words(reason) if words.has(reason) else "") if p)
    grade = words(f"g_{site['grade']}") if words.has(f"g_{site.get('grade')}") else ""
    within = ""
    if site.get("uncertainty_m") is not None:
        within = words("within", radius=words.distance(site["uncertainty_m"]))
    reason, provider = f"r_{site.get('geocode_reason')}", f"by_{site.get('provider')}"
    why = words(reason) if words.has(reason) else ""
    who = words(provider) if words.has(provider) else site.get("provider")
    said = words("placed_by", reason=why, provider=who) if why and who else why
    return "\n".join(p for p in (", ".join(p for p in (grade, within) if p), said) if p)


def _show_on_map(ctx, card):
    return IconButton("map_pin", lambda: ctx.nav.go("map", account_id=card.account["id"]), ctx.words("map"), "brand")
