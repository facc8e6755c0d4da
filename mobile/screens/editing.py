"""Changing an account and its people: what the rep may change, and only what was changed is sent."""

import re

from mobile.field import limits, own, reads, rights, taking
from mobile.field.capture import change_tags, edit
from mobile.screens import site
from mobile.screens.parts import foot_of, frame, section
from mobile.screens.questions import OwnFields
from mobile.screens.site import SiteFields, shown
from mobile.screens.trouble import lead_to, mark
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Column, Scroller, Text
from mobile.widgets.controls import Notice, PushButton

TEXTS = ("name", "phone", "email", "website", "note")
PERSON = ("first_name", "last_name", "title", "phones", "mails", "custom")
CHOICES = {
    "status": {"prospect": "st_prospect", "customer": "st_customer", "former": "st_former"},
    "account_class": {"": "no_class", "A": "", "B": "", "C": ""},
    "preferred_time": {one: f"pt_{one or 'any'}" for one in ("", "morning", "midday", "afternoon", "evening")},
}
"""What can be chosen, and how each is called; by itself where that is its name."""
HEADINGS = {"account_class": "class"}
SINCE = ("status", "account_class", "interval_days")
"""What only newer servers take."""
INTERVAL = re.compile(r"[1-9]\d{0,2}|[1-2]\d{3}|3[0-5]\d{2}|36[0-4]\d|3650|")
"""A number of days from 1 to 3650, or nothing."""
SHOWN = (*TEXTS, *CHOICES, "tags", "interval_days", "custom")


class AccountEdit(Scroller):
    """The fields of an account and of its main site, those that are open to the rep."""

    def __init__(self, ctx, account_id, **kwargs):
        self.ctx, self.account_id = ctx, account_id
        words, sites = ctx.words, reads.sites_of(ctx.files, account_id)
        seen = {"account": shown(ctx, "account", account_id, SHOWN)}
        if sites:
            seen["site"] = shown(ctx, "site", sites[0]["id"], site.SHOWN)
        self.typed = Typed(ctx, ("edit_account",), {"account_id": account_id}, seen["account"][1].get("name"), seen)
        self.seen = self.typed.seen("account")
        self.account = self.seen[1]
        self.fields = {
            key: self.typed.field(key, words(f"a_{key}" if key == "name" else key), self.account.get(key) or "",
                                  lines=4 if key == "note" else 1)
            for key in TEXTS if rights.may_change(ctx.files.outbox, "account", key)
        }  # fmt: skip
        self.tags = self.interval = self.own = self.site = None
        if rights.may_change(ctx.files.outbox, "account", "tags"):
            self.tags = self.typed.field("tags", words("a_tags"), ", ".join(self.account.get("tags") or ()))
        self.chips = {key: self._chips(key, options) for key, options in CHOICES.items() if self._may(key)}
        if self._may("interval_days"):
            days = str(self.account["interval_days"] or "")
            self.interval = self.typed.field("interval_days", words("interval_own"), days, input_type="number")
        if self._may("custom"):
            self.own = OwnFields(ctx, self.typed, "own", "account", self.account["custom"] or {})
        if self.typed.seen("site") is not None and rights.may_change(ctx.files.outbox, "account"):
            self.site = SiteFields(ctx, self.typed, is_one_of_several=len(sites) > 1)
        self.warning = Column()
        chosen = (section(words(HEADINGS.get(key, key)), chips) for key, chips in self.chips.items())
        self.foot = foot_of(self.warning, PushButton(words("save"), self.save, "check"))
        parts = (*self.fields.values(), self.tags, self.site, *chosen, self.interval, self.own)
        super().__init__(self.typed.told(), self.typed.left_over(), *parts, **kwargs)

    def _may(self, key):
        """Whether a field is here, open to the rep, and one that the server takes."""
        is_taken = key not in (*SINCE, "custom") or rights.takes_all(self.ctx.files)
        return is_taken and key in self.account and rights.may_change(self.ctx.files.outbox, "account", key)

    def _chips(self, key, options):
        told = [(value, self.ctx.words(word) if word else value) for value, word in options.items()]
        return self.typed.chips(key, told, self.account[key] or "")

    def save(self):
        """One op for the fields, others for tags, for the company's own fields and for the site."""
        site.save(self, self._lacks(), self._keep)

    def _lacks(self):
        """What is not written as it has to be, in words, and the name of its field; None where nothing is."""
        if "name" in self.fields and not self.fields["name"].value:
            return self.ctx.words("account_missing"), "name"
        if self.interval is not None and not INTERVAL.fullmatch(self.interval.value):
            return self.ctx.words("interval_unfit", text=self.interval.value), "interval_days"
        return self.site.lacks() if self.site is not None else None

    def _keep(self):
        limits.all_or_none(self._keep_fields, self._keep_tags, self._keep_own, self._keep_site)

    def _keep_fields(self):
        given = {key: field.value for key, field in self.fields.items()}
        given |= {key: chips.chosen for key, chips in self.chips.items()}
        changes = {key: value or None for key, value in given.items() if value != (self.account.get(key) or "")}
        if self.interval is not None:
            changes["interval_days"] = int(self.interval.value) if self.interval.value else None
        edit(self.ctx.files, "account", self.account_id, changes, self.seen)

    def _keep_tags(self):
        if self.tags is not None:
            had, has = (
                self.account.get("tags") or [],
                [one for tag in self.tags.value.split(",") if (one := tag.strip())],
            )
            added, taken = [one for one in has if one not in had], [one for one in had if one not in has]
            change_tags(self.ctx.files, self.account_id, add=added, remove=taken)

    def _keep_own(self):
        if self.own is not None:
            own.change(self.ctx.files, "account", self.account_id, self.own.changes(), self.seen)

    def _keep_site(self):
        if self.site is not None:
            self.site.keep()


def build(ctx, account_id, site_id=None, at=None):
    """The form of an account with its main site; or of another site. It begins at a field, where one is named."""
    if site_id is not None:
        return site.build(ctx, account_id, site_id, at)
    content = AccountEdit(ctx, account_id)
    lead_to(content, at)
    return frame(ctx, content.account.get("name") or "", content, back=True, foot=content.foot)


class PersonForm(Scroller):
    """Somebody at an account, new or known."""

    def __init__(self, ctx, account_id, contact_id=None, **kwargs):
        self.ctx, self.account_id, self.contact_id = ctx, account_id, contact_id
        words, outbox = ctx.words, ctx.files.outbox
        seen = {"contact": shown(ctx, "contact", contact_id, PERSON)} if contact_id else {}
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
        self.own, self.warning = None, Column()
        if "custom" in held and rights.takes_all(ctx.files):
            self.own = OwnFields(ctx, self.typed, "own", "contact", held["custom"] or {})
        help_ = Text(words("person_help"), 14, ink="quiet") if not contact_id else None
        self.foot = foot_of(self.warning, PushButton(words("save"), self.save, "check"))
        told = (
            site.whose(ctx, account_id),
            help_,
            self.typed.told(),
            self.typed.met("contact"),
            self.typed.left_over(),
        )
        super().__init__(*told, *self.fields.values(), self.own, **kwargs)

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
            self.show_soon(mark(self, ["first_name", "last_name"]))
            return
        mark(self, ())
        files, contact_id = self.ctx.files, self.contact_id
        if contact_id is None:
            keep = lambda: taking.new_contact(files, self.account_id, phone=phone, mail=mail, **values)  # noqa: E731
        else:
            keep = lambda: self._keep(values, phone, mail)  # noqa: E731 one of two
        made = self.typed.save(keep)
        self.ctx.nav.back()
        if made is not None:
            self.ctx.nav.saved()
            self.ctx.nav.toast(self.ctx.words("saved"))

    def _keep(self, values, phone, mail):
        """What was changed of a known person; None where nothing was."""
        files, person, made = self.ctx.files, self.contact_id, []
        limits.all_or_none(
            lambda: made.append(taking.change_contact(files, person, values, phone, mail, self.seen)),
            lambda: made.extend(
                own.change(files, "contact", person, self.own.changes(), self.seen) if self.own else ()
            ),
        )
        return next((one for one in made if one is not None), None)


def build_person(ctx, account_id, contact_id=None, at=None):
    title = ctx.words("edit_person" if contact_id else "add_person")
    content = PersonForm(ctx, account_id, contact_id)
    lead_to(content, at)
    return frame(ctx, title, content, back=True, foot=content.foot)
