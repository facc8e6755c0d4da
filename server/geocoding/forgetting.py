"""Answers that their provider's terms let nobody keep any longer, where they have been copied to: the history."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.geocoding.providers import PROVIDERS
from server.kit import clock
from server.records.models import FORGOTTEN

# A pin in the history belongs to whoever is named as its provider at that revision: by the last change of the provider
# up to then, else by what stood there before the first one after it.
COPIES = """
    create temporary table forgotten_pin on commit drop as
    with rows as (
        select distinct row_id from field_history
        where entity = :entity and field = 'provider'
          and (old = to_jsonb(cast(:key as text)) or new = to_jsonb(cast(:key as text)))
    ),
    pins as (
        select h.id, h.row_id, side.is_new, (side.value -> 'coordinates' ->> 0)::float8 as lon,
               (side.value -> 'coordinates' ->> 1)::float8 as lat,
               case when p.is_there then p.who else n.who end as who
        from rows
        join field_history h on h.entity = :entity and h.row_id = rows.row_id and h.field = 'pin'
        cross join lateral (values (true, h.new), (false, h.old)) side (is_new, value)
        left join lateral (
            select true as is_there, b.new #>> '{}' as who from field_history b
            where b.entity = :entity and b.row_id = h.row_id and b.field = 'provider'
              and (b.rev < h.rev or side.is_new and b.rev = h.rev)
            order by b.rev desc limit 1
        ) p on true
        left join lateral (
            select a.old #>> '{}' as who from field_history a
            where a.entity = :entity and a.row_id = h.row_id and a.field = 'provider'
              and (a.rev > h.rev or not side.is_new and a.rev = h.rev)
            order by a.rev limit 1
        ) n on true
        where jsonb_typeof(side.value) = 'object'
    )
    select id, row_id, is_new, lon, lat from pins where who = :key and not (lon, lat) in (select * from kept_point)
"""

KEPT_POINTS = """
    create temporary table kept_point on commit drop as
    select (answer ->> 'lon')::float8 as lon, (answer ->> 'lat')::float8 as lat from geocoding_remote_answer
    where provider = :key and asked_at > :since and answer ? 'lon'
"""

BLUNT = """
    update field_history h set {side} = to_jsonb(cast(:forgotten as text))
    from forgotten_pin f where f.id = h.id and f.is_new = {is_new}
"""


def blunt_history(session: Session, entity: str, key: str) -> int:
    """Take the coordinates that a provider's terms let nobody keep any longer out of the history of a kind of record.

    Afterwards `forgotten_pin` and `kept_point` tell what was taken out and what may still be kept. Returns how many.
    """
    for table in ("forgotten_pin", "kept_point"):
        session.execute(text(f"drop table if exists {table}"))
    since = clock.now() - timedelta(days=PROVIDERS[key].keeps_days or 0)
    session.execute(text(KEPT_POINTS), {"key": key, "since": since})
    session.execute(text(COPIES), {"entity": entity, "key": key})
    count = 0
    for side, is_new in (("new", "true"), ("old", "false")):
        blunted = session.execute(
            text(BLUNT.format(side=side, is_new=is_new) + " returning 1"), {"forgotten": FORGOTTEN}
        )
        count += len(blunted.all())
    return count
