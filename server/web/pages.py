"""How a page is made: templates, who is signed in, error pages, headers that keep the browser to ourselves."""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from http import HTTPStatus
from itertools import groupby
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from sqlalchemy.orm import Session
from starlette.datastructures import URL, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from server.auth import veil
from server.auth.access import Scope
from server.auth.sessions import ExpiredForm
from server.fields.models import CustomField
from server.fields.values import in_words, shape_of
from server.kit import clock
from server.kit.errors import NotSignedIn, WaymarkError
from server.kit.settings import settings
from server.plans import navigating
from server.web.filters import parts_of
from server.web.language import LANGUAGES, Language, chosen

HERE = Path(__file__).parent
STATIC = HERE / "static"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " font-src 'self'; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'; object-src 'none'"
)
"""Everything comes from us; MapLibre starts its worker from a blob and sizes its canvas inline."""


UNSAID = frozenset({"_csrf", "password", "secret", "old", "new"})
"""Fields of forms that are not sent back."""


@dataclass(frozen=True)
class Room:
    """One entry of the rail."""

    key: str
    path: str
    name: str
    icon: str
    letter: str
    """`g` and this letter go there."""
    permission: str
    place: str = "rail"
    """`bar`: also in the bottom bar of a phone; `rail`; `more`: behind *More*, for what is not daily work."""


ROOMS = (
    Room("home", "/", "Map", "map", "h", "accounts:read", place="bar"),
    Room("accounts", "/accounts", "Accounts", "building-2", "a", "accounts:read", place="bar"),
    Room("contacts", "/contacts", "Contacts", "contact-round", "k", "contacts:read"),
    Room("leads", "/leads", "Leads", "magnet", "l", "leads:read"),
    Room("pipeline", "/pipeline", "Pipeline", "square-kanban", "o", "opportunities:read"),
    Room("forecast", "/forecast", "Forecast", "trending-up", "z", "opportunities:read"),
    Room("reports", "/reports", "Reports", "chart-column", "1", "activities:read"),
    Room("calendar", "/calendar", "Calendar", "calendar-days", "y", "activities:read"),
    Room("tasks", "/tasks", "Tasks", "list-checks", "j", "activities:read"),
    Room("plans", "/plans", "Plans", "route", "p", "plans:read", place="bar"),
    Room("tickets", "/tickets", "Tickets", "ticket", "x", "tickets:read"),
    Room("territories", "/territories", "Territories", "land-plot", "t", "territories:read", place="bar"),
    Room("orders", "/orders", "Orders", "receipt", "e", "orders:read"),
    Room("products", "/products", "Products", "package", "s", "products:read", place="more"),
    Room("density", "/density", "Density", "hexagon", "2", "density:read"),
    Room("white-space", "/white-space", "White space", "scan-search", "w", "density:read"),
    Room("segments", "/segments", "Segments", "list-filter", "m", "segments:read"),
    Room("review", "/review", "Review", "map-pin-check", "v", "pins:place", place="more"),
    Room("imports", "/imports", "Import", "file-up", "i", "imports:read", place="more"),
    Room("duplicates", "/duplicates", "Duplicates", "copy-check", "d", "accounts:merge", place="more"),
    Room("inbox", "/inbox", "Unassigned mail", "inbox", "q", "accounts:assign", place="more"),
    Room("conflicts", "/conflicts", "Conflicts", "git-merge-conflict", "c", "conflicts:read", place="more"),
    Room("fields", "/fields", "Fields", "text-cursor-input", "f", "fields:write", place="more"),
    Room("handovers", "/handovers", "Hand-overs", "arrow-right-left", "g", "accounts:assign", place="more"),
    Room("bin", "/bin", "Bin", "trash-2", "b", "accounts:write", place="more"),
    Room("users", "/users", "Users", "users", "u", "users:read", place="more"),
    Room("integrations", "/integrations", "Integrations", "plug", "n", "integrations:read", place="more"),
    Room("regions", "/regions", "Regions", "globe", "r", "regions:write", place="more"),
)
"""The rail, from the top."""


def drawing(name: str) -> str | None:
    """The inside of a Lucide icon."""
    path = STATIC / "vendor" / "icons" / f"{name}.svg"
    if not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    return " ".join(text[text.index(">", text.index("<svg")) + 1 : text.rindex("</svg>")].split())


@lru_cache(maxsize=1_000)
def icon(name: str, size: int = 20) -> Markup:
    """A Lucide icon, drawn in the colour of the text around it."""
    inside = drawing(name) or ""
    return Markup(  # noqa: S704 (files of our own)
        f'<svg class="icon" aria-hidden="true" width="{size}" height="{size}" viewBox="0 0 24 24" fill="none"'
        f' stroke="currentColor" stroke-width="1.75" stroke-linecap="round" stroke-linejoin="round">{inside}</svg>'
    )


def options(several: Iterable[tuple[Any, Any]], value: Any = "") -> Markup:
    """The options of a select, of which the one of the value is chosen. A page may have several lists of a company's
    hundreds of people, and a template writes them ten times slower.
    """
    chosen, tags = "" if value is None else str(value), []
    for key, text in several:
        is_chosen = " selected" if str(key) == chosen else ""
        tags.append(f'<option value="{escape(str(key))}"{is_chosen}>{escape(text)}</option>')
    return Markup("".join(tags))  # noqa: S704 (escaped above)


def sections(fields: Iterable[CustomField]) -> list[tuple[str, list[CustomField]]]:
    """Own fields, in the company's order, under their headings; those without one under none."""
    return [(heading, list(group)) for heading, group in groupby(fields, key=lambda one: one.section or "")]


@lru_cache(maxsize=1)
def version() -> str:
    """Changes with our own static files, so that browsers keep them as long as they are the same."""
    digest = hashlib.sha256()
    for path in sorted([*(STATIC / "css").iterdir(), *(STATIC / "js").iterdir(), STATIC / "vendor" / "stamp"]):
        digest.update(path.read_bytes() if path.is_file() else b"")
    return digest.hexdigest()[:10]


@lru_cache(maxsize=len(LANGUAGES))
def templates(code: str) -> Environment:
    """The templates in a language."""
    language = Language(code)
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,  # else a page looks at all its files again
    )
    made.globals.update(icon=icon, t=language.t, language=language, languages=LANGUAGES, rooms=ROOMS, version=version)
    made.globals.update(options=options, navigating=navigating, is_fixed=veil.is_fixed, unsaid=sorted(UNSAID))
    for name in (
        "number",
        "typed",
        "amount",
        "money",
        "exact",
        "price",
        "distance",
        "duration",
        "day",
        "period",
        "clock",
        "hours",
        "moment",
        "size",
        "ago",
        "said",
        "filled",
        "firm",
    ):
        made.filters[name] = getattr(language, name)
    made.filters["sections"] = sections
    made.filters["own"] = lambda value, field: in_words(
        shape_of(field) if isinstance(field, CustomField) else field, value, language
    )
    made.filters["iso_day"] = lambda text: language.day(date.fromisoformat(text))
    made.filters["iso_moment"] = lambda text, zone: language.moment(datetime.fromisoformat(text), zone)
    made.filters["iso_clock"] = lambda text, zone: language.clock(datetime.fromisoformat(text), zone)
    made.filters["terms"] = parts_of
    made.filters["plain_id"] = lambda text: re.sub(r"[^a-z0-9]+", "-", str(text).lower())
    return made


def language_of(request: Request, scope: Scope | None) -> Language:
    """The language in which somebody is answered."""
    wish = scope.language if scope else None
    return Language(chosen(wish, request.headers.get("accept-language", "")))


def as_asked(request: Request, problem: dict[str, Any]) -> dict[str, Any]:
    """A problem document for a page's script in the language of the page; programs are answered in English."""
    if "x-csrf-token" not in request.headers:
        of_revision = problem.get("status") == HTTPStatus.PRECONDITION_FAILED and "rev" in problem
        told = f"{problem.get('help', '')} Its present ETag goes along as If-Match.".strip()
        return problem | ({"help": told} if of_revision else {})
    language = language_of(request, None)
    return problem | {name: language.said(problem[name]) for name in ("detail", "help") if name in problem}


def html(request: Request, template: str, scope: Scope | None, **values: Any) -> str:
    """A template filled in for somebody."""
    veil.lower()
    made = templates(language_of(request, scope).code)
    zone = (scope.zone if scope else None) or settings().zone
    return made.get_template(template).render(
        request=request,
        scope=scope,
        company=settings().company,
        path=request.url.path,
        zone=zone,
        now=clock.now(),
        today=clock.today(zone),
        refused_form=refused_form(request, values.get("error")),
        **values,
    )


def refused_form(request: Request, error: object) -> dict[str, Any] | None:
    """What a form said that is refused, for `refused.js`: where several forms stand on a page, what was typed into the
    refused one is back in it. No secret is said again.
    """
    sent = getattr(request.state, "sent", None)
    if not sent or not isinstance(error, WaymarkError):
        return None
    told = [[name, value] for name, value in sent.multi_items() if name not in UNSAID and isinstance(value, str)]
    return {"path": request.url.path, "sent": told, "field": error.details.get("field")}


def render(request: Request, template: str, scope: Scope | None, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page (or a fragment of one) as an answer."""
    return HTMLResponse(html(request, template, scope, **values), status, headers={"Cache-Control": "no-store"})


def go(path: str) -> RedirectResponse:
    """Send the browser on after a form was accepted."""
    return RedirectResponse(path, status_code=303)


@contextmanager
def attempt(session: Session) -> Iterator[None]:
    """Try something whose refusal is shown on the page: what it has written until then is taken back."""
    with session.begin_nested():
        yield


def wants_page(request: Request) -> bool:
    """Whether a person asks with a browser, not a program."""
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith(("/api/v1/", "/tiles/", "/sync/"))


def error_page(
    request: Request, error: WaymarkError, status: int | None = None, near: Sequence[Room] = ()
) -> Response | None:
    """The error as a page, or as a fragment for HTMX; None for programs, who get a problem document.

    `near` are rooms that may have been meant.
    """
    is_fragment = "hx-request" in request.headers
    if not wants_page(request) and not is_fragment:
        return None
    if isinstance(error, NotSignedIn | ExpiredForm):
        if is_fragment or "x-csrf-token" in request.headers:  # a page that is open asks, and stays
            return Response(status_code=int(error.status), headers={"HX-Trigger": "signed-out", "HX-Reswap": "none"})
        here = came_from(request) if request.method == "POST" else asked_for(request.url)
        if isinstance(error, NotSignedIn):
            return go("/sign-in" if here in ("", "/") else f"/sign-in?next={quote(here)}")
        if here:
            return go(here)
    code = status or int(error.status)
    template = "parts/error.html" if is_fragment else "error.html"
    return render(
        request, template, None, status=code, error=error, code=code, near=near, phrase=HTTPStatus(code).phrase
    )


def asked_for(url: URL) -> str:
    """Path and query of an address."""
    return url.path + (f"?{url.query}" if url.query else "")


def came_from(request: Request) -> str:
    """The page of ours whose form was sent, which then fills it again (`ended.js`); empty when none is known."""
    try:
        page = URL(request.headers.get("referer", ""))
        is_ours = page.netloc == request.headers.get("host") and not page.path.startswith("//")
    except ValueError:
        return ""
    return f"{asked_for(page)}#again" if is_ours else ""


class Guarded:
    """Gives every answer the headers that keep the browser to ourselves, and static files their time to live."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path, query = str(scope["path"]), bytes(scope.get("query_string", b""))

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("Content-Security-Policy", POLICY)
                headers.setdefault("X-Content-Type-Options", "nosniff")
                if "frame-ancestors 'none'" in headers["Content-Security-Policy"]:
                    headers.setdefault("X-Frame-Options", "DENY")
                headers.setdefault("Referrer-Policy", "same-origin")
                if path.startswith("/static/"):
                    is_versioned = query.startswith(b"v=") or "/vendor/" in path
                    headers["Cache-Control"] = "public, max-age=86400" if is_versioned else "no-cache"
            await send(message)

        await self.app(scope, receive, send_guarded)


def mount(app: FastAPI) -> None:
    """Serve the static files, and guard every answer."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    app.add_middleware(Guarded)
