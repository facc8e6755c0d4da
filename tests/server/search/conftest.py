"""The same company of two reps as the accounts'."""

from tests.server.accounts.conftest import ada, admin_client, east, make_account, otto, rita, scope, west
from tests.server.opportunities.conftest import make_deal, stages

__all__ = ["ada", "admin_client", "east", "make_account", "make_deal", "otto", "rita", "scope", "stages", "west"]
