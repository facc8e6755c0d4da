"""What sites would gain by a repair: what a detector proposes, without what is no better than what is there."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from geo.distance import haversine_m
from geo.geocode.types import Answer
from geo.types import Grade, LonLat
from server.accounts.locating import Waiting, query_of
from server.accounts.models import PinState, Site
from server.accounts.pins import ANSWERED, BY_PEOPLE, answered, reset_pin
from server.accounts.reviewing.detectors import Cure, Detector
from server.accounts.site_changes import SNAPSHOT
from server.geocoding import service as geocoding
from server.geocoding.errors import NoAddresses

BATCH = 2000
ASK = "ask"
"""The verb of a site that only a person can place."""

FOUND = f"""
    select s.id as site_id, s.rev, a.name, {SNAPSHOT} as before, f.after, f.why,
           st_x(s.pin) as lon, st_y(s.pin) as lat, st_x((f.after ->> 'pin')::geometry) as to_lon,
           st_y((f.after ->> 'pin')::geometry) as to_lat
    from found f join site s on s.id = f.site_id join account a on a.id = s.account_id order by s.id
"""  # noqa: S608


@dataclass(frozen=True)
class Gain:
    """What would become of one site."""

    site_id: UUID
    rev: int
    verb: str
    why: dict[str, Any]
    before: dict[str, Any]
    after: dict[str, Any]
    """The fields that change."""


def found(session: Session, detector: Detector, world: dict[str, Any]) -> int:
    """Put what a detector finds among `looked_at` into the temporary table `found`; returns how many sites."""
    session.execute(text("drop table if exists found"))
    once = f"create temporary table found on commit drop as select distinct on (site_id) * from ({detector.sql}) f"  # noqa: S608
    session.execute(text(once), world)
    return int(session.execute(text("select count(*) from found")).scalar_one())


def gains(session: Session, detector: Detector) -> list[Gain]:
    """What would become of the sites in `found`; those that would not gain by it are left out."""
    rows = session.execute(text(FOUND)).all()
    all_of_them = [gain for batch in batched(rows, BATCH) for gain in proposals(session, detector, batch)]
    piles = Counter(gain.before["pin"] for gain in all_of_them)
    return [gain for gain in all_of_them if piles[gain.before["pin"]] >= detector.pile]


def proposals(session: Session, detector: Detector, rows: Sequence[Row[Any]]) -> Iterator[Gain]:
    """What would become of some sites; those that would not gain by it are left out."""
    asked = [site_of(row.before | row.after) for row in rows]
    questions = [query_of(Waiting.of(site, row.name)) for site, row in zip(asked, rows, strict=True)]
    try:
        answers: list[Answer | None] = list(geocoding.pinned_many(session, questions))
    except NoAddresses:
        answers = [None] * len(rows)
    for row, site, answer in zip(rows, asked, answers, strict=True):
        after = cured(detector, row, site, answer)
        if after is not None:
            to_desk = after.get("pin_state") == PinState.REVIEW and "pin" not in after
            verb = ASK if to_desk else Cure.LOCATE if detector.cure is Cure.SURE else detector.cure
            yield Gain(row.site_id, row.rev, str(verb), row.why, row.before, after)


def site_of(values: dict[str, Any]) -> Site:
    """A site that is only thought of."""
    return Site(**values)


def cured(detector: Detector, row: Row[Any], site: Site, answer: Answer | None) -> dict[str, Any] | None:
    """The fields that change when a site is mended; None when it should be left alone."""
    if detector.cure is Cure.MOVE:
        return {**row.after, "grade": Grade.GIVEN, "pin_state": PinState.PLACED}
    if detector.cure is Cure.ADDRESS:
        return readdressed(detector, row, site, answer)
    if answer is not None and answer.is_confident and is_at_home(site, answer):
        return None if stays(detector, row, answer) else placed(site, answer)
    if answer is None or row.before["pin_state"] != PinState.PLACED or detector.cure is Cure.SURE:
        return None
    return {"pin_state": PinState.REVIEW, "geocode_reason": detector.name, "confidence": 0.0}


def readdressed(detector: Detector, row: Row[Any], site: Site, answer: Answer | None) -> dict[str, Any] | None:
    """The fields that change with another address; None when the geocoder is less sure of it than before."""
    before, after = row.before, dict(row.after)
    is_free = before["grade"] not in BY_PEOPLE
    if answer is not None and answer.confidence < (before["confidence"] or 0) - 0.01 and is_free:
        return None
    if not is_free or (before["pin_state"] == PinState.PLACED and stays(detector, row, answer)):
        return after
    return after | placed(site, answer)


def is_at_home(site: Site, answer: Answer) -> bool:
    """Whether an answer is in the country that the address names, if it names one."""
    return not site.country or not answer.country or site.country == answer.country


def stays(detector: Detector, row: Row[Any], answer: Answer | None) -> bool:
    """Whether an answer is where the pin is already."""
    if row.lon is None or answer is None or answer.point is None:
        return False
    return haversine_m(LonLat(row.lon, row.lat), answer.point) <= detector.gain_m


def placed(site: Site, answer: Answer | None) -> dict[str, Any]:
    """The pin that an answer gives, as a change; without an index the site waits for one."""
    if answer is not None:
        return dict(zip(ANSWERED, answered(answer), strict=True))
    reset_pin(site)
    return {name: getattr(site, name) for name in ANSWERED}
