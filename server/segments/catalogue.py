"""Puts together what all rooms declare for the filter language; `app` and `worker` hand it in.

A room takes part with one `Subject`, or with relations of another room's subject: one line here.
"""

from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.accounts.reaching import Reaching
from server.activities.agenda import queries as agenda
from server.activities.agenda.models import Activity
from server.activities.fields import missed_visits, planned_visits, visits
from server.contacts import queries as contacts
from server.contacts.fields import contacts as contacts_of_account
from server.contacts.models import Contact
from server.demands.fields import demands
from server.kit.filtering import Catalogue, Subject, Vocabulary
from server.leads import queries as leads
from server.leads.models import Lead
from server.leads.relations import origins
from server.opportunities import queries as opportunities
from server.opportunities.models import Opportunity
from server.opportunities.relations import deals, lines
from server.orders import queries as orders
from server.orders.models import Order
from server.orders.relations import orders as orders_of_account
from server.orders.relations import quotes
from server.products import queries as products
from server.products.models import Product
from server.segments.queries import members_condition
from server.tickets import queries as tickets
from server.tickets.models import Ticket
from server.tickets.relations import open_tickets, overdue_tickets
from server.tickets.relations import tickets as tickets_of_account


def language_of_accounts(session: Session, scope: Any) -> Vocabulary:
    """What accounts are asked."""
    return accounts.language(Reaching(session), scope)


SUBJECTS = (
    Subject(
        "account", "Accounts", "accounts:read", "/accounts", "/accounts/{id}", language_of_accounts,
        accounts.visible_to, Account.id, Account.name,
        (
            contacts_of_account, visits, planned_visits, missed_visits, demands, deals, orders_of_account, quotes,
            tickets_of_account, open_tickets, overdue_tickets, origins,
        ),
    ),
    Subject(
        "lead", "Leads", "leads:read", "/leads", "/leads/{id}", leads.language, leads.visible_to, Lead.id,
        func.coalesce(Lead.company, Lead.person),
    ),
    Subject(
        "opportunity", "Deals", "opportunities:read", "/pipeline/list", "/pipeline/deals/{id}", opportunities.language,
        opportunities.visible_to, Opportunity.id, Opportunity.name, (lines,),
    ),
    Subject(
        "order", "Orders", "orders:read", "/orders", "/orders/{id}", orders.language, orders.visible_to, Order.id,
        func.coalesce(Order.number, Order.reference, Order.kind),
    ),
    Subject(
        "ticket", "Tickets", "tickets:read", "/tickets", "/tickets/{id}", tickets.language, tickets.visible_to,
        Ticket.id, Ticket.subject,
    ),
    Subject(
        "contact", "Contacts", "contacts:read", "/contacts", "/contacts/{id}", contacts.language, contacts.visible_to,
        Contact.id, func.coalesce(Contact.last_name, Contact.first_name),
    ),
    Subject(
        "task", "Tasks", "activities:read", "/tasks", "/calendar/activities/{id}", agenda.language,
        agenda.visible_tasks, Activity.id, Activity.subject,
    ),
    Subject(
        "product", "Products", "products:read", "/products", "/products/{id}", products.language, products.visible_to,
        Product.id, Product.name,
    ),
)  # fmt: skip

CATALOGUE = Catalogue({one.name: one for one in SUBJECTS}, members_condition)
