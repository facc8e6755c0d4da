"""What the model looks at, measured as of the moment when a lead came in: nothing that became known later counts."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.auth.models import RepProfile
from server.leads.models import Lead, LeadSource, LeadTraits
from server.leads.resembling import has_own_domain, point_of
from server.roads import service as roads

SOURCES = {
    "from_form": LeadSource.FORM,
    "from_api": LeadSource.API,
    "from_import": LeadSource.IMPORT,
    "from_map": LeadSource.MAP,
    "from_referral": LeadSource.REFERRAL,
    "from_fair": LeadSource.FAIR,
}
PRIOR = 4.0
"""So many imagined leads of the company's own share stand behind each territory's share."""

# The status of an account at that time is read from its history: an account that became a customer since was none.
AROUND = text(
    """
    select l.id, place.customers_2km, place.customers_10km, firms.n as prospects_1km, past.territory_share
    from lead l
    left join lateral (
        select count(*) filter (where near.metres <= 2000) as customers_2km, count(*) as customers_10km
        from (
            select st_distancesphere(s.pin, l.pin) as metres from site s join account a on a.id = s.account_id
            where s.is_main and s.deleted_at is null and a.deleted_at is null and a.merged_into is null
              and a.created_at < coalesce(cast(:as_of as timestamptz), l.created_at)
              and s.pin && st_expand(l.pin, 0.091 / cos(radians(st_y(l.pin))), 0.091)
              and coalesce((
                  select h.old #>> '{}' from field_history h
                  where h.entity = 'account' and h.row_id = a.id and h.field = 'status'
                    and h.at > coalesce(cast(:as_of as timestamptz), l.created_at) order by h.at, h.id limit 1
              ), a.status) = 'customer'
        ) near where near.metres <= 10000
    ) place on l.pin is not null
    left join lateral (
        select count(distinct p.id) as n from prospect p join region r on r.id = p.region_id and r.state = 'ready'
        where p.pin && st_expand(l.pin, 0.0091 / cos(radians(st_y(l.pin))), 0.0091)
          and st_distancesphere(p.pin, l.pin) <= 1000
    ) firms on l.pin is not null
    left join lateral (
        select (count(*) filter (where d.state = 'converted' and d.territory_id = l.territory_id)
                + :prior * coalesce(avg((d.state = 'converted')::int), 0.3))
               / (count(*) filter (where d.territory_id = l.territory_id) + :prior) as territory_share
        from lead d where d.deleted_at is null and d.decided_at < l.created_at
    ) past on true
    where l.id = any(:ids)
    """
)

WRITE = text(
    """
    insert into lead_traits as kept (lead_id, values, measured_at)
    select lead_id, said || geographic, now()
    from jsonb_to_recordset(cast(:measured as jsonb)) as new (lead_id uuid, said jsonb, geographic jsonb)
    on conflict (lead_id) do update set measured_at = excluded.measured_at, values = kept.values || (
        select jsonb_object_agg(key, value) from jsonb_each(excluded.values)
        where key in ('customers_2km', 'customers_10km', 'prospects_1km', 'territory_share', 'has_pin')
    )
    """
)
"""Of what was measured before, only what follows from the pin is measured anew."""
WRITE_DRIVES = text(
    """
    update lead_traits t set values = t.values || jsonb_build_object('drive_min', new.minutes)
    from unnest(cast(:ids as uuid[]), cast(:minutes as float8[])) as new (lead_id, minutes)
    where t.lead_id = new.lead_id
    """
)


def measure(session: Session, lead_ids: Sequence[UUID], *, as_of: datetime | None = None) -> None:
    """Measure leads and what is around them. What was measured before is kept, but for what follows from a new pin.

    `as_of` counts customers of another day than that of the lead's creation.
    """
    session.flush()
    around = session.execute(AROUND, {"ids": list(lead_ids), "as_of": as_of, "prior": PRIOR}).all()
    leads = {lead.id: lead for lead in session.scalars(select(Lead).where(Lead.id.in_(lead_ids)))}
    measured = []
    for row in around:
        lead = leads[row.id]
        geographic = {
            "customers_2km": row.customers_2km,
            "customers_10km": row.customers_10km,
            "prospects_1km": row.prospects_1km,
            "territory_share": round(float(row.territory_share), 4),
            "has_pin": float(lead.pin is not None),
        }
        measured.append({"lead_id": str(lead.id), "said": said(lead), "geographic": geographic})
    session.execute(WRITE, {"measured": json.dumps(measured)})


def said(lead: Lead) -> dict[str, float | None]:
    """What the lead itself says."""
    return {
        "has_phone": float(bool(lead.phones_e164)),
        "has_email": float(bool(lead.emails)),
        "own_domain": float(has_own_domain(lead.emails)),
        "has_company": float(bool(lead.company)),
        "words": float(len((lead.message or "").split())),
        "value": float(lead.expected_value) if lead.expected_value is not None else None,
        "has_campaign": float(bool(lead.campaign or lead.utm)),
        **{name: float(lead.source == source) for name, source in SOURCES.items()},
    }


def measure_drives(session: Session, leads: Sequence[Lead]) -> None:
    """How far leads are from the base of whoever got them first; measured once."""
    session.flush()
    bases = bases_of(session, {lead.owner_id for lead in leads if lead.owner_id})
    known = dict(
        session.execute(
            select(LeadTraits.lead_id, LeadTraits.values).where(LeadTraits.lead_id.in_([lead.id for lead in leads]))
        )
        .tuples()
        .all()
    )
    by_base: dict[LonLat, list[tuple[UUID, LonLat]]] = {}
    for lead in leads:
        base, point = bases.get(lead.owner_id), point_of(lead)
        if base and point and lead.id in known and known[lead.id].get("drive_min") is None:
            by_base.setdefault(base, []).append((lead.id, point))
    for base, there in by_base.items():
        points = [point for _id, point in there]
        found = roads.engine(session, [base, *points]).matrix([base], points)
        minutes = [round(seconds / 60, 1) for seconds in found.seconds[0].tolist()]
        session.execute(WRITE_DRIVES, {"ids": [lead_id for lead_id, _point in there], "minutes": minutes})


def bases_of(session: Session, user_ids: set[UUID]) -> Mapping[UUID | None, LonLat]:
    """Where reps set out from."""
    rows = session.execute(
        select(RepProfile.user_id, func.ST_X(RepProfile.home), func.ST_Y(RepProfile.home)).where(
            RepProfile.user_id.in_(user_ids), RepProfile.home.is_not(None)
        )
    )
    return {user_id: LonLat(lon, lat) for user_id, lon, lat in rows}
