"""How values of fields are told: in entries, in questions and in what was typed, as the forms call them."""

import json

from mobile import reasons
from mobile.field import drafts, forms, hours, own, reads
from mobile.field.store.overlay import CUSTOM
from mobile.widgets.base import Text
from mobile.widgets.controls import PushButton

HOLDING = ("decided_before", "changed_meanwhile")
"""Codes of reasons that tell what a field of the entry's record holds."""
STARTS = {"status": "st_", "preferred_time": "pt_"}
"""What the names of texts begin with."""
EMPTY = {"preferred_time": "pt_any", "account_class": "no_class"}
"""What is said where nothing is chosen."""


def heading(ctx, e, name):
    """What a field is called at the beginning of a line; one of the company's own as it is called there."""
    if name == "service_s":
        return ctx.words("visit_length")
    if not name.startswith(CUSTOM):
        return reasons.heading(ctx.words, name)
    field = own.named(ctx.files, e, name)
    return ctx.words("gone_field") if field is None else ctx.words.own(field["label"])


def told(ctx, e, name, value):
    """A value of a record's field in words, whatever it is; "–" for nothing."""
    words, text = ctx.words, f"{STARTS.get(name, '')}{value}"
    if value in own.NOTHING:
        return words(EMPTY[name]) if name in EMPTY else "–"
    if name.startswith(CUSTOM):
        field = own.named(ctx.files, e, name)
        several = value if isinstance(value, list) and own.is_gone(field, value) else [value]
        return ", ".join(_own(words, field, one) for one in several)
    if name in STARTS and words.has(text):
        return words(text)
    if name == "state":
        return next((words(key) for key in (f"s_{value}", f"ts_{value}") if words.has(key)), str(value))
    if name == "outcome":
        return str(dict(ctx.outcomes()).get(value, value))
    if name == "service_s" and isinstance(value, int):
        return words.duration(value)
    if name == "opening_hours":
        return hours.told(str(value), words.language)
    if name == "interval_days":
        return words.count("days", "day_1", int(value)) if str(value).isdecimal() else str(value)
    if name in ("due_on", "wanted_on"):
        return words.day_text(value)
    if name in ("starts_at", "ends_at") and (at := reads.instant(value)) is not None:
        return f"{words.day(at.astimezone(ctx.zone).date())} {words.time(at, ctx.zone)}"
    if isinstance(value, list):  # phones and mails are rows of their own
        return ", ".join(str(one.get("value", one) if isinstance(one, dict) else one) for one in value)
    return own.in_words(words, None, value)


def _own(words, field, value):
    said = own.in_words(words, field, value)
    return words("gone_choice", value=said) if own.is_gone(field, value) else said


def can_take(ctx, question):
    """Whether the rep's value of a question may still stand: no choice in it has been taken away since."""
    name = question.conflict["field"]
    return not own.is_gone(own.named(ctx.files, question.op.e, name), question.conflict["mine"])


def answer(ctx, key, value, body):
    """An answer in a visit's draft, as it was told when it was given; one of which that is not kept, as the form of the
    draft's kind tells it now."""
    then, words = forms.told_then(body.get(drafts.ANSWERS_SAID, {}), key, value), ctx.words
    if then is not None:
        return then
    kind = ctx.files.cache.doc("visit_type", body.get("kind") or "") or {}
    asked = next((one for one in kind.get("questions") or () if one["key"] == key), None)
    label = words("gone_question") if asked is None else words.own(asked["label"])
    told = own.in_words(words, asked, value)
    return forms.Told(value, label, told, body.get("kind"), words.own(kind.get("name") or ""))


def clash(ctx, question):
    """Why an edit met somebody else's, and what is stored since."""
    conflict, stored, _ = _in_words(ctx, question)
    return reasons.clash(ctx.words, conflict, stored, has_moved=question.has_moved)


def wrote(ctx, question):
    """Who wrote the office's value and when; empty where that is not known, or is another value by now."""
    one = question.conflict
    if (one.get("kind"), one.get("policy")) != ("concurrent", "keep_server") or question.has_moved or not one.get("by"):
        return ""
    return ctx.words("office_wrote", who=one["by"], when=ctx.words.moment(reads.instant(one["at"]), ctx.zone))


def both(ctx, e, name, mine, stored, take_theirs):
    """The rep's value of a field beside the one that somebody else wrote, and the tap that takes that one."""
    called, told_as = heading(ctx, e, name), lambda value: reasons.brief(told(ctx, e, name, value))
    yield Text(ctx.words("why_conflict", field=called, mine=told_as(mine), server=told_as(stored)), 16)
    yield PushButton(f"{ctx.words('keep_theirs')}: {called}", take_theirs, kind="quiet")


def decided(ctx, question):
    """Who decided about a field that two changed, and how."""
    conflict, _, decision = _in_words(ctx, question)
    return reasons.decided(ctx.words, conflict, decision)


def _in_words(ctx, question):
    e, conflict, decision = question.op.e, question.conflict, question.decided
    name = conflict["field"]
    said = lambda value: told(ctx, e, name, value)  # noqa: E731 a look
    conflict = conflict | {"called": heading(ctx, e, name), "mine": said(conflict["mine"])}
    conflict["server"] = said(conflict["server"])
    if decision and not (decision["value"] is None and conflict.get("kind") == "out_of_scope"):  # not to be seen
        decision = decision | {"value": said(decision["value"])}
    return conflict, said(question.stored), decision


def refusal(ctx, op, error):
    """Why the server refused an entry; fields of the company's own as they are called there, and what a field holds in
    the words of this phone."""
    told_as = error | {"reasons": [_telling(ctx, op.e, one) for one in error.get("reasons") or ()]}
    called = lambda name: heading(ctx, op.e, name) if name.startswith(CUSTOM) else None  # noqa: E731 a look
    return reasons.reason(ctx.words, told_as, called)


def _telling(ctx, e, reason):
    if not isinstance(reason, dict) or reason.get("code") not in HOLDING:
        return reason
    values = reason["values"]
    name, value = values.get("name", values["field"]), values["value"]
    if "json" in values:
        value = json.loads(values["json"])
    return reason | {"values": values | {"field": name, "value": reasons.brief(told(ctx, e, name, value))}}
