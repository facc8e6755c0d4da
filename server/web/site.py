"""Every page."""

from server.web import (
    accounts,
    auth,
    conflicts,
    density,
    developers,
    home,
    imports,
    me,
    pins,
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
    pins.router,
    conflicts.router,
    users.router,
    me.router,
    regions.router,
    developers.router,
)
