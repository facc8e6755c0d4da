"""Balancing territories: start one, watch it, compare its scenarios, change one by hand, apply it."""

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.access import Scope, requires
from server.balance import balancing, reading
from server.balance.balance_routes import run_read
from server.balance.models import BalanceRun
from server.kit import clock
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.territories import queries
from server.territories.models import ChangeState, TerritoryChange
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/territories/balance", include_in_schema=False)

WriteTerritories = Annotated[Scope, requires("territories:write")]


@router.get("")
def show_runs(request: Request, scope: WriteTerritories, session: Db) -> Response:
    """What was balanced, and the form for the next."""
    return runs_page(request, scope, session)


def runs_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    rows = session.scalars(select(BalanceRun).order_by(BalanceRun.created_at.desc()).limit(20)).all()
    return render(
        request,
        "territories/runs.html",
        scope,
        status=int(error.status) if error else 200,
        runs=[run_read(session, scope, row) for row in rows],
        leaves=queries.leaves(session),
        error=error,
    )


@router.post("")
def ask(
    request: Request,
    scope: WriteTerritories,
    session: Db,
    territory_ids: Annotated[list[UUID] | None, Form()] = None,
) -> Response:
    """Ask for a balance."""
    try:
        with attempt(session):
            run = balancing.request(session, territory_ids or [], asked_by=scope.user_id)
    except WaymarkError as error:
        return runs_page(request, scope, session, error)
    return go(f"/territories/balance/{run.id}")


@router.get("/{run_id}")
def show_run(request: Request, run_id: UUID, scope: WriteTerritories, session: Db) -> Response:
    """A balance: how far it is, or its scenarios side by side."""
    return run_page(request, run_id, scope, session)


def run_page(
    request: Request, run_id: UUID, scope: Scope, session: Session, error: WaymarkError | None = None
) -> Response:
    """The page of a run, with what was refused."""
    run = balancing.known(session, run_id)
    colours = {row.id: row.colour for row in queries.active(session)}
    read = run_read(session, scope, run)
    ids = [one.change_id for one in read.scenarios if one.change_id]
    standing = select(TerritoryChange.id).where(
        TerritoryChange.id.in_(ids), TerritoryChange.state == ChangeState.APPLIED
    )
    return render(
        request,
        "territories/balance.html",
        scope,
        status=int(error.status) if error else 200,
        run=read,
        colours=[colours.get(one, "#888888") for one in run.territory_ids],
        standing=set(session.scalars(standing)),
        error=error,
    )


@router.get("/{run_id}/scenarios/{key}/moves")
def show_moves(request: Request, run_id: UUID, key: str, scope: WriteTerritories, session: Db) -> Response:
    """What a scenario would move, to be looked at before it is applied."""
    change, effects, error = None, None, None
    try:
        change, effects = balancing.preview(session, run_id, key)
    except WaymarkError as refused:
        error = refused
    return render(
        request,
        "territories/moves.html",
        scope,
        read=reading.change_read(session, scope, change, effects) if change and effects else None,
        names={row.id: row.name for row in queries.active(session)},
        currency=settings().currency,
        error=error,
    )


@router.post("/{run_id}/cancel")
def cancel(request: Request, run_id: UUID, scope: WriteTerritories, session: Db) -> Response:
    """Stop it."""
    try:
        with attempt(session):
            balancing.cancel(session, run_id)
    except WaymarkError as error:
        return run_page(request, run_id, scope, session, error)
    return go(f"/territories/balance/{run_id}")


@router.post("/{run_id}/scenarios/{key}/apply")
def apply(
    request: Request,
    run_id: UUID,
    key: str,
    scope: WriteTerritories,
    session: Db,
    apply_on: Annotated[date | None, Form()] = None,
) -> Response:
    """Apply a scenario now or on a day."""
    try:
        with attempt(session):
            today = clock.today(settings().zone)
            if apply_on is None or apply_on == today:
                balancing.apply(session, run_id, key)
            else:
                balancing.apply_from(session, run_id, key, apply_on, today=today, by=scope.user_id)
    except WaymarkError as error:
        return run_page(request, run_id, scope, session, error)
    return go(f"/territories/balance/{run_id}")


@router.post("/{run_id}/scenarios/{key}/call-off")
def call_off(run_id: UUID, key: str, scope: WriteTerritories, session: Db) -> Response:
    """A scenario that waits for its day is not applied."""
    balancing.call_off(session, run_id, key)
    return go(f"/territories/balance/{run_id}")
