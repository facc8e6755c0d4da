"""The sites of two accounts that become one: they move to the winner, one that is the same place is folded away."""

from datetime import datetime
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from geo.distance import haversine_m
from geo.types import LonLat
from server.accounts import queries
from server.accounts.duplicates.models import AccountMerge
from server.accounts.duplicates.resemblance import NOBODY_ELSE, places_compared
from server.accounts.duplicates.traits import Traits, traits
from server.accounts.models import Account, Site
from server.accounts.pins import BY_PEOPLE
from server.records.joining import Side

ONE_PLACE_M = 30.0
"""Sites without a written address this close to each other are one place."""


def move_sites(
    session: Session, winner: Account, loser: Account, now: datetime, main: Side, same_place: bool | None
) -> list[dict[str, Any]]:
    """Give the winner the loser's sites; returns each one that changed, before and after.

    Of two that are one place the one of the side whose main site stays is kept, but where people have set only the
    other one's pin.
    """
    mine, theirs = sites(session, winner.id), sites(session, loser.id)
    before = {site.id: (site.account_id, site.is_main) for site in (*mine, *theirs)}
    heads = next(iter(mine), None), next(iter(theirs), None)
    keeps, gives = (theirs, mine) if main == "loser" and theirs else (mine, theirs)
    folded: list[Site] = []
    head = next(iter(keeps), None) or next(iter(gives), None)
    for site in gives:
        is_pair = site in heads and any(other in heads for other in keeps)
        alike = [other for other in keeps if is_one_place(site, other)]
        if (same_place if is_pair and same_place is not None else bool(alike)) and keeps:
            other = alike[0] if alike else keeps[0]
            if site.grade in BY_PEOPLE and other.grade not in BY_PEOPLE and other not in folded:
                site, other = other, site
                head = other if head is site else head
            folded.append(site)
    for site in folded:
        site.deleted_at = now
    session.flush()
    staying = [site for site in (*mine, *theirs) if site not in folded]
    for site in staying:
        site.is_main = site.is_main and site is head
    session.flush()
    for site in staying:
        site.account_id = winner.id
    session.flush()
    if head is not None:
        head.is_main = True
    session.flush()
    return [
        {
            "id": str(site.id), "from": str(before[site.id][0]), "to": str(site.account_id),
            "was_main": before[site.id][1], "is_main": site.is_main, "folded": site in folded,
        }
        for site in (*mine, *theirs)
        if site in folded or before[site.id] != (site.account_id, site.is_main)
    ]  # fmt: skip


def sites(session: Session, account_id: UUID) -> list[Site]:
    """The living sites of an account, locked, the main one first."""
    statement = select(Site).where(Site.account_id == account_id, Site.deleted_at.is_(None))
    ordered = statement.order_by(Site.is_main.desc(), Site.id).with_for_update()
    return list(session.scalars(ordered.execution_options(populate_existing=True)))


def is_one_place(one: Site, other: Site) -> bool:
    """Whether two sites are one place: the same written address, or pins side by side and no address against it."""
    mine, theirs = place_of(one), place_of(other)
    compared = places_compared(mine, theirs, NOBODY_ELSE)
    if compared["address_same"] > 0.5:
        return True
    if compared["number_differs"] or compared["street_differs"] or mine.point is None or theirs.point is None:
        return False
    return haversine_m(mine.point, theirs.point) <= ONE_PLACE_M


def place_of(site: Site) -> Traits:
    """What of a site is compared."""
    point: Any = None if site.pin is None else to_shape(site.pin)
    return traits(
        "",
        street=site.street,
        postcode=site.postcode,
        city=site.city,
        point=LonLat(point.x, point.y) if point else None,
    )


EDITED = text(
    """
    select h.row_id from field_history h
    where h.entity = 'site' and h.row_id = any(:ids) and h.field in ('is_main', 'deleted_at')
      and h.rev > (
          select max(m.rev) from field_history m where m.entity = 'site' and m.row_id = h.row_id and m.op_id = :op)
      and not exists (select from account_merge a where a.id = h.op_id)
    """
)
"""Sites of which somebody has decided since: other merges and their undos only follow each other."""


def return_sites(session: Session, made: AccountMerge) -> list[str]:
    """Give every site back to the account it came from; returns in words what was changed since and stays."""
    rows = {UUID(one["id"]): one for one in made.sites}
    statement = select(Site).where(Site.id.in_(rows)).order_by(Site.id).with_for_update()
    found = list(session.scalars(statement.execution_options(populate_existing=True)))
    kept, mains, edited = [], [], set(session.scalars(EDITED, {"ids": list(rows), "op": made.id}))
    for site in found:
        entry = rows[site.id]
        changed = site.is_main != entry["is_main"] or (site.deleted_at is not None) != entry["folded"]
        if changed and site.id in edited:
            kept.append(f"site {site.name or site.street or site.city or 'without a name'}")
        if entry["was_main"]:
            mains.append(site)
        elif site.deleted_at is None:
            site.is_main = False
    session.flush()
    for site in found:
        home = UUID(rows[site.id]["from"])
        together = queries.surviving(session, site.account_id) == queries.surviving(session, UUID(rows[site.id]["to"]))
        if site.account_id != home and together:
            site.is_main = site.is_main and not has_main(session, home)
            site.account_id = home
            session.flush()
    for site in found:
        if rows[site.id]["folded"] and site.deleted_at == made.merged_at:
            site.is_main = site.is_main and not has_main(session, site.account_id)
            site.deleted_at = None
            session.flush()
    for site in mains:
        if site.deleted_at is None and not has_main(session, site.account_id):
            site.is_main = True
            session.flush()
    name_mains(session, {made.winner_id, made.loser_id, *(site.account_id for site in found)})
    return kept


def has_main(session: Session, account_id: UUID) -> bool:
    """Whether an account has a main site."""
    statement = select(Site.id).where(Site.account_id == account_id, Site.is_main, Site.deleted_at.is_(None))
    return session.scalar(statement) is not None


def name_mains(session: Session, account_ids: set[UUID]) -> None:
    """Every account with sites has a main one."""
    for account_id in sorted(account_ids):
        living = sites(session, account_id)
        if living and not living[0].is_main:
            living[0].is_main = True
    session.flush()
