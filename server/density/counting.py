"""The set-based statements that count prospects and customers into hexagons, in the order in which they run.

They meet in temporary tables: `customer_now` (sites of customers as they are), `fresh` (the counts as they should be),
`changes` and `changed_share` (where they differ). `h3_parent` is our own SQL function, see the migration.
"""

from statistics import NormalDist

from sqlalchemy import text

FINEST, COARSEST = 9, 3
"""H3 resolutions that are counted: edges of 0.2 km to 69 km."""

SAME_FIRM = {"metres": 150, "degrees": 0.01, "similarity": 0.45}
"""A customer is a prospect of much the same name (trigrams) no further away than this."""

Z2 = NormalDist().inv_cdf(0.95) ** 2
"""Of the 90 % Wilson interval, as in `geo.density.penetration`."""

INPUTS = text(
    """
    select concat_ws(' ',
        coalesce((select string_agg(id::text, ',' order by id) from region where state = 'ready'), '-'),
        (select concat(count(*), '/', sum(rev)) from account),
        (select concat(count(*), '/', sum(rev)) from site))
    """
)
"""What decides the counts, read in a few milliseconds."""

START = (
    text("drop table if exists pg_temp.customer_now, pg_temp.fresh, pg_temp.changes, pg_temp.changed_share"),
    text("set local work_mem = '256MB'"),
)

CUSTOMERS = text(
    """
    create temporary table customer_now on commit drop as
    select site.id, site.rev + account.rev as rev, site.pin, account.name, coalesce(site.uncertainty_m, 0) as doubt_m
    from site join account on account.id = site.account_id
    where account.status = 'customer' and account.merged_into is null
      and account.deleted_at is null and site.deleted_at is null and site.pin is not null
    """
)

FORGET = text(
    """
    delete from density_customer counted where not exists
        (select from customer_now c where c.id = counted.site_id and c.rev = counted.rev)
    """
)

NEW_CUSTOMERS = text(
    """
    select c.id, c.rev, ST_X(c.pin), ST_Y(c.pin), c.doubt_m from customer_now c
    where not exists (select from density_customer counted where counted.site_id = c.id)
    """
)

UNMATCH = text("update density_customer set prospect_id = null where prospect_id is not null")

MATCH = text(
    """
    update density_customer counted set prospect_id = nearest.id
    from customer_now c cross join lateral (
        select p.id from prospect p join region r on r.id = p.region_id and r.state = 'ready'
        where ST_DWithin(p.pin, c.pin, :degrees) and ST_DWithin(p.pin::geography, c.pin::geography, :metres)
          and similarity(search_text(p.name), search_text(c.name)) >= :similarity
        order by similarity(search_text(p.name), search_text(c.name)) desc, p.pin <-> c.pin limit 1
    ) nearest
    where c.id = counted.site_id and counted.site_id = any(:sites)
    """
)

COUNT_FINEST = text(
    """
    create temporary table fresh on commit drop as
    select cell, cast(:finest as int) as resolution, sum(p)::int as prospects,
           (sum(c) / 100.0)::numeric(12, 2) as customers
    from (
        select h3_parent(firm.cell, :finest) as cell, 1 as p, 0 as c
        from (
            select distinct p.id, p.cell from prospect p join region r on r.id = p.region_id and r.state = 'ready'
            where not exists (select from density_customer counted where counted.prospect_id = p.id)
        ) firm
        union all
        select h3_parent(place.cell, :finest), 0, place.part
        from density_customer counted, unnest(counted.cells, counted.parts) as place (cell, part)
    ) firms
    group by cell
    """
)

COUNT_COARSER = text(
    """
    insert into fresh
    select h3_parent(cell, cast(:resolution as int)), :resolution, sum(prospects), sum(customers)
    from fresh where resolution = :resolution + 1 group by 1
    """
)

CHANGES = text(
    """
    create temporary table changes on commit drop as
    select cell, f.resolution, f.prospects, f.customers, old.cell is null as is_new,
           (f.customers / (f.prospects + f.customers))::float8 as share, (f.prospects + f.customers)::float8 as n
    from fresh f full join density_cell old using (cell)
    where (f.prospects, f.customers) is distinct from (old.prospects, old.customers)
    """
)
"""What differs; a cell that is gone has no counts."""

DROP_OLD = text(
    "delete from density_cell old using changes where changes.cell = old.cell and changes.prospects is null"
)

SHARES = text(
    """
    create temporary table changed_share on commit drop as
    select cell, resolution, prospects, customers, is_new, share,
           greatest(0, (share + :z2 / (2 * n) - root) / (1 + :z2 / n)) as low,
           least(1, (share + :z2 / (2 * n) + root) / (1 + :z2 / n)) as high
    from (
        select *, sqrt(:z2 * (share * (1 - share) + :z2 / (4 * n)) / n) as root
        from changes where prospects is not null
    ) roots
    """
)

UPDATE_CHANGED = text(
    """
    update density_cell old set prospects = w.prospects, customers = w.customers,
        penetration = w.share, low = w.low, high = w.high
    from changed_share w where w.cell = old.cell and not w.is_new
    """
)

NEW_CELLS = text(
    "select cell, resolution, prospects, customers, share, low, high from changed_share where is_new order by cell"
)
