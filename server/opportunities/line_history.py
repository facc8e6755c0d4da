"""What became of the lines of a deal, save by save: which came, which went, which changed."""

from collections import defaultdict
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
        select(OpportunityLine, FieldHistory.field, FieldHistory.at, FieldHistory.actor, User.name)
        .join(FieldHistory, told)
        .outerjoin(User, User.id == FieldHistory.actor)
        .where(OpportunityLine.opportunity_id == deal.id)
        .order_by(FieldHistory.at, FieldHistory.id)
    )
    batches: list[Batch] = []
    last: datetime | None = None
    for line, what, at, actor, who in session.execute(statement):
        batch, comes = batches[-1] if batches else None, what == "*"
        goes_anew = batch is not None and bool(batch.came) and not comes
        if batch is None or last is None or goes_anew or batch.actor != actor or at - last > TOGETHER:
            batch = Batch(at, actor, who)
            batches.append(batch)
        last = at
        (batch.came if comes else batch.gone).append(line)
    found = (Saved(one.at, one.who, compared(one, deal.currency)) for one in reversed(batches))
    return [one for one in found if one.changes]


def compared(batch: Batch, currency: str) -> tuple[LineChange, ...]:
    """The lines of a save that differ; of one product, or of one name, the first was the first."""
    before, after = (sorted(lines, key=lambda one: one.position) for lines in (batch.gone, batch.came))
    waiting: dict[object, list[OpportunityLine]] = defaultdict(list)
    for line in before:
        waiting[key(line)].append(line)
    changes = []
    for line in after:
        same = waiting[key(line)]
        old = stood(same.pop(0), currency) if same else None
        new = stood(line, currency)
        if old != new:
            changes.append(LineChange(line.name, old, new))
    left = {line.id for lines in waiting.values() for line in lines}
    changes += [LineChange(line.name, stood(line, currency), None) for line in before if line.id in left]
    return tuple(changes)


def key(line: OpportunityLine) -> object:
    """What tells that two lines are the same thing."""
    return line.product_id or line.name.lower()


def stood(line: OpportunityLine, currency: str) -> Stood:
    """A line as it stood."""
    return Stood(line.quantity, line.unit_price, line.discount, worth(line, currency))
