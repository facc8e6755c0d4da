"""What the page of two records side by side says of each kind: leads, contacts, products."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.models import User
from server.contacts import joining as contacts
from server.contacts import queries as contact_queries
from server.contacts.models import Consent, Contact, ContactAccount
from server.fields import queries as own
from server.fields.values import in_words, shape_of
from server.leads import joining as leads
from server.leads import queries as lead_queries
from server.leads.models import Lead
from server.leads.models import LeadSignal as Signal
from server.opportunities.models import OpportunityLine
from server.orders.models import OrderLine
from server.products import joining as products
from server.products import queries as product_queries
from server.products.models import Price, Product, ProductCategory, StockLevel, TaxClass
from server.records.joining import Choice, Fields, Proposal
from server.records.models import RecordMerge
from server.web.language import Language


@dataclass(frozen=True)
class Kind:
    """What the page has to know of a kind of record."""

    fields: Fields
    path: str
    find: Callable[[Session, Scope, UUID], Any]
    proposed: Callable[[Session, Scope, Any, Any], list[Proposal]]
    merge: Callable[[Session, Scope, UUID, UUID, Mapping[str, Choice], tuple[int, int]], RecordMerge]
    shown: Callable[[Session, Language, Any, str], str | None]
    """A field's value as people read it; None when there is none."""
    called: Callable[[Any], str]
    follows: Callable[[Session, Language, Any], list[str]]
    """What hangs on a record, in words."""


def lead_shown(session: Session, language: Language, lead: Lead, name: str) -> str | None:
    """A field of a lead in words."""
    say = language.t
    match name:
        case "phones" | "emails":
            return ", ".join(getattr(lead, name)) or None
        case "address":
            town = " ".join(part for part in (lead.postcode, lead.city) if part)
            return ", ".join(part for part in (lead.street, town, lead.country) if part) or None
        case "owner":
            return session.scalar(select(User.name).where(User.id == lead.owner_id))
        case "state":
            return say(lead.state)
        case "value":
            return None if lead.expected_value is None else language.amount(lead.expected_value, lead.currency)
        case "origin":
            return " · ".join(part for part in (say(lead.source), lead.campaign) if part)
        case "consent":
            return lead.consent_text
        case _:
            text: str | None = getattr(lead, name)
            return text


def lead_follows(session: Session, language: Language, lead: Lead) -> list[str]:
    """How much happened to a lead."""
    held = select(func.count()).select_from(Signal).where(Signal.lead_id.in_(lead_queries.family(lead.id)))
    return [language.t("History: {n}", n=language.number(session.scalar(held) or 0))]


def product_shown(session: Session, language: Language, product: Product, name: str) -> str | None:
    """A field of a product in words."""
    value = getattr(product, name)
    match name:
        case "category_id":
            return session.scalar(select(ProductCategory.name).where(ProductCategory.id == value))
        case "tax_class_id":
            return session.scalar(select(TaxClass.name).where(TaxClass.id == value))
        case "successor_id":
            return session.scalar(select(Product.name).where(Product.id == value))
        case "is_active":
            return language.t("yes") if value else language.t("no")
        case _:
            return language.typed(value) if isinstance(value, Decimal) else value


def product_follows(session: Session, language: Language, product: Product) -> list[str]:
    """How much hangs on a product."""
    found = []
    for kind, words in (
        (OrderLine, "Order lines: {n}"),
        (OpportunityLine, "Deal lines: {n}"),
        (Price, "Prices: {n}"),
        (StockLevel, "Stock levels: {n}"),
    ):
        rows: Any = kind
        held = select(func.count()).where(rows.product_id == product.id, rows.deleted_at.is_(None))
        found.append(language.t(words, n=language.number(session.scalar(held) or 0)))
    return found


def contact_shown(session: Session, language: Language, contact: Contact, name: str) -> str | None:
    """A field of a contact in words."""
    match name:
        case "phones" | "mails":
            held = [(one["value"], language.t(one["label"])) for one in getattr(contact, name)]
            return ", ".join(f"{value} ({label})" if label else value for value, label in held) or None
        case "languages":
            return ", ".join(contact.languages).upper() or None
        case "birthday":
            return language.day(contact.birthday) if contact.birthday else None
        case "refusal":
            if not contact.do_not_contact:
                return language.t("no")
            return " · ".join(filter(None, (language.t("yes"), contact.do_not_contact_reason)))
        case "owner":
            return session.scalar(select(User.name).where(User.id == contact.owner_id))
        case "custom":
            return own_words(session, language, "contact", contact)
        case _:
            text: str | None = getattr(contact, name)
            return text


def own_words(session: Session, language: Language, kind: str, row: Any) -> str | None:
    """What the company's own fields of a record hold, in words; None for nothing."""
    values = [
        (one.label, in_words(shape_of(one), row.custom.get(one.key), language)) for one in own.fields_of(session, kind)
    ]
    return " · ".join(f"{language.t(label)}: {value}" for label, value in values if value) or None


def contact_follows(session: Session, language: Language, contact: Contact) -> list[str]:
    """Where a person is, and how much they said about being reached."""
    family = contact_queries.family(contact.id)
    places = select(func.count()).where(ContactAccount.contact_id == contact.id, ContactAccount.deleted_at.is_(None))
    said = select(func.count()).where(Consent.contact_id.in_(family))
    return [
        language.t(words, n=language.number(session.scalar(held) or 0))
        for words, held in (("Accounts: {n}", places), ("Consents: {n}", said))
    ]


LEADS = Kind(
    leads.FIELDS, "/leads", lead_queries.find, leads.proposed, leads.merge, lead_shown, leads.called, lead_follows
)
CONTACTS = Kind(
    contacts.FIELDS, "/contacts", contact_queries.find, contacts.proposed, contacts.merge, contact_shown,
    lambda contact: contact.name, contact_follows,
)  # fmt: skip
PRODUCTS = Kind(
    products.FIELDS, "/products", product_queries.find, products.proposed, products.merge, product_shown,
    lambda product: f"{product.number} {product.name}", product_follows,
)  # fmt: skip
