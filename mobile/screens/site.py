"""Changing a site: its address, when it is open, how long a visit takes, and what the company asks of sites."""

import re

from mobile.field import hours, limits, own, pins, rights
from mobile.field.capture import edit
from mobile.screens.parts import foot_of, frame, section
from mobile.screens.questions import OwnFields
from mobile.screens.trouble import lead_to, mark
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Column, Scroller, Text
from mobile.widgets.controls import Notice, PushButton

ADDRESS = ("street", "postcode", "city", "country")
SHOWN = ("id", "name", *ADDRESS, "opening_hours", "service_s", "custom")
MINUTES = re.compile(r"0{0,2}[1-9]\d{0,2}")


def shown(ctx, e, row_id, names):
    """Revision and some fields of a record as they are shown now."""
    rev, doc = ctx.files.cache.shown(e, row_id)
    return [rev, {name: doc[name] for name in names if name in doc}]


def whose(ctx, account_id):
    """The name of the account that a form is about, where that is not its title."""
    return Text((ctx.files.cache.doc("account", account_id) or {}).get("name") or "", 20, True)


class SiteFields(Column):
    """The fields of a site that are open to the rep, as the form saw it first; its name where there are several."""

    def __init__(self, ctx, typed, *, is_one_of_several=False, **kwargs):
        super().__init__(spacing=12, **kwargs)
        self.ctx, self.seen = ctx, typed.seen("site")
        site, words, self.texts, self.lasts, self.own = self.seen[1], ctx.words, {}, None, None
        if takes_all := rights.takes_all(ctx.files):
            names = [name for name in ADDRESS if name in site]
            self.texts = {name: typed.field(name, words(f"a_{name}"), site[name] or "") for name in names}
            help_ = Text(words("address_help"), 14, ink="quiet")
            self.add_widget(section(words("address"), *self.texts.values(), help_))
            if is_one_of_several and "name" in site:
                self.texts["name"] = typed.field("site_name", words("a_site_name"), site["name"] or "")
                self.add_widget(self.texts["name"])
        opens, hint = site.get("opening_hours") or "", "Mo-Fr 08:00-12:00,13:30-18:00"
        self.texts["opening_hours"] = typed.field("opening_hours", words("opening_hours"), opens, hint=hint)
        self.add_widget(self.texts["opening_hours"])
        if "service_s" in site:
            self.minutes = str(round(site["service_s"] / 60))
            self.lasts = typed.field("lasts", words("visit_lasts"), self.minutes, input_type="number")
            self.add_widget(self.lasts)
        if takes_all and "custom" in site:
            self.own = OwnFields(ctx, typed, "own_site", "site", site["custom"] or {})
            self.add_widget(self.own)

    def lacks(self):
        """What is not written as it has to be, in words, and the name of its field; None where nothing is."""
        if self.lasts and self.lasts.value != self.minutes and not MINUTES.fullmatch(self.lasts.value):
            return self.ctx.words("lasts_unfit", text=self.lasts.value), "lasts"
        return (self.ctx.words("address_missing"), "street") if self._is_nowhere() else None

    def _is_nowhere(self):
        """Whether nothing is left to find the site by; where people have set the pin, its address may go."""
        site, names = self.seen[1], [name for name in ADDRESS if name != "country" and name in self.texts]
        had, has = any(site[name] for name in names), any(self.texts[name].value for name in names)
        return had and not has and not pins.is_by_people(self.ctx.files.cache.doc("site", site["id"]) or {})

    def keep(self):
        """One entry for the site's own fields, and one for the company's; together where anything does not fit."""
        limits.all_or_none(self._keep, self._keep_own)

    def _keep(self):
        site = self.seen[1]
        written = {name: field.value for name, field in self.texts.items()}
        written["opening_hours"] = hours.in_syntax(written["opening_hours"])
        changes = {name: value or None for name, value in written.items() if value != (site.get(name) or "")}
        if self.lasts is not None and int(self.lasts.value) != round(site["service_s"] / 60):
            changes["service_s"] = int(self.lasts.value) * 60
        edit(self.ctx.files, "site", site["id"], changes, self.seen)

    def _keep_own(self):
        if self.own is not None:
            own.change(self.ctx.files, "site", self.seen[1]["id"], self.own.changes(), self.seen)


class SiteEdit(Scroller):
    """One of several sites of an account."""

    def __init__(self, ctx, account_id, site_id, **kwargs):
        self.ctx, called = ctx, (ctx.files.cache.doc("account", account_id) or {}).get("name")
        arguments = {"account_id": account_id, "site_id": site_id}
        self.typed = Typed(ctx, ("edit_account",), arguments, called, {"site": shown(ctx, "site", site_id, SHOWN)})
        self.fields, self.warning = SiteFields(ctx, self.typed, is_one_of_several=True), Column()
        self.foot = foot_of(self.warning, PushButton(ctx.words("save"), self.save, "check"))
        told = (whose(ctx, account_id), self.typed.told(), self.typed.left_over())
        super().__init__(*told, self.fields, **kwargs)

    def save(self):
        """What was changed, if it is written as it has to be."""
        save(self, self.fields.lacks(), self.fields.keep)


def save(form, lacks, keep):
    """Save what a form changes, and go back; or say what is not written as it has to be."""
    ctx, outbox = form.ctx, form.ctx.files.outbox
    form.warning.clear_widgets()
    if lacks:
        said, name = lacks
        form.warning.add_widget(Notice(said, "warn"))
        form.show_soon(mark(form, [name]))
        return
    mark(form, ())
    before = outbox.max_n()
    form.typed.save(keep)
    is_new = outbox.max_n() != before
    ctx.index = None if is_new else ctx.index
    ctx.nav.back()
    if is_new:
        ctx.nav.saved()
        ctx.nav.toast(ctx.words("saved"))


def build(ctx, account_id, site_id, at=None):
    content = SiteEdit(ctx, account_id, site_id)
    lead_to(content, at)
    title = content.fields.seen[1].get("name") or ctx.words("edit_address")
    return frame(ctx, title, content, back=True, foot=content.foot)
