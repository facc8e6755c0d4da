"""Every page."""

from server.web import accounts, auth, conflicts, density, home, me, regions, search, territories, users, visits

ROUTERS = (
    auth.router,
    home.router,
    search.router,
    accounts.router,
    visits.router,
    territories.router,
    density.router,
    conflicts.router,
    users.router,
    me.router,
    regions.router,
)
