"""What can be found, one line for each kind; its entries come from `search_of_<name>` in a migration."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement

from server.accounts import queries as accounts
from server.accounts.models import Account
from server.auth.access import Scope
from server.search.models import Entry


@dataclass(frozen=True)
class Kind:
    """A kind of things that can be found."""

    name: str
    label: str
    permission: str
    path: str
    icon: str
    seen: Callable[[Scope], ColumnElement[bool]]
    """Whether somebody without the right over all may see an entry."""


def of_account(permission: str) -> Callable[[Scope], ColumnElement[bool]]:
    """An entry is seen by whoever sees its account."""

    def seen(scope: Scope) -> ColumnElement[bool]:
        return Entry.account_id.in_(accounts.visible_to(scope, permission).with_only_columns(Account.id))

    return seen


KINDS = (Kind("account", "Accounts", "accounts:read", "/accounts/{id}", "building-2", of_account("accounts:read")),)
