"""Which incarnation of the database this is, and whether its stamps can be trusted.

A phone compares epochs to learn that the server was restored. The identity that is stored in the database is not
enough, as a restore brings it back: the cluster, its timeline and the objects' numbers tell the difference.
"""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.kit.errors import Invalid
from server.kit.locks import one_at_a_time
from server.sync.protocol.problems import EpochChanged
from server.sync.pulling.entities import ENTITIES, prepared

PARTS = """
m.db_uuid::text, c.system_identifier::text,
case when pg_is_in_recovery() then (select timeline_id from pg_control_checkpoint())
     else ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int end,
d.oid::bigint, 'sync_item'::regclass::oid::bigint, m.declared
"""
PLACES = "sync_meta m, pg_control_system() c, pg_database d where d.datname = current_database()"
IDENTITY = f"select {PARTS} from {PLACES}"  # noqa: S608 our own constants
AHEAD = """
select exists (
    select from bucket b
    cross join lateral (
        select i.txid from sync_item i where i.bucket_id = b.id order by i.txid desc limit 1) last
    where last.txid >= pg_snapshot_xmax(pg_current_snapshot())
      and last.txid is distinct from pg_current_xact_id_if_assigned())
"""


def told(row: Sequence[Any]) -> tuple[str, dict[str, str]]:
    """The epoch that `IDENTITY` tells, and what operators declared about epochs."""
    *identity, declared = row
    digest = hashlib.sha256("|".join(str(part) for part in identity).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:16], declared


def computed(session: Session) -> tuple[str, dict[str, str]]:
    """The epoch of this very database, and what operators declared about epochs."""
    return told(session.execute(prepared(IDENTITY)).one())


def named(epoch: str, declared: Mapping[str, str]) -> str:
    """The epoch that phones are told."""
    return declared.get(epoch, epoch)


def current(session: Session) -> str:
    """The epoch that phones are told at this moment."""
    return named(*computed(session))


def check(session: Session, epoch: str) -> None:
    """Refuse a phone that speaks of another incarnation."""
    refuse_another(current(session), epoch)


def refuse_another(here: str, epoch: str) -> None:
    """Refuse a phone that speaks of another incarnation than this one."""
    if epoch != here:
        raise EpochChanged("The database was restored or moved.", help="Say hello again.", retry=False, epoch=here)


def rotate(session: Session) -> str:
    """Become another incarnation: every phone compares its journal and its rows with ours."""
    session.execute(text("update sync_meta set db_uuid = gen_random_uuid(), declared = '{}'"))
    return current(session)


def keep(session: Session, epoch: str) -> None:
    """Declare this incarnation to be an earlier one, after a planned move that lost nothing. Refuses what is no epoch,
    which every phone would take for a restore."""
    if not re.fullmatch("[A-Za-z0-9_-]{16}", epoch):
        raise Invalid(
            f"“{epoch}” is no epoch.",
            help="Give the one that “waymark sync epoch show” printed before the move, or change nothing.",
        )
    here, _ = computed(session)
    session.execute(
        text("update sync_meta set declared = jsonb_build_object(cast(:here as text), cast(:epoch as text))"),
        {"here": here, "epoch": epoch},
    )


def stamps_are_ahead(session: Session) -> bool:
    """Whether stamps lie in the future: rows of a dump carry the transaction numbers of another cluster."""
    return bool(session.execute(text(AHEAD)).scalar_one())


def guard(session: Session) -> bool:
    """Repair stamps that lie in the future, which no phone would ever be served; returns whether it was needed."""
    if not stamps_are_ahead(session):
        return False
    one_at_a_time(session, "epochs")
    if not stamps_are_ahead(session):
        return False
    restamp(session)
    rotate(session)
    return True


def restamp(session: Session) -> int:
    """Stamp every item with this transaction: each phone is sent everything once more."""
    session.execute(text("update sync_horizon set txid = pg_current_xact_id()"))
    changed: Any = session.execute(text("update sync_item set txid = pg_current_xact_id()"))
    return int(changed.rowcount)


def misplaced(session: Session) -> dict[str, list[UUID]]:
    """The rows that are not in the buckets where they belong, by entity."""
    return {
        entity.name: list(
            session.execute(
                text(
                    "select sync_moved(cast(:code as smallint), :name, array("  # noqa: S608 our own constants
                    f"select id from {entity.table} union select id from sync_item where e = :code))"
                ),
                {"code": entity.code, "name": entity.name},
            ).scalar_one()
        )
        for entity in ENTITIES
    }


def regroup(session: Session) -> dict[str, int]:
    """Put every row into the buckets where it belongs; returns how many were wrong, by entity."""
    wrong = {}
    for entity in ENTITIES:
        moved = misplaced(session)[entity.name]
        wrong[entity.name] = len(moved)
        if moved:
            session.execute(
                text("select sync_stamp(cast(:code as smallint), :name, :source, :ids)"),
                {"code": entity.code, "name": entity.name, "source": entity.table, "ids": moved},
            )
    return wrong
