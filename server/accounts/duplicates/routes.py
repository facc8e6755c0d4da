"""JSON API of duplicates and merges."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.accounts.duplicates import merging
from server.accounts.duplicates import queue as duplicate_queue
from server.accounts.duplicates import rule as duplicate_rule
from server.accounts.duplicates.jobs import find_duplicates
from server.accounts.duplicates.merging import Undone
from server.accounts.duplicates.models import AccountMerge
from server.accounts.duplicates.queue import Done
from server.accounts.duplicates.schemas import (
    MergeRead,
    MergeWrite,
    PairRead,
    PairWrite,
    RuleRead,
    RuleWrite,
    RunRead,
    UndoneRead,
)
from server.accounts.models import Account
from server.auth.access import Scope, requires
from server.auth.models import User
from server.jobs import defer
from server.kit.database import Db
from server.kit.paging import Limit, Page

router = APIRouter(prefix="/api/v1", tags=["duplicates"])

MergeAccounts = Annotated[Scope, requires("accounts:merge")]
First = Annotated[int, Query(ge=0, le=10_000_000, description="Pairs to skip.")]


@router.get("/duplicates")
def list_pairs(scope: MergeAccounts, session: Db, first: First = 0, limit: Limit = 50) -> Page[PairRead]:
    """Pairs of accounts that may be the same and wait for you, the surest and most valuable first."""
    found = duplicate_queue.waiting(session, scope, first=first, limit=limit)
    total = duplicate_queue.count(session, scope)
    return Page(items=[PairRead.of(one) for one in found], next_cursor=None, total=total)


@router.post("/duplicates/search", status_code=202)
def search(scope: MergeAccounts, session: Db) -> None:
    """Search in the background for what changed since the last search."""
    defer(session, find_duplicates, key="accounts.find_duplicates")


@router.get("/duplicates/search")
def last_search(scope: MergeAccounts, session: Db) -> RunRead | None:
    """What the latest search looked at, found and left out."""
    run = duplicate_queue.last_run(session)
    return None if run is None else RunRead.model_validate(run)


@router.post("/duplicates/not-same", status_code=204)
def keep_apart(body: PairWrite, scope: MergeAccounts, session: Db) -> None:
    """Say that two accounts are not the same; they come back only when one of them changes materially."""
    duplicate_queue.keep_apart(session, scope, body.one_id, body.other_id)


@router.post("/duplicates/look-again", status_code=204)
def look_again(body: PairWrite, scope: MergeAccounts, session: Db) -> None:
    """Take back that two accounts are not the same."""
    duplicate_queue.look_again(session, scope, body.one_id, body.other_id)


@router.get("/duplicates/rule")
def get_rule(scope: MergeAccounts, session: Db) -> RuleRead:
    """The rule by which accounts are merged without a person, and how many pairs it would merge now."""
    held = duplicate_rule.rule(session)
    return RuleRead.of(held, duplicate_rule.would_merge(session, held.threshold))


@router.put("/duplicates/rule")
def set_rule(body: RuleWrite, scope: MergeAccounts, session: Db) -> RuleRead:
    """Switch the rule on or off, or say how sure it has to be."""
    held = duplicate_rule.set_rule(session, scope, is_on=body.is_on, threshold=body.threshold)
    if held.is_on:
        defer(session, find_duplicates, key="accounts.find_duplicates")
    return RuleRead.of(held, duplicate_rule.would_merge(session, held.threshold))


@router.post("/accounts/{account_id}/merge", status_code=201)
def merge(account_id: UUID, body: MergeWrite, scope: MergeAccounts, session: Db, response: Response) -> MergeRead:
    """Let another account go into this one. The same request twice is one merge; it can be undone for 30 days."""
    made = merging.merge(session, scope, account_id, body.loser_id, body.wish())
    response.headers["Location"] = f"/api/v1/accounts/{account_id}"
    return MergeRead.of(named(session, made))


@router.get("/merges")
def list_merges(scope: MergeAccounts, session: Db, limit: Limit = 100) -> Page[MergeRead]:
    """The latest merges, by people and by the rule."""
    found = duplicate_queue.merges(session, scope, limit=limit)
    return Page(items=[MergeRead.of(one) for one in found])


@router.post("/merges/{merge_id}/undo")
def undo(merge_id: UUID, scope: MergeAccounts, session: Db) -> UndoneRead:
    """Take a merge back: both accounts are as before, but for what was edited since; refused after 30 days."""
    return undone(merging.undo(session, scope, merge_id))


@router.post("/merges/batches/{batch_id}/undo")
def undo_batch(batch_id: UUID, scope: MergeAccounts, session: Db) -> Page[UndoneRead]:
    """Take all merges of one run of the rule back."""
    return Page(items=[undone(one) for one in merging.undo_batch(session, scope, batch_id)])


def undone(found: Undone) -> UndoneRead:
    """What came of an undo."""
    made = found.merge
    return UndoneRead(merge_id=made.id, winner_id=made.winner_id, loser_id=made.loser_id, kept=list(found.kept))


def named(session: Session, made: AccountMerge) -> Done:
    """A merge with its names."""
    ids = (made.winner_id, made.loser_id)
    both = {account.id: account for account in session.scalars(select(Account).where(Account.id.in_(ids)))}
    winner, loser = both[made.winner_id], both[made.loser_id]
    person = session.scalar(select(User.name).where(User.id == made.merged_by))
    return Done(made, winner.name, loser.name, winner.number, loser.number, person)
