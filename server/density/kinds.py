"""What kind of firm each customer is: as people said, else as the map has the same firm, else as its name tells.

The statements work on the temporary tables of `counting`, after customers have found the prospects that they were.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.kit.database import copy_rows
from server.regions.firms import kind_in

UNSAID = text(
    """
    select c.id, c.name from customer_now c join density_customer counted on counted.site_id = c.id
    where (:again or c.id in (select id from come)) and c.kind is null and counted.prospect_id is null
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

GIVE_KINDS = text(
    """
    update density_customer counted set trade_id = known.trade_id
    from (
        select c.id, coalesce(said.id, d.prospect_trade_id, told.id, 0) as trade_id
        from customer_now c join density_customer d on d.site_id = c.id
        left join density_trade said on said.kind = c.kind
        left join named on named.site_id = c.id left join density_trade told on told.kind = named.kind
        where :again or c.id in (select id from come)
    ) known
    where known.id = counted.site_id and known.trade_id <> counted.trade_id
    """
)

GUESSES = (
    text(
        """
        delete from account_guess where account_id in (
            select account_id from customer_now where is_main and (:again or id in (select id from come))
        )
        """
    ),
    text(
        """
        insert into account_guess (account_id, kind, source)
        select c.account_id, coalesce(t.kind, named.kind), case when t.kind is null then 'name' else 'map' end
        from customer_now c join density_customer d on d.site_id = c.id
        left join density_trade t on t.id = d.prospect_trade_id left join named on named.site_id = c.id
        where c.is_main and (:again or c.id in (select id from come)) and coalesce(t.kind, named.kind) is not null
        """
    ),
)
"""What is guessed of the accounts' kinds goes back to them; an account of which one was guessed keeps it when it is no
customer any longer."""


def give(session: Session, *, again: bool) -> None:
    """Give customers that came or changed, or all again, their kinds, and tell the accounts what was guessed."""
    which = {"again": again}
    unsaid = session.execute(UNSAID, which).all()
    session.execute(NAMED)
    told = ((site_id, kind_in(name)) for site_id, name in unsaid)
    copy_rows(session, "named", ("site_id", "kind"), (row for row in told if row[1] is not None))
    session.execute(text("analyze named"))
    session.execute(KINDS_OF_CUSTOMERS)
    for statement in (GIVE_KINDS, *GUESSES):
        session.execute(statement, which)
