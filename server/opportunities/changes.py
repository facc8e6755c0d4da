"""What changed in a forecast between two days, deal by deal: each deal has one reason for each part. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from uuid import UUID

CENT = Decimal("0.01")


class Change(StrEnum):
    """Why a forecast is another one than it was."""

    NEW = "new"
    """The deal did not exist."""
    REOPENED = "reopened"
    """It was closed and is open again."""
    PULLED_IN = "pulled_in"
    """Its close came nearer, into the period."""
    SLIPPED_IN = "slipped_in"
    """Its close was put off, into the period."""
    HANDED_IN = "handed_in"
    """It was not among these deals: another owner, territory or pipeline."""
    UP = "up"
    DOWN = "down"
    """The amount changed."""
    STAGE = "stage"
    """It moved to another stage; what is likely changed with it."""
    LIKELIER = "likelier"
    """It stayed in its stage, but somebody judges it otherwise."""
    SLIPPED = "slipped"
    """Its close was put off, out of the period."""
    PULLED_OUT = "pulled_out"
    """Its close came nearer, out of the period."""
    HANDED_OUT = "handed_out"
    WON = "won"
    LOST = "lost"
    DELETED = "deleted"
    SAME = "same"
    """It counts as before."""


ORDER = tuple(Change)
"""How a page goes from the old sum to the new one."""


@dataclass(frozen=True)
class Standing:
    """A deal as it stood on a day."""

    is_open: bool
    close_on: date
    amount: Decimal
    probability: Decimal
    stage_id: UUID
    among: bool = True
    """Whether it is one of the deals that are asked for, whatever its close."""
    state: str = "open"

    def counts(self, first: date | None, end: date | None) -> bool:
        """Whether it is part of the forecast of a period."""
        in_time = (first is None or self.close_on >= first) and (end is None or self.close_on < end)
        return self.is_open and self.among and in_time

    def worth(self, is_weighted: bool) -> Decimal:
        """What it counts for."""
        value = self.amount * self.probability if is_weighted else self.amount
        return value.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Move:
    """One part of the way from the old sum to the new one."""

    deal_id: UUID
    change: Change
    amount: Decimal
    """By how much the sum changes."""
    old: Standing | None
    new: Standing | None


@dataclass(frozen=True)
class Bridge:
    """The way from the old sum to the new one; `before` plus all moves is `after`, to the cent."""

    before: Decimal
    after: Decimal
    moves: tuple[Move, ...]

    def by_change(self) -> dict[Change, tuple[int, Decimal]]:
        """Count and sum of each reason, in order; reasons that do not occur are missing."""
        found = {
            change: [one for one in self.moves if one.change is change] for change in ORDER if change is not Change.SAME
        }
        return {
            change: (len(moves), sum((one.amount for one in moves), Decimal(0)))
            for change, moves in found.items()
            if moves
        }


def bridge(
    old: Mapping[UUID, Standing],
    new: Mapping[UUID, Standing],
    *,
    first: date | None = None,
    end: date | None = None,
    is_weighted: bool = False,
) -> Bridge:
    """The way from one day's forecast of a period to another's.

    Parameters
    ----------
    old
        Deals as they stood then; those that did not exist or were closed are missing, or say so.
    new
        The same deals as they stand now; those that are deleted are missing.
    first, end
        The period: expected close from `first` on and before `end`; None is open.
    """
    moves: list[Move] = []
    before = after = Decimal(0)
    for deal_id in sorted(old.keys() | new.keys(), key=str):
        was, is_now = old.get(deal_id), new.get(deal_id)
        did = was is not None and was.counts(first, end)
        does = is_now is not None and is_now.counts(first, end)
        worth_then = was.worth(is_weighted) if was and did else Decimal(0)
        worth_now = is_now.worth(is_weighted) if is_now and does else Decimal(0)
        before += worth_then
        after += worth_now
        if was and is_now and did and does:
            moves += stayed(deal_id, was, is_now, is_weighted)
        elif does:
            moves.append(Move(deal_id, came(was, is_now), worth_now, was, is_now))
        elif did:
            moves.append(Move(deal_id, went(was, is_now), -worth_then, was, is_now))
    return Bridge(before, after, tuple(moves))


def came(was: Standing | None, now: Standing | None) -> Change:
    """Why a deal counts that did not."""
    if was is None:
        return Change.NEW
    if not was.is_open:
        return Change.REOPENED
    if now is None or not was.among or was.close_on == now.close_on:
        return Change.HANDED_IN
    return Change.PULLED_IN if now.close_on < was.close_on else Change.SLIPPED_IN


def went(was: Standing | None, now: Standing | None) -> Change:
    """Why a deal does not count that did."""
    if now is None or was is None:
        return Change.DELETED
    if not now.is_open:
        return Change.WON if now.state == "won" else Change.LOST
    if not now.among or was.close_on == now.close_on:
        return Change.HANDED_OUT
    return Change.SLIPPED if now.close_on > was.close_on else Change.PULLED_OUT


def stayed(deal_id: UUID, was: Standing, now: Standing, is_weighted: bool) -> Iterable[Move]:
    """What changed in a deal that counts on both days: its amount, and how likely it is."""
    difference = now.worth(is_weighted) - was.worth(is_weighted)
    by_amount = difference
    if is_weighted and now.probability != was.probability:
        by_amount = ((now.amount - was.amount) * was.probability).quantize(CENT, ROUND_HALF_UP)
    rest = difference - by_amount
    moves = []
    if by_amount or now.amount != was.amount:
        moves.append(Move(deal_id, Change.UP if now.amount > was.amount else Change.DOWN, by_amount, was, now))
    if now.stage_id != was.stage_id:
        moves.append(Move(deal_id, Change.STAGE, rest, was, now))
    elif rest:
        moves.append(Move(deal_id, Change.LIKELIER, rest, was, now))
    return moves or [Move(deal_id, Change.SAME, Decimal(0), was, now)]
