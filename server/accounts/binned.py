"""Deleted accounts, sites and merges: what the bin shows of them, bringing them back, removing them for good."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from server.accounts import queries
from server.accounts.duplicates.models import AccountMerge
from server.accounts.models import Account, Site
from server.accounts.pins import follow_main_site
from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import NotFound
from server.records.binned import binned
from server.records.joining import UNDO
from server.records.models import FieldHistory

AT_ONCE = 500


def accounts(scope: Scope) -> Select[Any]:
    """Deleted accounts that the person may bring back."""
    columns = binned(entity="account", id=Account.id, title=Account.name, deleted_at=Account.deleted_at)
    return select(*columns).where(Account.deleted_at.is_not(None), queries.within_reach(scope, "accounts:delete"))


def sites(scope: Scope) -> Select[Any]:
    """Sites that were taken from accounts that are still there; not those that a merge folded away."""
    folded = select(AccountMerge.id).where(AccountMerge.merged_at == Site.deleted_at, AccountMerge.undone_at.is_(None))
    columns = binned(
        entity="site",
        id=Site.id,
        title=func.concat_ws(", ", Site.name, Site.street, Site.city),
        deleted_at=Site.deleted_at,
        account_id=Site.account_id,
    )
    there = queries.visible_to(scope, "accounts:write").with_only_columns(Account.id)
    return select(*columns).where(
        Site.deleted_at.is_not(None), Site.account_id.in_(there), ~folded.correlate(Site).exists()
    )


def merges(scope: Scope) -> Select[Any]:
    """Merges that the person may still take back."""
    winner, loser = aliased(Account), aliased(Account)
    reach = queries.visible_to(scope, "accounts:merge").with_only_columns(Account.id)
    columns = binned(
        entity="merge",
        id=AccountMerge.id,
        title=func.concat(loser.name, " → ", winner.name),
        deleted_at=AccountMerge.merged_at,
        account_id=AccountMerge.winner_id,
    )
    return (
        select(*columns)
        .select_from(AccountMerge)
        .join(winner, winner.id == AccountMerge.winner_id)
        .join(loser, loser.id == AccountMerge.loser_id)
        .where(
            AccountMerge.undone_at.is_(None),
            AccountMerge.merged_at > clock.now() - UNDO,
            AccountMerge.winner_id.in_(reach),
        )
    )


def restore_site(session: Session, scope: Scope, site_id: UUID) -> Site:
    """Bring a site back; it is the main one again when the account has none. Refuses one that is not in the bin."""
    shown = sites(scope).subquery()
    statement = select(Site).where(Site.id == site_id, Site.id.in_(select(shown.c.id)))
    site = session.scalars(statement.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if site is None:
        raise NotFound("There is no such site.", id=str(site_id))
    main = select(Site.id).where(Site.account_id == site.account_id, Site.is_main, Site.deleted_at.is_(None))
    site.is_main = session.scalar(main) is None
    site.deleted_at = None
    session.flush()
    follow_main_site(session, [site.account_id])
    session.refresh(site)
    return site


def purge_sites(session: Session, before: datetime) -> int:
    """Remove sites for good that were deleted before a moment and that nothing refers to; says how many."""
    alone = select(Site.id).where(Site.deleted_at < before).order_by(Site.deleted_at).limit(AT_ONCE)
    return sum(remove(session, Site, key) for key in session.scalars(alone).all())


def purge_accounts(session: Session, before: datetime) -> int:
    """Remove accounts for good that were deleted before a moment; one that visits or orders refer to stays."""
    old = select(Account.id).where(Account.deleted_at < before).order_by(Account.deleted_at).limit(AT_ONCE)
    return sum(remove(session, Account, key) for key in session.scalars(old).all())


def remove(session: Session, table: type[Account | Site], key: UUID) -> bool:
    """Remove a row with its history; False when something refers to it."""
    try:
        with session.begin_nested():
            gone = [key]
            if table is Account:
                gone += session.scalars(delete(Site).where(Site.account_id == key).returning(Site.id)).all()
            session.execute(delete(table).where(table.id == key))
            session.execute(delete(FieldHistory).where(or_(*(FieldHistory.row_id == one for one in gone))))
    except IntegrityError:
        return False
    return True
