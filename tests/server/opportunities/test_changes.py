"""What changed in a forecast: the way from the old sum to the new one leaves no cent behind."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from server.opportunities.changes import Change, Standing, bridge

FIRST, END = date(2026, 10, 1), date(2027, 1, 1)
STAGES = [UUID(int=number) for number in range(1, 4)]

standings = st.builds(
    Standing,
    is_open=st.booleans(),
    close_on=st.dates(date(2026, 8, 1), date(2027, 3, 1)),
    amount=st.decimals(0, 100_000, places=4, allow_nan=False),
    probability=st.decimals(0, 1, places=3, allow_nan=False),
    stage_id=st.sampled_from(STAGES),
    among=st.booleans(),
    state=st.sampled_from(["open", "won", "lost"]),
)
worlds = st.dictionaries(st.integers(1, 12).map(lambda number: UUID(int=number)), standings, max_size=12)


@given(worlds, worlds, st.booleans(), st.sampled_from([(None, None), (FIRST, END)]))
def test_the_moves_add_up_from_the_old_sum_to_the_new_one(
    old: dict[UUID, Standing], new: dict[UUID, Standing], is_weighted: bool, span: tuple[date | None, date | None]
) -> None:
    found = bridge(old, new, first=span[0], end=span[1], is_weighted=is_weighted)
    assert found.before + sum((one.amount for one in found.moves), Decimal(0)) == found.after
    assert found.before == sum(one.worth(is_weighted) for one in old.values() if one.counts(*span))
    assert found.after == sum(one.worth(is_weighted) for one in new.values() if one.counts(*span))
    by_reason = found.by_change().values()
    assert found.before + sum((amount for _, amount in by_reason), Decimal(0)) == found.after


@given(worlds, worlds)
def test_every_deal_that_counts_on_one_of_the_days_has_a_reason(
    old: dict[UUID, Standing], new: dict[UUID, Standing]
) -> None:
    counting = {key for world in (old, new) for key, one in world.items() if one.counts(FIRST, END)}
    assert {one.deal_id for one in bridge(old, new, first=FIRST, end=END).moves} == counting


def stand(close_on: date = date(2026, 11, 1), **more: object) -> Standing:
    values = {
        "is_open": True, "close_on": close_on, "amount": Decimal(100), "probability": Decimal("0.5"),
        "stage_id": STAGES[0],
    } | more  # fmt: skip
    return Standing(**values)  # type: ignore[arg-type]


def reason(old: Standing | None, new: Standing | None, **more: object) -> list[tuple[Change, Decimal]]:
    key = uuid4()
    found = bridge({key: old} if old else {}, {key: new} if new else {}, first=FIRST, end=END, **more)  # type: ignore[arg-type]
    return [(one.change, one.amount) for one in found.moves]


def test_each_reason_is_told_by_its_name() -> None:
    later, earlier = END + timedelta(days=3), FIRST - timedelta(days=3)
    hundred = Decimal("100.00")
    assert reason(None, stand()) == [(Change.NEW, hundred)]
    assert reason(stand(is_open=False, state="lost"), stand()) == [(Change.REOPENED, hundred)]
    assert reason(stand(later), stand()) == [(Change.PULLED_IN, hundred)]
    assert reason(stand(earlier), stand()) == [(Change.SLIPPED_IN, hundred)]
    assert reason(stand(), stand(later)) == [(Change.SLIPPED, -hundred)]
    assert reason(stand(), stand(earlier)) == [(Change.PULLED_OUT, -hundred)]
    assert reason(stand(), stand(is_open=False, state="won")) == [(Change.WON, -hundred)]
    assert reason(stand(), stand(is_open=False, state="lost")) == [(Change.LOST, -hundred)]
    assert reason(stand(), None) == [(Change.DELETED, -hundred)]
    assert reason(stand(among=False), stand()) == [(Change.HANDED_IN, hundred)]
    assert reason(stand(), stand(amount=Decimal(130))) == [(Change.UP, Decimal("30.00"))]
    assert reason(stand(), stand(amount=Decimal(90))) == [(Change.DOWN, Decimal("-10.00"))]
    assert reason(stand(), stand(stage_id=STAGES[1])) == [(Change.STAGE, Decimal(0))]
    assert reason(stand(), stand()) == [(Change.SAME, Decimal(0))]


def test_weighted_an_amount_and_a_stage_each_have_their_part() -> None:
    moved = stand(amount=Decimal(200), probability=Decimal("0.75"), stage_id=STAGES[1])
    assert reason(stand(), moved, is_weighted=True) == [(Change.UP, Decimal("50.00")), (Change.STAGE, Decimal("50.00"))]
    assert reason(stand(), stand(probability=Decimal("0.6")), is_weighted=True) == [(Change.LIKELIER, Decimal("10.00"))]
