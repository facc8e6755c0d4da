"""Pins of providers with a term, where they were copied to: history, decisions of the desk, imports and their undos."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from server.accounts.models import PinState, Site
from server.geocoding import remote
from server.geocoding.forgetting import blunt_history
from server.records.models import FORGOTTEN

WAITING = """'{"pin": null, "pin_state": "pending", "grade": null, "uncertainty_m": null, "confidence": null,
    "geocode_reason": null, "provider": null, "region_version": null, "forgotten": true}'::jsonb"""
"""A place without the pin that may not be kept: taken back to it, it is located anew."""

DECISIONS = """
    update site_change c set {side} = c.{side} || {waiting}{more}
    where c.{side} ->> 'provider' = :key and c.{side} ->> 'pin' is not null
      and not exists (
          select from kept_point k
          where st_equals((c.{side} ->> 'pin')::geometry, st_setsrid(st_makepoint(k.lon, k.lat), 4326))
      )
"""

COPIED = "(select distinct s.account_id, f.lon, f.lat from forgotten_pin f join site s on s.id = f.row_id) g"

ELSEWHERE = (
    f"""
    update import_outcome o set changes = o.changes
        || case when o.changes ? 'lon' then jsonb_build_object('lon', jsonb_set(o.changes -> 'lon', '{{0}}', 'null'))
                else '{{}}' end
        || case when o.changes ? 'lat' then jsonb_build_object('lat', jsonb_set(o.changes -> 'lat', '{{0}}', 'null'))
                else '{{}}' end
    from {COPIED}
    where o.target_id = g.account_id and o.changes ?| array['lon', 'lat']
      and (o.changes -> 'lon' ->> 0 is null or (o.changes -> 'lon' ->> 0)::numeric = round(g.lon::numeric, 6))
      and (o.changes -> 'lat' ->> 0 is null or (o.changes -> 'lat' ->> 0)::numeric = round(g.lat::numeric, 6))
    """,  # noqa: S608
    *(
        f"""
        update import_kept i set {side} = to_jsonb(cast(:forgotten as text)) from {COPIED}
        where i.record_id = g.account_id and i.field = 'pin' and jsonb_typeof(i.{side}) = 'object'
          and (i.{side} -> 'coordinates' ->> 0)::float8 = g.lon and (i.{side} -> 'coordinates' ->> 1)::float8 = g.lat
        """  # noqa: S608
        for side in ("value", "former")
    ),
    f"""
    update account_trait t set pin = null from {COPIED}
    where t.account_id = g.account_id and st_equals(t.pin, st_setsrid(st_makepoint(g.lon, g.lat), 4326))
    """,  # noqa: S608
)


def forget_copies(session: Session, key: str) -> int:
    """Take a provider's coordinates that may not be kept any longer out of everything beside the pins themselves.

    What stood there stays as “forgotten”; an undo that comes to it has the place located anew. Returns how many.
    """
    session.flush()
    count = blunt_history(session, "site", key)
    for side, more in (("before", ""), ("after", ", is_chosen = c.is_chosen and c.state <> 'proposed'")):
        changed = DECISIONS.format(side=side, waiting=WAITING, more=more) + " returning 1"
        count += len(session.execute(text(changed), {"key": key}).all())
    for statement in ELSEWHERE:
        count += len(session.execute(text(statement + " returning 1"), {"forgotten": FORGOTTEN}).all())
    session.expire_all()
    return count


def wait_again(session: Session, account_ids: Sequence[UUID]) -> None:
    """Places that an undo brought back without their forgotten pin wait for the geocoder again."""
    lost = Site.provider.in_(remote.LIMITED) & Site.pin.is_(None) & Site.pin_state.in_(("placed", "review"))
    nothing = dict.fromkeys(("grade", "uncertainty_m", "confidence", "geocode_reason", "provider", "region_version"))
    statement = update(Site).where(Site.account_id.in_(account_ids), lost).values(pin_state=PinState.PENDING, **nothing)
    session.execute(statement.execution_options(synchronize_session=False))
