"""What contacts can be filtered by, in lists, exports and segments."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Date, cast, func, literal, select
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.accounts.relations import of_account
from server.auth.models import User
from server.contacts.consent import allowed
from server.contacts.models import Channel, Contact, ContactAccount, Purpose
from server.contacts.queries import visible_to
from server.fields.queries import filtering
from server.kit.filtering import Field, Kind, Relation

type Wrap = Callable[[ColumnElement[bool]], ColumnElement[bool]]


def list_field(name: str, column: Any, label: str, *, wrap: Wrap | None = None) -> Field:
    """A field of which a row holds several texts."""
    element = func.unnest(column).table_valued("value").render_derived(name=f"some_{name}")

    def some(condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return select(literal(1)).select_from(element).where(condition).correlate(Contact, ContactAccount).exists()

    return Field(name, Kind.TEXT, element.c.value, label, (), (lambda one: wrap(some(one))) if wrap else some)


def of_accounts(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Some account of the contact fulfils it."""
    linked = select(ContactAccount.contact_id).join(Account, Account.id == ContactAccount.account_id)
    return Contact.id.in_(linked.where(ContactAccount.deleted_at.is_(None), condition).correlate(None))


def of_owner(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The owner fulfils it."""
    return select(User.id).where(User.id == Contact.owner_id, condition).correlate(Contact).exists()


def field(
    name: str, kind: Kind, column: Any, label: str, choices: tuple[str, ...] = (), exists: Wrap | None = None
) -> Field:
    """One field."""
    return Field(name, kind, column, label, choices, exists)


def known(session: Session) -> Mapping[str, Field]:
    """The fields by name, the company's own too."""
    declared = (
        field("first_name", Kind.TEXT, Contact.first_name, "First name"),
        field("last_name", Kind.TEXT, Contact.last_name, "Last name"),
        field("title", Kind.TEXT, Contact.title, "Function"),
        field("note", Kind.TEXT, Contact.note, "Note"),
        field("birthday", Kind.DATE, Contact.birthday, "Birthday"),
        field("created", Kind.DATE, cast(Contact.created_at, Date), "Created"),
        field("do_not_contact", Kind.FLAG, Contact.do_not_contact, "Do not contact"),
        field("owner", Kind.TEXT, User.login, "Owner's login", exists=of_owner),
        field("account", Kind.TEXT, Account.name, "Name of an account", exists=of_accounts),
        field("account_number", Kind.TEXT, Account.number, "Number of an account", exists=of_accounts),
        field("account_class", Kind.CHOICE, Account.account_class, "Class of an account", ("A", "B", "C"), of_accounts),
        list_field("role", ContactAccount.roles, "Role at an account", wrap=of_accounts),
        list_field("language", Contact.languages, "Language"),
        list_field("mail", Contact.mail_addresses, "E-mail"),
        list_field("phone", Contact.phone_numbers, "Phone"),
    )
    reached = tuple(
        field(f"may_{channel}", Kind.FLAG, allowed(channel, Purpose.MARKETING), f"Marketing by {channel} is allowed")
        for channel in Channel
    )
    return {**{one.name: one for one in (*declared, *reached)}, **filtering(session, "contact", Contact.custom)}


AT_ACCOUNT = (
    Field("first_name", Kind.TEXT, Contact.first_name, "First name"),
    Field("last_name", Kind.TEXT, Contact.last_name, "Last name"),
    Field("title", Kind.TEXT, Contact.title, "Function"),
    Field("do_not_contact", Kind.FLAG, Contact.do_not_contact, "Do not contact"),
    Field("first_to_ask", Kind.FLAG, ContactAccount.is_primary, "First to ask"),
    list_field("role", ContactAccount.roles, "Role"),
    list_field("language", Contact.languages, "Language"),
)


def contacts(session: Session, scope: Any, today: date) -> Relation | None:
    """The people at accounts that somebody may see; those who have left do not count."""
    if not scope.may("contacts:read"):
        return None
    rows = (
        visible_to(scope)
        .join(ContactAccount, ContactAccount.contact_id == Contact.id)
        .where(ContactAccount.deleted_at.is_(None))
        .where(func.coalesce(ContactAccount.until, today) >= today)
    )
    return of_account("contact", "contacts", "Contacts", rows, ContactAccount.account_id, AT_ACCOUNT)
