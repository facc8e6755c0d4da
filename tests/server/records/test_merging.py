"""Properties of the three-way merge: nothing vanishes, order does not matter where it should not, groups hold."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from server.records.merging import Current, Delta, Json, Merge, Policy, Rules, merge
from server.records.models import ConflictKind

FIELDS = ("phone", "email", "note", "street", "lon", "hours")
RULES = Rules(take_field=frozenset({"hours"}), groups=(frozenset({"street", "lon"}),))

values = st.sampled_from([None, 0, 1, "a", "b", ["a"], ["b", "a"]])
rows = st.fixed_dictionaries(dict.fromkeys(FIELDS, values))


@st.composite
def situations(draw: st.DrawFn) -> tuple[Current, int, dict[str, Delta]]:
    """A record that others changed after `base_rev`, and what somebody wants who saw it then."""
    base: dict[str, Json] = draw(rows)
    base_rev = draw(st.integers(1, 5))
    now, frev, rev = dict(base), {}, base_rev
    for name in draw(st.lists(st.sampled_from(FIELDS), max_size=4)):
        rev += 1
        now[name], frev[name] = draw(values), rev
    wanted = draw(st.lists(st.sampled_from(FIELDS), min_size=1, max_size=4, unique=True))
    deltas = {name: Delta(base[name], draw(values)) for name in wanted}
    own = draw(st.frozensets(st.sampled_from(FIELDS), max_size=2))
    return Current(now, rev, frev, deleted=draw(st.booleans()), own=own), base_rev, deltas


def written(current: Current, merged: Merge) -> Current:
    """The record after a merge is written."""
    rev = current.rev + 1
    frev = dict(current.frev) | {name: rev for name, new in merged.apply.items() if current.values.get(name) != new}
    return Current({**current.values, **merged.apply}, rev, frev, current.deleted, current.own)


def test_what_a_form_sends_unchanged_keeps_what_others_wrote_meanwhile() -> None:
    current = Current({"phone": "b", "email": None}, 2, {"phone": 2})
    merged = merge(current, 1, {"phone": Delta("a", "a"), "email": Delta(None, "c")}, RULES)
    assert (merged.apply, merged.clashes) == ({"email": "c"}, ())


@settings(max_examples=2000)
@given(situations(), st.booleans())
def test_no_value_vanishes(situation: tuple[Current, int, dict[str, Delta]], in_scope: bool) -> None:
    """Each wanted value is applied, was there already, or is kept in a clash; each value it displaces is kept too."""
    current, base_rev, deltas = situation
    merged = merge(current, base_rev, deltas, RULES, in_scope=in_scope)
    clashes = {clash.field: clash for clash in merged.clashes}
    assert merged.apply.keys() | clashes.keys() | merged.same == deltas.keys()
    for name, delta in deltas.items():
        stored = current.values[name]
        if name in merged.same:
            assert delta.new in (stored, delta.old)
        elif name in clashes:
            clash = clashes[name]
            assert (clash.base, clash.mine, clash.server) == (delta.old, delta.new, stored)
        else:
            assert merged.apply[name] == delta.new
            assert current.frev.get(name, 1) <= base_rev or stored == delta.old or name in current.own
        if not in_scope:
            assert (name in merged.same) == (delta.new == delta.old), "what is stored decides nothing"
    if current.deleted or not in_scope:
        assert not merged.apply


@settings(max_examples=500)
@given(situations())
def test_a_record_that_nobody_else_touched_takes_everything(situation: tuple[Current, int, dict[str, Delta]]) -> None:
    current, _, deltas = situation
    alone = Current(current.values, current.rev, current.frev)
    merged = merge(alone, current.rev, deltas, RULES)
    assert merged.clashes == ()


@settings(max_examples=500)
@given(situations())
def test_nobody_is_in_conflict_with_what_they_wrote_themselves(
    situation: tuple[Current, int, dict[str, Delta]],
) -> None:
    current, base_rev, deltas = situation
    alone = Current(current.values, current.rev, current.frev, own=frozenset(FIELDS))
    merged = merge(alone, base_rev, deltas, RULES)
    assert merged.clashes == ()
    assert merged.apply.keys() == {name for name, one in deltas.items() if one.new not in (one.old, alone.values[name])}


def test_a_change_back_to_what_was_there_first_counts_where_the_value_in_between_is_the_editors() -> None:
    current = Current({"phone": "b"}, rev=2, frev={"phone": 2}, own=frozenset({"phone"}))
    assert merge(current, 1, {"phone": Delta("b ", "a")}, RULES).apply == {"phone": "a"}


@settings(max_examples=500)
@given(situations())
def test_merging_twice_is_merging_once(situation: tuple[Current, int, dict[str, Delta]]) -> None:
    current, base_rev, deltas = situation
    once = merge(current, base_rev, deltas, RULES)
    after = written(current, once)
    again = merge(after, base_rev, deltas, RULES)
    assert all(after.values[name] == new for name, new in again.apply.items())
    assert {clash.field for clash in again.clashes} <= {clash.field for clash in once.clashes}


def parts(deltas: Mapping[str, Delta]) -> tuple[dict[str, Delta], dict[str, Delta]]:
    """An edit cut in two, with groups kept together."""
    one = {name: delta for name, delta in deltas.items() if name in ("phone", "street", "lon")}
    return one, {name: delta for name, delta in deltas.items() if name not in one}


@settings(max_examples=500)
@given(situations())
def test_the_order_of_edits_to_different_fields_does_not_matter(
    situation: tuple[Current, int, dict[str, Delta]],
) -> None:
    current, base_rev, deltas = situation
    one, other = parts(deltas)
    ends = []
    for first, second in ((one, other), (other, one)):
        early = merge(current, base_rev, first, RULES)
        between = written(current, early)
        late = merge(between, base_rev, second, RULES)
        clashes = {(clash.field, clash.kind) for clash in (*early.clashes, *late.clashes)}
        ends.append((written(between, late).values, clashes))
    assert ends[0] == ends[1]


@settings(max_examples=500)
@given(situations())
def test_a_group_is_applied_whole_or_not_at_all(situation: tuple[Current, int, dict[str, Delta]]) -> None:
    current, base_rev, deltas = situation
    merged = merge(current, base_rev, deltas, RULES)
    wanted = {name for name in ("street", "lon") if name in deltas and name not in merged.same}
    assert len({name in merged.apply for name in wanted}) <= 1


def test_half_an_address_never_meets_the_other_half_of_another() -> None:
    """Somebody moved the pin; an older edit of the street alone would put the old house at the new place."""
    current = Current({"street": "Old Road 1", "lon": 9.6}, rev=3, frev={"lon": 3})
    merged = merge(current, 2, {"street": Delta("Old Road 1", "New Road 2")}, RULES)
    assert merged.apply == {}
    assert [clash.field for clash in merged.clashes] == ["street"]


def test_a_field_that_came_back_to_what_the_editor_saw_counts_as_unchanged() -> None:
    current = Current({"phone": "1"}, rev=9, frev={"phone": 9})
    assert merge(current, 2, {"phone": Delta("1", "2")}, RULES).apply == {"phone": "2"}


def test_the_person_on_the_spot_wins_her_fields_and_the_other_value_is_kept() -> None:
    current = Current({"hours": "Mo-Fr"}, rev=9, frev={"hours": 9})
    merged = merge(current, 2, {"hours": Delta(None, "Mo-Sa")}, RULES)
    assert merged.apply == {"hours": "Mo-Sa"}
    assert [(clash.policy, clash.server, clash.kind) for clash in merged.clashes] == [
        (Policy.TAKE_FIELD, "Mo-Fr", ConflictKind.CONCURRENT)
    ]
