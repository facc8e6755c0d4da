"""Signing in and out."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from sqlalchemy.orm import Session

from server.auth import queries, service, sessions
from server.auth.access import Scope, public, requires
from server.kit.database import Db
from server.kit.errors import TooManyRequests
from server.kit.settings import settings
from server.web.pages import render

router = APIRouter(include_in_schema=False)
Login = Annotated[str, Form(max_length=200)]
Password = Annotated[str, Form(max_length=500)]


def local(path: str) -> str:
    """The page to go to after signing in; never one of another site."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/"


@router.get("/sign-in", dependencies=[public("nobody is signed in yet")])
def show_sign_in(request: Request, session: Db, next: str = "/") -> Response:
    """The sign-in page; says how to make the first user when there is none."""
    return render(
        request, "auth/sign_in.html", None, next=local(next), login="", error=None, empty=not queries.anybody(session)
    )


@router.post("/sign-in", dependencies=[public("nobody is signed in yet")])
def sign_in(
    request: Request,
    session: Db,
    login: Login,
    password: Password,
    next: Annotated[str, Form()] = "/",
) -> Response:
    """Open a session for login and password."""
    sessions.check_same_site(request)
    address = request.client.host if request.client else None
    try:
        user = service.check_sign_in(session, login, password, address=address)
    except (service.WrongPassword, TooManyRequests) as error:
        return render(
            request,
            "auth/sign_in.html",
            None,
            status=int(error.status),
            next=local(next),
            login=login,
            error=error,
            empty=False,
        )
    response = RedirectResponse(local(next), status_code=303)
    hold(response, sessions.open_session(session, user, request.headers.get("user-agent")))
    return response


@router.post("/sign-in/again", dependencies=[public("the session has ended")])
def sign_in_again(
    request: Request,
    session: Db,
    login: Login,
    password: Password,
) -> Response:
    """Open a session for a page that stays open; says whose it is and what the page's forms carry from now on."""
    sessions.check_same_site(request)
    address = request.client.host if request.client else None
    user = service.check_sign_in(session, login, password, address=address)
    token = sessions.open_session(session, user, request.headers.get("user-agent"))
    response = told(session, token)
    hold(response, token)
    return response


@router.get("/sign-in/session", dependencies=[public("the session may have ended")])
def living_session(request: Request, session: Db) -> Response:
    """Whose session the browser has by now, which may be that of another tab, and what forms carry in it."""
    return told(session, request.cookies.get(sessions.COOKIE, ""))


def told(session: Session, token: str) -> JSONResponse:
    """Whose a session is, and what its forms carry; refuses one that has ended."""
    row, user = sessions.resume(session, token)
    seen = sessions.viewed(session, row) or user
    return JSONResponse({"user": str(seen.id), "csrf": row.csrf}, headers={"Cache-Control": "no-store"})


def hold(response: Response, token: str) -> None:
    """Let the browser keep a session's token."""
    response.set_cookie(
        sessions.COOKIE,
        token,
        max_age=settings().session_days * 86400,
        httponly=True,
        samesite="lax",
        secure=settings().cookies_are_secure,
    )


@router.post("/sign-out")
def sign_out(
    request: Request, scope: Annotated[Scope, requires("users:read", also_viewing=True)], session: Db
) -> Response:
    """End this browser's session."""
    sessions.close_session(session, request.cookies.get(sessions.COOKIE, ""))
    response = RedirectResponse("/sign-in", status_code=303)
    response.delete_cookie(sessions.COOKIE)
    return response
