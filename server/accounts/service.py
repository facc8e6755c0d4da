"""The rules of accounts: creating, editing, deleting, visits noted. Sites have `accounts.places`."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from server.accounts import editing, following, pins, places, queries, tree
from server.accounts.duplicates import search as duplicates
from server.accounts.editing import Outcome
from server.accounts.models import Account, AccountRep, Site
from server.accounts.pins import realign
from server.accounts.places import edit_site, patch_site, place_by_hand
from server.accounts.values import ACCOUNT, AMOUNTS, cleaned, country_code, phone_e164
from server.auth.access import Scope
from server.auth.models import User
from server.fields import service as custom
from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound
from server.kit.settings import settings
from server.records.currencies import in_minor_units
from server.records.editing import CUSTOM
from server.records.merging import Delta
from server.records.service import Actor
from server.territories.models import Territory
from server.webhooks import service as webhooks

__all__ = [
    "assign",
    "change_tags",
    "create",
    "delete",
    "edit",
    "edit_site",
    "find",
    "note_visits",
    "patch",
    "patch_site",
    "place_by_hand",
    "realign",
    "restore",
]


class NumberTaken(Conflict):
    """Two accounts cannot share a number."""

    code = "number_taken"


class LooksLikeDuplicate(Conflict):
    """A new account resembles one that is there."""

    code = "looks_like_duplicate"


@dataclass(frozen=True)
class NewAccount:
    """What somebody knows of a new account."""

    fields: Mapping[str, Any]
    """By the names in `values.ACCOUNT`."""
    sites: Sequence[Mapping[str, Any]] = ()
    """Each by the names in `values.SITE`, with `lon` and `lat` for a pin set by hand. The first is the main one."""
    id: UUID | None = None
    """Made by a phone, else made here."""
    rep_ids: Sequence[UUID] = field(default=())
    """Reps to whom the account is assigned by hand."""


def create(session: Session, scope: Scope, new: NewAccount, *, force: bool = False) -> Account:
    """Take a new account in, place its sites in the background.

    Refuses a number that is taken and, unless forced, an account that looks like one that is there already.
    """
    scope.need_changes("account", (name for name, value in new.fields.items() if value is not None))
    own = {name: value for name, value in new.fields.items() if name.startswith(CUSTOM)}
    values = {name: cleaned(ACCOUNT, name, value) for name, value in new.fields.items() if name not in own}
    if "name" not in values:
        raise Invalid("Name: is missing.", help="Every account needs a name.", field="name")
    values.setdefault("currency", settings().currency)
    values = in_minor_units(values, AMOUNTS)
    values = {name: value for name, value in values.items() if value is not None or name != "status"}
    values["custom"] = custom.checked(session, "account", {name.removeprefix(CUSTOM): own[name] for name in own})
    if not scope.may("accounts:assign"):
        values.setdefault("owner_id", scope.user_id)
    check_references(session, values)
    check_number(session, values.get("number"), None)
    sites = [places.new_site(session, dict(site)) for site in new.sites]
    account = Account(**values)
    if new.id is not None:
        account.id = new.id
    account.phone_e164 = phone_e164(account.phone, region_of(session, sites))
    if not force:
        refuse_duplicates(session, scope, account, sites[0] if sites else None)
    session.add(account)
    session.flush()
    tree.check_parent(session, scope, account.id, account.parent_id)
    places.add_sites(session, account, sites)
    set_reps(session, account, new.rep_ids)
    if session.scalar(queries.visible_to(scope, "accounts:write").where(Account.id == account.id)) is None:
        raise Forbidden(
            "The new account would lie outside your area.", help="Leave the owner to yourself, or ask your manager."
        )
    tell_programs(session, account)
    return account


def refuse_duplicates(session: Session, scope: Scope, account: Account, site: Site | None) -> None:
    """Refuse an account that looks like one that is there; names the candidates that the person may see."""
    found = [one for one in duplicates.candidates(session, account, site) if one.score >= duplicates.REFUSED]
    if not found:
        return
    seen = queries.seen_of(session, scope, [one.account_id for one in found])
    shown = [one for one in found if one.account_id in seen]
    names = ", ".join(f"“{one.name}”" + (f" ({one.city})" if one.city else "") for one in shown[:3])
    raise LooksLikeDuplicate(
        f"“{account.name}” looks like {names or 'an account of somebody else'}.",
        help="Open that account, or send force=true to create another one.",
        candidates=[one.problem() for one in shown],
        hidden=len(found) - len(shown),
    )


def edit(session: Session, scope: Scope, account_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Outcome:
    """Change fields of an account that the editor saw at `base_rev`.

    An older revision is merged field by field; where somebody else changed the same field, nothing is applied and both
    values come back.
    """
    account = find(session, scope, account_id, "accounts:write")
    scope.need_changes("account", changes)
    editor = editing.editor(session, account)
    merge = editor.merged(account, base_rev, editor.deltas_since(session, account, base_rev, changes))
    if merge.clashes:
        raise editing.changed_meanwhile(account.name, account.rev, merge.clashes)
    write(session, scope, account, editor.written(account, merge.apply))
    return Outcome(account.rev, frozenset(merge.apply), merge.same)


def patch(
    session: Session,
    scope: Scope,
    account_id: UUID,
    base_rev: int,
    deltas: Mapping[str, Delta],
    actor: Actor,
    own: Collection[str] = (),
) -> Outcome:
    """Merge an edit that was made without a network: what cannot be applied is stored as a conflict, never dropped.
    What stands in the fields in `own` is the same editor's.

    Refuses unknown accounts, fields and values; an account that has left the editor's reach, or was deleted, gets
    conflicts instead.
    """
    account = session.get(Account, account_id, with_for_update=True, populate_existing=True)
    if account is None:
        raise NotFound("There is no such account.", id=str(account_id))
    scope.need_changes("account", deltas)
    reach = select(Account.id).where(Account.id == account_id, queries.within_reach(scope, "accounts:write"))
    editor = editing.editor(session, account)
    merge = editor.merged(account, base_rev, deltas, in_scope=session.scalar(reach) is not None, own=own)
    if merge.apply:
        write(session, scope, account, editor.written(account, merge.apply))
    conflicts = editing.kept(session, account, merge, actor)
    return Outcome(account.rev, frozenset(merge.apply), merge.same, merge.clashes, conflicts)


FOR_MANAGERS = frozenset({"owner_id", "territory_id", "territory_is_fixed"})
"""Fields that decide who works an account."""


def write(session: Session, scope: Scope, account: Account, values: dict[str, Any]) -> None:
    """Write checked values. Refuses references to nothing, a number that is taken, giving away what is not yours."""
    if not values:
        return
    handed_over = sorted(FOR_MANAGERS & values.keys())
    if handed_over and not scope.may("accounts:assign"):
        raise Forbidden("Only managers hand accounts over.", help="Ask your manager.", field=handed_over[0])
    if values.get("status", "") is None:
        raise Invalid("Status: is missing.", field="status")
    check_references(session, values)
    if "number" in values:
        check_number(session, values["number"], account.id)
    if "parent_id" in values:
        tree.check_parent(session, scope, account.id, values["parent_id"])
    for name, value in values.items():
        setattr(account, name, value)
    if "phone" in values:
        account.phone_e164 = phone_e164(account.phone, region_of(session, queries.sites_of(session, [account.id])))
    session.flush()
    if "territory_id" in values or "territory_is_fixed" in values:
        pins.follow_main_site(session, [account.id])
    following.tell_of_edit(session, scope, account, values)
    tell_programs(session, account)


def change_tags(
    session: Session, scope: Scope, account_id: UUID, *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> Account:
    """Add and remove tags; this never conflicts with other people's tags."""
    account = find(session, scope, account_id, "accounts:write")
    gone = {tag.casefold() for tag in cleaned(ACCOUNT, "tags", remove)}
    account.tags = cleaned(ACCOUNT, "tags", [tag for tag in account.tags if tag.casefold() not in gone] + list(add))
    session.flush()
    tell_programs(session, account)
    return account


def delete(session: Session, scope: Scope, account_id: UUID, base_rev: int) -> Account:
    """Take an account away with its sites; the rows stay and can be restored. Refuses an older revision."""
    account = find(session, scope, account_id, "accounts:delete")
    editing.require_revision(account.name, account.id, account.rev, base_rev)
    now = clock.now()
    account.deleted_at = now
    session.flush()
    session.execute(update(Site).where(Site.account_id == account_id, Site.deleted_at.is_(None)).values(deleted_at=now))
    tell_programs(session, account)
    return account


def restore(session: Session, scope: Scope, account_id: UUID) -> Account:
    """Bring a deleted account back with the sites that went with it. Refuses when its number is taken by now."""
    statement = select(Account).where(Account.id == account_id, queries.within_reach(scope, "accounts:delete"))
    account = session.scalars(statement.with_for_update()).one_or_none()
    if account is None:
        raise NotFound("There is no such account.", id=str(account_id))
    if account.deleted_at is None:
        return account
    check_number(session, account.number, account.id)
    session.execute(
        update(Site).where(Site.account_id == account_id, Site.deleted_at == account.deleted_at).values(deleted_at=None)
    )
    account.deleted_at = None
    session.flush()
    pins.align_accounts(session, [account_id])
    tell_programs(session, account)
    return account


def tell_programs(session: Session, account: Account) -> None:
    """Tell other programs that an account is new or has changed."""
    session.refresh(account)
    webhooks.announce(session, "account", str(account.id), str(account.rev))


def note_visits(session: Session, visits: Iterable[tuple[UUID, UUID, date]]) -> None:
    """Remember the latest day on which accounts, and what they were merged into, were visited; never an earlier one.

    Each visit comes with its account, the one that stands for it, and its day.
    """
    latest: dict[UUID, date] = {}
    for account_id, survivor_id, day in visits:
        for own in (account_id, survivor_id):
            latest[own] = max(day, latest.get(own, day))
    for day in sorted(set(latest.values())):
        own_ids = [account_id for account_id in latest if latest[account_id] == day]
        session.execute(
            update(Account)
            .where(Account.id.in_(own_ids), Account.last_visit_on.is_(None) | (Account.last_visit_on < day))
            .values(last_visit_on=day)
        )


def assign(session: Session, scope: Scope, account_id: UUID, rep_ids: Sequence[UUID]) -> Account:
    """Set the reps who work an account although it is neither theirs nor in their territory."""
    if not scope.may("accounts:assign"):
        raise Forbidden("Only managers assign accounts.", help="Ask your manager.")
    account = find(session, scope, account_id, "accounts:assign")
    set_reps(session, account, rep_ids)
    tell_programs(session, account)
    return account


def set_reps(session: Session, account: Account, rep_ids: Sequence[UUID]) -> None:
    """Write who is assigned by hand; refuses people who do not exist."""
    wanted = set(rep_ids)
    if wanted != set(session.scalars(select(User.id).where(User.id.in_(wanted), User.deleted_at.is_(None)))):
        raise Invalid("Some of these people do not exist.", field="rep_ids")
    there = set(queries.reps_of(session, account.id))
    gone = AccountRep.user_id.in_(there - wanted)
    session.execute(delete_rows(AccountRep).where(AccountRep.account_id == account.id, gone))
    session.add_all(AccountRep(account_id=account.id, user_id=user_id) for user_id in sorted(wanted - there))
    session.flush()


def lend(session: Session, rep_id: UUID, account_ids: Iterable[UUID]) -> None:
    """Let a rep work some accounts as well; those who work them already stay."""
    ids = sorted({queries.surviving(session, account_id) for account_id in account_ids})
    there = set(session.scalars(select(AccountRep.account_id).where(AccountRep.user_id == rep_id)))
    session.add_all(AccountRep(account_id=account_id, user_id=rep_id) for account_id in ids if account_id not in there)
    session.flush()


def find(session: Session, scope: Scope, account_id: UUID, permission: str) -> Account:
    """The account, locked for a change, when the permission reaches it."""
    statement = queries.visible_to(scope, permission).where(Account.id == account_id)
    account = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if account is None:
        raise NotFound("There is no such account.", id=str(account_id))
    return account


def check_number(session: Session, number: str | None, own_id: UUID | None) -> None:
    """Refuse a number that another account has."""
    if number is None:
        return
    statement = select(Account.name).where(
        Account.number == number, Account.deleted_at.is_(None), Account.id.is_distinct_from(own_id)
    )
    name = session.scalars(statement).first()
    if name is not None:
        raise NumberTaken(f"“{name}” has the number {number} already.", help="Choose another number.", field="number")


def check_references(session: Session, values: Mapping[str, Any]) -> None:
    """Refuse an owner, a preferred rep or a territory that does not exist."""
    territory = values.get("territory_id")
    people = {values[name] for name in ("owner_id", "preferred_rep_id") if values.get(name) is not None}
    known = (
        set(session.scalars(select(User.id).where(User.id.in_(people), User.deleted_at.is_(None)))) if people else ()
    )
    if values.get("owner_id") in people.difference(known):
        raise Invalid("Owner: there is no such person.", field="owner_id")
    if values.get("preferred_rep_id") in people.difference(known):
        raise Invalid("Preferred rep: there is no such person.", field="preferred_rep_id")
    if territory is not None:
        area = select(Territory.id).where(Territory.id == territory, Territory.deleted_at.is_(None))
        if session.scalar(area) is None:
            raise Invalid("Territory: there is no such territory.", field="territory_id")


def region_of(session: Session, sites: Sequence[Site]) -> str | None:
    """The country in which phone numbers of these sites are dialled."""
    named = next((code for site in sites if site.country and (code := country_code(site.country))), None)
    return named or queries.home_country(session)
