"""What is behind a number: the filter of the list, and of the map, that shows exactly those rows."""

from dataclasses import dataclass
from urllib.parse import urlencode

from server.kit.filtering.writing import quoted
from server.reports.figures import By, Group, Report
from server.reports.measures import Measure
from server.reports.rows import BY_SUM, NOBODYS, OF_ROUTES, REST, Of


@dataclass(frozen=True)
class Behind:
    """Where the rows of a number are."""

    list: str
    map: str | None


def behind(report: Report, measure: Measure, group: Group, *, rest: bool = False) -> Behind | None:
    """The rows of a measure's upper sum, or those that are missing to the lower one; None where nothing lists them.

    A map has no past: of how accounts stood on a day gone by there is none.
    """
    if measure.upper == "revenue":
        return None if group.term is None else _of_orders(report, group)
    of = BY_SUM[measure.upper]
    return Behind(_of_rows(report, REST.get(of, of) if rest else of, group), _map(report, measure, group, rest=rest))


def below(report: Report, measure: Measure, group: Group) -> str | None:
    """The list of the rows of a measure's lower sum, where there is one."""
    of = BY_SUM.get(measure.lower or "")
    return None if of is None else _of_rows(report, of, group)


def _of_rows(report: Report, of: Of, group: Group) -> str:
    key = None if group is report.total else group.key or NOBODYS
    asked = {
        "of": of, "first": report.period.first, "last": report.period.last, "by": report.by, "group": key,
        "filter": report.filter,
    }  # fmt: skip
    return f"/reports/rows?{urlencode({name: str(value) for name, value in asked.items() if value})}"


def _map(report: Report, measure: Measure, group: Group, *, rest: bool) -> str | None:
    """The map of the accounts of these rows."""
    if BY_SUM.get(measure.upper) in OF_ROUTES:
        return None
    found = _filter(report, measure, group, rest=rest)
    return None if found is None else f"/?{found}"


def _filter(report: Report, measure: Measure, group: Group, *, rest: bool) -> str | None:
    """The filter of accounts, as a query; None where no filter says it."""
    term = _rest(report, measure, group) if rest else _term(report, measure, group)
    if group.term is None or term is None:
        return None
    of_account = (
        group.term if measure.key in ("coverage", "call_cycle", "overdue") or report.by is not By.PERSON else ""
    )
    parts = (term, of_account, _bracketed(report.filter))
    return urlencode({"filter": " and ".join(part for part in parts if part)})


def _days(report: Report) -> str:
    return f"day between {report.period.first} and {report.period.last}"


def _mine(report: Report, group: Group) -> str:
    """That a visit is the person's."""
    return f" and rep = {quoted(group.login)}" if report.by is By.PERSON and group.login else ""


def _term(report: Report, measure: Measure, group: Group) -> str | None:
    visited = f"visit with ({_days(report)}{{more}})"
    if measure.key == "coverage":
        return f"{_known(report)} and {visited.format(more='')}"
    if measure.key == "overdue":
        return "overdue > 0" if report.is_of_today else None
    if measure.key == "call_cycle":
        return "in_cycle = yes" if report.is_of_today else None
    if measure.key in ("visits", "plan_adherence"):
        return visited.format(more=_mine(report, group))
    if measure.key == "strike_rate":
        return visited.format(more=" and outcome = order" + _mine(report, group))
    return None


def _known(report: Report) -> str:
    """That an account has a call interval and was known by then."""
    return f"interval > 0 and created <= {report.period.last}"


def _rest(report: Report, measure: Measure, group: Group) -> str | None:
    if measure.key == "coverage":
        return f"{_known(report)} and not visit with ({_days(report)})"
    if measure.key == "call_cycle":
        return "interval > 0 and in_cycle = no" if report.is_of_today else None
    if measure.key == "plan_adherence":
        return f"missed_visit with ({_days(report)}{_mine(report, group)})"
    return None


def _of_orders(report: Report, group: Group) -> Behind | None:
    if report.by not in (By.PERSON, By.CLASS) and group.term:
        return None
    term = f" and owner = {quoted(group.login)}" if group.login else f" and {group.term}" if group.term else ""
    days = f"kind in (order, credit) and {_days(report)}"
    of_map = f"order with ({_days(report)}" + (f" and owner = {quoted(group.login)})" if group.login else ")")
    where = {"filter": f"{of_map}{'' if group.login else term}"}
    return Behind(f"/orders?{urlencode({'filter': days + term})}", f"/?{urlencode(where)}")


def _bracketed(filter: str | None) -> str:
    return f"({filter.strip()})" if filter and filter.strip() else ""
