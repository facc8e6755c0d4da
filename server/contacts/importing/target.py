"""What the importer needs to know of contacts: columns, keys, their place at an account."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.accounts.importing.links import (
    ACCOUNT_TITLES,
    IDENTITY,
    PERSON,
    account_link,
    on_day,
    own_fields,
    yes_or_no,
)
from server.accounts.queries import home_country
from server.auth.access import Scope
from server.contacts import queries
from server.contacts.importing import sql
from server.contacts.models import Contact
from server.contacts.values import CONTACT, languages, roles
from server.imports.declared import Declared, importer
from server.imports.models import ImportRun
from server.imports.statements import BY_ID, WAYMARK_ID, Field, Key
from server.imports.targets import Problem, Severity, Written
from server.records.values import EMAIL, identity, phone_e164, text


def addresses(name: str) -> Any:
    """Some phones or mail addresses as they are written."""
    return lambda cell: [one["value"] for one in CONTACT[name].clean(cell.replace(";", ","))]


def phone_list(name: str, label: str, titles: str) -> Field:
    """Phones, written first; what is there already stays behind them."""
    clean = addresses("phones")
    return Field(name, label, titles, "jsonb", clean, value="phones", present=sql.PHONES, rewrite=sql.MORE_PHONES,
                 fresh=sql.NEW_PHONES)  # fmt: skip


def mail_list(name: str, label: str, titles: str) -> Field:
    """Mail addresses, written first; what is there already stays behind them."""
    clean = addresses("mails")
    return Field(name, label, titles, "jsonb", clean, value="mails", present=sql.MAILS, rewrite=sql.MORE_MAILS,
                 fresh=sql.NEW_MAILS, looks_like=lambda cell: bool(EMAIL.fullmatch(cell)))  # fmt: skip


BEYOND = "Account: the one that was chosen for rows without one is not within your reach. Choose another one."


@dataclass(frozen=True)
class Around:
    """What a row is read with."""

    country: str | None
    """Where numbers without +… are dialled."""
    account_id: str | None = None
    """Where people belong whose row names no account."""
    is_beyond: bool = False
    """That account is not there, or out of the importer's reach."""


class ContactTarget(Declared):
    """Contacts for the importer."""

    kind = "contacts"
    object = "contact"
    table = "contact"
    permission = "contacts:write"
    label = "concat_ws(' ', t.first_name, t.last_name)"
    has_own = True
    ids = 2
    fields: ClassVar[tuple[Field, ...]] = (
        IDENTITY,
        Field("prefix", "Title", "anrede salutation titel", clean=text(40)),
        Field("first_name", "First name", "firstname vorname prenom givenname", clean=text(120)),
        Field("last_name", "Last name", "lastname nachname surname familyname nom", clean=text(120)),
        Field("name", "Full name", "fullname contact kontakt ansprechpartner person", clean=text(240), is_stored=False,
              present="o.values -> 'name'"),
        Field("title", "Function", "function funktion position jobtitle job fonction", clean=text(160)),
        mail_list("mail", "E-mail", "email emailaddress emailadresse courriel"),
        mail_list("more_mails", "More addresses", "email2 mail2 secondaryemail"),
        phone_list("phone", "Phone", "telefon tel telephone direct direktwahl"),
        phone_list("mobile", "Mobile", "handy natel cell mobiltelefon"),
        phone_list("more_phones", "More phones", "phone2 telefon2"),
        Field("phone_numbers", "Phones", type="text[]", present=sql.NUMBERS, rewrite=sql.MORE_NUMBERS,
              is_offered=False),
        Field("mail_addresses", "E-mail", type="text[]", present=sql.ADDRESSES, rewrite=sql.MORE_ADDRESSES,
              is_offered=False),
        Field("languages", "Languages", "language sprache sprachen langue", "text[]", languages),
        Field("birthday", "Birthday", "geburtstag birthdate geburtsdatum", "date", on_day),
        Field("note", "Note", "notes notiz notizen remark bemerkung comment",
              clean=lambda cell: CONTACT["note"].clean(cell)),
        Field("do_not_contact", "Do not contact", "donotcontact nichtkontaktieren optout gesperrt", "bool", yes_or_no,
              default="false"),
        Field("reason", "Reason", "donotcontactreason grund", clean=text(500), value="do_not_contact_reason"),
        Field("owner", "Owner", "besitzer betreuer responsible", "uuid", value="owner_id", link=PERSON,
              default="case when not o.values ? 'account_id' then cast(:actor as uuid) end"),
        Field("account_number", "Account", ACCOUNT_TITLES, "uuid",
              value="account_id", link=account_link("contacts:write"), is_stored=False, present=sql.AT_ACCOUNT),
        Field("roles", "Roles", "rolle rollen role", "text[]", roles, is_stored=False, present=sql.ROLES),
    )  # fmt: skip
    keys_by_name: ClassVar = {
        WAYMARK_ID: BY_ID,
        "mail": Key("E-mail", "lower(c.values -> 'mails' ->> 0)", "t.mail_addresses @> array[k.key]"),
        "name": Key("Name and account", sql.NAME_KEY, sql.NAMED),
    }
    either = (("last_name", "first_name", "name"),)
    groups = (
        frozenset({"phones", "phone_numbers"}),
        frozenset({"mails", "mail_addresses"}),
        frozenset({"do_not_contact", "do_not_contact_reason"}),
    )
    beside = (Written("contact_account", ("contact_id", "account_id", "roles", "is_primary")),)
    more = sql.FOLLOW

    def refused_sql(self) -> str:
        """Also new contacts without a name."""
        return super().refused_sql() + " union all " + sql.NAMELESS

    def places_sql(self) -> str:
        """Also the roles at the account."""
        return super().places_sql() + " union all " + sql.PLACES

    def records_sql(self) -> str:
        """Contacts with their places."""
        return super().records_sql() + " union all " + sql.PLACED

    def in_use_sql(self) -> str:
        """People who agreed to something, or took it back."""
        return "select contact_id as row_id from consent"

    def within_reach(self, scope: Scope) -> Select[UUID]:
        """The contacts that somebody may change."""
        return select(Contact.id).where(queries.within_reach(scope, self.permission))

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse an account that is no id."""
        identity(options.get("account"))

    def around(self, session: Session, run: ImportRun) -> Around:
        """Where numbers without +… are dialled, and where people belong whose row names no account."""
        asked = identity(run.options.get("account"))
        if asked is None:
            return Around(home_country(session))
        named = account_link("contacts:write").find(session, importer(session, run), [str(asked)])
        return Around(home_country(session), str(asked), is_beyond=not named.get(str(asked)))

    def complete(self, values: dict[str, Any], problems: list[Problem], around: Around) -> None:
        """A full name is taken apart; numbers and addresses are also kept as they are searched; who has no account
        gets the one that was chosen for them.
        """
        is_wrong = any(one.field == "account_number" for one in problems)
        if around.account_id and "account_id" not in values and not is_wrong:
            values["account_id"] = around.account_id
            if around.is_beyond:
                problems.append(Problem(Severity.ERROR, "account_number", "unknown", BEYOND))
        name = str(values.pop("name", "")).split()
        if name and not {"first_name", "last_name"} & values.keys():
            values |= {"last_name": name[-1]} | ({"first_name": " ".join(name[:-1])} if name[1:] else {})
        if "phones" in values:
            values["phone_numbers"] = sorted({n for one in values["phones"] if (n := phone_e164(one, around.country))})
        if "mails" in values:
            values["mail_addresses"] = sorted({one.lower() for one in values["mails"]})
        if not {"id", "first_name", "last_name", "mails"} & values.keys():
            problems.append(Problem(Severity.ERROR, "last_name", "no_name", "First and last name: both are missing."))


def target(session: Session) -> ContactTarget:
    """Contacts with the fields that the company has added."""
    return ContactTarget(own_fields(session, "contact"))
