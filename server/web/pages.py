"""How a page is made: templates, who is signed in, error pages, headers that keep the browser to ourselves."""

from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.staticfiles import StaticFiles
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from server.auth.access import Scope
from server.auth.sessions import ForgedRequest
from server.kit.errors import NotSignedIn, WaymarkError
from server.kit.settings import settings

HERE = Path(__file__).parent
STATIC = HERE / "static"
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " font-src 'self'; connect-src 'self'; worker-src 'self' blob:; frame-ancestors 'none'; base-uri 'none';"
    " form-action 'self'; object-src 'none'"
)
"""Everything comes from us; MapLibre starts its worker from a blob and sizes its canvas inline."""

router = APIRouter(include_in_schema=False)


def icon(name: str, size: int = 20) -> Markup:
    """A Lucide icon, drawn in the colour of the text around it."""
    path = STATIC / "vendor" / "icons" / f"{name}.svg"
    if not path.is_file():
        return Markup('<span class="icon" aria-hidden="true"></span>')
    drawing = path.read_text(encoding="utf-8")
    drawing = drawing[drawing.index("<svg") :].replace(
        "<svg", f'<svg aria-hidden="true" width="{size}" height="{size}"', 1
    )
    return Markup(drawing)  # noqa: S704 (a file of our own)


templates = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
templates.globals["icon"] = icon


def render(request: Request, template: str, scope: Scope | None, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page (or a fragment of one) as an answer."""
    text = templates.get_template(template).render(
        request=request, scope=scope, company=settings().company, path=request.url.path, **values
    )
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


def wants_page(request: Request) -> bool:
    """Whether a person asks with a browser, not a program."""
    path = request.url.path
    return "text/html" in request.headers.get("accept", "") and not path.startswith(("/api/", "/tiles/", "/sync/"))


def error_page(request: Request, error: WaymarkError, status: int | None = None) -> Response | None:
    """The error as a page, or as a fragment for HTMX; None for programs, who get a problem document."""
    if not wants_page(request) and "hx-request" not in request.headers:
        return None
    if isinstance(error, NotSignedIn) and not isinstance(error, ForgedRequest):
        here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = "/sign-in" if here == "/" else f"/sign-in?next={quote(here)}"
        if "hx-request" in request.headers:
            return Response(status_code=204, headers={"HX-Redirect": target})
        return RedirectResponse(target, status_code=303)
    code = status or int(error.status)
    template = "fragments/error.html" if "hx-request" in request.headers else "error.html"
    return render(request, template, None, status=code, error=error, code=code, phrase=HTTPStatus(code).phrase)


def mount(app: FastAPI) -> None:
    """Serve the static files, and give every answer its headers."""
    app.mount("/static", StaticFiles(directory=STATIC), name="static")

    @app.middleware("http")
    async def headers(request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "same-origin")
        return response
