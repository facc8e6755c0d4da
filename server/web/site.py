"""Every page."""

from server.web import accounts, auth, conflicts, density, home, me, plans, regions, search, territories, users, visits

ROUTERS = (
    auth.router,
    home.router,
    search.router,
    accounts.router,
    visits.router,
    plans.router,
    territories.router,
    density.router,
    conflicts.router,
    users.router,
    me.router,
    regions.router,
)
