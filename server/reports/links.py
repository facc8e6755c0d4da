"""What is behind a number: the filter of the list, and of the map, that shows exactly those rows."""

from dataclasses import dataclass
from urllib.parse import urlencode

from server.kit.filtering.writing import quoted
from server.reports.figures import By, Group, Report
from server.reports.measures import Measure


@dataclass(frozen=True)
class Behind:
    """Where the rows of a number are."""

    list: str
    map: str | None


def behind(report: Report, measure: Measure, group: Group, *, rest: bool = False) -> Behind | None:
    """The rows of a measure's upper sum, or those that are missing to the lower one; None where no filter says it."""
    if group.term is None:
        return None
    if measure.key in ("drive_share", "km_per_visit", "hours"):
        return Behind(f"/plans?{urlencode({'first': report.period.first, 'last': report.period.last})}", None)
    if measure.key == "revenue_per_drive_hour":
        return _of_orders(report, group)
    term = _rest(report, measure, group) if rest else _term(report, measure, group)
    if term is None:
        return None
    of_account = (
        group.term if measure.key in ("coverage", "call_cycle", "overdue") or report.by is not By.PERSON else ""
    )
    return _of_accounts(" and ".join(part for part in (term, of_account, _bracketed(report.filter)) if part))


def _days(report: Report) -> str:
    return f"day between {report.period.first} and {report.period.last}"


def _mine(report: Report, group: Group) -> str:
    """That a visit is the person's."""
    return f" and rep = {quoted(group.login)}" if report.by is By.PERSON and group.login else ""


def _term(report: Report, measure: Measure, group: Group) -> str | None:
    visited = f"visit with ({_days(report)}{{more}})"
    if measure.key == "coverage":
        return "interval > 0 and " + visited.format(more="")
    if measure.key == "overdue":
        return "overdue > 0"
    if measure.key in ("visits", "plan_adherence"):
        return visited.format(more=_mine(report, group))
    if measure.key == "strike_rate":
        return visited.format(more=" and outcome = order" + _mine(report, group))
    return "interval > 0" if measure.key == "call_cycle" else None


def _rest(report: Report, measure: Measure, group: Group) -> str | None:
    if measure.key == "coverage":
        return f"interval > 0 and not visit with ({_days(report)})"
    if measure.key == "call_cycle":
        return "overdue > 0"
    if measure.key == "plan_adherence":
        return f"missed_visit with ({_days(report)}{_mine(report, group)})"
    return None


def _of_accounts(filter: str) -> Behind:
    asked = urlencode({"filter": filter})
    return Behind(f"/accounts?{asked}", f"/?{asked}")


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
