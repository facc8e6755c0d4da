"""The account card: call, navigate, log a visit; facts, sites, and what happened there."""

from datetime import date

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

from mobile.field import finding, photos, pins, reads, records
from mobile.field.capture import edit
from mobile.screens import gallery, work
from mobile.screens.parts import class_badge, fact, frame, mark_icon, section, state_ink
from mobile.widgets.bars import badge
from mobile.widgets.base import Card, Column, Icon, Row, Scroller, Text, rule
from mobile.widgets.controls import Field, IconButton, Notice, PushButton
from mobile.widgets.icons import STATE_ICONS

EDITABLE = ("phone", "email", "website", "note")


def build(ctx, account_id):
    card = reads.account_card(ctx.files, account_id)
    if card is None:
        return frame(ctx, ctx.words("accounts"), Scroller(Notice(ctx.words("not_here"), "warn")), back=True)
    main = [
        _head(ctx, card),
        *work.sections(ctx, account_id),
        _photos(ctx, account_id),
        _facts(ctx, card),
        *(_site(ctx, card, site) for site in card.sites),
    ]
    timeline = _timeline(ctx, card)
    if ctx.wide:
        content = BoxLayout()
        content.add_widget(Scroller(*main))
        content.add_widget(Scroller(timeline))
    else:
        content = Scroller(*main, timeline)
    change = IconButton("pencil", lambda: ctx.nav.go("edit_account", account_id=account_id), ctx.words("edit"))
    return frame(ctx, card.account.get("name") or "", content, back=True, actions=(change,))


def _head(ctx, card):
    words, account = ctx.words, card.account
    status = words(f"st_{account['status']}") if account.get("status") in ("customer", "prospect", "former") else ""
    line = Row(
        Text(account.get("name") or "", 20, True), mark_icon(card.mark), class_badge(account.get("account_class"))
    )
    late = (card.overdue_days or 0) > 0
    told = "  ·  ".join(p for p in (status, words("overdue", n=card.overdue_days) if late else "") if p)
    head = Card(line, Text(told, 14, ink="bad" if late else "quiet"), spacing=6)
    if card.leaving:
        head.add_widget(Notice(words("leaving"), "warn"))
    site = card.sites[0] if card.sites else account
    if not card.sites and finding.waits_for_pin(account):
        head.add_widget(Notice(words("placed_later"), "info"))
    buttons = Row(spacing=8, height=48)
    if account.get("phone"):
        buttons.add_widget(
            PushButton(words("call"), lambda: ctx.nav.open_link(f"tel:{account['phone']}"), "phone", "quiet")
        )
    if site.get("lat") is not None:
        go = f"geo:{site['lat']},{site['lon']}?q={site['lat']},{site['lon']}"
        buttons.add_widget(PushButton(words("navigate"), lambda: ctx.nav.open_link(go), "navigation", "quiet"))
    if buttons.children:
        head.add_widget(buttons)
    head.add_widget(
        PushButton(words("log_visit"), lambda: ctx.nav.go("visit", account_id=account["id"]), "notebook_pen")
    )
    find = PushButton(words("find_time"), lambda: ctx.nav.go("times", account_id=account["id"]), "clock", "quiet")
    head.add_widget(find)
    head.add_widget(
        PushButton(words("take_order"), lambda: ctx.nav.go("order", account_id=account["id"]), "tag", "quiet")
    )
    return head


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
        ("interval", words("days", n=card.interval_days) if card.interval_days else None),
        ("note", account.get("note")),
    ]
    box = section(words("facts"), *(fact(words(key), str(value)) for key, value in values if value))
    for label, value in records.own_fields(ctx.files, "account", account):
        box.add_widget(fact(label, value))
    tags = account.get("tags") or []
    if tags:
        row = Row(spacing=6, height=26)
        for tag in tags[:5]:
            row.add_widget(badge(tag, "brand"))
        row.add_widget(BoxLayout())
        box.add_widget(row)
    return box


def _site(ctx, card, site):
    words = ctx.words
    address = ", ".join(
        p for p in (site.get("street"), " ".join(str(site[k]) for k in ("postcode", "city") if site.get(k))) if p
    )
    name = site.get("name") or words("sites")
    box = section(
        name,
        Row(Text(address, 16, pos_hint={"center_y": 0.5}), _show_on_map(ctx, card))
        if site.get("lat") is not None
        else Text(address, 16),
    )
    if site.get("opening_hours"):
        box.add_widget(fact(words("opening_hours"), site["opening_hours"].replace(",", ", ")))
    box.add_widget(fact(words("pin"), _pin_words(words, site)))
    if pins.is_approximate(site):
        box.add_widget(Notice(words("approximate"), "warn"))
    mine = pins.proposed_pins(ctx.files, card.account["id"]).get(site["id"])
    if mine is not None:
        when = words.moment(mine.at) if mine.at else ""
        kind = {"accepted": "good", "refused": "warn"}.get(mine.state, "info")
        box.add_widget(Notice(words(f"p_{mine.state}", when=when, answer=mine.answer or ""), kind))
    box.add_widget(
        PushButton(words("move_pin"), lambda: ctx.nav.go("pin", site_id=site["id"]), "map_pin", kind="quiet")
    )
    return box


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


def _timeline(ctx, card):
    words = ctx.words
    box = section(words("timeline"))
    if not card.timeline:
        box.add_widget(Text(words("no_timeline"), 16, ink="quiet"))
    outcomes = dict(ctx.files.picklist("visit_outcome"))
    for index, entry in enumerate(card.timeline):
        if index:
            box.add_widget(rule())
        box.add_widget(_entry(ctx, entry, outcomes))
    return box


def _entry(ctx, entry, outcomes):
    words = ctx.words
    day = words.day(date.fromisoformat(entry.day)) if entry.day else ""
    title = "  ·  ".join(p for p in (day, words(f"s_{entry.state}"), outcomes.get(entry.outcome, entry.outcome)) if p)
    lines = Column(Text(title, 16), spacing=0)
    for text in (entry.note, entry.rep, ", ".join(entry.flags)):
        if text:
            lines.add_widget(Text(text, 14, ink="quiet"))
    icon = Icon(STATE_ICONS[entry.state], 20, state_ink(entry.state), size=(dp(22), dp(24)), pos_hint={"top": 1})
    return Row(icon, lines, mark_icon(entry.mark), spacing=10)


def build_edit(ctx, account_id):
    """Change what a rep may change; only changed fields are sent."""
    account = ctx.files.cache.doc("account", account_id) or {}
    fields = {key: Field(ctx.words(key), account.get(key) or "", lines=4 if key == "note" else 1) for key in EDITABLE}

    def save():
        changes = {
            key: (field.value or None) for key, field in fields.items() if field.value != (account.get(key) or "")
        }
        if edit(ctx.files, "account", account_id, changes) is not None:
            ctx.nav.saved()
            ctx.nav.toast(ctx.words("saved"))
        ctx.nav.back()

    content = Scroller(*fields.values(), PushButton(ctx.words("save"), save, "check"))
    return frame(ctx, account.get("name") or "", content, back=True)
