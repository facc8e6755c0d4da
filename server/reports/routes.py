"""JSON API of reports: figures with what is behind them, trends, files, and reports by mail."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from server.accounts.queries import today_of
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.errors import NotFound
from server.kit.paging import Page
from server.reports import files, links, mailing, paper
from server.reports.figures import By, Group, Report, report, trend
from server.reports.files import Format
from server.reports.mailing import Wish
from server.reports.measures import BY_KEY, Measure, seen_by
from server.reports.models import ReportMail
from server.reports.periods import Against, Period, Span, around, chosen
from server.reports.rows import Of, rows
from server.reports.sums import Asked as SumsAsked

router = APIRouter(prefix="/api/v1", tags=["reports"])

ReadReports = Annotated[Scope, requires("activities:read")]
Filter = Annotated[str | None, Query(max_length=4000, description="Of accounts, in the filter language.")]
First = Annotated[date | None, Query(description="With `last`: days of one's own choice instead of `span` and `day`.")]


def period_of(
    scope: ReadReports,
    span: Annotated[Span, Query(description="The length of the period.")] = Span.MONTH,
    day: Annotated[date | None, Query(description="A day of the period; left out: today.")] = None,
    first: First = None,
    last: Annotated[date | None, Query()] = None,
) -> Period:
    """The period that is asked for. Refuses days that are none."""
    if first is not None and last is not None:
        return chosen(first, last)
    return around(day or today_of(scope), span)


Asked = Annotated[Period, Depends(period_of)]


class PeriodRead(BaseModel):
    """Some days, both ends included."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    first: date
    last: date


class FigureRead(BaseModel):
    """A measure of a group in the period, and in the one it is compared with."""

    measure: str
    value: float | None = Field(description="The quotient, or the count; null where there is nothing to divide by.")
    counted: float
    of: float | None
    compared: float | None
    compared_last_day: date = Field(description="The last day that is compared: a running period, with as many days.")
    list: str | None = Field(description="The page that lists what was counted.")
    map: str | None = Field(description="The same on the map.")


class GroupRead(BaseModel):
    """A person, team, territory, sales region or class; without a key: what belongs to none."""

    key: str | None
    name: str | None
    figures: list[FigureRead]


class MeasureRead(BaseModel):
    """What is measured."""

    model_config = ConfigDict(from_attributes=True)

    key: str
    name: str
    unit: str
    upper_name: str
    lower_name: str
    meaning: str
    less_is_better: bool


class ReportRead(BaseModel):
    """A report."""

    period: PeriodRead
    compared: PeriodRead
    by: By
    filter: str | None
    measures: list[MeasureRead]
    total: GroupRead
    groups: list[GroupRead]

    @classmethod
    def of(cls, found: Report) -> "ReportRead":
        """As it goes out."""
        return cls(
            period=PeriodRead.model_validate(found.period),
            compared=PeriodRead.model_validate(found.compared),
            by=found.by,
            filter=found.filter,
            measures=[MeasureRead.model_validate(one) for one in found.measures],
            total=_group(found, found.total),
            groups=[_group(found, one) for one in found.groups],
        )


def _group(found: Report, group: Group) -> GroupRead:
    figures = []
    for one in found.measures:
        if found.shows(one):
            where = links.behind(found, one, group)
            figures.append(
                FigureRead(
                    measure=one.key,
                    value=one.value(group.now),
                    counted=float(getattr(group.now, one.upper)),
                    of=float(getattr(group.now, one.lower)) if one.lower else None,
                    compared=one.value(group.then),
                    compared_last_day=found.compared_for(one).last,
                    list=where.list if where else None,
                    map=where.map if where else None,
                )
            )
    return GroupRead(key=group.key, name=group.name, figures=figures)


class RowRead(BaseModel):
    """A visit, a stop, a route or an account that a number was made of."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    day: date | None = Field(description="Of an account: its last visit by then.")
    rep: str | None = Field(description="Of an account: its owner.")
    account_id: UUID | None
    account: str | None
    outcome: str | None
    plan_id: UUID | None
    is_kept: bool | None = Field(description="Of a stop: done on its day.")
    stops: int | None = Field(description="Of a route: those that count here.")
    of_stops: int | None
    drive_h: float | None = Field(description="Of a route: the part that these stops carry, as of the next two.")
    work_h: float | None
    distance_km: float | None
    interval_days: int | None = Field(description="Of an account: days between visits.")


class RowsRead(BaseModel):
    """A page of rows, and what all of them come to."""

    model_config = ConfigDict(from_attributes=True)

    items: list[RowRead]
    total: int
    drive_h: float
    work_h: float
    distance_km: float


GroupKey = Annotated[str | None, Query(max_length=40, description="Its key, or `none`; left out: everything.")]
Start = Annotated[int, Query(ge=0, le=10_000_000, description="So many rows are left out.")]


class MomentRead(BaseModel):
    """A measure in one period of a trend."""

    period: PeriodRead
    value: float | None


def measure_of(scope: Scope, key: str) -> Measure:
    """A measure that somebody may see."""
    if key not in {one.key for one in seen_by(scope)}:
        raise NotFound("There is no such measure.", help=f"There are {', '.join(BY_KEY)}.")
    return BY_KEY[key]


@router.get("/reports")
def get_report(
    period: Asked,
    scope: ReadReports,
    session: Db,
    by: By = By.PERSON,
    against: Against = Against.BEFORE,
    filter: Filter = None,
) -> ReportRead:
    """Every measure of a period, compared and told apart, with the pages that show what is behind each number."""
    return ReportRead.of(report(session, scope, period, by=by, against=against, filter=filter))


@router.get("/reports/rows")
def get_rows(
    period: Asked,
    scope: ReadReports,
    session: Db,
    of: Of,
    by: By = By.PERSON,
    group: GroupKey = None,
    filter: Filter = None,
    start: Start = 0,
) -> RowsRead:
    """The visits, stops, routes or accounts that a number was made of, 200 at once.

    The latest come first; of accounts those whose last visit is the longest ago.
    """
    asked = SumsAsked(session, scope, period, filter)
    return RowsRead.model_validate(rows(asked, of, by=by, group=group, first=start))


@router.get("/reports/trends/{measure}")
def get_trend(measure: str, period: Asked, scope: ReadReports, session: Db, filter: Filter = None) -> list[MomentRead]:
    """One measure over the last twelve periods."""
    what = measure_of(scope, measure)
    found = trend(session, scope, period, what, filter=filter)
    return [MomentRead(period=PeriodRead.model_validate(one.period), value=what.value(one.sums)) for one in found]


@router.get("/reports/file", response_class=Response)
def get_file(
    period: Asked,
    scope: ReadReports,
    session: Db,
    format: Format = Format.XLSX,
    by: By = By.PERSON,
    against: Against = Against.BEFORE,
    filter: Filter = None,
    measure: Annotated[str | None, Query(description="Only this one.")] = None,
) -> Response:
    """The report as a file."""
    only = [measure_of(scope, measure)] if measure else None
    found = report(session, scope, period, by=by, against=against, filter=filter, measures=only)
    words = paper.WORDS[scope.language if scope.language in paper.WORDS else "en"]
    table = format is not Format.PDF
    content = files.written(files.COLUMNS, files.rows(found), format) if table else paper.printed(found, words)
    return _sent(content, paper.file_name(measure or "report", period), format)


@router.get("/reports/trends/{measure}/file", response_class=Response)
def get_trend_file(
    measure: str,
    period: Asked,
    scope: ReadReports,
    session: Db,
    format: Annotated[Literal[Format.CSV, Format.XLSX], Query()] = Format.XLSX,
    filter: Filter = None,
) -> Response:
    """One measure over the last twelve periods, as a file."""
    what = measure_of(scope, measure)
    found = files.trend_rows(trend(session, scope, period, what, filter=filter), what, filter)
    content = files.written(files.TREND_COLUMNS, found, format)
    return _sent(content, paper.file_name(f"{measure}-trend", period), format)


def _sent(content: bytes, name: str, format: Format) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}.{format}"'}
    return Response(content, media_type=files.MEDIA_TYPES[format], headers=headers)


class MailWrite(BaseModel):
    """A report to be mailed when a period has ended."""

    name: str = Field(min_length=1, max_length=100, examples=["The field, weekly"])
    recipient_ids: list[UUID]
    span: Span = Span.WEEK
    hour: int = Field(7, ge=0, le=23, description="Of the first day after the period, in the company's zone.")
    by: By = By.PERSON
    against: Against = Against.BEFORE
    filter: str = Field("", max_length=4000)

    def wish(self) -> Wish:
        """As the rules take it."""
        return Wish(**self.model_dump())


class MailRead(BaseModel):
    """A report that is mailed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    span: str
    hour: int
    by: str
    against: str
    filter: str
    recipient_ids: list[UUID]
    next_on: date
    sent_at: datetime | None
    problems: list[str]
    """Who did not get it when it was sent last, and why."""


def _read(session: Session, row: ReportMail) -> MailRead:
    return MailRead.model_validate(row).model_copy(update={"problems": mailing.problems(session, row)})


@router.get("/report-mails")
def list_mails(scope: ReadReports, session: Db) -> Page[MailRead]:
    """The reports that one has mailed."""
    return Page(items=[_read(session, row) for row in mailing.mine(session, scope)])


@router.post("/report-mails", status_code=201)
def add_mail(body: MailWrite, scope: ReadReports, session: Db) -> MailRead:
    """Mail a report from now on; each recipient gets what their own rights show."""
    return _read(session, mailing.add(session, scope, body.wish()))


@router.put("/report-mails/{mail_id}")
def change_mail(mail_id: UUID, body: MailWrite, scope: ReadReports, session: Db) -> MailRead:
    """Change what is mailed, to whom and when."""
    return _read(session, mailing.change(session, scope, mail_id, body.wish()))


@router.post("/report-mails/{mail_id}/send", status_code=202)
def send_mail(mail_id: UUID, scope: ReadReports, session: Db) -> MailRead:
    """Send the report of the last period now; who has it already does not get it twice. 409 when everybody has it."""
    row = mailing.find(session, scope, mail_id)
    mailing.send_by_hand(session, row)
    return _read(session, row)


@router.delete("/report-mails/{mail_id}", status_code=204)
def remove_mail(mail_id: UUID, scope: ReadReports, session: Db) -> None:
    """Mail it no more."""
    mailing.remove(session, scope, mail_id)
