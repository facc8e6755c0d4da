"""Puts together what all rooms declare for the filter language; `app` and `worker` hand it in.

A room takes part with one `Subject`, or with relations of another room's subject: one line here.
"""

from typing import Any

from sqlalchemy import func
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.accounts.reaching import Reaching
from server.activities.fields import missed_visits, planned_visits, visits
from server.contacts import queries as contacts
from server.contacts.fields import contacts as contacts_of_account
from server.contacts.models import Contact
from server.demands.fields import demands
from server.kit.filtering import Catalogue, Subject, Vocabulary
from server.segments.queries import members_condition


def language_of_accounts(session: Session, scope: Any) -> Vocabulary:
    """What accounts are asked."""
    return accounts.language(Reaching(session), scope)


SUBJECTS = (
    Subject(
        "account", "Accounts", "accounts:read", "/accounts", language_of_accounts, accounts.visible_to, Account.id,
        Account.name, (visits, planned_visits, missed_visits, demands, contacts_of_account),
    ),
    Subject(
        "contact", "Contacts", "contacts:read", "/contacts", contacts.language, contacts.visible_to, Contact.id,
        func.coalesce(Contact.last_name, Contact.first_name),
    ),
)  # fmt: skip

CATALOGUE = Catalogue({one.name: one for one in SUBJECTS}, members_condition)
