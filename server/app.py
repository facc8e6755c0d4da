"""The web application: every room's routes, the pages, and one table of errors."""

import gc
import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from psycopg.errors import QueryCanceled
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import configure_mappers
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware

from server.accounts import routes as account_routes
from server.accounts.classes import routes as class_routes
from server.accounts.duplicates import routes as duplicate_routes
from server.accounts.reviewing import proposal_routes
from server.accounts.reviewing import routes as reviewing_routes
from server.activities import learning_routes
from server.activities import routes as activity_routes
from server.activities.agenda import routes as agenda_routes
from server.activities.caldav import routes as calendar_routes
from server.activities.handovers import routes as handover_routes
from server.activities.mailing import routes as letter_routes
from server.activities.notes import routes as note_routes
from server.attachments import routes as attachment_routes
from server.auth import idempotency, veil
from server.auth import routes as auth_routes
from server.auth.access import public
from server.balance import balance_routes, challenge_routes
from server.balance import change_routes as territory_changes
from server.balance import routes as territory_edits
from server.closures import routes as closure_routes
from server.contacts import routes as contact_routes
from server.demands import routes as demand_routes
from server.density import routes as density_routes
from server.density import white_routes
from server.exchange import routes as exchange_routes
from server.fields import routes as field_routes
from server.files import routes as file_routes
from server.geocoding import routes as geocoding_routes
from server.geocoding import source_routes
from server.imports.uploads import FORM_OVERHEAD
from server.inbox import outgoing_routes
from server.inbox import routes as inbox_routes
from server.kit import examples, filtering, validation
from server.kit.bodies import BodyLimit
from server.kit.database import Db
from server.kit.errors import Busy, Conflict, Invalid, Unavailable, WaymarkError
from server.kit.filtering.guard import TooSlow
from server.kit.line import Line
from server.kit.settings import settings
from server.kit.signposts import Signposted
from server.leads import routes as lead_routes
from server.leads import rule_routes as lead_rule_routes
from server.notifications import routes as notification_routes
from server.opportunities import forecast_routes, pipeline_routes
from server.opportunities import routes as opportunity_routes
from server.orders import routes as order_routes
from server.phones import routes as phone_routes
from server.plans import board_routes, day_routes, offer_routes, overload_routes, rules_routes
from server.plans import routes as plan_routes
from server.plans.exporting import routes as export_routes
from server.plans.exporting import target_routes
from server.plans.night import routes as night_routes
from server.products import routes as product_routes
from server.recycling import routes as recycling_routes
from server.regions import routes as regions_routes
from server.reports import routes as report_routes
from server.roads import routes as roads_routes
from server.roads import setup_routes as roads_setup_routes
from server.search import routes as search_routes
from server.segments import routes as segment_routes
from server.segments.catalogue import CATALOGUE
from server.sync import routes as sync_routes
from server.sync.leaving import leaving_routes
from server.sync.pushing import blob_routes
from server.territories import routes as territory_routes
from server.tickets import queue_routes as ticket_queue_routes
from server.tickets import routes as ticket_routes
from server.tickets import tile_routes as ticket_tile_routes
from server.timeline import people_routes
from server.timeline import routes as timeline_routes
from server.tracks import routes as track_routes
from server.web import guesses, pages, site
from server.webhooks import routes as webhook_routes

log = logging.getLogger("waymark.app")
PROBLEM = "application/problem+json"
DEADLOCK = "40P01"
"""What PostgreSQL calls two transactions that wait for each other."""
DISK_FULL = "53100"
"""What PostgreSQL calls a disk without space."""

ROUTERS = (
    sync_routes.router,
    blob_routes.router,
    leaving_routes.router,
    phone_routes.router,
    auth_routes.router,
    file_routes.router,
    notification_routes.router,
    regions_routes.router,
    geocoding_routes.router,
    source_routes.router,
    roads_routes.router,
    roads_setup_routes.router,
    learning_routes.router,
    territory_routes.router,
    duplicate_routes.router,
    timeline_routes.router,
    people_routes.router,
    account_routes.router,
    class_routes.router,
    proposal_routes.router,
    exchange_routes.router,
    reviewing_routes.router,
    lead_routes.router,
    lead_rule_routes.router,
    activity_routes.router,
    note_routes.router,
    attachment_routes.router,
    handover_routes.router,
    agenda_routes.router,
    agenda_routes.feed_router,
    calendar_routes.router,
    letter_routes.router,
    inbox_routes.router,
    outgoing_routes.router,
    closure_routes.router,
    track_routes.router,
    contact_routes.router,
    demand_routes.router,
    segment_routes.router,
    search_routes.router,
    pipeline_routes.router,
    opportunity_routes.router,
    forecast_routes.router,
    report_routes.router,
    product_routes.router,
    order_routes.router,
    ticket_routes.router,
    ticket_queue_routes.router,
    ticket_tile_routes.router,
    territory_changes.router,
    territory_edits.router,
    balance_routes.router,
    challenge_routes.router,
    density_routes.router,
    white_routes.router,
    field_routes.router,
    plan_routes.router,
    night_routes.router,
    overload_routes.router,
    day_routes.router,
    offer_routes.router,
    board_routes.router,
    export_routes.router,
    rules_routes.router,
    export_routes.of_plans,
    target_routes.router,
    webhook_routes.router,
    recycling_routes.router,
    *site.ROUTERS,
)
"""Every room's routes; those that phones ask all day long are found first."""


UPLOADS = (
    "/imports",
    "/api/v1/imports",
    "/regions/addresses",
    "/api/v1/address-files",
    "/users/phones/exports",
    "/api/v1/phone-exports",
)
"""Where files are taken."""


def problem(body: dict[str, object], status: int, headers: dict[str, str] | None = None) -> Response:
    """An RFC 9457 answer."""
    return JSONResponse(body, status_code=status, media_type=PROBLEM, headers=headers)


def answer_error(request: Request, error: Exception) -> Response:
    """Answer an error that a rule raised: a problem document for programs, a page for people."""
    if not isinstance(error, WaymarkError):
        raise error
    if isinstance(error, idempotency.AnsweredBefore):
        return error.answer
    page = pages.error_page(request, error)
    if page is not None:
        return page
    headers = {"Retry-After": str(error.details["after_s"])} if "after_s" in error.details else None
    return problem(pages.as_asked(request, error.problem()), int(error.status), headers)


def answer_validation(request: Request, error: Exception) -> Response:
    """Answer a body or parameter of the wrong shape; names every field."""
    if not isinstance(error, RequestValidationError):
        raise error
    items = error.errors()
    fields = [
        {
            "field": ".".join(str(part) for part in item["loc"][1:]),
            "where": str(item["loc"][0]),
            "message": validation.problem(item),
        }
        for item in items
    ]
    named = " ".join(f"{validation.label(item['loc'])}: {validation.problem(item)}" for item in items[:5])
    page = pages.error_page(request, Invalid(named))
    if page is not None:
        return page
    body = Invalid(named).problem() | {"errors": fields}
    return problem(pages.as_asked(request, body), int(Invalid.status))


def answer_http(request: Request, error: Exception) -> Response:
    """Answer what the framework itself refuses: unknown paths and methods."""
    if not isinstance(error, HTTPException):
        raise error
    phrase = HTTPStatus(error.status_code).phrase
    path, is_missing = request.url.path, error.status_code == HTTPStatus.NOT_FOUND
    said = WaymarkError(f"There is no page at {path}." if is_missing else f"{phrase}: {path}")
    if is_missing and request.method == "GET" and pages.wants_page(request) and (room := guesses.meant(path)):
        return RedirectResponse(room.path, status_code=303)
    near = guesses.near(path) if is_missing else ()
    page = pages.error_page(request, said, status=error.status_code, near=near)
    if page is not None:
        return page
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "bad_request")
    return problem(
        {
            "type": f"about:blank#{code}",
            "title": phrase,
            "status": error.status_code,
            "detail": str(error.detail),
            "code": code,
        },
        error.status_code,
        dict(error.headers or {}),
    )


def answer_database(request: Request, error: Exception) -> Response:
    """The database is away for a moment, has no room, or was stopped at a list that takes too long."""
    if isinstance(getattr(error, "orig", None), QueryCanceled):
        return answer_error(request, TooSlow(request.query_params.get("filter", ""), settings().list_timeout_s))
    log.error("database unavailable: %s", error)
    if getattr(getattr(error, "orig", None), "sqlstate", None) == DISK_FULL:
        full = Unavailable("The database's disk is full; nothing was changed.", help="Free some space on it.")
        return answer_error(request, full)
    if getattr(getattr(error, "orig", None), "sqlstate", None) == DEADLOCK:
        taken = Busy("Somebody else is changing the same records; nothing was changed.", help="Try again.", after_s=1)
        return answer_error(request, taken)
    return answer_error(request, Busy("The database does not answer.", help="Try again in a moment.", after_s=5))


def answer_unfit(request: Request, error: Exception) -> Response:
    """Answer a value that no column holds: a NUL in a text, half a character, a number or day out of range."""
    log.warning("%s %s: %s", request.method, request.url.path, str(error).splitlines()[0])
    return answer_error(
        request,
        Invalid(
            "A text, number or date of the request cannot be stored.",
            help="Leave out control characters, and keep numbers and dates within reason.",
        ),
    )


def answer_contradiction(request: Request, error: Exception) -> Response:
    """Answer what contradicts other rows: the same thing sent twice at once, or a reference to nothing."""
    log.warning("%s %s: %s", request.method, request.url.path, str(error).splitlines()[0])
    return answer_error(
        request,
        Conflict(
            "This contradicts what is stored: it is there already, or it refers to something that is not.",
            help="Reload, look at what is there, and try again.",
        ),
    )


def answer_fault(request: Request, error: Exception) -> Response:
    """Answer a fault of our own; the log has the story."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    fault = WaymarkError("Something went wrong on the server.", help="Try again; the server's log says what it was.")
    return pages.error_page(request, fault) or problem(fault.problem(), 500)


def opened(schema: dict[str, Any]) -> dict[str, Any]:
    """The API's description in which operations without a sign-in say so, instead of saying nothing."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            operation.setdefault("security", [])
    return schema


def create_app() -> FastAPI:
    """Build the application."""
    filtering.use(CATALOGUE)
    app = FastAPI(title="Waymark", version="1", docs_url=None, openapi_url="/api/openapi.json", redoc_url=None)
    uploads = settings().max_upload_mb * 1_000_000 + FORM_OVERHEAD
    app.add_middleware(Line)
    app.add_middleware(idempotency.Keyed)
    app.add_middleware(veil.Veils)
    app.add_middleware(BodyLimit, answer=answer_error, limits=dict.fromkeys(UPLOADS, uploads))
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=5)
    app.add_exception_handler(WaymarkError, answer_error)
    app.add_exception_handler(RequestValidationError, answer_validation)
    app.add_exception_handler(HTTPException, answer_http)
    app.add_exception_handler(OperationalError, answer_database)
    app.add_exception_handler(NoConnectionFree, answer_database)
    app.add_exception_handler(DataError, answer_unfit)
    app.add_exception_handler(UnicodeEncodeError, answer_unfit)
    app.add_exception_handler(OverflowError, answer_unfit)
    app.add_exception_handler(IntegrityError, answer_contradiction)
    app.add_exception_handler(Exception, answer_fault)
    for router in ROUTERS:
        app.include_router(Signposted(router))
    pages.mount(app)
    described = app.openapi
    app.openapi = lambda: app.openapi_schema or opened(examples.describe(idempotency.documented(described())))  # type: ignore[method-assign]

    @app.get("/health", tags=["health"], dependencies=[public("load balancers ask without signing in")])
    def health(session: Db) -> dict[str, str]:
        """Whether the server and its database answer."""
        session.execute(text("select 1"))
        return {"status": "ok"}

    return app


def served() -> FastAPI:
    """The application of a process that only serves it.

    What is loaded by then stays for good: the collector of reference cycles need not walk over it again and again. That
    was a third of the server's work on a page of 2,000 rows for a phone.
    """
    app = create_app()
    configure_mappers()
    gc.collect()
    gc.freeze()
    return app
