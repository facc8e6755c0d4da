"""The prospects that reach phones: of the ground of each territory the best few, picked when the counts are new.

Of each territory, and of nobody's ground where customers are around, those of the highest expected value (chance that
such a firm becomes a customer times what such customers are worth a year); of equal ones those with more customers
around. What became a customer or a lead goes at once; the rest stays until the rates are learned anew.
"""

import json
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session
from sqlalchemy.types import ARRAY, Uuid

from server.density.counting import FINEST
from server.density.models import DensityState, DensityTrade
from server.density.open_data import BECAME_LEAD, IS_CUSTOMER, LIKE_ACCOUNT, LIKE_LEAD
from server.kit.locks import one_at_a_time
from server.regions.firms import LANGUAGES, word

CLAIMS = "claims of prospects"
"""Whoever makes something of prospects, or writes which are offered, does so one after the other."""
MOST = 500
"""So many of one territory, or of the ground that none covers: some 40 kB on the wire."""
AROUND = 7
"""H3 resolution of the surroundings in which customers are counted: 5 square kilometres."""

TAKEN = f"({IS_CUSTOMER} or {BECAME_LEAD})"
KNOWN = f"({LIKE_LEAD} or {LIKE_ACCOUNT})"
"""Nobody could make a lead of it; asked only of the best, for it is dear."""

_FIRMS = (
    text("drop table if exists pg_temp.offerable"),
    text(
        f"""
        create temporary table offerable on commit drop as
        select distinct on (p.id) p.id, p.name, p.kind, p.tags, p.pin, r.attribution, r.licence,
               h3_parent(p.cell, :finest) as cell, h3_parent(p.cell, :around) as area
        from prospect p join region r on r.id = p.region_id and r.state = 'ready'
        where not {TAKEN}
        order by p.id, r.ready_at desc
        """  # noqa: S608 our constants
    ),
    text("analyze offerable"),
)
_PICK = text(
    """
    create temporary table picked on commit drop as
    with words as (
        select * from unnest(cast(:kinds as text[]), cast(:words as text[])) as w (kind, words)
    ),
    best as (
        select * from (
            select firm.*, own.territory_id, row_number() over (
                partition by own.territory_id
                order by t.rate * t.value desc, coalesce(near.customers, 0) desc, firm.id
            ) as place
            from offerable firm join density_trade t on t.kind = firm.kind
            join density_cell own on own.cell = firm.cell
            left join density_cell_now near on near.cell = firm.area
            where own.territory_id is not null or near.customers >= 0.5
        ) p where place <= :most and not KNOWN
    )
        select id, left(name, 300) as name, kind, cast(words.words as jsonb) as kind_words,
               nullif(left(concat_ws(' ', coalesce(tags ->> 'addr:street', tags ->> 'addr:place'),
                   tags ->> 'addr:housenumber'), 200), '') as street,
               left(tags ->> 'addr:postcode', 20) as postcode, left(tags ->> 'addr:city', 200) as city,
               nullif(left(btrim(split_part(coalesce(tags ->> 'phone', tags ->> 'contact:phone'), ';', 1)), 60), '')
                   as phone,
               left(tags ->> 'opening_hours', 300) as opening_hours,
               concat_ws(', ', array_to_string(attribution, '; '), nullif(licence, '')) as credit, pin, territory_id
        from best join words using (kind)
    """.replace("KNOWN", KNOWN)
)
_LEAVE_OUT = text(f"delete from picked p where {TAKEN}")  # noqa: S608 our constants
"""What was claimed while we picked."""
_WRITE = text(
    """
    with gone as (
        update offered_prospect o set deleted_at = now(), rev = o.rev + 1
        where o.deleted_at is null and not exists (select from picked where picked.id = o.id)
    )
    insert into offered_prospect as o
        (id, name, kind, kind_words, street, postcode, city, phone, opening_hours, credit, pin, territory_id)
    select id, name, kind, kind_words, street, postcode, city, phone, opening_hours, credit, pin, territory_id
    from picked order by id
    on conflict (id) do update set
        name = excluded.name, kind = excluded.kind, kind_words = excluded.kind_words, street = excluded.street,
        postcode = excluded.postcode, city = excluded.city, phone = excluded.phone,
        opening_hours = excluded.opening_hours, credit = excluded.credit, pin = excluded.pin,
        territory_id = excluded.territory_id, deleted_at = null, rev = o.rev + 1
    where (o.name, o.kind, o.kind_words, o.street, o.postcode, o.city, o.phone, o.opening_hours, o.credit,
           o.pin::bytea, o.territory_id, o.deleted_at)
        is distinct from (excluded.name, excluded.kind, excluded.kind_words, excluded.street, excluded.postcode,
           excluded.city, excluded.phone, excluded.opening_hours, excluded.credit, excluded.pin::bytea,
           excluded.territory_id, null)
    """
)
_DROP_TAKEN = text(
    f"update offered_prospect p set deleted_at = now(), rev = p.rev + 1 where p.deleted_at is null and {TAKEN}"  # noqa: S608 our constants
)
_WITHDRAW = text(
    "update offered_prospect set deleted_at = now(), rev = rev + 1 where deleted_at is null and id = any(:ids)"
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))
_FORGET = text("delete from offered_prospect where deleted_at < now() - interval '180 days'")
"""As long as a phone may be away, the row keeps its revision."""


def refresh(session: Session) -> bool:
    """Pick anew where rates, territories or regions are others than at the last time, else only let go of what is
    taken; returns whether it picked."""
    state = session.get(DensityState, 1)
    if state is None:
        return False
    basis = f"{state.learned_at} {state.territories} {state.inputs}"
    if state.offered == basis:
        session.execute(_DROP_TAKEN)
        return False
    kinds = list(session.scalars(select(DensityTrade.kind)))
    session.execute(text("drop table if exists pg_temp.picked"))
    for statement in _FIRMS:
        session.execute(statement, {"finest": FINEST, "around": AROUND})
    session.execute(_PICK, {"kinds": kinds, "words": [_words(kind) for kind in kinds], "most": MOST})
    # From here to the commit nobody claims; what was claimed since we began to pick is seen now.
    one_at_a_time(session, CLAIMS)
    session.execute(_LEAVE_OUT)
    session.execute(_WRITE)
    session.execute(_FORGET)
    state.offered = basis
    session.flush()
    return True


def _words(kind: str) -> str:
    """What people call a kind in each language of ours, as JSON."""
    return json.dumps({language: word(kind, language) for language in LANGUAGES})


def withdraw(session: Session, prospect_ids: Iterable[UUID]) -> None:
    """Take prospects off all phones: they are leads now."""
    if ids := list(prospect_ids):
        session.execute(_WITHDRAW, {"ids": ids})


def pick_again(session: Session) -> None:
    """Have the next refresh pick anew: leads were taken back and are prospects again."""
    if state := session.get(DensityState, 1):
        state.offered = ""
