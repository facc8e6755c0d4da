"""The forecast: what will be sold, what changed since last week, how good it was."""

from datetime import date, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.auth.access import Scope, requires
from server.auth.models import Role
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.opportunities import accuracy, calls, forecasting, snapshots
from server.opportunities.changes import Change
from server.opportunities.forecast_models import Span
from server.opportunities.forecasting import By
from server.opportunities.periods import around
from server.opportunities.routes import Filter
from server.web.charts import accuracy_chart, bridge_chart
from server.web.forms import Sent, needed, read, text
from server.web.pages import attempt, go, language_of, render

router = APIRouter(prefix="/forecast", include_in_schema=False)

ReadDeals = Annotated[Scope, requires("opportunities:read")]
WriteDeals = Annotated[Scope, requires("opportunities:write")]

KINDS = (
    ("closed", "Closed"),
    ("commit", "Commit"),
    ("best_case", "Best case"),
    ("pipeline", "Pipeline"),
    ("weighted", "Weighted"),
)
TABS = (("", "Forecast"), ("/changes", "What changed"), ("/accuracy", "Accuracy"))


@router.get("")
def show(
    request: Request,
    scope: ReadDeals,
    session: Db,
    by: By = By.OWNER,
    span: Span = Span.QUARTER,
    filter: Filter = None,
) -> Response:
    """The figures, each with the way to its deals."""
    return page(request, scope, session, by, span, filter)


def page(
    request: Request,
    scope: Scope,
    session: Session,
    by: By,
    span: Span,
    filter: str | None,
    error: WaymarkError | None = None,
) -> Response:
    """The page, perhaps with what was refused."""
    found = None
    try:
        with attempt(session):
            found = forecasting.forecast(session, scope, by, span, filter=filter)
    except WaymarkError as refused:
        error = refused
    now = around(accounts.today_of(scope), span)
    people = [one.id for one in found.groups if one.id] if found and by is By.OWNER else []

    def deals(path: str, group_term: str, key: str, kind: str) -> str:
        """The list or map of a figure's deals."""
        terms = [
            group_term,
            forecasting.term_of_period(found, key, kind) if found else "",
            f"({filter})" if filter else "",
        ]
        return f"/pipeline/{path}?{urlencode({'filter': ' and '.join(term for term in terms if term)})}"

    return render(
        request,
        "forecast/figures.html",
        scope,
        status=int(error.status) if error else 200,
        error=error,
        found=found,
        names=forecasting.names_of(session, found) if found else {},
        quotas=calls.quotas(session, people, now),
        calls=calls.calls(session, people, now),
        now_key=now.first.isoformat(),
        running=now,
        kinds=KINDS,
        deals=deals,
        leads=scope.role in (Role.MANAGER, Role.ADMIN),
        **common("", by=by, span=span, filter=filter),
    )


def common(here: str, **asked: Any) -> dict[str, Any]:
    """What the three pages share."""

    def link(path: str = here, **changes: Any) -> str:
        query = urlencode({name: str(value) for name, value in (asked | changes).items() if value})
        return f"/forecast{path}" + (f"?{query}" if query else "")

    values = {name: value or "" for name, value in asked.items()}
    return {
        "link": link,
        "here": here,
        "tabs": TABS,
        "base": settings().currency,
        "spans": list(Span),
        "bys": list(By),
    } | values


@router.post("")
def say(request: Request, scope: WriteDeals, session: Db, sent: Sent) -> Response:
    """Keep a call or a quota."""
    span, first = read(sent, "span", Span) or Span.QUARTER, needed(sent, "period", date.fromisoformat)
    user_id = needed(sent, "user_id", UUID)
    try:
        with attempt(session):
            if "quota" in sent:
                calls.set_quota(session, scope, user_id, around(first, Span.QUARTER).first, text(sent, "amount"))
            else:
                calls.call(session, scope, user_id, span, first, text(sent, "amount"), text(sent, "note"))
    except WaymarkError as error:
        return page(request, scope, session, By.OWNER, span, None, error)
    return go(f"/forecast?span={span}")


@router.get("/changes")
def show_changes(
    request: Request,
    scope: ReadDeals,
    session: Db,
    since: date | None = None,
    measure: str = "amount",
    span: str = "",
    filter: Filter = None,
) -> Response:
    """What changed, deal by deal; the sums go from the old total to the new one."""
    today = accounts.today_of(scope)
    wanted = since or today - timedelta(days=7)
    day = snapshots.night_before(session, wanted)
    period = around(today, Span(span)) if span in set(Span) else None
    error, found = None, None
    try:
        with attempt(session):
            if day is not None:
                found = snapshots.changes_since(
                    session, scope, day, period=period, is_weighted=measure == "weighted", filter=filter
                )
    except WaymarkError as refused:
        error = refused
    words = language_of(request, scope)
    return render(
        request,
        "forecast/changes.html",
        scope,
        status=int(error.status) if error else 200,
        error=error,
        found=found,
        day=day,
        wanted=wanted,
        change_names=CHANGE_NAMES,
        shown=[one for one in Change if one is not Change.SAME],
        chart=bridge_chart(found.bridge, {key: words.t(name) for key, name in CHANGE_NAMES.items()}, words)
        if found
        else "",
        **common("/changes", since=since, measure=measure, span=span, filter=filter),
    )


CHANGE_NAMES = {
    Change.NEW: "New",
    Change.REOPENED: "Reopened",
    Change.PULLED_IN: "Pulled in",
    Change.SLIPPED_IN: "Slipped into the period",
    Change.HANDED_IN: "Handed in",
    Change.UP: "Amount up",
    Change.DOWN: "Amount down",
    Change.STAGE: "Stage moved",
    Change.LIKELIER: "Judged otherwise",
    Change.SLIPPED: "Slipped",
    Change.PULLED_OUT: "Pulled out of the period",
    Change.HANDED_OUT: "Handed out",
    Change.WON: "Won",
    Change.LOST: "Lost",
    Change.DELETED: "Deleted",
}


@router.get("/accuracy")
def show_accuracy(
    request: Request,
    scope: ReadDeals,
    session: Db,
    span: Span = Span.QUARTER,
    weeks: Annotated[int, Query(ge=1, le=26)] = 6,
    filter: Filter = None,
) -> Response:
    """What was said some weeks before, against what came; and what history says of each stage."""
    error, hits = None, []
    try:
        with attempt(session):
            hits = accuracy.accuracy(session, scope, span, weeks, filter=filter)
    except WaymarkError as refused:
        error = refused
    words = language_of(request, scope)
    return render(
        request,
        "forecast/accuracy.html",
        scope,
        status=int(error.status) if error else 200,
        error=error,
        hits=hits,
        has_nights=accuracy.has_nights(session),
        learned=snapshots.learned(session),
        chart=accuracy_chart(hits, words),
        **common("/accuracy", span=span, weeks=weeks, filter=filter),
    )
