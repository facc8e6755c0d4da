"""What became of the lines of a deal, save by save: which came, which went, which changed."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from server.auth.models import User
from server.opportunities.models import Opportunity, OpportunityLine
from server.opportunities.pricing import worth
from server.records.models import FieldHistory

TOGETHER = timedelta(seconds=5)
"""Lines that go and then lines that come within it are one save: each replaces all lines of the deal."""


@dataclass(frozen=True)
class Stood:
    """A line as it stood."""

    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    """Share, 0 to 1."""
    amount: Decimal
    """What it came to; with the tax, if its price contained it."""
    currency: str
    """That of the deal at the time, three letters."""
    tax_percent: Decimal | None
    """None: unknown."""
    is_gross: bool
    """The price contained the tax."""


@dataclass(frozen=True)
class LineChange:
    """One line that came (`old` is None), went (`new` is None) or changed."""

    name: str
    old: Stood | None
    new: Stood | None


@dataclass(frozen=True)
class Saved:
    """What somebody changed at once."""

    at: datetime
    who: str | None
    """None: Waymark itself."""
    changes: tuple[LineChange, ...]


@dataclass
class Batch:
    """Lines that came and went within one save."""

    at: datetime
    actor: UUID | None
    who: str | None
    ids: list[int] = field(default_factory=list)
    """Of its entries in the history, in their order."""
    gone: list[OpportunityLine] = field(default_factory=list)
    came: list[OpportunityLine] = field(default_factory=list)


def history(session: Session, deal: Opportunity) -> list[Saved]:
    """What became of a deal's lines, the latest save first; saves that changed nothing are left out."""
    told = and_(
        FieldHistory.entity == "opportunity_line",
        FieldHistory.row_id == OpportunityLine.id,
        FieldHistory.field.in_(("*", "deleted_at")),
    )
    statement = (
        select(OpportunityLine, FieldHistory.id, FieldHistory.field, FieldHistory.at, FieldHistory.actor, User.name)
        .join(FieldHistory, told)
        .outerjoin(User, User.id == FieldHistory.actor)
        .where(OpportunityLine.opportunity_id == deal.id)
        .order_by(FieldHistory.at, FieldHistory.id)
    )
    batches: list[Batch] = []
    last: datetime | None = None
    for line, entry, what, at, actor, who in session.execute(statement):
        batch, comes = batches[-1] if batches else None, what == "*"
        goes_anew = batch is not None and bool(batch.came) and not comes
        if batch is None or last is None or goes_anew or batch.actor != actor or at - last > TOGETHER:
            batch = Batch(at, actor, who)
            batches.append(batch)
        last = at
        batch.ids.append(entry)
        (batch.came if comes else batch.gone).append(line)
    changes = [
        compared(one, *spelled) for one, spelled in zip(batches, currencies(session, deal, batches), strict=True)
    ]
    found = (Saved(one.at, one.who, its) for one, its in zip(batches, changes, strict=True))
    return [one for one in found if one.changes][::-1]


def currencies(session: Session, deal: Opportunity, batches: Sequence[Batch]) -> Iterator[tuple[str, str]]:
    """The deal's currency before and after each save: a change of it is written before the lines of the same save."""
    changes = select(FieldHistory.id, FieldHistory.at, FieldHistory.actor, FieldHistory.old).where(
        FieldHistory.entity == "opportunity", FieldHistory.row_id == deal.id, FieldHistory.field == "currency"
    )
    past = [row for row in session.execute(changes.order_by(FieldHistory.id)) if row.old]
    done = 0
    for batch in batches:
        first, last = batch.ids[0], batch.ids[-1]
        own = (
            row.old
            for row in past
            if done < row.id < first and row.actor == batch.actor and batch.at - row.at <= TOGETHER
        )
        after = next((row.old for row in past if row.id > last), deal.currency)
        yield next(own, next((row.old for row in past if row.id > first), deal.currency)), after
        done = last


def compared(batch: Batch, was: str, currency: str) -> tuple[LineChange, ...]:
    """The lines of a save that differ; of one product, or of one name, the first was the first."""
    before, after = (sorted(lines, key=lambda one: one.position) for lines in (batch.gone, batch.came))
    waiting: dict[object, list[OpportunityLine]] = defaultdict(list)
    for line in before:
        waiting[key(line)].append(line)
    changes = []
    for line in after:
        same = waiting[key(line)]
        old = stood(same.pop(0), was) if same else None
        new = stood(line, currency)
        if old != new:
            changes.append(LineChange(line.name, old, new))
    left = {line.id for lines in waiting.values() for line in lines}
    changes += [LineChange(line.name, stood(line, was), None) for line in before if line.id in left]
    return tuple(changes)


def key(line: OpportunityLine) -> object:
    """What tells that two lines are the same thing."""
    return line.product_id or line.name.lower()


def stood(line: OpportunityLine, currency: str) -> Stood:
    """A line as it stood."""
    amount = worth(line, currency)
    return Stood(
        line.quantity, line.unit_price, line.discount, amount, currency, line.tax_percent, is_gross=line.is_gross
    )
