import numpy as np
import pytest

from routing.plan import Unplanned
from routing.types import Break, InvalidProblem, Problem, RepDay, Spacing, Visit, Window


def visit(**changes: object) -> Visit:
    return Visit(**{"id": "v", "place": 0, "service_s": 60, "windows": (Window(0, 600),), **changes})  # type: ignore[arg-type]


def rep_day(**changes: object) -> RepDay:
    fields = {"id": "d", "rep": "r", "day": 0, "start": 0, "end": 0, "open_s": 0, "close_s": 3600, **changes}
    return RepDay(**fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("build", "field"),
    [
        (lambda: Window(10, 5), "window.close_s"),
        (lambda: Window(-1, 5), "window.open_s"),
        (lambda: Break(0, 1, 2), "break.duration_s"),
        (lambda: Break(60, 9, 2), "break.latest_s"),
        (lambda: rep_day(close_s=0), "rep_day d.close_s"),
        (lambda: rep_day(max_drive_s=-1), "rep_day d.max_drive_s"),
        (lambda: rep_day(id=""), "rep_day.id"),
        (lambda: visit(service_s=-1), "visit v.service_s"),
        (lambda: visit(prize=1.5), "visit v.prize"),
        (lambda: visit(windows=(Window(5, 9), Window(0, 4))), "visit v.windows"),
        (lambda: visit(windows_by_day={1: (Window(5, 9), Window(5, 10))}), "visit v.windows_by_day[1]"),
        (lambda: Spacing(("a", "a"), 1), "spacing.visits"),
        (lambda: Spacing(("a", "b"), 3, 2), "spacing.max_gap_days"),
        (lambda: Unplanned("v", ()), "unplanned.reasons"),
    ],
)
def test_a_value_that_makes_no_sense_cannot_be_built_and_the_message_names_the_field(build, field) -> None:
    with pytest.raises(InvalidProblem) as error:
        build()
    assert error.value.field == field
    assert str(error.value).startswith(field)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"seconds": np.zeros((2, 3), dtype=int)}, "seconds"),
        ({"seconds": np.zeros((1, 1))}, "seconds"),
        ({"seconds": np.array([[-2]])}, "seconds"),
        ({"metres": np.zeros((2, 2), dtype=int)}, "metres"),
        ({"visits": (visit(place=1),)}, "visit v.place"),
        ({"visits": (visit(), visit())}, "visits"),
        ({"rep_days": (rep_day(end=4),)}, "rep_day d.end"),
        ({"spacings": (Spacing(("nobody",), 1),)}, "spacing.visits"),
    ],
)
def test_a_problem_whose_parts_do_not_fit_together_cannot_be_built(changes, field) -> None:
    fields = {"rep_days": (rep_day(),), "visits": (visit(),), "seconds": np.zeros((1, 1), dtype=int), **changes}
    with pytest.raises(InvalidProblem) as error:
        Problem(**fields)
    assert error.value.field == field


def test_windows_of_one_weekday_replace_the_usual_ones() -> None:
    v = visit(windows_by_day={5: (Window(0, 300),), 6: ()})
    assert v.windows_on(0) == (Window(0, 600),)
    assert v.windows_on(5) == (Window(0, 300),)
    assert v.windows_on(6) == ()


def test_the_travel_matrix_of_a_problem_cannot_be_changed() -> None:
    problem = Problem((rep_day(),), (visit(),), np.zeros((1, 1), dtype=int))
    with pytest.raises(ValueError, match="read-only"):
        problem.seconds[0, 0] = 5
