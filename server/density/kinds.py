"""What kind of firm each customer is: as people said, else as the map has the same firm, else as its name tells.

The statements work on the temporary tables of `counting`, after customers have found the prospects that they were.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.density.counting import GRID_DEGREES
from server.kit.database import copy_rows
from server.regions.firms import kind_in

OF_PROSPECTS = text(
    """
    insert into density_trade (kind)
    select distinct p.kind from prospect p join region r on r.id = p.region_id and r.state = 'ready'
    where not exists (select from density_trade t where t.kind = p.kind) order by 1
    """
)

UNSAID = text(
    """
    select c.id, c.name from customer_now c join matched on matched.site_id = c.id
    where c.kind is null and matched.prospect_id is null
    """
)
"""Customers of whose kind neither people nor the map say anything; perhaps their names do."""

NAMED = text("create temporary table named (site_id uuid primary key, kind text) on commit drop")

KINDS_OF_CUSTOMERS = text(
    """
    insert into density_trade (kind)
    select kind from (select kind from customer_now where kind is not null union select kind from named) said
    where not exists (select from density_trade t where t.kind = said.kind) order by 1
    """
)

WRITE = text(
    """
    merge into density_customer counted using (
        select m.*, c.rev, c.worth, placed.cells, placed.parts,
               search_text(c.name) as plain_name, ST_SnapToGrid(c.pin, :grid) as near,
               coalesce(said.id, m.prospect_trade_id, told.id, 0) as trade_id
        from matched m join customer_now c on c.id = m.site_id
        left join placed on placed.site_id = m.site_id
        left join density_trade said on said.kind = c.kind
        left join named on named.site_id = m.site_id left join density_trade told on told.kind = named.kind
    ) now on counted.site_id = now.site_id
    when matched and (counted.prospect_id, counted.prospect_cell, counted.prospect_trade_id, counted.trade_id)
            is distinct from (now.prospect_id, now.prospect_cell, now.prospect_trade_id, now.trade_id)
        then update set prospect_id = now.prospect_id, prospect_cell = now.prospect_cell,
            prospect_trade_id = now.prospect_trade_id, trade_id = now.trade_id
    when not matched then insert
            (site_id, rev, cells, parts, prospect_id, prospect_cell, prospect_trade_id, trade_id, worth,
             plain_name, near)
        values (now.site_id, now.rev, now.cells, now.parts, now.prospect_id, now.prospect_cell,
                now.prospect_trade_id, now.trade_id, now.worth, now.plain_name, now.near)
    """
)
"""Those that came are written with their places; of the others the prospect and the kind may be another now."""

GUESSES = (
    text(
        """
        delete from account_guess where account_id in (
            select c.account_id from customer_now c join matched on matched.site_id = c.id where c.is_main
        )
        """
    ),
    text(
        """
        insert into account_guess (account_id, kind, source)
        select c.account_id, coalesce(t.kind, named.kind), case when t.kind is null then 'name' else 'map' end
        from customer_now c join matched m on m.site_id = c.id
        left join density_trade t on t.id = m.prospect_trade_id left join named on named.site_id = c.id
        where c.is_main and coalesce(t.kind, named.kind) is not null
        """
    ),
)
"""What is guessed of the accounts' kinds goes back to them; an account of which one was guessed keeps it when it is no
customer any longer."""


def give(session: Session) -> None:
    """Give the customers that were matched their kinds, write them, and tell the accounts what was guessed."""
    unsaid = session.execute(UNSAID).all()
    session.execute(NAMED)
    told = ((site_id, kind_in(name)) for site_id, name in unsaid)
    copy_rows(session, "named", ("site_id", "kind"), (row for row in told if row[1] is not None))
    session.execute(text("analyze matched (site_id), placed (site_id), named"))
    session.execute(KINDS_OF_CUSTOMERS)
    session.execute(WRITE, {"grid": GRID_DEGREES})
    for statement in GUESSES:
        session.execute(statement)
