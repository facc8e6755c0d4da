"""Puts together what all rooms declare for the filter language; `app` and `worker` hand it in.

A room takes part with one `Subject`, or with relations of another room's subject: one line here.
"""

from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.fields import fields as account_fields
from server.accounts.models import Account
from server.accounts.reaching import Reaching
from server.activities.fields import missed_visits, planned_visits, visits
from server.demands.fields import demands
from server.kit.filtering import Catalogue, Field, Subject


def fields_of_account(session: Session, scope: Any, today: date) -> dict[str, Field]:
    """What accounts are asked."""
    return dict(account_fields(today))


def chosen_accounts(session: Session, scope: Any, filter: str) -> Any:
    """The ids of the accounts that a reader may see and a filter leaves."""
    return accounts.chosen(Reaching(session), scope, filter=filter).with_only_columns(Account.id)


SUBJECTS = (
    Subject(
        "account", "Accounts", "accounts:read", "/accounts", fields_of_account, chosen_accounts,
        (visits, planned_visits, missed_visits, demands),
    ),
)  # fmt: skip

CATALOGUE = Catalogue({one.name: one for one in SUBJECTS})
