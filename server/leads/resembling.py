"""What a lead may be the same as: another lead, or an account. The likeness is that of the duplicates of accounts."""

from dataclasses import dataclass
from uuid import UUID

from geoalchemy2.shape import to_shape
from shapely.geometry import Point
from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.duplicates import search as accounts
from server.accounts.duplicates.pairs import SHOWN, commonness, ewkt
from server.accounts.duplicates.resemblance import compare, keys_of, likelihood, reasons
from server.accounts.duplicates.search import Candidate
from server.accounts.duplicates.traits import Traits, free_mail, traits
from server.accounts.models import Account, Site
from server.kit.ids import uuid7
from server.leads.models import OPEN, Lead, LeadState

SAME_NAME = "same name, nothing else to compare"
REPEATED = 0.9
"""From this likeness upwards a new lead is the one that is there, once more."""


@dataclass(frozen=True)
class LikeLead:
    """A lead that may be the same."""

    lead_id: UUID
    name: str
    city: str | None
    state: str
    owner_id: UUID | None
    score: float
    """0 to 1."""
    why: tuple[str, ...]

    @property
    def is_repeat(self) -> bool:
        """So alike, and still open, that a second one is a sign of the first."""
        return self.score >= REPEATED and self.state in OPEN


BLOCKED = text(
    """
    with blocked as (
        (select id from lead where cast(:name as text) is not null
          and search_words(:name, null, null, null) <% search_words(company, person, null, null) limit 300)
        union
        select id from lead where phones_e164 && cast(:phones as text[])
        union
        select id from lead where emails && cast(:emails as text[])
        union
        (select id from lead where pin && st_expand(st_geomfromewkt(cast(:pin as text)), 0.003)
         order by pin <-> st_geomfromewkt(cast(:pin as text)) limit 200)
    )
    select l.id, l.company, l.person, l.phones_e164, l.emails, l.website, l.street, l.postcode, l.city,
           st_x(l.pin) as lon, st_y(l.pin) as lat, l.state, l.owner_id
    from lead l join blocked using (id)
    where l.id <> :own and l.deleted_at is null
    order by l.created_at desc limit 500
    """
)


def point_of(lead: Lead) -> LonLat | None:
    """Where a lead is, if that is known."""
    point = to_shape(lead.pin) if lead.pin is not None else None
    return LonLat(point.x, point.y) if isinstance(point, Point) else None


def traits_of(lead: Lead) -> Traits:
    """What of a lead is compared."""
    return traits(
        lead.company or lead.person or "",
        phone=next(iter(lead.phones_e164 or ()), None),
        email=next(iter(lead.emails or ()), None),
        website=lead.website,
        street=lead.street,
        postcode=lead.postcode,
        city=lead.city,
        point=point_of(lead),
    )


def like_leads(session: Session, lead: Lead, *, limit: int = 5) -> list[LikeLead]:
    """The leads that may be the same as one, stored or not; open ones first, then the most alike."""
    mine = traits_of(lead)
    with session.no_autoflush:
        rows = session.execute(
            BLOCKED,
            {
                "name": lead.company or lead.person,
                "phones": list(lead.phones_e164 or ()),
                "emails": list(lead.emails or ()),
                "pin": ewkt(mine.point),
                "own": lead.id or uuid7(),
            },
        ).all()
        common = commonness(session, keys_of(mine))
    found = []
    for row in rows:
        same_email = bool(set(row.emails) & set(lead.emails or ()))
        same_phone = bool(set(row.phones_e164) & set(lead.phones_e164 or ()))
        other = traits(
            row.company or row.person,
            phone=mine.phone if same_phone else next(iter(row.phones_e164), None),
            email=mine.email if same_email else next(iter(row.emails), None),
            website=row.website, street=row.street, postcode=row.postcode, city=row.city,
            point=LonLat(row.lon, row.lat) if row.lon is not None else None,
        )  # fmt: skip
        seen = compare(mine, other, common)
        score = likelihood(seen)
        if same_email and is_personal(lead, row.person):
            score = max(score, 0.99)
        only_name = score < SHOWN and is_same_name_alone(mine, other)
        if score >= SHOWN or only_name:
            name, why = row.company or row.person, [SAME_NAME] if only_name else reasons(seen)
            found.append(LikeLead(row.id, name, row.city, row.state, row.owner_id, score, tuple(why)))
    closed = (LeadState.CONVERTED, LeadState.DISQUALIFIED)
    return sorted(found, key=lambda one: (one.state in closed, -one.score, str(one.lead_id)))[:limit]


def is_same_name_alone(one: Traits, other: Traits) -> bool:
    """Whether two have the same name, and nothing else of both can be compared."""
    has_place = [bool(side.street or side.postcode or side.city or side.point) for side in (one, other)]
    return (
        bool(one.tokens)
        and sorted(one.tokens) == sorted(other.tokens)
        and not ((one.phone and other.phone) or all(has_place))
    )


def is_personal(lead: Lead, other_person: str | None) -> bool:
    """Whether one mail address stands for one person: nobody says that two people use it."""
    mine = (lead.person or "").casefold().strip()
    theirs = (other_person or "").casefold().strip()
    return not mine or not theirs or mine == theirs


def like_accounts(session: Session, lead: Lead, *, limit: int = 5) -> list[Candidate]:
    """The accounts that may be the same as a lead, most alike first."""
    account = Account(
        name=lead.company or lead.person,
        phone_e164=next(iter(lead.phones_e164 or ()), None),
        email=next(iter(lead.emails or ()), None),
        website=lead.website,
    )
    site = Site(street=lead.street, postcode=lead.postcode, city=lead.city, pin=lead.pin)
    with session.no_autoflush:
        return accounts.candidates(session, account, site, limit=limit)


def has_own_domain(emails: list[str]) -> bool:
    """Whether some mail address is in a domain that not everybody can have."""
    return any(one.rsplit("@", 1)[-1] not in free_mail() for one in emails)
