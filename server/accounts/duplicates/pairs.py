"""The pairs of accounts that may be the same, over the whole company: found in blocks, never all with all.

A search looks only at accounts that are new or changed since the last one. Accounts are compared when they share a
block of `resemblance.keys_of` that is not too large, or lie close together under similar names.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.duplicates.models import AccountPair, DuplicateRun, PairState
from server.accounts.duplicates.resemblance import (
    Commonness,
    Resemblance,
    compare,
    is_worth_comparing,
    keys_of,
    likelihood,
)
from server.accounts.duplicates.traits import Traits, traits
from server.kit import clock
from server.kit.database import copy_rows
from server.kit.locks import is_first

SHOWN = 0.3
"""From this score upwards a pair is kept for somebody to look at."""

LARGEST = {"p:": 30, "e:": 30, "d:": 30, "a:": 40, "n:": 25, "k:": 25, "f:": 25, "s:": 60}
"""Accounts in the largest block that is compared, by kind; in larger ones other signs must bring a pair together."""

NEIGHBOURS = {"degrees": 0.002, "similarity": 0.3, "most": 30}
"""Neighbours under similar names (trigrams) that are compared too."""

BATCH = 50_000

START = (
    text(
        """
        drop table if exists pg_temp.changed_account, pg_temp.gone_account, pg_temp.touched_account, pg_temp.scored_pair
        """
    ),
    text("set local work_mem = '128MB'"),
    text(
        """
        create temporary table gone_account on commit drop as
        select t.account_id as id from account_trait t join account a on a.id = t.account_id
        where a.deleted_at is not null or a.merged_into is not null
        """
    ),
    text(
        """
        create temporary table changed_account on commit drop as
        select a.id, concat(a.rev, '/', s.id, '/', s.rev) as stamp
        from account a left join site s on s.account_id = a.id and s.is_main and s.deleted_at is null
        left join account_trait t on t.account_id = a.id
        where a.deleted_at is null and a.merged_into is null
          and t.stamp is distinct from concat(a.rev, '/', s.id, '/', s.rev)
        """
    ),
    text("create unique index on changed_account (id)"),
    text(
        """
        create temporary table touched_account on commit drop as
        select id from changed_account union select id from gone_account
        """
    ),
    text(
        """
        delete from account_pair p using gone_account g where p.state = 'open' and g.id in (p.low_id, p.high_id)
        """
    ),
    *(
        text(f"delete from {table} where account_id in (table touched_account)")  # noqa: S608 our own constants
        for table in ("account_block", "account_trait")
    ),
)

FIELDS = """
    select a.id, a.name, a.phone_e164, a.email, a.website, s.street, s.postcode, s.city, st_x(s.pin), st_y(s.pin),
        s.uncertainty_m, a.number
    from account a left join site s on s.account_id = a.id and s.is_main and s.deleted_at is null
"""
CHANGED = text(
    FIELDS.replace("select a.id,", "select c.stamp, a.id,").replace(
        "left join site", "join changed_account c on c.id = a.id left join site"
    )
)
CHOSEN = text(FIELDS + " where a.id = any(:ids)")

COUNTS = text(
    """
    select key, count(*) from account_block
    where left(key, 2) in ('n:', 'p:', 'e:', 'd:', 'a:') group by key having count(*) > 2
    """
)
COUNTS_OF = text("select key, count(*) from account_block where key = any(:keys) group by key")

TOO_LARGE = " ".join(f"when '{kind}' then {size}" for kind, size in LARGEST.items())

BLOCKS = """
    with touched as (
        select distinct b.key from account_block b join changed_account c on c.id = b.account_id
    ), sized as materialized (
        select b.key, count(*) as size from account_block b join touched using (key) group by b.key having count(*) > 1
    )
"""

CUT = text(
    f"""
    {BLOCKS}
    select count(*), coalesce(sum(size * (size - 1) / 2), 0) from sized where size > case left(key, 2) {TOO_LARGE} end
    """  # noqa: S608 our own constants
)

NEAR = text(
    f"""
    {BLOCKS}
    , small as (select key from sized where size <= case left(key, 2) {TOO_LARGE} end)
    select least(a.account_id, b.account_id) as low_id, greatest(a.account_id, b.account_id) as high_id
    from small join account_block a using (key) join account_block b using (key)
    join changed_account c on c.id = a.account_id
    where a.account_id <> b.account_id
    union
    select least(a.account_id, b.account_id), greatest(a.account_id, b.account_id)
    from changed_account c join account_trait a on a.account_id = c.id
    cross join lateral (
        select n.account_id from account_trait n
        where n.pin && st_expand(a.pin, :degrees) and n.account_id <> a.account_id
          and similarity(n.glued, a.glued) >= :similarity
        limit :most
    ) b
    """  # noqa: S608 our own constants
)

SCORED = text(
    """
    create temporary table scored_pair on commit drop as
    select low_id, high_id, score, name_similarity, same_phone, same_email, same_domain, same_address, distance_m,
           contradictions
    from account_pair limit 0
    """
)
COLUMNS = (
    "low_id", "high_id", "score", "name_similarity", "same_phone", "same_email", "same_domain", "same_address",
    "distance_m", "contradictions",
)  # fmt: skip

FORGET = text(
    """
    delete from account_pair p using changed_account c
    where p.state = 'open' and c.id in (p.low_id, p.high_id)
      and not exists (select from scored_pair s where (s.low_id, s.high_id) = (p.low_id, p.high_id))
    """
)

# What a person has decided stands until one of the two accounts has changed materially.
KEEP = text(
    f"""
    insert into account_pair ({", ".join(COLUMNS)}, low_print, high_print)
    select {", ".join("s." + name for name in COLUMNS)}, low.print, high.print
    from scored_pair s join account_trait low on low.account_id = s.low_id
    join account_trait high on high.account_id = s.high_id
    on conflict (low_id, high_id) do update set
        {", ".join(f"{name} = excluded.{name}" for name in (*COLUMNS[2:], "low_print", "high_print"))},
        state = 'open', decided_by = null, decided_at = null
    where account_pair.state <> 'not_duplicate'
       or (account_pair.low_print, account_pair.high_print) is distinct from (excluded.low_print, excluded.high_print)
    """  # noqa: S608 our own constants
)


@dataclass(frozen=True)
class Scored:
    """Two accounts that were compared."""

    low_id: UUID
    high_id: UUID
    found: Resemblance
    score: float


def search(session: Session) -> DuplicateRun | None:
    """Bring the pairs up to date with what changed since the last search; None when another search is running."""
    if not is_first(session, "accounts.duplicates"):
        return None
    for statement in START:
        session.execute(statement)
    looked_at = remember(session)
    cut_blocks, cut_pairs = session.execute(CUT).one() if looked_at else (0, 0)
    session.execute(SCORED)
    compared = 0

    def kept() -> Iterator[tuple[object, ...]]:
        nonlocal compared
        for one in scored(session):
            compared += 1
            if one.score >= SHOWN:
                yield as_row(one)

    found = copy_rows(session, "scored_pair", COLUMNS, list(kept())) if looked_at else 0
    session.execute(FORGET)
    session.execute(KEEP)
    run = DuplicateRun(
        accounts=session.scalar(text("select count(*) from account_trait")) or 0,
        looked_at=looked_at,
        compared=compared,
        found=found,
        cut_blocks=cut_blocks,
        cut_pairs=int(cut_pairs),
    )
    if looked_at:
        session.add(run)
    session.flush()
    return run


def remember(session: Session) -> int:
    """Write the traits and blocks of what changed; returns how many accounts that are."""
    rows = session.execute(CHANGED).all()
    made = [(row[0], row[1], traits_of(row[2:])) for row in rows]
    copy_rows(
        session,
        "account_trait",
        ("account_id", "stamp", "print", "glued", "pin"),
        ((key, stamp, one.print(), one.glued, ewkt(one.point)) for stamp, key, one in made),
    )
    copy_rows(session, "account_block", ("key", "account_id"), blocks((key, one) for _, key, one in made))
    if len(made) > 1000:
        session.execute(text("analyze account_trait, account_block, changed_account"))
    return len(made)


def blocks(made: Iterable[tuple[UUID, Traits]]) -> Iterator[tuple[str, UUID]]:
    """Each block with each of its accounts."""
    for key, one in made:
        for block in keys_of(one):
            yield block, key


def scored(session: Session) -> Iterator[Scored]:
    """Every pair that is compared, with what speaks for and against it."""
    pairs = session.execute(NEAR, NEIGHBOURS).all()
    common = commonness(session)
    known: dict[UUID, Traits] = {}
    wanted = sorted({key for pair in pairs for key in pair})
    for first in range(0, len(wanted), BATCH):
        for row in session.execute(CHOSEN, {"ids": wanted[first : first + BATCH]}):
            known[row[0]] = traits_of(row[1:])
    for low, high in pairs:
        if is_worth_comparing(known[low], known[high]):
            found = compare(known[low], known[high], common)
            yield Scored(low, high, found, likelihood(found))


def commonness(session: Session, keys: Iterable[str] | None = None) -> Commonness:
    """How many accounts share each key, or some keys."""
    counted = session.execute(COUNTS) if keys is None else session.execute(COUNTS_OF, {"keys": list(keys)})
    counts = {key: count for key, count in counted}
    accounts = session.scalar(text("select greatest(reltuples, 0) from pg_class where relname = 'account_trait'"))
    return Commonness(int(accounts or 0), counts)


def traits_of(row: Sequence[object]) -> Traits:
    """What is compared, from a row of `FIELDS` without its id."""
    name, phone, email, website, street, postcode, city, lon, lat, off, *more = row
    point = LonLat(float(str(lon)), float(str(lat))) if lon is not None else None
    number = more[0] if more else None
    given = {
        "number": number,
        "phone": phone,
        "email": email,
        "website": website,
        "street": street,
        "postcode": postcode,
        "city": city,
    }
    known = {key: str(value) for key, value in given.items() if value is not None}
    return traits(str(name), point=point, uncertainty_m=None if off is None else float(str(off)), **known)


def ewkt(point: LonLat | None) -> str | None:
    """A point as PostGIS reads it."""
    return None if point is None else f"SRID=4326;POINT({point.lon!r} {point.lat!r})"


def as_row(one: Scored) -> tuple[object, ...]:
    """A pair as it is stored."""
    found = one.found
    return (
        one.low_id, one.high_id, one.score, found.name, found.same_phone, found.same_email, found.same_domain,
        found.same_address, found.distance_m, found.contradictions(),
    )  # fmt: skip


DECIDED = text(
    f"""
    insert into account_pair ({", ".join(COLUMNS)}, low_print, high_print, state, decided_by, decided_at)
    values ({", ".join(":" + name for name in COLUMNS)}, :low_print, :high_print, :state, :by, :at)
    on conflict (low_id, high_id) do update set state = excluded.state, low_print = excluded.low_print,
        high_print = excluded.high_print, decided_by = excluded.decided_by, decided_at = excluded.decided_at
    """  # noqa: S608 our own constants
)


def state_of(session: Session, pair: tuple[UUID, UUID]) -> str | None:
    """What is stored of two accounts; None: they were never proposed."""
    held = session.get(AccountPair, tuple(sorted(pair)), populate_existing=True)
    return held.state if held else None


def put_back(session: Session, pair: tuple[UUID, UUID], state: str | None) -> None:
    """Two accounts are two again: what was said of them before holds, and nobody said more."""
    if state == PairState.NOT_DUPLICATE:
        decide(session, pair, PairState.NOT_DUPLICATE, None)
    elif state is None:
        low, high = sorted(pair)
        session.execute(delete(AccountPair).where(AccountPair.low_id == low, AccountPair.high_id == high))
    else:
        decide(session, pair, PairState.OPEN, None)


def decide(session: Session, pair: tuple[UUID, UUID], state: PairState, person: UUID | None) -> None:
    """Write down what became of two accounts, as they are now."""
    low, high = sorted(pair)
    session.flush()
    known = {row[0]: traits_of(row[1:]) for row in session.execute(CHOSEN, {"ids": [low, high]})}
    common = commonness(session, {key for one in known.values() for key in keys_of(one)})
    found = compare(known[low], known[high], common)
    row = dict(zip(COLUMNS, as_row(Scored(low, high, found, likelihood(found))), strict=True))
    prints = {"low_print": known[low].print(), "high_print": known[high].print()}
    at = None if state == PairState.OPEN else clock.now()
    session.execute(DECIDED, row | prints | {"state": state.value, "by": person, "at": at})
