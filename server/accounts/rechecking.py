"""Which pins to look at again after the map has changed: those that the change may concern, not all of the region.

A site is concerned when something that changed bears a name like its own street (or its firm, when it gives no street),
or stands where its pin stands, or when its town changed, or when it is unsure or unplaced and something in its town is
new. Everything else would be answered as before.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from geo.geocode.normalise import street_name
from server.accounts.models import Account, Site
from server.accounts.pins import BY_PEOPLE
from server.geocoding import updating
from server.geocoding.models import Version

ALIKE = 0.5
"""How much of a changed name's letter triples a site's text must hold to be asked again."""
SAME = 0.7
"""How much of it a text in another town must hold: there only the same name is a rival."""
_NEAR_DEG = 0.0004
"""About 40 m."""

_SITES = text(
    """
    create temporary table recheck_site on commit drop as
    select s.id, s.pin, s.pin_state in ('review', 'failed') as is_open, s.street is not null as has_street,
           search_words(s.street, case when s.street is null then a.name end, null, null) as words,
           search_words(s.city, null, null, null) as town,
           upper(regexp_replace(coalesce(s.postcode, ''), '[^[:alnum:]]', '', 'g')) as postcode,
           search_words(s.street, s.city, null, null) as everything
    from site s join account a on a.id = s.account_id
    where s.deleted_at is null and a.deleted_at is null and s.region_version = :version
      and coalesce(s.grade, '') <> all(:by_people)
    """
)
_CHANGES = text(
    """
    create temporary table recheck_change on commit drop as
    select c.kind, c.change <> 'removed' as is_new, search_words(n.distinctive, null, null, null) as name,
           search_words(c.city, null, null, null) as town, c.spots,
           array(select upper(regexp_replace(p, '[^[:alnum:]]', '', 'g')) from unnest(c.postcodes) p) as postcodes
    from geocoding_change c cross join lateral unnest(c.names) as written(name)
    join unnest(cast(:names as text[]), cast(:distinctive as text[])) as n(name, distinctive)
      on n.name = written.name
    where c.batch = any(:batches)
    """
)
_CONCERNED = text(
    """
    select s.id from recheck_change c join recheck_site s on c.name <% s.words
    where c.kind = 'street' and (
        word_similarity(c.name, s.words) >= :same or c.town = '' or (s.town = '' and s.postcode = '')
        or s.postcode = any(c.postcodes) or c.town <% s.everything
    )
    union
    select s.id from recheck_change c join recheck_site s on c.name <% s.words
    where c.kind = 'poi' and (not s.has_street or s.town = '')
    union
    select s.id from recheck_change c join recheck_site s on c.name <% s.everything where c.kind = 'place'
    union
    select s.id from (select distinct town from recheck_change where kind = 'street' and is_new and town <> '') c
    join recheck_site s on s.is_open and c.town <% s.everything
    union
    select s.id
    from (select distinct unnest(postcodes) as postcode from recheck_change where kind = 'street' and is_new) c
    join recheck_site s on s.is_open and s.postcode = c.postcode
    union
    select s.id from (select distinct (ST_Dump(spots)).geom as spot from recheck_change where kind <> 'place') c
    join recheck_site s on s.pin && ST_Expand(c.spot, :near)
    """
)


def concerned(session: Session, current: Version) -> list[UUID]:
    """The sites whose pin was placed with an older version and may be another one now; pins set by people are not."""
    versions = session.scalars(
        select(Site.region_version)
        .where(Site.deleted_at.is_(None), Site.region_version.is_not(None), Site.region_version != current.version)
        .distinct()
    ).all()
    found: list[UUID] = []
    for version in versions:
        news = updating.unseen(session, version or "", current)
        if news.is_everything:
            found += _placed_with(session, version or "")
        elif news.batches:
            found += _touched(session, version or "", news.batches)
    return sorted(found)


def _placed_with(session: Session, version: str) -> Sequence[UUID]:
    statement = (
        select(Site.id)
        .join(Account, Account.id == Site.account_id)
        .where(
            Site.region_version == version,
            Site.deleted_at.is_(None),
            Account.deleted_at.is_(None),
            func.coalesce(Site.grade, "").not_in(BY_PEOPLE),
        )
    )
    return session.scalars(statement).all()


def _touched(session: Session, version: str, batches: Sequence[UUID]) -> Sequence[UUID]:
    """Sites of a version that some changes concern: the changes look for their sites, by index."""
    for table in ("recheck_site", "recheck_change"):
        session.execute(text(f"drop table if exists {table}"))
    session.execute(_SITES, {"version": version, "by_people": list(BY_PEOPLE)})
    names = list(updating.names_in(session, batches))
    distinctive = [distinctive_part(name) for name in names]
    session.execute(_CHANGES, {"batches": list(batches), "names": names, "distinctive": distinctive})
    for words in ("words", "everything"):
        session.execute(text(f"create index on recheck_site using gin ({words} gin_trgm_ops)"))
    session.execute(text("create index on recheck_site using gist (pin)"))
    session.execute(text("analyze recheck_site"))
    session.execute(text("analyze recheck_change"))
    session.execute(text(f"set local pg_trgm.word_similarity_threshold = {ALIKE}"))
    return session.scalars(_CONCERNED, {"near": _NEAR_DEG, "same": SAME}).all()


def distinctive_part(name: str) -> str:
    """A name without the word that says what kind of street it is: half of all streets share that."""
    return " ".join(street_name(name).rest) or name
