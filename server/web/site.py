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
    plans,
    regions,
    repairs,
    review,
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
    review.router,
    repairs.router,
    imports.router,
    conflicts.router,
    users.router,
    me.router,
    regions.router,
    developers.router,
)
