"""Accounts that may be the same: similar names, one phone number, a place a few metres apart."""

import math
from dataclasses import dataclass
from uuid import UUID

from geoalchemy2.shape import to_shape
from rapidfuzz import fuzz
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.geocode.normalise import StreetName, street_name
from geo.geocode.vocabulary import fold, vocabulary, words
from server.accounts.models import Account, Site
from server.kit.ids import uuid7

REFUSED = 0.7
"""From this score upwards a new account is not simply created."""

SHOWN = 0.5
"""From this score upwards an account is listed as a candidate."""

NEAR_M = 150.0


@dataclass(frozen=True)
class Candidate:
    """An account that may be the same."""

    account_id: UUID
    number: str | None
    name: str
    street: str | None
    city: str | None
    score: float
    """0 to 1."""
    name_similarity: float
    """0 to 1, without legal forms."""
    same_phone: bool
    same_address: bool
    distance_m: float | None

    def problem(self) -> dict[str, object]:
        """The candidate as it stands in an answer."""
        return {**vars(self), "account_id": str(self.account_id), "reasons": self.reasons()}

    def reasons(self) -> list[str]:
        """Why the two may be the same, for people."""
        found = [f"name {self.name_similarity:.0%} alike"] if self.name_similarity >= 0.5 else []
        found += ["same phone number"] if self.same_phone else []
        found += ["same address"] if self.same_address else []
        if self.distance_m is not None:
            found.append(f"{self.distance_m:,.0f} m apart")
        return found


# Blocking: only accounts that share a trigram-similar name, the phone number, or the neighbourhood are compared at all.
NEARBY = text(
    """
    with blocked as (
        select id from account
        where search_words(:name, null, null, null) <% search_words(name, number, phone_e164, email)
        union
        select id from account where phone_e164 = cast(:phone as text)
        union
        select account_id from site
        where pin && st_expand(st_geomfromewkt(cast(:pin as text)), 0.003) and deleted_at is null
        union
        select account_id from site
        where cast(:street as text) is not null and deleted_at is null
          and search_words(:street, null, null, null) <% search_words(name, street, postcode, city)
          and postcode is not distinct from cast(:postcode as text)
    )
    select a.id, a.number, a.name, a.phone_e164, s.street, s.postcode, s.city,
           st_distance(s.pin::geography, st_geomfromewkt(cast(:pin as text))::geography) as distance_m
    from account a
    left join site s on s.account_id = a.id and s.is_main and s.deleted_at is null
    where a.id in (select id from blocked) and a.id <> :own and a.deleted_at is null and a.merged_into is null
    limit 500
    """
)


def candidates(session: Session, account: Account, site: Site | None, *, limit: int = 10) -> list[Candidate]:
    """The accounts that may be the same as a given one, stored or not; most alike first."""
    pin = ewkt(site)
    rows = session.execute(
        NEARBY,
        {
            "name": account.name,
            "phone": account.phone_e164,
            "pin": pin,
            "street": site.street if site else None,
            "postcode": site.postcode if site else None,
            "own": account.id or uuid7(),
        },
    )
    found = []
    for row in rows:
        alike = name_similarity(account.name, row.name)
        phone = account.phone_e164 is not None and row.phone_e164 == account.phone_e164
        address = site is not None and same_address(site, row.street, row.postcode, row.city)
        score = likelihood(alike, phone, address, row.distance_m)
        if score >= SHOWN:
            found.append(
                Candidate(
                    row.id, row.number, row.name, row.street, row.city, score, alike, phone, address, row.distance_m
                )
            )
    return sorted(found, key=lambda one: (-one.score, one.name, str(one.account_id)))[:limit]


def likelihood(alike: float, same_phone: bool, same_address: bool, distance_m: float | None) -> float:
    """How likely two accounts are one, from independent signs (noisy or); a place far away speaks against it."""
    by_name = 0.75 * max(0.0, (alike - 0.5) / 0.5)
    by_phone = 0.6 if same_phone else 0.0
    by_place = 0.5 if same_address else 0.0
    if distance_m is not None and distance_m <= 2 * NEAR_M:
        by_place = max(by_place, 0.5 * math.exp(-distance_m / NEAR_M))
    score = 1 - (1 - by_name) * (1 - by_phone) * (1 - by_place)
    is_elsewhere = distance_m is not None and distance_m > 2000 and not same_address
    return round(score * (0.6 if is_elsewhere and not same_phone else 1.0), 3)


def name_similarity(one: str, other: str) -> float:
    """How alike two names are, 0 to 1: legal forms, order of words, accents and case do not count."""
    return fuzz.token_sort_ratio(essence(one), essence(other)) / 100


def essence(name: str) -> str:
    """The words of a name that tell it from others."""
    parts = words(fold(name))
    return " ".join([part for part in parts if part not in vocabulary().legal] or parts)


def same_address(site: Site, street: str | None, postcode: str | None, city: str | None) -> bool:
    """Whether two addresses are written alike up to abbreviations."""
    if not site.street or not street:
        return False
    if postcode and site.postcode and postcode != site.postcode:
        return False
    if not (postcode and site.postcode) and fold(city or "") != fold(site.city or ""):
        return False
    (mine, my_numbers), (theirs, their_numbers) = taken_apart(site.street), taken_apart(street)
    return my_numbers == their_numbers and (mine == theirs or fuzz.ratio(mine.core, theirs.core) >= 85)


def taken_apart(street: str) -> tuple[StreetName, list[str]]:
    """A street's name without its type's spelling, and the numbers behind it."""
    parts = street.split()
    numbers = [part.strip(".,").lower() for part in parts if part[0].isdigit()]
    return street_name(" ".join(part for part in parts if not part[0].isdigit())), numbers


def ewkt(site: Site | None) -> str | None:
    """A site's pin as text."""
    if site is None or site.pin is None:
        return None
    return f"SRID=4326;{to_shape(site.pin).wkt}"
