"""Accounts that one account may be the same as: the check before a new one is created, and what its page lists."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from sqlalchemy import TextClause, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.duplicates.pairs import SHOWN, commonness, ewkt, traits_of
from server.accounts.duplicates.resemblance import compare, keys_of, likelihood, reasons
from server.accounts.duplicates.traits import Traits, traits
from server.accounts.models import Account, Site
from server.kit.ids import uuid7

REFUSED = 0.6
"""From this score upwards a new account is not simply created."""


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
    why: tuple[str, ...] = ()

    def problem(self) -> dict[str, object]:
        """The candidate as it stands in an answer."""
        found = {name: value for name, value in vars(self).items() if name != "why"}
        return {**found, "account_id": str(self.account_id), "reasons": self.reasons()}

    def reasons(self) -> list[str]:
        """Why the two may be the same, for people."""
        return list(self.why)


# Blocking: only accounts that share a trigram-similar name, phone, e-mail, domain or the neighbourhood are compared.
# Each branch is bounded: by the index that it asks, and in what it brings.
NEARBY = """
    with blocked as (
        (select id from account where {alike} limit 300)
        union
        select id from account where phone_e164 = cast(:phone as text)
        union
        (select one.account_id from unnest(cast(:keys as text[])) as block
          cross join lateral (select account_id from account_block where key = block limit 60) as one)
        union
        (select account_id from site where pin && st_expand(st_geomfromewkt(cast(:pin as text)), 0.003)
          and deleted_at is null order by pin <-> st_geomfromewkt(cast(:pin as text)) limit 200)
        union
        (select account_id from site
        where cast(:street as text) is not null and deleted_at is null
          and search_words(:street, null, null, null) <% search_words(name, street, postcode, city)
          and search_words(name, street, postcode, city) like {postcode}
          and postcode is not distinct from cast(:postcode as text) limit 200)
    )
    select a.id, a.number, a.name, a.phone_e164, a.email, a.website, s.street, s.postcode, s.city,
           st_x(s.pin) as lon, st_y(s.pin) as lat, s.uncertainty_m
    from account a
    left join site s on s.account_id = a.id and s.is_main and s.deleted_at is null
    where a.id in (select id from blocked) and a.id <> :own and a.deleted_at is null and a.merged_into is null
      and not exists (
        select from account_pair p where p.state = 'not_duplicate'
          and (p.low_id, p.high_id) = (least(a.id, cast(:own as uuid)), greatest(a.id, cast(:own as uuid))))
    limit 1000
"""
ALIKE = "search_words(:{name}, null, null, null) <% search_words(name, number, phone_e164, email)"
MOST_WORDS = 4


def nearby(words: Collection[str], *, has_postcode: bool) -> TextClause:
    """The statement for a name of some words: each must nearly stand there.

    So the rarest decides what is read, not the hundred thousand bakeries; and a street is asked with its postcode.
    """
    alike = " and ".join(ALIKE.format(name=f"word_{number}") for number in range(len(words)))
    postcode = "'%' || search_text(:postcode) || '%'" if has_postcode else "'%'"
    return text(NEARBY.format(alike=alike, postcode=postcode))


def candidates(session: Session, account: Account, site: Site | None, *, limit: int = 10) -> list[Candidate]:
    """The accounts that may be the same as a given one, stored or not; most alike first.

    Those that a person has said to be others are left out.
    """
    mine = traits_for(account, site)
    words = sorted({word for word in mine.tokens if len(word) > 2}, key=len)[-MOST_WORDS:] or [account.name]
    postcode = site.postcode if site else None
    rows = session.execute(
        nearby(words, has_postcode=bool(postcode)),
        {
            **{f"word_{number}": word for number, word in enumerate(words)},
            "phone": account.phone_e164,
            "keys": [key for key in keys_of(mine) if key[:2] in ("d:", "e:", "a:", "s:")],
            "pin": ewkt(mine.point),
            "street": site.street if site else None,
            "postcode": postcode,
            "own": account.id or uuid7(),
        },
    ).all()
    others = {row.id: traits_of((row.name, *row[3:])) for row in rows}
    common = commonness(session, {key for one in (mine, *others.values()) for key in keys_of(one)})
    found = []
    for row in rows:
        seen = compare(mine, others[row.id], common)
        score = likelihood(seen)
        if score >= SHOWN:
            place = (row.street, row.city)
            found.append(
                Candidate(
                    row.id, row.number, row.name, *place, score, seen.name, seen.same_phone, seen.same_address,
                    seen.distance_m, tuple(reasons(seen)),
                )
            )  # fmt: skip
    return sorted(found, key=lambda one: (-one.score, one.name, str(one.account_id)))[:limit]


def traits_for(account: Account, site: Site | None) -> Traits:
    """What of an account is compared, stored or not."""
    point: Any = to_shape(site.pin) if site is not None and site.pin is not None else None
    return traits(
        account.name,
        phone=account.phone_e164,
        email=account.email,
        website=account.website,
        street=site.street if site else None,
        postcode=site.postcode if site else None,
        city=site.city if site else None,
        point=LonLat(point.x, point.y) if point else None,
        uncertainty_m=site.uncertainty_m if site else None,
    )
