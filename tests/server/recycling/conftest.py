"""The same small company as the plans'."""

from tests.server.plans.conftest import clients, make_account, monday, people, scope

__all__ = ["clients", "make_account", "monday", "people", "scope"]
