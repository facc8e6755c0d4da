"""A pipeline as a board: columns of deals with what they add up to; the first few at once, more as one scrolls."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, any_, cast, func, literal, select, tuple_
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.auth.access import Scope
from server.kit import clock
from server.kit.paging import decode_cursor, encode_cursor
from server.opportunities import queries
from server.opportunities.models import Opportunity, Stage, State
from server.opportunities.queries import Row
from server.opportunities.rates import Total
from server.opportunities.sums import grouped

CARDS = 20
"""Cards of a column that come at once."""
CLOSED_DAYS = 90
"""How long a closed deal stays on the board."""


@dataclass(frozen=True)
class Column:
    """One stage with its deals."""

    stage: Stage
    total: Total
    rows: Sequence[Row]
    next_cursor: str | None


def on_board(
    session: Session, scope: Scope, stages: Iterable[Stage], *, filter: str | None, search: str | None
) -> Select[Opportunity]:
    """The deals in some columns of a board: open ones, and those that were closed lately."""
    lately = Opportunity.closed_at > clock.now() - timedelta(days=CLOSED_DAYS)
    statement = queries.chosen_for_sums(session, scope, filter=filter, search=search)
    # Deals have an index of their stages; the planner knows of each by its id how many stand there.
    there = Opportunity.stage_id == any_(literal([one.id for one in stages], ARRAY(Uuid)))
    return statement.where(there, (Opportunity.state == State.OPEN) | lately)


def board(
    session: Session,
    scope: Scope,
    pipeline_id: UUID,
    *,
    filter: str | None = None,
    search: str | None = None,
    cards: int = CARDS,
) -> list[Column]:
    """All columns of a pipeline: three statements, however many deals there are."""
    today, stages = accounts.today_of(scope), queries.stages(session, pipeline_id)
    statement = on_board(session, scope, stages, filter=filter, search=search)
    sums = grouped(session, statement, Opportunity.stage_id, today)
    place = func.row_number().over(partition_by=Opportunity.stage_id, order_by=(Opportunity.close_on, Opportunity.id))
    numbered = statement.with_only_columns(Opportunity.id, place.label("place")).subquery("numbered")
    first = select(numbered.c.id).where(numbered.c.place <= cards + 1).subquery("first")
    detailed = queries.with_details(queries.joined().join(first, first.c.id == Opportunity.id), today)
    by_stage: dict[UUID, list[Row]] = {}
    for found in session.execute(detailed.order_by(Opportunity.close_on, Opportunity.id)):
        row = Row(*found)
        by_stage.setdefault(row.stage.id, []).append(row)
    return [column(one, sums.get(one.id, Total()), by_stage.get(one.id, []), cards) for one in stages]


def more(
    session: Session, scope: Scope, stage: Stage, cursor: str, *, filter: str | None = None, search: str | None = None
) -> Column:
    """The next cards of a column."""
    statement = on_board(session, scope, [stage], filter=filter, search=search)
    after = decode_cursor(cursor, 2)
    if after is not None:
        there = tuple_(cast(str(after[0]), Opportunity.close_on.type), cast(str(after[1]), Opportunity.id.type))
        statement = statement.where(tuple_(Opportunity.close_on, Opportunity.id) > there)
    page = statement.with_only_columns(Opportunity.id).order_by(Opportunity.close_on, Opportunity.id)
    ids = page.limit(CARDS * 2 + 1).subquery("page")
    detailed = queries.with_details(queries.joined().join(ids, ids.c.id == Opportunity.id), accounts.today_of(scope))
    ordered = detailed.order_by(Opportunity.close_on, Opportunity.id)
    return column(stage, Total(), [Row(*row) for row in session.execute(ordered)], CARDS * 2)


def heads(
    session: Session, scope: Scope, pipeline_id: UUID, *, filter: str | None = None, search: str | None = None
) -> list[Column]:
    """What the columns add up to, without their cards."""
    stages = queries.stages(session, pipeline_id)
    statement = on_board(session, scope, stages, filter=filter, search=search)
    sums = grouped(session, statement, Opportunity.stage_id, accounts.today_of(scope))
    return [column(stage, sums.get(stage.id, Total()), [], 0) for stage in stages]


def column(stage: Stage, total: Total, rows: Sequence[Row], cards: int) -> Column:
    """One column, with the cursor to what comes after its cards."""
    last = rows[cards - 1].deal if cards and len(rows) > cards else None
    return Column(stage, total, rows[:cards], encode_cursor((last.close_on, last.id)) if last else None)
