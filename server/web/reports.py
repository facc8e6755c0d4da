"""Reports: how customers are covered and hours used, each number with its list and its map; reports by mail."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from server.accounts.queries import today_of
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.settings import settings
from server.reports import links, mailing, paper, rows, sums
from server.reports.figures import By, report, trend
from server.reports.mailing import Wish
from server.reports.measures import Measure, Unit
from server.reports.models import ReportMail
from server.reports.periods import Against, Span, around, chosen
from server.reports.routes import Filter, GroupKey, Start, measure_of
from server.web.charts import groups_chart, trend_chart
from server.web.forms import Sent, text
from server.web.language import Language
from server.web.pages import attempt, go, language_of, render

router = APIRouter(prefix="/reports", include_in_schema=False)

ReadReports = Annotated[Scope, requires("activities:read")]
SPANS = {Span.WEEK: "Week", Span.MONTH: "Month", Span.QUARTER: "Quarter", Span.YEAR: "Year"}
BYS = {
    By.PERSON: "People",
    By.TEAM: "Teams",
    By.TERRITORY: "Territories",
    By.REGION: "Sales regions",
    By.CLASS: "Classes",
}
TITLES = {
    rows.Of.VISITS: "Visits done",
    rows.Of.ORDERED: "Visits with an order",
    rows.Of.STOPS: "Planned stops",
    rows.Of.KEPT: "Stops done on their day",
    rows.Of.MISSED: "Stops not done on their day",
    rows.Of.ROUTES: "Published routes",
    rows.Of.PLANNED: "Published routes of the whole period",
    rows.Of.ACCOUNTS: "Accounts with a call interval",
    rows.Of.VISITED: "Accounts visited",
    rows.Of.UNVISITED: "Accounts not visited",
    rows.Of.IN_CYCLE: "Accounts in their cycle",
    rows.Of.OFF_CYCLE: "Accounts not in their cycle",
    rows.Of.OVERDUE: "Accounts overdue",
}
AGAINST = {Against.BEFORE: "The period before", Against.YEAR: "A year ago"}


class Asked:
    """What a page was asked for, as its links carry it on."""

    def __init__(
        self,
        scope: ReadReports,
        span: Span = Span.MONTH,
        day: date | None = None,
        first: date | None = None,
        last: date | None = None,
        by: By = By.PERSON,
        against: Against = Against.BEFORE,
        filter: Filter = None,
    ) -> None:
        self.span, self.by, self.against, self.filter = span, by, against, filter or None
        self.today = today_of(scope)
        self.first, self.last = first, last
        self.error: WaymarkError | None = None
        try:
            self.period = chosen(first, last) if first and last else around(day or self.today, span)
        except Invalid as refused:
            self.error, self.period = refused, around(self.today, span)

    @property
    def values(self) -> dict[str, Any]:
        """As a query."""
        kept: dict[str, Any] = {"by": self.by, "against": self.against, "filter": self.filter}
        if self.period.span is None:
            return {"first": self.period.first, "last": self.period.last} | kept
        return {"span": self.span, "day": self.period.first} | kept

    def link(self, path: str = "/reports", **changes: Any) -> str:
        """The same page with something else chosen; other days take the place of a chosen span, and the reverse."""
        values = self.values | changes
        if "span" in changes or "day" in changes:
            values |= {"first": None, "last": None, "span": values.get("span") or self.span}
        query = urlencode({name: str(value) for name, value in values.items() if value})
        return f"{path}?{query}"

    def moved(self, by: int) -> dict[str, date]:
        """The period so many before or after, as a link carries it."""
        there = self.period.shifted(by)
        return {"day": there.first} if there.span else {"first": there.first, "last": there.last}


AskedFor = Annotated[Asked, Depends()]


def written(words: Language, measure: Measure, value: float | None) -> str:
    """A value with its unit."""
    if value is None:
        return "–"
    if measure.unit is Unit.SHARE:
        return f"{words.number(value * 100, 1)} %"
    if measure.unit is Unit.KM:
        return f"{words.number(value, 1)} km"
    return words.money(value, settings().currency) if measure.unit is Unit.MONEY else words.number(value)


def change_of(words: Language, measure: Measure, now: float | None, then: float | None) -> tuple[str, str]:
    """What changed, in points for shares and in percent otherwise, and whether that is good."""
    if now is None or then is None or (measure.unit is not Unit.SHARE and not then):
        return "", ""
    share = measure.unit is Unit.SHARE
    change = (now - then) * 100 if share else (now / then - 1) * 100
    if abs(change) < 0.05:
        return "±0", ""
    sign = "+" if change > 0 else "−"
    if change > 900 and not share:
        return f"× {words.number(change / 100 + 1)}", "bad" if measure.less_is_better else "good"
    kind = "good" if (change > 0) != measure.less_is_better else "bad"
    return f"{sign}{words.number(abs(change), 1)}{' ' + words.t('points') if share else ' %'}", kind


def common(request: Request, scope: Scope, asked: Asked) -> dict[str, Any]:
    """What the pages share."""
    words = language_of(request, scope)
    return {
        "asked": asked,
        "spans": SPANS,
        "bys": BYS,
        "againsts": AGAINST,
        "base": settings().currency,
        "value_of": lambda measure, value: written(words, measure, value),
        "change_of": lambda measure, now, then: change_of(words, measure, now, then),
    }


@router.get("")
def show(request: Request, scope: ReadReports, session: Db, asked: AskedFor) -> Response:
    """Every measure of a period, and the table by person, team, territory or class."""
    found, error = None, asked.error
    try:
        with attempt(session):
            found = report(session, scope, asked.period, by=asked.by, against=asked.against, filter=asked.filter)
    except WaymarkError as refused:
        error = refused
    return render(
        request, "reports/dashboard.html", scope, status=int(error.status) if error else 200, error=error, found=found,
        behind=links.behind, **common(request, scope, asked),
    )  # fmt: skip


@router.get("/measures/{key}")
def show_measure(request: Request, key: str, scope: ReadReports, session: Db, asked: AskedFor) -> Response:
    """One measure: by group, and over the last twelve periods."""
    measure = measure_of(scope, key)
    found, moments, error = None, [], asked.error
    try:
        with attempt(session):
            found = report(
                session,
                scope,
                asked.period,
                by=asked.by,
                against=asked.against,
                filter=asked.filter,
                measures=[measure],
            )
            moments = trend(session, scope, asked.period, measure, filter=asked.filter)
    except WaymarkError as refused:
        error = refused
    words = language_of(request, scope)

    def figure(value: float | None) -> str:
        return written(words, measure, value)

    return render(
        request, "reports/measure.html", scope, status=int(error.status) if error else 200, error=error, found=found,
        measure=measure, moments=moments, behind=links.behind, below=links.below, file_name=paper.file_name,
        groups_chart=groups_chart(found, measure, figure, words) if found and found.shows(measure) else "",
        trend_chart=trend_chart(moments, measure, figure, words), **common(request, scope, asked),
    )  # fmt: skip


@router.get("/rows")
def show_rows(
    request: Request,
    scope: ReadReports,
    session: Db,
    asked: AskedFor,
    of: rows.Of = rows.Of.VISITS,
    group: GroupKey = None,
    start: Start = 0,
) -> Response:
    """The visits, stops, routes or accounts that a number was made of."""
    found, name, error = None, None, asked.error
    try:
        with attempt(session):
            wanted = sums.Asked(session, scope, asked.period, asked.filter)
            listed = rows.rows(wanted, of, by=asked.by, group=group, first=start)
            name, found = rows.called(wanted, listed, asked.by, group), listed
    except WaymarkError as refused:
        error = refused
    return render(
        request, "reports/rows.html", scope, status=int(error.status) if error else 200, error=error, found=found,
        of=of, group=group, name=name, start=start, step=rows.MOST, titles=TITLES, routes=rows.OF_ROUTES,
        of_accounts=rows.OF_ACCOUNTS, asked=asked,
    )  # fmt: skip


@router.get("/mails")
def show_mails(request: Request, scope: ReadReports, session: Db, edit: UUID | None = None) -> Response:
    """The reports that one has mailed, and the form for another."""
    return mails_page(request, scope, session, edit=edit)


def mails_page(
    request: Request, scope: Scope, session: Session, *, edit: UUID | None = None, error: WaymarkError | None = None
) -> Response:
    """The page, perhaps with what was refused."""
    people = mailing.addressees(session, scope)
    row: ReportMail | None = mailing.find(session, scope, edit) if edit else None
    return render(
        request, "reports/mails.html", scope, status=int(error.status) if error else 200, error=error,
        mails=mailing.mine(session, scope), people=people, names={one.id: one.name for one in people}, row=row,
        problems=lambda one: mailing.problems(session, one),
        spans=SPANS, hours=[(hour, f"{hour}:00") for hour in range(24)],
    )  # fmt: skip


def wish_of(sent: Sent) -> Wish:
    """What a form asks for. Refuses what is no choice of it."""
    try:
        return Wish(
            name=text(sent, "name") or "",
            recipient_ids=[UUID(str(one)) for one in sent.getlist("recipient_ids")],
            span=Span(text(sent, "span") or ""),
            hour=int(text(sent, "hour") or ""),
            by=By(text(sent, "by") or ""),
            against=Against(text(sent, "against") or ""),
            filter=text(sent, "filter") or "",
        )
    except ValueError as error:
        raise Invalid("The form holds a choice that there is not.", help="Load the page again.") from error


@router.post("/mails")
def add_mail(request: Request, scope: ReadReports, session: Db, sent: Sent) -> Response:
    """Mail a report from now on."""
    try:
        with attempt(session):
            mailing.add(session, scope, wish_of(sent))
    except WaymarkError as error:
        return mails_page(request, scope, session, error=error)
    return go("/reports/mails")


@router.post("/mails/{mail_id}")
def change_mail(request: Request, mail_id: UUID, scope: ReadReports, session: Db, sent: Sent) -> Response:
    """Change what is mailed."""
    try:
        with attempt(session):
            mailing.change(session, scope, mail_id, wish_of(sent))
    except WaymarkError as error:
        return mails_page(request, scope, session, edit=mail_id, error=error)
    return go("/reports/mails")


@router.post("/mails/{mail_id}/send")
def send_mail(request: Request, mail_id: UUID, scope: ReadReports, session: Db) -> Response:
    """Send the last period's report now."""
    try:
        with attempt(session):
            mailing.send_by_hand(session, mailing.find(session, scope, mail_id))
    except WaymarkError as error:
        return mails_page(request, scope, session, error=error)
    return go("/reports/mails")


@router.post("/mails/{mail_id}/delete")
def remove_mail(mail_id: UUID, scope: ReadReports, session: Db) -> Response:
    """Mail it no more."""
    mailing.remove(session, scope, mail_id)
    return go("/reports/mails")
