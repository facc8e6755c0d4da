"""The same small company as the accounts'."""

from tests.server.accounts.conftest import ada, admin_client, east, make_account, otto, rita, scope, west

__all__ = ["ada", "admin_client", "east", "make_account", "otto", "rita", "scope", "west"]
