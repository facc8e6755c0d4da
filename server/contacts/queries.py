"""Reads of contacts. Who sees a contact sees one of its accounts, or owns it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    Uuid,
    and_,
    any_,
    bindparam,
    false,
    func,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Text

from server.accounts import queries as accounts
from server.accounts.models import Account, Site
from server.accounts.opening import Opened, opened
from server.auth.access import Scope
from server.auth.models import User
from server.auth.roles import Level
from server.contacts.models import Consent, Contact, ContactAccount
from server.fields.queries import found as found_in_own
from server.kit.errors import NotFound
from server.kit.filtering import Vocabulary, compile_filter, parse, vocabulary
from server.kit.filtering.guard import answers_in_time
from server.kit.filtering.listing import Listing, key_of, page_of
from server.records.binned import binned
from server.records.happenings import happening


def visible_to(scope: Scope, permission: str = "contacts:read") -> Select[Contact]:
    """The contacts at accounts that a permission of somebody reaches, and those they own."""
    return select(Contact).where(
        Contact.deleted_at.is_(None), Contact.merged_into.is_(None), within_reach(scope, permission)
    )


def within_reach(scope: Scope, permission: str = "contacts:read") -> ColumnElement[bool]:
    """Whether a permission of somebody reaches a contact, deleted or not."""
    level = scope.level(permission)
    if level >= Level.ALL:
        return Contact.id.is_not(None)
    if level <= Level.NONE:
        return false()
    mine = select(Contact.id).where(Contact.owner_id == scope.user_id).correlate(None)
    return Contact.id.in_(mine.union_all(*at_reached(scope, permission)))


def held_within_reach(scope: Scope, permission: str = "contacts:read") -> ColumnElement[bool]:
    """The same, asked of each of a few contacts; of a deleted one, as if it was still where it went away from."""
    level = scope.level(permission)
    if level >= Level.ALL:
        return Contact.id.is_not(None)
    if level <= Level.NONE:
        return false()
    place = aliased(ContactAccount)
    there = select(literal(1)).where(
        place.contact_id == Contact.id,
        or_(place.deleted_at.is_(None), place.deleted_at == Contact.deleted_at),
        accounts.reached_one_by_one(place.account_id, scope, permission),
    )
    return or_(Contact.owner_id == scope.user_id, there.correlate(Contact).exists())


def linked(scope: Scope, permission: str, *, lately: bool = True) -> ColumnElement[bool]:
    """Whether a contact is at an account that a permission of somebody reaches; `lately`: not only once."""
    return Contact.id.in_(union_all(*at_reached(scope, permission, lately=lately)))


def at_reached(scope: Scope, permission: str, *, lately: bool = True) -> list[Select[Any]]:
    """The ids of these contacts: at an account, or at one that was merged into it.

    The people are looked up by the accounts, so that what a rep sees decides the work, not all that there are.
    """
    there = select(ContactAccount.contact_id).where(ContactAccount.deleted_at.is_(None) if lately else true())
    return [there.where(sign) for sign in accounts.at_reached(ContactAccount.account_id, scope, permission)]


def find(session: Session, scope: Scope, contact_id: UUID, permission: str = "contacts:read") -> Contact:
    """The contact of that id; for a stranger's there is none."""
    found = session.scalars(visible_to(scope, permission).where(Contact.id == contact_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such contact.", id=str(contact_id))
    return found


def surviving(session: Session, contact_id: UUID) -> UUID:
    """The contact that stands for this one after all merges; itself where there is none."""
    return session.scalar(select(func.contact_surviving(contact_id))) or contact_id


def family(contact_id: UUID) -> Select[UUID]:
    """The ids of a contact and of all that were merged into it: other rooms read their rows through this."""
    tree = select(Contact.id).where(Contact.id == contact_id).cte("people", recursive=True)
    tree = tree.union(select(Contact.id).join(tree, Contact.merged_into == tree.c.id))
    return select(tree.c.id)


@dataclass(frozen=True)
class Place:
    """What a person is at an account."""

    link: ContactAccount
    account_id: UUID
    """The account that stands for it after all merges."""
    account_name: str
    account_number: str | None
    site_name: str | None

    def is_current(self, today: date) -> bool:
        """Whether the person is still there."""
        return self.link.until is None or self.link.until >= today


@dataclass(frozen=True)
class Row:
    """A contact as lists show it."""

    contact: Contact
    places: tuple[Place, ...] = ()


def matches(session: Session, scope: Scope, words: str) -> ColumnElement[bool]:
    """Every word is found in the contact's names, addresses and searchable fields, or in the name of its account."""
    return and_(*(_found(session, scope, word) for word in words.split()[:8]))


def _found(session: Session, scope: Scope, word: str) -> ColumnElement[bool]:
    digits = "".join(sign for sign in word if sign.isdigit())
    wanted = digits.lstrip("0") if len(digits) >= 5 and not any(map(str.isalpha, word)) else word
    folded = func.rtrim(func.search_words(wanted, None, None, None))
    like = func.concat("%", func.regexp_replace(folded, r"([\\%_])", r"\\\1", "g"), "%")
    text = func.search_words(
        Contact.first_name,
        Contact.last_name,
        func.array_words(Contact.mail_addresses) if scope.sees("contact", "mails") else None,
        func.array_words(Contact.phone_numbers) if scope.sees("contact", "phones") else None,
    )
    fits: ColumnElement[bool] = text.like(like)
    if len(wanted) > 3 and not wanted.isdigit():
        fits = fits | folded.op("<%")(text)
    own = found_in_own(session, "contact", Contact.custom, like)
    firms = select(ContactAccount.contact_id).join(Account, Account.id == ContactAccount.account_id)
    phone = Account.phone_e164 if scope.sees("account", "phone") else None
    email = Account.email if scope.sees("account", "email") else None
    named = func.search_words(Account.name, Account.number, phone, email).like(like)
    at_firm = Contact.id.in_(firms.where(ContactAccount.deleted_at.is_(None), named).correlate(None))
    return or_(fits, at_firm, *([] if own is None else [own]))


def chosen(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    permission: str = "contacts:read",
) -> Select[Contact]:
    """The contacts that a filter and a search leave of what somebody may see: the same for list and export."""
    statement = visible_to(scope, permission)
    if filter and filter.strip():
        statement = statement.where(compile_filter(parse(filter), language(session, scope)))
    if search and search.strip():
        statement = statement.where(matches(session, scope, search[:200]))
    return statement


def language(session: Session, scope: Scope) -> Vocabulary:
    """What contacts can be asked by somebody."""
    from server.contacts.fields import known  # its fields ask for consent, which reads contacts

    return vocabulary(session, scope, "contact", known(session), today=accounts.today_of(scope))


def deleted(scope: Scope) -> Select[Any]:
    """Deleted contacts that somebody may bring back, for the bin."""
    columns = binned(
        entity="contact",
        id=Contact.id,
        title=func.concat_ws(" ", Contact.first_name, Contact.last_name),
        deleted_at=Contact.deleted_at,
    )
    reach = or_(
        Contact.owner_id == scope.user_id,
        linked(scope, "contacts:write", lately=False),
        literal(scope.level("contacts:write") >= Level.ALL),
    )
    return select(*columns).where(Contact.deleted_at.is_not(None), reach)


SORTS: Mapping[str, ColumnElement[Any]] = {
    "name": func.search_text(func.coalesce(Contact.last_name, Contact.first_name), type_=Text),
    "first_name": func.search_text(func.coalesce(Contact.first_name, ""), type_=Text),
    "title": func.search_text(func.coalesce(Contact.title, ""), type_=Text),
    "created": Contact.__table__.c.created_at,
    "updated": Contact.__table__.c.updated_at,
}


@answers_in_time
def page(
    session: Session,
    scope: Scope,
    *,
    filter: str | None = None,
    search: str | None = None,
    sort: str = "name",
    cursor: str | None = None,
    limit: int = 50,
    exact: bool = False,
) -> Listing[Row]:
    """One page of the contacts that somebody may see."""
    statement, key = chosen(session, scope, filter=filter, search=search), key_of(SORTS, sort)
    found = page_of(session, statement, Contact.id, key, sort=sort, cursor=cursor, limit=limit, exact=exact)
    people = session.execute(select(Contact).where(found.among(Contact.id)))
    return found.listing(with_places(session, scope, (row[0] for row in found.in_order(people))))


def with_places(session: Session, scope: Scope, contacts: Iterable[Contact]) -> list[Row]:
    """Contacts with the accounts that somebody may see."""
    people = list(contacts)
    places = places_of(session, scope, [one.id for one in people])
    return [Row(one, tuple(places.get(one.id, ()))) for one in people]


def places_of(session: Session, scope: Scope, contact_ids: Iterable[UUID]) -> Mapping[UUID, list[Place]]:
    """What people are at which accounts, present and first-to-ask places first; only accounts that somebody may see."""
    surviving = func.account_surviving(ContactAccount.account_id)
    seen = accounts.visible_to(scope, "contacts:read", few=True)
    columns = (ContactAccount, Account.id, Account.name, Account.number, func.coalesce(Site.name, Site.city))
    rows = session.execute(
        seen.join(ContactAccount, surviving == Account.id)
        .outerjoin(Site, Site.id == ContactAccount.site_id)
        .with_only_columns(*columns)
        .where(ContactAccount.contact_id.in_(list(contact_ids)), ContactAccount.deleted_at.is_(None))
        .order_by(ContactAccount.until.is_not(None), ContactAccount.is_primary.desc(), Account.name, ContactAccount.id)
    )
    found: dict[UUID, list[Place]] = defaultdict(list)
    for row in rows:
        place = Place(*row)
        if all(other.account_id != place.account_id for other in found[place.link.contact_id]):
            found[place.link.contact_id].append(place)
    return found


def of_account(
    session: Session, scope: Scope, account: UUID | Opened, *, limit: int = 200
) -> list[tuple[Contact, ContactAccount]]:
    """The people at an account that somebody may see, whom one asks first at the top, those who left at the end."""
    if not scope.may("contacts:read"):
        return []
    at = opened(session, scope, account, ("contacts:read",))
    # Whoever sees the account sees its people: what else they see need not be asked.
    people = ALL_AT if "contacts:read" in at.granted else at_family(visible_to(scope))
    rows = session.execute(people, {"family": list(at.family), "most": limit})
    found: dict[UUID, tuple[Contact, ContactAccount]] = {}
    for contact, link in rows:
        found.setdefault(contact.id, (contact, link))
    return list(found.values())


def at_family(people: Select[Contact]) -> Select[Contact, ContactAccount]:
    """Those of some people who are at an account or were at one that was merged into it; see `of_account`."""
    return (
        people.join(ContactAccount, ContactAccount.contact_id == Contact.id)
        .where(
            ContactAccount.account_id == any_(bindparam("family", type_=ARRAY(Uuid))),
            ContactAccount.deleted_at.is_(None),
        )
        .add_columns(ContactAccount)
        .order_by(ContactAccount.until.is_not(None), ContactAccount.is_primary.desc(), SORTS["name"], ContactAccount.id)
        .limit(bindparam("most", type_=Integer))
    )


ALL_AT = at_family(select(Contact).where(Contact.deleted_at.is_(None), Contact.merged_into.is_(None)))


def happenings(scope: Scope, account_ids: Select[UUID]) -> Select[Any]:
    """What people at some accounts said about being reached, for a timeline; see `records.happenings`."""
    facts = func.jsonb_build_object(
        "channel", Consent.channel, "purpose", Consent.purpose, "state", Consent.state, "contact_id", Contact.id
    )
    said, place = Consent.__table__.c, ContactAccount.__table__.c
    columns = happening(
        at=said.at,
        kind="consent",
        entity="consent",
        id=said.id,
        account_id=place.account_id,
        actor_id=said.recorded_by,
        title=func.concat_ws(" ", Contact.first_name, Contact.last_name),
        body=said.note,
        is_internal=literal(True),
        facts=facts,
    )
    return (
        select(*columns)
        .select_from(Consent)
        .join(Contact, Contact.id == Consent.contact_id)
        .join(ContactAccount, ContactAccount.contact_id == Contact.id)
        .where(ContactAccount.deleted_at.is_(None), ContactAccount.account_id.in_(account_ids), within_reach(scope))
    )


def names_of(session: Session, ids: Iterable[UUID | None]) -> Mapping[UUID, str]:
    """The names of some users."""
    rows = session.execute(select(User.id, User.name).where(User.id.in_([one for one in ids if one])))
    return {key: name for key, name in rows}
