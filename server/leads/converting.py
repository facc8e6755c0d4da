"""What becomes of a good lead: an account, its person and a deal; nothing of its history is lost."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import update
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts import service as account_service
from server.accounts.models import Account, Site
from server.accounts.pins import PIN_FIELDS, align_accounts
from server.accounts.service import NewAccount
from server.auth.access import Scope
from server.contacts import service as contacts
from server.contacts.consent import Said, note_consent
from server.contacts.models import Channel, ConsentState, Contact, How, Purpose
from server.contacts.service import LinkedAlready, NewPlace
from server.kit import clock
from server.kit.errors import Conflict, NotFound
from server.leads import service, telling
from server.leads.models import Lead, LeadState
from server.leads.resembling import point_of
from server.leads.service import NotNow
from server.leads.values import ADDRESS
from server.opportunities import service as opportunities
from server.opportunities.models import Opportunity
from server.opportunities.service import NewDeal

UNDO = timedelta(days=30)


@dataclass(frozen=True)
class NewSale:
    """The deal that begins with a conversion; its amount is what the lead expects to buy for."""

    close_on: date
    next_step: str
    next_step_on: date


@dataclass(frozen=True)
class Conversion:
    """What somebody wants a lead to become."""

    account_id: UUID | None = None
    """The account that it belongs to; None: a new one."""
    force: bool = False
    """Make a new account although it looks like one that is there."""
    deal: NewSale | None = None
    """The deal that begins with it; None: none."""


def convert(session: Session, scope: Scope, lead_id: UUID, wish: Conversion) -> Lead:
    """Make a lead an account, or part of one. Refuses a decided lead, and a new account that looks like another."""
    lead = service.find(session, scope, lead_id)
    service.need_open(lead)
    if wish.account_id is None:
        account = account_from(session, scope, lead, force=wish.force)
    else:
        account = account_service.find(session, scope, accounts.surviving(session, wish.account_id), "accounts:write")
    lead.state, lead.decided_at = LeadState.CONVERTED, clock.now()
    lead.account_id, lead.account_is_new = account.id, wish.account_id is None
    lead.contact_id = contact_from(session, scope, lead, account)
    lead.opportunity_id = deal_from(session, scope, lead, account, wish.deal) if wish.deal else None
    session.flush()
    service.note_ours(session, lead.id, f"Converted to “{account.name}”.", scope.user_id)
    session.refresh(lead)
    telling.announce(session, lead)
    return lead


def account_from(session: Session, scope: Scope, lead: Lead, *, force: bool) -> Account:
    """A new account with what the lead knows; its pin goes along with grade and reason."""
    name = lead.company or lead.person
    note = "\n\n".join(part for part in (lead.message, lead.note) if part) or None
    own = {
        "name": name,
        "phone": next(iter(lead.phones), None),
        "email": next(iter(lead.emails), None),
        "website": lead.website,
        "yearly_potential": lead.expected_value,
        "currency": lead.currency,
        "owner_id": lead.owner_id if scope.may("accounts:assign") or lead.owner_id == scope.user_id else None,
        "note": note,
    }
    place: dict[str, object] = {name: getattr(lead, name) for name in ADDRESS if getattr(lead, name)}
    point = point_of(lead)
    if point is not None:
        place |= {"lon": point.lon, "lat": point.lat}
    sites = [place] if place else []
    given = carried(scope, "account", own)
    account = account_service.create(session, scope, NewAccount(given, sites), force=force)
    if point is not None:
        for site in accounts.sites_of(session, [account.id]):
            carry_pin(lead, site)
        align_accounts(session, [account.id])
    session.refresh(account)
    return account


def contact_from(session: Session, scope: Scope, lead: Lead, account: Account) -> UUID | None:
    """The lead's person at the account, with what they agreed to; somebody known by a mail address is taken again."""
    if not lead.person or not scope.may("contacts:write"):
        return None
    known = contacts.of_address(session, scope, lead.emails) if lead.emails else []
    if known:
        with suppress(LinkedAlready):
            contacts.link(session, scope, known[0].id, account.id, {})
        contact = known[0]
    else:
        first, _, last = lead.person.rpartition(" ")
        named = {"first_name": first or None, "last_name": last, "phones": lead.phones, "mails": lead.emails}
        given = carried(scope, "contact", named)
        contact = contacts.create(session, scope, given, [NewPlace(account.id, {"is_primary": True})])
    if lead.consented_at is not None:
        for channel in (Channel.MAIL, Channel.PHONE):
            said = Said(
                channel,
                Purpose.SERVICE,
                ConsentState.GIVEN,
                How.FORM,
                at=lead.consented_at,
                wording=lead.consent_text,
            )
            note_consent(session, contact, said, by=scope.user_id)
    return contact.id


def deal_from(session: Session, scope: Scope, lead: Lead, account: Account, sale: NewSale) -> UUID:
    """The deal that begins with a lead: its owner's, and worth what the lead expects."""
    scope.need("opportunities:write")
    fields = {
        "name": account.name,
        "account_id": account.id,
        "contact_id": lead.contact_id,
        "owner_id": lead.owner_id,
        "amount": lead.expected_value,
        "currency": lead.currency,
        "note": lead.message,
        **{name: getattr(sale, name) for name in ("close_on", "next_step", "next_step_on")},
    }
    given = carried(scope, "opportunity", fields)
    return opportunities.create(session, scope, NewDeal(given)).id


TOLD = {
    "phone": "phones", "email": "emails", "phones": "phones", "mails": "emails", "amount": "expected_value",
    "yearly_potential": "expected_value",
}  # fmt: skip
"""What of a lead becomes known where it goes, by the name there."""


def carried(scope: Scope, kind: str, values: Mapping[str, object]) -> dict[str, object]:
    """What goes along: what the person may neither see in the lead nor write where it goes stays with the lead."""
    return {
        name: value
        for name, value in values.items()
        if value is not None
        and scope.may_change(kind, [name])
        and scope.sees("lead", TOLD.get(name, name))
        and not (name == "note" and not scope.sees("lead", "message"))
    }


def carry_pin(lead: Lead, site: Site) -> None:
    """The site's pin is the lead's."""
    for name in PIN_FIELDS:
        setattr(site, name, getattr(lead, name))


def undo(session: Session, scope: Scope, lead_id: UUID) -> Lead:
    """Take a conversion back: the lead is qualified again, and an account that it made goes into the bin.

    Refuses after 30 days, and where somebody has built on the account since.
    """
    lead = service.find(session, scope, lead_id)
    if lead.state != LeadState.CONVERTED or lead.decided_at is None or lead.account_id is None:
        raise NotNow(f"The lead is {lead.state}.", help="There is no conversion to take back.")
    if clock.now() - lead.decided_at > UNDO:
        raise NotNow("The conversion is more than 30 days old.", help="Delete the account instead.")
    if lead.opportunity_id is not None:
        drop_deal(session, scope, lead.opportunity_id)
    if lead.contact_id is not None:
        drop_contact(session, scope, lead.contact_id, lead.decided_at)
    if lead.account_is_new:
        take_back(session, scope, lead.account_id)
    lead.state, lead.decided_at = LeadState.QUALIFIED, None
    lead.account_id, lead.account_is_new, lead.opportunity_id, lead.contact_id = None, False, None, None
    session.flush()
    service.note_ours(session, lead.id, "The conversion was taken back.", scope.user_id)
    session.refresh(lead)
    telling.announce(session, lead)
    return lead


def drop_contact(session: Session, scope: Scope, contact_id: UUID, converted_at: datetime) -> None:
    """Put the person whom a conversion took in into the bin; one who was known before stays."""
    contact = session.get(Contact, contact_id)
    if contact is not None and contact.deleted_at is None and contact.created_at > converted_at - timedelta(minutes=1):
        contacts.delete(session, scope, contact_id, contact.rev)


def drop_deal(session: Session, scope: Scope, deal_id: UUID) -> None:
    """Put the deal of a conversion into the bin. Refuses one that is won or lost by now."""
    deal = session.get(Opportunity, deal_id)
    if deal is None or deal.deleted_at is not None:
        return
    if deal.closed_at is not None:
        raise Conflict(f"The deal “{deal.name}” is closed by now.", help="The conversion stays.")
    opportunities.delete(session, scope, deal_id, deal.rev)


def take_back(session: Session, scope: Scope, account_id: UUID) -> None:
    """Put the account of a conversion into the bin."""
    account = session.get(Account, account_id)
    if account is None or account.deleted_at is not None:
        return
    if account.merged_into is not None or account.last_visit_on is not None:
        raise Conflict(f"“{account.name}” was visited or merged since.", help="The conversion stays.")
    if session.scalar(accounts.visible_to(scope, "accounts:write").where(Account.id == account_id)) is None:
        raise NotFound("There is no such account.", id=str(account_id))
    now = clock.now()
    account.deleted_at = now
    session.flush()
    session.execute(update(Site).where(Site.account_id == account_id, Site.deleted_at.is_(None)).values(deleted_at=now))
