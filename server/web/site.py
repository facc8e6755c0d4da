"""Every page."""

from server.web import (
    accounts,
    auth,
    conflicts,
    density,
    developers,
    duplicates,
    home,
    imports,
    me,
    plans,
    regions,
    search,
    territories,
    users,
    visits,
)

ROUTERS = (
    auth.router,
    home.router,
    search.router,
    accounts.router,
    visits.router,
    plans.router,
    territories.router,
    density.router,
    imports.router,
    duplicates.router,
    conflicts.router,
    users.router,
    me.router,
    regions.router,
    developers.router,
)
