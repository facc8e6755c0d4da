"""Pins: where a site is, who says so, and the territory that follows from it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from geoalchemy2 import WKTElement
from geoalchemy2.shape import to_shape
from shapely.geometry import Point
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from geo.geocode.types import Answer
from geo.types import Grade, LonLat
from server.accounts.models import PinState, Site
from server.accounts.place_models import Origin, PinProposal, ProposalState
from server.accounts.values import ADDRESS
from server.kit import clock
from server.kit.database import copy_rows
from server.kit.errors import Invalid

BY_PEOPLE = (Grade.MANUAL, Grade.GPS_CONFIRMED)
"""Pins of these grades are never moved by a machine or an import."""

PIN_FIELDS = (
    "pin", "pin_state", "grade", "uncertainty_m", "confidence", "geocode_reason", "provider", "region_version",
)  # fmt: skip
"""Everything that a site knows of its pin."""

HAND_UNCERTAINTY_M = 10.0

FARTHEST_LAT = 85.06
"""Where the maps end, north and south: Web Mercator has no place for the poles."""

ROUGH_M = 250.0
"""A pin that may be off by more is no place to drive to; the phone has the same limit."""


def point_of(lon: object, lat: object) -> LonLat:
    """A point that people give, where a pin can stand. Refuses coordinates outside the world, says when they look
    swapped, and refuses what `standing` refuses."""
    try:
        return standing(LonLat.checked(float(str(lon)), float(str(lat))))
    except ValueError as error:
        raise Invalid(f"The point is no place on Earth: {error}.", help="Give lon and lat in degrees.") from error


def standing(point: LonLat) -> LonLat:
    """A point where a pin can stand: whoever puts one down goes through here, people, phones and imports alike.

    Raises
    ------
    Invalid
        At 0, 0, which is what broken receivers and empty cells say, and beyond `FARTHEST_LAT`, where no map goes.
    """
    wrong = misplaced(point)
    if wrong is not None:
        raise Invalid(f"The point is no place for a pin: {wrong}.", help="Set it on the map, or give an address.")
    return point


def misplaced(point: LonLat) -> str | None:
    """Why no pin can stand at a point of the world; None where one can."""
    if abs(point.lon) < 1e-6 and abs(point.lat) < 1e-6:
        return "0, 0 lies in the sea off Africa"
    if not abs(point.lat) <= FARTHEST_LAT:
        return f"latitude {point.lat:g} is too near a pole, the maps end at {FARTHEST_LAT:g}"
    return None


def pin_of(site: Site) -> LonLat | None:
    """Where a site is, if that is known."""
    point = to_shape(site.pin) if site.pin is not None else None
    return LonLat(point.x, point.y) if isinstance(point, Point) else None


def wkt(point: LonLat) -> WKTElement:
    """A point as it is stored: to the centimetre, so that its history can bring it back exactly."""
    return WKTElement(f"POINT({round(point.lon, 7)!r} {round(point.lat, 7)!r})", srid=4326)


def reset_pin(site: Site) -> None:
    """The address is new: the pin waits for the geocoder; without an address there is nothing to wait for."""
    has_address = any(getattr(site, name) for name in ADDRESS if name != "country")
    site.pin_state = PinState.PENDING if has_address else PinState.FAILED
    site.geocode_reason = None if has_address else "no_address"
    site.pin = site.grade = site.uncertainty_m = site.confidence = site.provider = site.region_version = None


def set_by_hand(site: Site, point: LonLat) -> None:
    """The pin stands where a person put it. Refuses what `standing` refuses."""
    site.pin = wkt(standing(point))
    site.pin_state, site.grade, site.provider = PinState.PLACED, Grade.MANUAL, "hand"
    site.uncertainty_m, site.confidence = HAND_UNCERTAINTY_M, 1.0
    site.geocode_reason, site.region_version = "set_by_hand", None


def set_by_proposal(site: Site, proposal: PinProposal) -> None:
    """The pin stands where somebody in the field, or the check-ins, have proposed it."""
    from_checkins = proposal.origin == Origin.CHECKINS
    site.pin = proposal.pin
    site.pin_state, site.grade, site.uncertainty_m = PinState.PLACED, proposal.grade, proposal.uncertainty_m
    site.provider, site.confidence, site.region_version = "checkins" if from_checkins else "hand", 1.0, None
    site.geocode_reason = "checkins_agree" if from_checkins else "proposed_by_rep"


ANSWERS = """
    create temporary table located (
        id uuid primary key, pin geometry(point, 4326), pin_state text, grade text, uncertainty_m float8,
        confidence float8, geocode_reason text, provider text, region_version text
    ) on commit drop
"""
ANSWERED = (
    "pin", "pin_state", "grade", "uncertainty_m", "confidence", "geocode_reason", "provider", "region_version",
)  # fmt: skip
SET_BY_ANSWERS = f"""
    update site s set {", ".join(f"{name} = l.{name}" for name in ANSWERED)}
    from located l
    where s.id = l.id and s.grade is distinct from 'manual' and s.grade is distinct from 'gps_confirmed'
"""  # noqa: S608 -- put together from the names above


def set_by_answers(session: Session, answers: Mapping[UUID, Answer]) -> None:
    """The pins of sites stand where the geocoder says, all in one statement; a pin set by a person stays."""
    session.flush()
    session.execute(text("drop table if exists located"))
    session.execute(text(ANSWERS))
    rows = ((site_id, *answered(answer)) for site_id, answer in answers.items())
    copy_rows(session, "located", ("id", *ANSWERED), rows)
    session.execute(text(SET_BY_ANSWERS))
    session.expire_all()


def answered(answer: Answer) -> tuple[object, ...]:
    """What the geocoder says, as it is stored; an unsure answer is shown to a person."""
    state = PinState.PLACED if answer.is_confident else PinState.REVIEW
    return (
        None if answer.point is None else f"SRID=4326;{wkt(answer.point).data}",
        PinState.FAILED if answer.point is None else state, answer.grade,
        answer.uncertainty_m, answer.confidence, answer.reason, answer.provider, answer.region_version,
    )  # fmt: skip


def withdraw_proposals(session: Session, site_id: UUID, *, origin: Origin, proposed_by: UUID | None = None) -> None:
    """Take back open proposals for a site whose place has become known better."""
    session.flush()
    session.execute(
        update(PinProposal)
        .where(
            PinProposal.site_id == site_id,
            PinProposal.state == ProposalState.OPEN,
            PinProposal.origin == origin,
            PinProposal.proposed_by.is_not_distinct_from(proposed_by),
        )
        .values(state=ProposalState.WITHDRAWN, decided_at=clock.now())
    )


ALIGN_SITES = """
    update site set territory_id = found.territory_id
    from (
        select s.id, case when s.pin is null then (
            select t.id from territory t where t.deleted_at is null and t.id = s.territory_id
        ) else (
            select t.id from territory t
            where t.deleted_at is null and st_covers(t.area, s.pin) order by st_area(t.area), t.id limit 1
        ) end as territory_id
        from site s
        where s.deleted_at is null and {which}
    ) found
    where site.id = found.id and site.territory_id is distinct from found.territory_id
"""

ALIGN_ACCOUNTS = """
    update account set territory_id = main.territory_id
    from (
        select a.id, s.territory_id from account a
        left join site s on s.account_id = a.id and s.is_main and s.deleted_at is null
        where not a.territory_is_fixed and {which}
    ) main
    where account.id = main.id and account.territory_id is distinct from main.territory_id
"""


def hold_ground(session: Session) -> None:
    """From here to the end of the transaction no territory changes; other writers of pins go on.

    Whoever places pins says so before the first row: a territory that changes meanwhile sees the site without its new
    pin, and the pin is put by the territories of before. `balance.saving.lock` waits for this, and the other way round.
    """
    session.execute(text("lock table territory in row exclusive mode"))


def align_accounts(session: Session, account_ids: Sequence[UUID]) -> None:
    """Put the sites of some accounts, and then the accounts, into the territories that cover them. A site whose place
    is not known any more stays where it was: whoever has just corrected its address must not lose it over that."""
    session.flush()
    session.execute(text(ALIGN_SITES.format(which="s.account_id = any(:ids)")), {"ids": list(account_ids)})
    follow_main_site(session, account_ids)


def follow_main_site(session: Session, account_ids: Sequence[UUID]) -> None:
    """Accounts lie where their main site lies, unless a person has assigned them."""
    session.flush()
    session.execute(text(ALIGN_ACCOUNTS.format(which="a.id = any(:ids)")), {"ids": list(account_ids)})


def realign(session: Session) -> int:
    """Put every site and account into its territory again, after polygons have changed; in the same transaction.

    Returns
    -------
    int
        How many sites moved.
    """
    session.flush()
    moved = session.execute(text(ALIGN_SITES.format(which="true")))
    session.execute(text(ALIGN_ACCOUNTS.format(which="true")))
    session.expire_all()
    return int(moved.rowcount)  # type: ignore[attr-defined]
