"""The rules of deals: opening, editing, their lines, deleting. Moving through the stages has `moving`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.auth.access import Scope
from server.auth.models import User
from server.contacts.models import ContactAccount
from server.fields import service as custom
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound, PreconditionFailed
from server.kit.settings import settings
from server.opportunities import pipelines, queries
from server.opportunities.lines import write_lines
from server.opportunities.models import ChoiceKind, Opportunity, Stage, StageChange, State
from server.opportunities.values import DEAL, DEAL_RULES, cleaned, wire
from server.records import queries as records
from server.records.currencies import in_minor_units
from server.records.editing import refuse_unknown
from server.records.merging import Clash, Current, Delta, Json, merge
from server.webhooks import service as webhooks

CENT = Decimal("0.01")


class ChangedMeanwhile(PreconditionFailed):
    """Two people changed the same field of a deal differently."""


class NextStepMissing(Invalid):
    """An open deal without a next step goes nowhere."""

    code: ClassVar[str] = "next_step_missing"


class CurrencyWithoutAmount(Invalid):
    """A currency that changes alone would change what the deal is worth."""

    code: ClassVar[str] = "currency_without_amount"


class AmountFollowsLines(Conflict):
    """The lines of a deal add up to its amount."""

    code: ClassVar[str] = "amount_follows_lines"


@dataclass(frozen=True)
class Outcome:
    """What came of an edit."""

    deal: Opportunity
    applied: frozenset[str]
    notes: tuple[Mapping[str, str], ...] = ()
    """Named things that the editor should know, such as a currency that changed."""


@dataclass(frozen=True)
class NewDeal:
    """What somebody knows of a new deal."""

    fields: Mapping[str, Any]
    """By the names in `values.DEAL`."""
    pipeline_id: UUID | None = None
    """Where it begins; None: the first one."""
    stage_id: UUID | None = None
    """In which stage; None: the first one."""
    lines: Sequence[Mapping[str, Any]] = field(default=())
    id: UUID | None = None


def create(session: Session, scope: Scope, new: NewDeal) -> Opportunity:
    """Open a deal. Refuses one without a next step, and accounts that the person does not sell to."""
    scope.need_changes("opportunity", (name for name, value in new.fields.items() if value is not None))
    values = {name: cleaned(DEAL, name, value) for name, value in new.fields.items()}
    for name in ("name", "account_id", "close_on"):
        if values.get(name) is None:
            raise Invalid(f"{DEAL[name].label}: is missing.", field=name)
    need_account(session, scope, values["account_id"])
    stage = (
        pipelines.find_stage(session, new.stage_id) if new.stage_id else pipelines.first_stage(session, new.pipeline_id)
    )
    if stage.is_won or stage.is_lost:
        raise Invalid("A new deal begins in an open stage.", field="stage_id")
    values["account_id"] = accounts.surviving(session, values["account_id"])
    accounts.hold(session, values["account_id"])
    values.setdefault("currency", settings().currency)
    values = in_minor_units(values, ("amount",))
    values.setdefault("owner_id", pipelines.known_user(scope))
    values["custom"] = custom.checked(session, "opportunity", values.get("custom") or {})
    values = {
        name: value for name, value in values.items() if value is not None or name not in ("competitors", "custom")
    }
    if scope.changes("opportunity", "next_step"):
        need_next_step(values)
    check(session, values, values["account_id"])
    now = clock.now()
    deal = Opportunity(**values, stage_id=stage.id, pipeline_id=stage.pipeline_id, stage_since=now)
    if new.id is not None:
        deal.id = new.id
    session.add(deal)
    session.flush()
    if new.lines:
        write_lines(session, deal, new.lines)
    session.add(step(deal, None, stage, scope, now))
    return written(session, deal)


def edit(session: Session, scope: Scope, deal_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Outcome:
    """Change fields of a deal that the editor saw at `base_rev`, merged field by field with what others changed.

    Where somebody else changed the same field, nothing is applied and both values come back.
    """
    deal = find(session, scope, deal_id)
    scope.need_changes("opportunity", changes)
    applied = merged(session, deal, base_rev, changes)
    notes = write(session, scope, deal, applied)
    return Outcome(written(session, deal), frozenset(applied), notes)


def merged(session: Session, deal: Opportunity, base_rev: int, changes: Mapping[str, Any]) -> dict[str, Any]:
    """What of an edit is to be written; refuses it when a field clashes."""
    if "custom" in changes:  # own fields that are left out stay
        changes = {**changes, "custom": {**deal.custom, **(changes["custom"] or {})}}
    wanted = {name: wire(name, cleaned(DEAL, name, value)) for name, value in changes.items()}
    current: dict[str, Json] = {name: wire(name, getattr(deal, name)) for name in DEAL}
    seen: Mapping[str, Json] = current
    refuse_unknown(deal.rev, base_rev)
    if base_rev < deal.rev:
        seen = records.values_at(session, "opportunity", deal.id, base_rev, wanted, current)
    deltas = {name: Delta(wire(name, seen[name]), value) for name, value in wanted.items()}
    outcome = merge(Current(current, deal.rev, deal.frev), base_rev, deltas, DEAL_RULES)
    if outcome.clashes:
        raise clashing(deal, outcome.clashes)
    stored = {name: cleaned(DEAL, name, value) for name, value in outcome.apply.items()}
    return in_minor_units(stored, ("amount",) if "amount" in stored else (), deal)


def clashing(deal: Opportunity, clashes: Sequence[Clash]) -> ChangedMeanwhile:
    """The refusal of an edit, with both values of every field."""
    both = [
        {"field": one.field, "kind": one.kind, "base": one.base, "yours": one.mine, "stored": one.server}
        for one in clashes
    ]
    return ChangedMeanwhile(
        f"Somebody else changed {', '.join(one.field for one in clashes)} of “{deal.name}” in between.",
        help="Compare both values, then change it again.",
        rev=deal.rev,
        conflicts=both,
    )


def write(
    session: Session, scope: Scope, deal: Opportunity, values: Mapping[str, Any]
) -> tuple[Mapping[str, str], ...]:
    """Write checked values; says what the editor should know. Refuses what would make the deal untrue."""
    if "account_id" in values:
        need_account(session, scope, values["account_id"])
    check(session, values, values.get("account_id", deal.account_id), {*deal.competitors, deal.source})
    has_lines = bool({"amount", "currency"} & values.keys()) and bool(queries.lines_of(session, [deal.id]))
    if has_lines:
        raise AmountFollowsLines(
            f"The lines of “{deal.name}” add up to its amount.", help="Change the lines, and the currency with them."
        )
    notes = currency_notes(deal, values)
    if "custom" in values:
        values = {**values, "custom": custom.checked(session, "opportunity", values["custom"])}
    after = {name: values.get(name, getattr(deal, name)) for name in ("next_step", "next_step_on")}
    if deal.state == State.OPEN and {"next_step", "next_step_on"} & values.keys():
        need_next_step(after)
    for name, value in values.items():
        setattr(deal, name, value)
    return notes


def currency_notes(deal: Opportunity, values: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    """What a changed currency did: old and new. Refuses one that changes without the amount."""
    new = values.get("currency", deal.currency)
    if new == deal.currency:
        return ()
    if "amount" not in values and deal.amount is not None:
        raise CurrencyWithoutAmount(
            f"{deal.amount} {deal.currency} would become {deal.amount} {new}.",
            help="Send the amount in the new currency along.",
            field="currency",
        )
    old = f"{deal.amount if deal.amount is not None else 0} {deal.currency}"
    now = f"{values.get('amount') if values.get('amount') is not None else 0} {new}"
    return ({"code": "currency_changed", "message": f"The amount was {old} and is {now} now.", "old": old, "new": now},)


def set_lines(
    session: Session,
    scope: Scope,
    deal_id: UUID,
    base_rev: int,
    lines: Sequence[Mapping[str, Any]],
    code: object = None,
) -> Outcome:
    """Write what a deal is about, in one currency; the amount is their sum, and the outcome says so when that replaces
    an amount that somebody typed. Refuses an older revision of the deal.
    """
    deal = find(session, scope, deal_id)
    scope.need_changes("opportunity", ("amount",))
    refuse_unknown(deal.rev, base_rev)
    if base_rev < deal.rev:
        raise ChangedMeanwhile(
            f"“{deal.name}” was changed after you read it.", help="Look at it again, then repeat.", rev=deal.rev
        )
    currency = cleaned(DEAL, "currency", code) if code else deal.currency
    by_hand = deal.amount is not None and not queries.lines_of(session, [deal_id])
    before = deal.amount or 0, deal.currency
    deal.currency = currency
    write_lines(session, deal, lines)
    old, new = (f"{amount} {unit}" for amount, unit in (before, (deal.amount or 0, currency)))
    said = "currency_changed" if currency != before[1] else "amount_changed" if by_hand and old != new else None
    note = {"code": said or "", "message": f"The amount was {old} and is {new} now.", "old": old, "new": new}
    return Outcome(written(session, deal), frozenset({"amount"}), (note,) if said else ())


def delete(session: Session, scope: Scope, deal_id: UUID, base_rev: int) -> Opportunity:
    """Take a deal away; it can be brought back. Refuses an older revision."""
    deal = find(session, scope, deal_id)
    refuse_unknown(deal.rev, base_rev)
    if base_rev < deal.rev:
        raise ChangedMeanwhile(
            f"“{deal.name}” was changed after you read it.", help="Look at it again, then repeat.", rev=deal.rev
        )
    deal.deleted_at = clock.now()
    return written(session, deal)


def restore(session: Session, scope: Scope, deal_id: UUID) -> Opportunity:
    """Bring a deleted deal back; one whose stage was removed meanwhile stands in another of its kind.

    Refuses when its number is taken by now.
    """
    deal = session.get(Opportunity, deal_id, with_for_update=True, populate_existing=True)
    may = deal is not None and (queries.may_sell_to(session, scope, deal.account_id) or deal.owner_id == scope.user_id)
    if deal is None or not may:
        raise NotFound("There is no such deal.", id=str(deal_id))
    if deal.deleted_at is not None:
        check_number(session, deal.number, deal.id)
        deal.deleted_at = None
        stage = session.get_one(Stage, deal.stage_id)
        if not pipelines.is_held(session, stage):
            now, target = clock.now(), pipelines.instead_of(session, stage)
            session.add(step(deal, stage, target, scope, now))
            deal.stage_id, deal.pipeline_id, deal.stage_since = target.id, target.pipeline_id, now
    return written(session, deal)


def find(session: Session, scope: Scope, deal_id: UUID, permission: str = "opportunities:write") -> Opportunity:
    """The deal, locked for a change, when the permission reaches it."""
    statement = queries.visible_to(scope, permission).where(Opportunity.id == deal_id)
    locked = statement.with_for_update(of=Opportunity).execution_options(populate_existing=True)
    deal = session.scalars(locked).one_or_none()
    if deal is None:
        raise NotFound("There is no such deal.", id=str(deal_id))
    return deal


def written(session: Session, deal: Opportunity) -> Opportunity:
    """The deal as it is stored now; other programs are told of it."""
    session.flush()
    session.refresh(deal)
    webhooks.announce(session, "opportunity", str(deal.id), str(deal.rev))
    return deal


def step(deal: Opportunity, before: Stage | None, after: Stage, scope: Scope, now: Any) -> StageChange:
    """One step of a deal's way."""
    days = Decimal((now - deal.stage_since).total_seconds() / 86_400).quantize(CENT) if before else None
    return StageChange(
        opportunity_id=deal.id,
        account_id=deal.account_id,
        from_stage_id=before.id if before else None,
        to_stage_id=after.id,
        at=now,
        by=pipelines.known_user(scope),
        amount=deal.amount,
        currency=deal.currency,
        days_in_stage=days,
    )


def need_account(session: Session, scope: Scope, account_id: UUID) -> None:
    """Refuse an account to which the person does not sell."""
    if not queries.may_sell_to(session, scope, account_id):
        raise NotFound("There is no such account.", field="account_id")


def need_next_step(values: Mapping[str, Any]) -> None:
    """Refuse an open deal without a next step and its day."""
    for name in ("next_step", "next_step_on"):
        if values.get(name) is None:
            raise NextStepMissing(
                f"{DEAL[name].label}: is missing.", help="Say what happens next, and by which day.", field=name
            )


LISTS = {"competitors": ChoiceKind.COMPETITOR, "source": ChoiceKind.SOURCE}


def check(session: Session, values: Mapping[str, Any], account_id: UUID, kept: Collection[str | None] = ()) -> None:
    """Refuse a site of another account, people and words that do not exist, and a number that is taken.

    Words that the deal has already are `kept`, on their list or not.
    """
    owner, site_id = values.get("owner_id"), values.get("site_id")
    if owner is not None and session.scalar(select(User.id).where(User.id == owner, User.deleted_at.is_(None))) is None:
        raise Invalid("Owner: there is no such person.", field="owner_id")
    if site_id is not None:
        site = session.get(Site, site_id)
        home = accounts.surviving(session, account_id)
        if site is None or site.deleted_at is not None or accounts.surviving(session, site.account_id) != home:
            raise Invalid("Site: it does not belong to the account.", field="site_id")
    check_contact(session, values.get("contact_id"), account_id)
    for name, kind in LISTS.items():
        given = values.get(name) or []
        words = [given] if isinstance(given, str) else given
        check_words(session, name, kind, [word for word in words if word not in kept])
    if "number" in values:
        check_number(session, values["number"], None)


def check_contact(session: Session, contact_id: UUID | None, account_id: UUID) -> None:
    """Refuse a contact who is not at the account."""
    if contact_id is None:
        return
    there = select(ContactAccount.id).where(
        ContactAccount.contact_id == contact_id,
        ContactAccount.account_id.in_(accounts.family(accounts.surviving(session, account_id))),
        ContactAccount.deleted_at.is_(None),
    )
    if session.scalar(there.limit(1)) is None:
        raise Invalid("Contact: nobody of that id is at the account.", field="contact_id")


def check_words(session: Session, name: str, kind: ChoiceKind, words: Sequence[str]) -> None:
    """Refuse words that are not on their list; a list without words takes any."""
    known = pipelines.choices(session, kind) if words else []
    unknown = [word for word in words if word not in known]
    if known and unknown:
        raise Invalid(
            f"{DEAL[name].label}: “{unknown[0]}” is not on the list.",
            help="One of: " + ", ".join(known) + ".",
            field=name,
        )


def check_number(session: Session, number: str | None, own_id: UUID | None) -> None:
    """Refuse a number that another deal has."""
    taken = select(Opportunity.name).where(
        Opportunity.number == number, Opportunity.deleted_at.is_(None), Opportunity.id.is_distinct_from(own_id)
    )
    if number is not None and (name := session.scalars(taken).first()) is not None:
        raise Conflict(f"“{name}” has the number {number} already.", help="Choose another number.", field="number")


def account_of(session: Session, deal: Opportunity) -> Account:
    """The account that stands for a deal's after all merges."""
    return session.get_one(Account, accounts.surviving(session, deal.account_id))
