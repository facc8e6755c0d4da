"""Changing an account and its people: what the rep may change, and only what was changed is sent."""

import re

from mobile.field import limits, reads, rights, taking
from mobile.field.capture import change_tags, edit
from mobile.screens.parts import frame, section
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Column, Scroller, Text
from mobile.widgets.controls import Notice, PushButton

TEXTS = ("name", "phone", "email", "website", "note")
PERSON = ("first_name", "last_name", "title", "phones", "mails")
MINUTES = re.compile(r"\d{1,3}")
TIMES = ("", "morning", "midday", "afternoon", "evening")


class AccountEdit(Scroller):
    """The fields of an account and the opening hours of its main site, those that are open to the rep."""

    def __init__(self, ctx, account_id, **kwargs):
        self.ctx, self.account_id = ctx, account_id
        words, outbox, site = ctx.words, ctx.files.outbox, reads.main_site(ctx.files, account_id)
        seen = {"account": _shown(ctx, "account", account_id, (*TEXTS, "tags", "preferred_time"))}
        if site is not None:
            seen["site"] = _shown(ctx, "site", site["id"], ("id", "opening_hours", "service_s"))
        self.typed = Typed(ctx, ("edit_account",), {"account_id": account_id}, seen["account"][1].get("name"), seen)
        self.seen, self.site_seen = self.typed.seen("account"), self.typed.seen("site")
        self.account = self.seen[1]
        may = lambda name: rights.may_change(outbox, "account", name)  # noqa: E731 a question
        self.fields = {
            key: self.typed.field(key, words(f"a_{key}" if key == "name" else key), self.account.get(key) or "",
                                  lines=4 if key == "note" else 1)
            for key in TEXTS if may(key)
        }  # fmt: skip
        self.tags = self.hours = self.lasts = self.times = None
        if may("tags"):
            self.tags = self.typed.field("tags", words("a_tags"), ", ".join(self.account.get("tags") or ()))
        if self.site_seen is not None and rights.may_change(outbox, "account"):
            shown, hint = self.site_seen[1].get("opening_hours") or "", "Mo-Fr 08:00-12:00,13:30-18:00"
            self.hours = self.typed.field("opening_hours", words("opening_hours"), shown, hint=hint)
            if "service_s" in self.site_seen[1]:
                minutes = str(round(self.site_seen[1]["service_s"] / 60))
                self.lasts = self.typed.field("lasts", words("visit_lasts"), minutes, input_type="number")
        if may("preferred_time") and "preferred_time" in self.account:
            options = [(one, words(f"pt_{one or 'any'}")) for one in TIMES]
            self.times = self.typed.chips("preferred_time", options, self.account.get("preferred_time") or "")
        self.warning = Column()
        times = section(words("preferred_time"), self.times) if self.times is not None else None
        save = PushButton(words("save"), self.save, "check")
        parts = (*self.fields.values(), self.tags, self.hours, self.lasts, times, self.warning, save)
        super().__init__(self.typed.told(), *parts, **kwargs)

    def save(self):
        """One op for the fields, others for tags and for the site."""
        self.warning.clear_widgets()
        if "name" in self.fields and not self.fields["name"].value:
            self.warning.add_widget(Notice(self.ctx.words("account_missing"), "warn"))
            return
        if self.lasts is not None and not MINUTES.fullmatch(self.lasts.value):
            self.warning.add_widget(Notice(self.ctx.words("lasts_unfit", text=self.lasts.value), "warn"))
            return
        before = self.ctx.files.outbox.max_n()
        self.typed.save(self._keep)
        is_new = self.ctx.files.outbox.max_n() != before
        self.ctx.index = None if is_new else self.ctx.index
        self.ctx.nav.back()
        if is_new:
            self.ctx.nav.saved()
            self.ctx.nav.toast(self.ctx.words("saved"))

    def _keep(self):
        files, changes = self.ctx.files, {}
        for key, field in self.fields.items():
            if field.value != (self.account.get(key) or ""):
                changes[key] = field.value or None
        if self.times is not None and self.times.chosen != (self.account.get("preferred_time") or ""):
            changes["preferred_time"] = self.times.chosen or None
        fields = lambda: edit(files, "account", self.account_id, changes, self.seen)  # noqa: E731 one of three
        limits.all_or_none(fields, self._keep_tags, self._keep_hours)

    def _keep_tags(self):
        if self.tags is not None:
            had, has = (
                self.account.get("tags") or [],
                [one for tag in self.tags.value.split(",") if (one := tag.strip())],
            )
            added, taken = [one for one in has if one not in had], [one for one in had if one not in has]
            change_tags(self.ctx.files, self.account_id, add=added, remove=taken)

    def _keep_hours(self):
        if self.hours is not None:
            self._keep_site(self.site_seen[1])

    def _keep_site(self, site):
        changes = {}
        if self.hours.value != (site.get("opening_hours") or ""):
            changes["opening_hours"] = self.hours.value or None
        if self.lasts is not None and int(self.lasts.value) != round(site["service_s"] / 60):
            changes["service_s"] = int(self.lasts.value) * 60
        edit(self.ctx.files, "site", site["id"], changes, self.site_seen)


def _shown(ctx, e, row_id, names):
    """Revision and some fields of a record as they are shown now."""
    rev, doc = ctx.files.cache.shown(e, row_id)
    return [rev, {name: doc[name] for name in names if name in doc}]


def build(ctx, account_id):
    content = AccountEdit(ctx, account_id)
    return frame(ctx, content.account.get("name") or "", content, back=True)


class PersonForm(Scroller):
    """Somebody at an account, new or known."""

    def __init__(self, ctx, account_id, contact_id=None, **kwargs):
        self.ctx, self.account_id, self.contact_id = ctx, account_id, contact_id
        words, outbox = ctx.words, ctx.files.outbox
        seen = {"contact": _shown(ctx, "contact", contact_id, PERSON)} if contact_id else {}
        arguments = {"account_id": account_id, "contact_id": contact_id}
        self.typed = Typed(ctx, ("person",), arguments, self._called(seen), seen)
        self.seen = self.typed.seen("contact") or (0, {})
        held = self.seen[1]
        first = lambda key: next((one["value"] for one in held.get(key) or ()), "")  # noqa: E731 a look
        asked = {key: (words(f"c_{key}"), held.get(key) or "") for key in ("first_name", "last_name", "title")}
        for key, name in (("phones", "phone"), ("mails", "email")):
            if rights.may_change(outbox, "contact", key):
                asked[key] = (words(name), first(key))
        self.fields = {key: self.typed.field(key, *one) for key, one in asked.items()}
        self.warning = Column()
        help_ = Text(words("person_help"), 14, ink="quiet") if not contact_id else None
        save = PushButton(words("save"), self.save, "check")
        super().__init__(help_, self.typed.told(), *self.fields.values(), self.warning, save, **kwargs)

    def _called(self, seen):
        """The person, or whose person it will be."""
        _, held = seen.get("contact", (0, self.ctx.files.cache.doc("account", self.account_id) or {}))
        return " ".join(str(held[key]) for key in ("first_name", "last_name", "name") if held.get(key))

    def save(self):
        """A name is needed, the rest is not."""
        values = {key: field.value for key, field in self.fields.items()}
        phone, mail = values.pop("phones", ""), values.pop("mails", "")
        self.warning.clear_widgets()
        if not values["first_name"] and not values["last_name"]:
            self.warning.add_widget(Notice(self.ctx.words("person_missing"), "warn"))
            return
        files, contact_id = self.ctx.files, self.contact_id
        if contact_id is None:
            keep = lambda: taking.new_contact(files, self.account_id, phone=phone, mail=mail, **values)  # noqa: E731
        else:
            keep = lambda: taking.change_contact(files, contact_id, values, phone, mail, self.seen)  # noqa: E731
        made = self.typed.save(keep)
        self.ctx.nav.back()
        if made is not None:
            self.ctx.nav.saved()
            self.ctx.nav.toast(self.ctx.words("saved"))


def build_person(ctx, account_id, contact_id=None):
    title = ctx.words("edit_person" if contact_id else "add_person")
    return frame(ctx, title, PersonForm(ctx, account_id, contact_id), back=True)
