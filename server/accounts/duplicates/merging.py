"""Merging two accounts into one, and taking that back for 30 days.

The loser keeps its row with `merged_into`; rooms above read what hangs on it through `queries.family`. Its sites move
to the winner; one that is the same place as a site of the other is folded away. `AccountMerge` holds what an undo
needs.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.accounts import editing, pins, queries, tree
from server.accounts.duplicates import pairs as duplicate_pairs
from server.accounts.duplicates.choices import COLUMNS, FIELDS, chosen_values, proposed
from server.accounts.duplicates.models import AccountMerge, PairState
from server.accounts.duplicates.sites import move_sites, return_sites
from server.accounts.models import Account, AccountRep
from server.accounts.values import ACCOUNT, wire
from server.auth.access import Scope
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.kit.ids import uuid7
from server.records.joining import UNDO, AlreadyMerged, Choice, Side, UndoTooLate, give_back, labels_of
from server.records.service import Actor, acting
from server.records.together import named
from server.webhooks import service as webhooks


@dataclass(frozen=True)
class MergeWish:
    """How two accounts are to become one."""

    choices: Mapping[str, Choice]
    """Which side's value stays, by field; what is left out is proposed."""
    main_site: Side | None = None
    """Whose main site stays the main one; None: the winner's."""
    same_place: bool | None = None
    """Whether both main sites are one place; None: as their addresses and pins say."""
    revs: tuple[int, int] | None = None
    """Revisions of winner and loser that the choice was made on."""
    batch_id: UUID | None = None
    """The run of the rule that wishes it."""
    score: float | None = None


@dataclass(frozen=True)
class Undone:
    """What came of taking a merge back."""

    merge: AccountMerge
    kept: tuple[str, ...]
    """What was edited since the merge and stayed as it is, in words."""


def merge(session: Session, scope: Scope, winner_id: UUID, loser_id: UUID, wish: MergeWish) -> AccountMerge:
    """Let one account go into another; the same wish twice is one merge.

    Refuses accounts out of reach, one that went into a third meanwhile, and a choice made on an older revision.
    """
    if winner_id == loser_id:
        raise Invalid("An account cannot be merged with itself.", field="loser_id")
    winner, loser = locked(session, winner_id, loser_id)
    if loser.merged_into == winner.id:
        return latest(session, loser.id)
    refuse_merged(session, winner, loser)
    refuse_unreached(session, scope, (winner, loser))
    if wish.revs is not None:
        for row, rev in ((winner, wish.revs[0]), (loser, wish.revs[1])):
            editing.require_revision(row.name, row.id, row.rev, rev)
    made = AccountMerge(
        id=uuid7(),
        winner_id=winner.id,
        loser_id=loser.id,
        score=wish.score,
        merged_at=clock.now(),
        merged_by=None if wish.batch_id else scope.user_id,
        batch_id=wish.batch_id,
    )
    acting(session, Actor(user_id=made.merged_by, source=scope.source, op_id=made.id))
    wished = [name for name, choice in wish.choices.items() if choice != "winner"]
    columns = [column for name in wished for column in COLUMNS.get(name, ())]
    scope.need_changes("account", named(columns, winner, loser))
    choices = {name: choice for name, _, choice in proposed(session, scope, winner, loser)} | dict(wish.choices)
    values = chosen_values(winner, loser, choices) | parent_of_both(session, winner, loser)
    made.fields = write_fields(session, winner, loser, values)
    made.sites = move_sites(session, winner, loser, made.merged_at, wish.main_site or "winner", wish.same_place)
    made.reps = share_reps(session, winner, loser)
    loser.merged_into = winner.id
    session.add(made)
    session.flush()
    pins.align_accounts(session, [winner.id])
    made.fields = made.fields | {"pair": duplicate_pairs.state_of(session, (winner.id, loser.id))}
    duplicate_pairs.decide(session, (winner.id, loser.id), PairState.MERGED, made.merged_by)
    tell_programs(session, winner, loser)
    return made


def parent_of_both(session: Session, winner: Account, loser: Account) -> dict[str, Any]:
    """The winner's parent, where the loser stood above it: what stood above the loser, so that nobody stands above
    itself.
    """
    tree.lock(session)
    if loser.id not in {one.id for one in tree.chain(session, winner.id)}:
        return {}
    above = next((one.id for one in tree.chain(session, loser.id) if one.id != winner.id), None)
    return {"parent_id": above}


def tell_programs(session: Session, *accounts: Account) -> None:
    """Tell other programs that these accounts have changed."""
    for account in accounts:
        session.refresh(account)
        webhooks.announce(session, "account", str(account.id), str(account.rev))


def locked(session: Session, *ids: UUID) -> list[Account]:
    """These accounts, locked in one order whoever asks; refuses ones that do not exist."""
    statement = select(Account).where(Account.id.in_(ids)).order_by(Account.id).with_for_update()
    found = {row.id: row for row in session.scalars(statement.execution_options(populate_existing=True))}
    for key in ids:
        if key not in found or found[key].deleted_at is not None:
            raise NotFound("There is no such account.", id=str(key))
    return [found[key] for key in ids]


def refuse_merged(session: Session, winner: Account, loser: Account) -> None:
    """Refuse what somebody else has merged in the meantime."""
    for row in (winner, loser):
        if row.merged_into is not None:
            into = session.get_one(Account, queries.surviving(session, row.id))
            raise AlreadyMerged(
                f"“{row.name}” has been merged into “{into.name}” in the meantime.",
                help="Reload to see what is left to decide.",
                into=str(into.id),
            )


def refuse_unreached(session: Session, scope: Scope, rows: Iterable[Account]) -> None:
    """Refuse accounts that the person may not merge."""
    for row in rows:
        reach = select(Account.id).where(Account.id == row.id, queries.within_reach(scope, "accounts:merge"))
        if session.scalar(reach) is None:
            raise NotFound("There is no such account.", id=str(row.id))


def latest(session: Session, loser_id: UUID) -> AccountMerge:
    """The merge through which an account went into another."""
    statement = select(AccountMerge).where(AccountMerge.loser_id == loser_id, AccountMerge.undone_at.is_(None))
    found = session.scalars(statement).one_or_none()
    if found is None:
        raise NotFound("There is no such merge.", id=str(loser_id))
    return found


def write_fields(
    session: Session, winner: Account, loser: Account, wanted: Mapping[str, Any]
) -> dict[str, dict[str, list[Any]]]:
    """Write what the winner takes; returns every changed column of both with its value before and after."""
    values = dict(wanted)
    if loser.last_visit_on and (winner.last_visit_on is None or winner.last_visit_on < loser.last_visit_on):
        values["last_visit_on"] = loser.last_visit_on
    changed = {name: value for name, value in values.items() if getattr(winner, name) != value}
    written = {
        "winner": {name: [wire(name, getattr(winner, name)), wire(name, value)] for name, value in changed.items()},
        "loser": {},
    }
    if "number" in changed:  # the two numbers change places, so that an import still finds the winner under either
        mine = winner.number
        written["loser"]["number"] = [loser.number, mine]
        loser.number = None
        session.flush()
        winner.number = changed.pop("number")
        session.flush()
        loser.number = mine
    for name, value in changed.items():
        setattr(winner, name, value)
    session.flush()
    return written


def share_reps(session: Session, winner: Account, loser: Account) -> list[UUID]:
    """Reps to whom the loser is assigned by hand work the winner too; returns the new ones."""
    there = set(queries.reps_of(session, winner.id))
    new = [rep for rep in queries.reps_of(session, loser.id) if rep not in there]
    session.add_all(AccountRep(account_id=winner.id, user_id=rep) for rep in new)
    session.flush()
    return new


def undo(session: Session, scope: Scope, merge_id: UUID) -> Undone:
    """Take a merge back: both accounts are as before, but for what was edited since, which stays and is named.

    They are proposed again if they were before; the rule does not merge them again. Twice is once. Refuses merges
    older than 30 days, out of reach, or whose winner is deleted.
    """
    made = session.get(AccountMerge, merge_id)
    if made is None:
        raise NotFound("There is no such merge.", id=str(merge_id))
    top = session.get_one(Account, queries.surviving(session, made.winner_id))
    refuse_unreached(session, scope, [top])
    if top.deleted_at is not None:
        raise Conflict(f"“{top.name}” is deleted.", help="Restore it first, then undo the merge.", id=str(top.id))
    winner, loser = locked(session, made.winner_id, made.loser_id)
    session.refresh(made, with_for_update=True)
    if made.undone_at is not None:
        return Undone(made, ())
    if clock.now() > made.merged_at + UNDO:
        raise UndoTooLate(
            f"“{loser.name}” was merged into “{winner.name}” on {made.merged_at:%d %B %Y}, more than 30 days ago.",
            help="Create the account again, or edit the one that is there.",
        )
    numbers = made.fields["winner"].get("number")
    if numbers and winner.merged_into is not None and winner.number != numbers[1]:
        raise Conflict(
            f"The number of “{winner.name}” has gone on with a later merge.",
            help="Undo that merge first, then this one.",
        )
    acting(session, Actor(user_id=scope.user_id, source="undo", op_id=made.id))
    loser.merged_into = None
    session.flush()
    kept = [*return_fields(session, made, winner, loser), *return_sites(session, made)]
    kept += out_of_circles(session, made, winner, loser)
    session.execute(
        delete_rows(AccountRep).where(AccountRep.account_id == winner.id, AccountRep.user_id.in_(made.reps))
    )
    made.undone_at, made.undone_by = clock.now(), scope.user_id
    session.flush()
    pins.align_accounts(session, [winner.id, loser.id, top.id])
    duplicate_pairs.put_back(session, (winner.id, loser.id), made.fields.get("pair", PairState.OPEN))
    tell_programs(session, winner, loser)
    return Undone(made, tuple(dict.fromkeys(kept)))


def return_fields(session: Session, made: AccountMerge, winner: Account, loser: Account) -> list[str]:
    """Give both their values from before the merge; returns the names of those that were edited since."""
    changed = {name: values for name, values in made.fields["winner"].items() if name != "number"}
    stayed = give_back(FIELDS, winner, changed, wire)
    kept = [*labels_of(FIELDS, stayed), *(["Last visit"] if "last_visit_on" in stayed else [])]
    kept += [ACCOUNT["parent_id"].label] if "parent_id" in stayed else []
    session.flush()
    if "number" in made.fields["winner"] and not return_numbers(session, made, winner, loser):
        kept.append(ACCOUNT["number"].label)
    return kept


def out_of_circles(session: Session, made: AccountMerge, winner: Account, loser: Account) -> list[str]:
    """Keep two accounts out of circles that others make with them since; says so when a parent could not go back."""
    tree.lock(session)
    _, since = made.fields["winner"].get("parent_id", (None, None))
    changed = False
    for account, parent_id in ((winner, since and UUID(since)), (loser, None)):
        if tree.is_in_circle(session, account.id):
            account.parent_id = parent_id
            session.flush()
            if tree.is_in_circle(session, account.id):
                account.parent_id = None
                session.flush()
            changed = True
    return [ACCOUNT["parent_id"].label] if changed else []


def return_numbers(session: Session, made: AccountMerge, winner: Account, loser: Account) -> bool:
    """Change the numbers back; False when the winner's was edited since, or somebody else has the loser's now."""
    mine, taken = made.fields["winner"]["number"]
    theirs, given = made.fields["loser"]["number"]
    if winner.number != taken or loser.number != given:
        statement = select(Account.id).where(Account.number == theirs, Account.deleted_at.is_(None))
        if theirs is not None and session.scalar(statement) is None:
            loser.number = theirs
            session.flush()
        return False
    loser.number = None
    session.flush()
    winner.number = mine
    session.flush()
    loser.number = theirs
    session.flush()
    return True


def undo_batch(session: Session, scope: Scope, batch_id: UUID) -> list[Undone]:
    """Take back all merges of one run of the rule, the latest first. Refuses a run that does not exist."""
    statement = select(AccountMerge.id).where(AccountMerge.batch_id == batch_id, AccountMerge.undone_at.is_(None))
    ids = session.scalars(statement.order_by(AccountMerge.merged_at.desc(), AccountMerge.id.desc())).all()
    if not ids and not session.scalar(
        select(func.count()).select_from(AccountMerge).where(AccountMerge.batch_id == batch_id)
    ):
        raise NotFound("There is no such run of the rule.", id=str(batch_id))
    return [undo(session, scope, merge_id) for merge_id in ids]
