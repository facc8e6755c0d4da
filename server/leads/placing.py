"""Where a lead is: its pin and the territory around it."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.geocode.types import AddressQuery
from geo.types import Grade, LonLat
from server.accounts.models import PinState
from server.accounts.pins import BY_PEOPLE, HAND_UNCERTAINTY_M, PIN_FIELDS, answered, standing, wkt
from server.geocoding import remote
from server.geocoding import service as geocoding
from server.geocoding.errors import NoAddresses
from server.leads.models import Lead
from server.leads.values import ADDRESS

ADDRESS_FIELDS = frozenset(ADDRESS)
PIN_STATE = tuple(name for name in PIN_FIELDS if name != "pin")


def reset_pin(lead: Lead) -> None:
    """The address is new: the pin waits for the geocoder; without an address there is nothing to wait for."""
    has_address = any(getattr(lead, name) for name in ADDRESS if name != "country")
    lead.pin_state = PinState.PENDING if has_address else PinState.FAILED
    lead.geocode_reason = None if has_address else "no_address"
    lead.pin = lead.grade = lead.uncertainty_m = lead.confidence = lead.provider = lead.region_version = None


def set_by_hand(lead: Lead, point: LonLat, *, uncertainty_m: float = HAND_UNCERTAINTY_M) -> None:
    """The pin stands where a person put it. Refuses what `standing` refuses."""
    lead.pin, lead.pin_state, lead.grade, lead.provider = wkt(standing(point)), PinState.PLACED, Grade.MANUAL, "hand"
    lead.uncertainty_m, lead.confidence = uncertainty_m, 1.0
    lead.geocode_reason, lead.region_version = "set_by_hand", None


def query_of(lead: Lead) -> AddressQuery:
    """A lead's place as a question to the geocoder; a street without a place may be a whole address."""
    name = lead.company or ""
    if lead.street and not lead.postcode and not lead.city:
        return AddressQuery(name=name, country=lead.country or "", query=lead.street)
    return AddressQuery(
        name=name,
        street=lead.street or "",
        postcode=lead.postcode or "",
        city=lead.city or "",
        country=lead.country or "",
    )


def locate(session: Session, leads: Sequence[Lead]) -> None:
    """Place the leads that wait for a pin; without any address index they go on waiting."""
    waiting = [lead for lead in leads if lead.pin_state == PinState.PENDING and lead.grade not in BY_PEOPLE]
    if not waiting:
        return
    queries = [query_of(lead) for lead in waiting]
    with suppress(NoAddresses):
        answers = remote.better(session, queries, geocoding.pinned_many(session, queries))
        for lead, answer in zip(waiting, answers, strict=True):
            for name, value in zip(PIN_FIELDS, answered(answer), strict=True):
                setattr(lead, name, wkt(answer.point) if name == "pin" and answer.point else value)
        session.flush()


ALIGN = text(
    """
    update lead set territory_id = found.territory_id
    from (
        select l.id, (
            select t.id from territory t
            where t.deleted_at is null and st_covers(t.area, l.pin) order by st_area(t.area), t.id limit 1
        ) as territory_id
        from lead l where l.id = any(:ids)
    ) found
    where lead.id = found.id and lead.territory_id is distinct from found.territory_id
    """
)


def align(session: Session, lead_ids: Sequence[UUID]) -> None:
    """Put leads into the territories that cover them."""
    session.flush()
    session.execute(ALIGN, {"ids": list(lead_ids)})


def realign_open(session: Session) -> None:
    """Put every open lead into its territory again, after polygons have changed."""
    ids = session.scalars(select(Lead.id).where(Lead.decided_at.is_(None), Lead.deleted_at.is_(None))).all()
    align(session, ids)
