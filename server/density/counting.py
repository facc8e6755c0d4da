"""The set-based statements that count prospects and customers into hexagons, in the order in which they run.

They meet in temporary tables: `firm` and `rematched` (see `following`), `turned` (sites that may count otherwise now),
`customer_now` (those of them that are of customers, as they are), `gone` and `come` (what changed), `placed` (where
those that came lie), `matched` (which prospects customers are), `named` (kinds of which names tell), `delta` (by how
much the counts change), `fresh` (all cells summed up) and `changes` (where they differ). `h3_parent` is our own SQL
function, see the migration.

`density_count` and `density_cell` stay as they were when the rates were learned. The differences since then stand in
two small tables beside them, which are written in the order of the cells: that costs what has changed, wherever it
lies. The views `density_count_now` (a cell and kind may have two rows: they add up) and `density_cell_now` are both
together.
"""

from statistics import NormalDist

from sqlalchemy import text

FINEST, COARSEST = 9, 3
"""H3 resolutions that are counted: edges of 0.2 km to 69 km."""

UNKNOWN = 0
"""Stands for the kind of customers of whom nobody knows one."""

NOT_KNOWN = "(customers < 0.05 and unknown >= 0.05)"
"""Of some kinds: no customer is surely of them and some may be, so that nobody knows the penetration. The condition of
hexagons, lists and files; `Figures.not_known` is the same."""

SAME_FIRM = {"metres": 150, "degrees": 0.0014, "similarity": 0.45}
"""A customer is a prospect of much the same name (trigrams) no further away than this."""

GRID_DEGREES = 0.001
"""Of the grid on which `density_customer.near` lies: of a pin no more is kept beside its site."""

Z2 = NormalDist().inv_cdf(0.95) ** 2
"""Of the 90 % Wilson interval, as in `geo.density.penetration` and in the view `density_cell_now`."""

REGIONS = text("select coalesce(string_agg(id::text, ',' order by id), '-') from region where state = 'ready'")
HAS_CHANGED = text("select exists (select from density_changed)")

START = (
    text(
        "drop table if exists pg_temp.firm, pg_temp.rematched, pg_temp.noted, pg_temp.turned, pg_temp.customer_now,"
        " pg_temp.gone, pg_temp.come, pg_temp.placed, pg_temp.matched, pg_temp.named, pg_temp.delta, pg_temp.fresh,"
        " pg_temp.changes"
    ),
    text("set local work_mem = '256MB'"),
)
_CUSTOMERS = """
    create temporary table customer_now on commit drop as
    select site.id, hashtextextended(concat_ws('/', account.id, account.kind, account.yearly_value, account.currency,
               site.pin::text, site.uncertainty_m, site.is_main, account.name), 0) as rev,
           site.pin, account.name, coalesce(site.uncertainty_m, 0) as doubt_m, account.kind, account.id as account_id,
           site.is_main,
           case when site.is_main and account.currency = :currency then account.yearly_value end::float8 as worth
    from TURNED join account on account.id = site.account_id
    where account.status = 'customer' and account.merged_into is null
      and account.deleted_at is null and site.deleted_at is null and site.pin is not null
"""
CUSTOMERS = {
    True: text(_CUSTOMERS.replace("TURNED", "site")),
    False: text(_CUSTOMERS.replace("TURNED", "turned join site on site.id = turned.site_id")),
}
"""All, or those whose sites have turned. Only what decides how a customer counts is in its revision."""

_GONE = """
    create temporary table gone on commit drop as
    select counted.site_id, cells, parts, prospect_id, prospect_cell, prospect_trade_id, trade_id, worth
    from density_customer counted TURNED
    where not exists (select from customer_now c where c.id = counted.site_id and c.rev = counted.rev)
       or counted.site_id in (select site_id from rematched)
"""
GONE = {
    True: text(_GONE.replace("TURNED", "")),
    False: text(_GONE.replace("TURNED", "join turned on turned.site_id = counted.site_id")),
}
DROP_GONE = text("delete from density_customer counted using gone where gone.site_id = counted.site_id")

COME = text(
    """
    create temporary table come on commit drop as
    select c.id, c.rev, ST_X(c.pin) as lon, ST_Y(c.pin) as lat, c.doubt_m, c.worth from customer_now c
    where not exists (select from density_customer counted where counted.site_id = c.id)
    """
)
NEW_CUSTOMERS = text("select id, lon, lat, doubt_m from come")
WORTH = text(
    """
    select came.sum - went.sum, came.count - went.count
    from (select coalesce(sum(worth), 0) as sum, count(worth) as count from come) came,
         (select coalesce(sum(worth), 0) as sum, count(worth) as count from gone) went
    """
)
"""By how much the yearly values of customers change, and how many have one."""
WORTHS_OF_ALL = text(
    """
    update density_customer counted set worth = c.worth from customer_now c
    where c.id = counted.site_id and c.worth is distinct from counted.worth
    """
)
"""After the company's currency became another one."""
WORTH_OF_ALL = text("select coalesce(sum(worth), 0)::float8, count(worth) from density_customer")
PLACED = text("create temporary table placed (site_id uuid, cells bigint[], parts smallint[]) on commit drop")
ANALYZE_CUSTOMERS = text("analyze customer_now (id, rev, account_id), gone (site_id), come (id)")

MATCH = text(
    """
    create temporary table matched on commit drop as
    select c.site_id, nearest.id as prospect_id, h3_parent(nearest.cell, :finest) as prospect_cell,
           t.id as prospect_trade_id
    from (
        select id as site_id, pin, pin::geography as place, name as said, search_text(name) as name,
               :degrees / greatest(0.02, cosd(ST_Y(pin))) as wide
        from customer_now where :again or id in (select id from come)
        order by pin  -- neighbours read the same pages; the name is prepared once, not for each firm around
    ) c
    left join lateral (
        select id, cell, kind from (
            select p.id, p.cell, p.kind, p.pin, case when p.name = c.said then 1
                       when bool_or(p.name = c.said) over () then 0
                       else similarity(search_text(p.name), c.name) end as alike
            from prospect p
            where p.pin && ST_MakeEnvelope(ST_X(c.pin) - c.wide, ST_Y(c.pin) - :degrees,
                                           ST_X(c.pin) + c.wide, ST_Y(c.pin) + :degrees, 4326)
              and ST_DWithin(p.pin::geography, c.place, :metres)
              and p.region_id = any(array(select id from region where state = 'ready'))
            offset 0  -- the likeness is worked out once for each, and only where no name is the very same
        ) near
        where alike >= :similarity order by alike desc, pin <-> c.pin, id limit 1
    ) nearest on true
    left join density_trade t on t.kind = nearest.kind
    """
)
"""The prospect that each customer that came, or each of all again, is; null: none."""

DELTA_OF_ALL = text(
    """
    create temporary table delta on commit drop as
    with now as (
        select cell, trade_id, sum(p)::int as prospects, (sum(c) / 100.0)::numeric(12, 2) as customers
        from (
            select h3_parent(firm.cell, :finest) as cell, firm.trade_id, 1 as p, 0 as c
            from (
                select distinct on (p.id) p.id, p.cell, t.id as trade_id
                from prospect p join region r on r.id = p.region_id and r.state = 'ready'
                join density_trade t using (kind)
                where not exists (select from density_customer counted where counted.prospect_id = p.id)
            ) firm
            union all
            select place.cell, counted.trade_id, 0, place.part
            from density_customer counted, unnest(counted.cells, counted.parts) as place (cell, part)
        ) firms
        group by 1, 2
    )
    select cell, trade_id, cast(:finest as int) as resolution,
           coalesce(now.prospects, 0) - coalesce(old.prospects, 0) as prospects,
           coalesce(now.customers, 0) - coalesce(old.customers, 0) as customers
    from now full join (select * from density_count where (cell >> 52) & 15 = :finest) old using (cell, trade_id)
    where (now.prospects, now.customers) is distinct from (old.prospects, old.customers)
    """
)
"""By how much the finest counts change, all firms counted."""

DELTA = text(
    """
    create temporary table delta on commit drop as
    with kept as materialized (
        select prospect_id from density_customer
        where prospect_id = any(array(select prospect_id from gone union select prospect_id from matched))
          and site_id not in (select id from come)
    )
    select cell, trade_id, cast(:finest as int) as resolution, sum(p)::int as prospects,
           (sum(c) / 100.0)::numeric(12, 2) as customers
    from (
        select place.cell, trade_id, 0 as p, -place.part as c from gone, unnest(cells, parts) as place (cell, part)
        union all
        select place.cell, trade_id, 0, place.part
        from density_customer join come on come.id = site_id, unnest(cells, parts) as place (cell, part)
        union all
        select prospect_cell, prospect_trade_id, 1, 0 from (
            select distinct prospect_id, prospect_cell, prospect_trade_id from gone
            where prospect_id is not null and prospect_id not in (select id from firm)
              and prospect_id not in (select prospect_id from kept)
        ) freed
        union all
        select prospect_cell, prospect_trade_id, -1, 0 from (
            select distinct prospect_id, prospect_cell, prospect_trade_id from matched
            where prospect_id is not null and prospect_id not in (select id from firm)
              and prospect_id not in (select prospect_id from kept)
        ) taken
        union all
        select was_cell, was_trade_id, -1, 0 from firm
        where was_cell is not null and id not in (select prospect_id from gone where prospect_id is not null)
        union all
        select cell, trade_id, 1, 0 from firm
        where cell is not null and id not in (select prospect_id from matched where prospect_id is not null)
    ) parts
    group by 1, 2 having sum(p) <> 0 or sum(c) <> 0
    """
)
"""The same of what changed: a prospect that became a customer is a prospect no longer, and back, unless another one
keeps being it; all customers of prospects that changed went and came."""

DELTA_COARSER = text(
    """
    insert into delta
    select h3_parent(cell, cast(:resolution as int)), trade_id, :resolution, sum(prospects), sum(customers)
    from delta where resolution = :resolution + 1 group by 1, 2 having sum(prospects) <> 0 or sum(customers) <> 0
    """
)

_ADD = """
    merge into COUNTS c using (select cell, trade_id, prospects, customers from DIFFERENCES order by cell, trade_id) d
    on c.cell = d.cell and c.trade_id = d.trade_id
    when matched and c.prospects + d.prospects = 0 and c.customers + d.customers = 0 then delete
    when matched then update set prospects = c.prospects + d.prospects, customers = c.customers + d.customers
    when not matched then insert (cell, trade_id, prospects, customers)
        values (d.cell, d.trade_id, d.prospects, d.customers)
"""
ANALYZE_DELTA = text("analyze delta (cell)")
NOTE_COUNTS = text(_ADD.replace("COUNTS", "density_count_change").replace("DIFFERENCES", "delta"))
ADD_COUNTS = text(_ADD.replace("COUNTS", "density_count").replace("DIFFERENCES", "delta"))
FOLD_COUNTS = (
    text(_ADD.replace("COUNTS", "density_count").replace("DIFFERENCES", "density_count_change")),
    text("delete from density_count_change"),
)
"""What changed is noted beside the counts, or added to them; what was noted is added. In the order of the cells, so
that those of one hexagon and of its neighbours stand together."""

SUMS_OF_KINDS = text(
    """
    select t.id, coalesce(sum(c.prospects), 0)::float8, coalesce(sum(c.customers), 0)::float8,
           coalesce(max(w.value), 0), coalesce(max(w.customers), 0)
    from (select id from density_trade union all select 0) t
    left join density_count_now c on c.trade_id = t.id and c.cell >= :from and c.cell < :below
    left join (
        select d.trade_id, sum(a.yearly_value)::float8 as value, count(*)::float8 as customers
        from density_customer d join site s on s.id = d.site_id and s.is_main join account a on a.id = s.account_id
        where a.yearly_value is not null and a.currency = :currency group by 1
    ) w on w.trade_id = t.id
    group by t.id order by t.id
    """
)
"""Of each kind, and of 0, which nobody knows: prospects, customers, their yearly values together, and how many have
one."""

MARKET = text(
    """
    select coalesce(sum(customers), 0)::float8, coalesce(sum(prospects + customers), 0)::float8
    from density_count_now where cell >= :from and cell < :below
    """
)
"""Customers, and all firms: of one resolution, whose cells are a range."""
COARSEST_CELLS = {"from": 1 << 59 | COARSEST << 52, "below": 1 << 59 | (COARSEST + 1) << 52}

LEARN = text(
    """
    update density_trade t set firms = n.firms, customers = n.customers, rate = n.rate, value = n.value
    from unnest(cast(:ids as smallint[]), cast(:firms as float8[]), cast(:customers as float8[]),
                cast(:rates as float8[]), cast(:values as float8[])) as n (id, firms, customers, rate, value)
    where t.id = n.id
    """
)

FRESH = text(
    """
        create temporary table fresh on commit drop as
        select cell, ((cell >> 52) & 15)::int as resolution, sum(c.prospects)::int as prospects,
               sum(c.customers)::numeric(12, 2) as customers,
               sum((c.prospects + c.customers::float8) * coalesce(t.rate, :usual)) as expected,
               sum((c.prospects + c.customers::float8) * coalesce(t.rate * (1 - t.rate), :usual * (1 - :usual)))
                   as variance,
               coalesce(sum(c.prospects * t.rate * t.value), 0) as value
        from density_count c left join density_trade t on t.id = trade_id
        group by cell
        """
)
"""Customers of no known kind are expected at the usual rate."""
ANALYZE_FRESH = text("analyze fresh")

CHANGES = text(
    """
    create temporary table changes on commit drop as
    select cell, f.resolution, f.prospects, f.customers::numeric(12, 2) as customers, f.expected, f.variance, f.value,
           old.cell is null as is_new
    from fresh f full join density_cell old using (cell)
    where (f.prospects, f.customers, f.expected, f.variance, f.value)
        is distinct from (old.prospects, old.customers, old.expected, old.variance, old.value)
    """
)
"""What differs from the cells as they were summed up; a cell that is gone has no counts."""
APPLY = (
    text(
        "delete from density_cell old using changes"
        " where changes.cell = old.cell and coalesce(changes.prospects + changes.customers, 0) = 0"
    ),
    text(
        """
        update density_cell old set prospects = w.prospects, customers = w.customers,
            expected = w.expected, variance = w.variance, value = w.value
        from changes w where w.cell = old.cell and not w.is_new and w.prospects + w.customers > 0
        """
    ),
    text("delete from density_cell_change"),
)

CHANGES_BY_DELTA = text(
    """
    create temporary table changes on commit drop as
    select cell, resolution, prospects, customers, expected, variance, value, not was_there and coalesce(
               (select false from density_cell old where old.cell = sums.cell), true) as is_new
    from (
        select cell, resolution, sum(d.prospects)::int as prospects, sum(d.customers)::numeric(12, 2) as customers,
               sum((d.prospects + d.customers::float8) * coalesce(t.rate, :usual)) as expected,
               sum((d.prospects + d.customers::float8) * coalesce(t.rate * (1 - t.rate), :usual * (1 - :usual)))
                   as variance,
               coalesce(sum(d.prospects * t.rate * t.value), 0) as value,
               bool_or(d.prospects < 0 or d.customers < 0) as was_there
        from delta d left join density_trade t on t.id = trade_id group by cell, resolution
        order by cell  -- the cells that may be new are looked for in the order of their index
    ) sums
    """
)
"""The same table, of the same types, since a prepared statement meets both: by how much cells change, while the rates
stay as they were when they were summed up. Where something goes away, something was."""
NOTE_CELLS = text(
    """
    merge into density_cell_change c using (select * from changes where not is_new order by cell) d on c.cell = d.cell
    when matched then update set prospects = c.prospects + d.prospects, customers = c.customers + d.customers,
        expected = c.expected + d.expected, variance = c.variance + d.variance, value = c.value + d.value
    when not matched then insert (cell, prospects, customers, expected, variance, value)
        values (d.cell, d.prospects, d.customers, d.expected, d.variance, d.value)
    """
)

NEW_CELLS = text(
    """
    select cell, resolution, prospects, customers, expected, variance, value
    from changes where is_new and prospects + customers > 0 order by cell
    """
)

TERRITORIES = text(
    "select concat(count(*), '/', sum(rev), '/', max(updated_at)) from territory where deleted_at is null"
)

_GIVE_CELLS = """
    update density_cell cell set territory_id = now.territory_id
    from (
        select c.cell, (
            select t.id from territory t
            where t.deleted_at is null and ST_Covers(t.area, ST_Transform(ST_Centroid(c.geom), 4326))
            order by ST_Area(t.area), t.id limit 1
        ) as territory_id
        from density_cell c WHICH
    ) now
    where now.cell = cell.cell and now.territory_id is distinct from cell.territory_id
"""
GIVE_CELLS = {
    True: text(_GIVE_CELLS.replace("WHICH", "")),
    False: text(_GIVE_CELLS.replace("WHICH", "where c.cell = any(array(select cell from changes where is_new))")),
}
"""All cells, or those that are new, to the territories."""

_BREAKS = """
    select resolution,
           percentile_disc(cast(:shares as float8[])) within group (order by prospects) filter (where prospects > 0),
           percentile_disc(cast(:shares as float8[])) within group (order by ceil(customers))
               filter (where customers > 0.5),
           percentile_disc(cast(:shares as float8[])) within group (order by value) filter (where value > 0),
           percentile_disc(cast(:shares as float8[])) within group (order by penetration)
               filter (where customers >= 0.05),
           max(prospects), max(ceil(customers)), max(value), max(penetration)
    from FIGURES group by resolution
"""
BREAKS = text(_BREAKS.replace("FIGURES", "density_cell_now"))
BREAKS_OF_KINDS = text(
    _BREAKS.replace(
        "FIGURES",
        """
        (select ((k.cell >> 52) & 15)::int as resolution, sum(k.prospects) as prospects, sum(k.customers) as customers,
                sum(k.prospects * t.rate * t.value) as value,
                (sum(k.customers) / nullif(sum(k.prospects + k.customers), 0))::float8 as penetration
         from density_count_now k join density_trade t on t.id = k.trade_id
         where k.trade_id = any(:trades) group by k.cell) of_kinds
        """,
    )
)
"""The quintiles of each layer's figures by resolution, and the highest of each."""
