"""What an account asks of a territory: visits a year, hours with driving, value and potential; in one statement."""

from server.accounts.models import INTERVALS

FOUR_WEEKS_A_YEAR = 13
DETOUR = 1.3
"""Roads are longer than the straight line by about this."""
SPEED_MS = 11.0
"""Mean speed between two stops of a tour, metres a second."""
HOP = 0.7124
"""Beardwood, Halton and Hammersley (1959): the shortest tour of n points in an area A is about 0.7124 sqrt(n A)."""
CELL_DEG = 0.05
"""Grid on which visits are counted to know how dense they are."""
NEAREST_S, FARTHEST_S = 120, 2700
"""Drives between two stops are neither shorter nor longer than that."""

USUAL = " ".join(f"when '{name}' then {days}" for name, days in INTERVALS.items())

WORK = f"""
    visited as (
        select a.id as account_id, s.id as site_id, s.pin, a.territory_id, a.territory_is_fixed,
            365.0 / coalesce(
                a.interval_days, own.interval_days, usual.interval_days, case a.account_class {USUAL} end
            ) as visits,
            s.service_s, coalesce(a.yearly_value, 0) as value, coalesce(a.yearly_potential, 0) as potential,
            floor(st_x(s.pin) / {CELL_DEG})::int as cell_x, floor(st_y(s.pin) / {CELL_DEG})::int as cell_y
        from account a
        left join site s on s.account_id = a.id and s.is_main and s.deleted_at is null
        left join cadence own on own.user_id = a.owner_id and own.account_class = a.account_class
        left join cadence usual on usual.user_id is null and usual.account_class = a.account_class
        where a.deleted_at is null and a.merged_into is null
    ), dense as (
        select cell_x, cell_y, sum(visits) / {FOUR_WEEKS_A_YEAR} as visits,
            power({CELL_DEG} * 111320, 2) * cos(radians((cell_y + 0.5) * {CELL_DEG})) as square_m
        from visited where pin is not null group by cell_x, cell_y
    ), work as (
        select v.account_id, v.site_id, v.pin, v.territory_id, v.territory_is_fixed,
            coalesce(v.visits, 0) as visits, v.value, v.potential,
            coalesce(v.visits * (v.service_s + least({FARTHEST_S}, greatest({NEAREST_S},
                {DETOUR * HOP / SPEED_MS} * sqrt(d.square_m / greatest(d.visits, 0.01))
            ))) / 3600, 0) as hours
        from visited v left join dense d on d.cell_x = v.cell_x and d.cell_y = v.cell_y
    )
"""  # noqa: S608 -- put together from our own constants
"""`work`: a row for each living account. Hours are visits x (service + drive to the next stop); the drive follows from
how many visits four weeks bring to the surroundings. Whoever has no interval is visited only on demand: no hours."""
