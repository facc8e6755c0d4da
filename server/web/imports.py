"""Bringing accounts in from a file: upload, meaning of the columns, dry run, apply, and how the pins get on."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts import importing_routes as api
from server.accounts.importing import TARGET
from server.accounts.models import PinState
from server.auth.access import Scope, requires
from server.auth.models import User
from server.imports import queries, service
from server.imports.models import Action, ImportRun, Mode, State
from server.imports.schemas import MappingWrite
from server.imports.uploads import Received, SizeChecked
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.web.forms import Sent
from server.web.forms import text as text_of
from server.web.pages import attempt, go, render

router = APIRouter(prefix="/imports", include_in_schema=False)

ImportAccounts = Annotated[Scope, requires("accounts:import")]
WORKING = (State.CHECKING, State.APPLYING)
ROWS = 100


@router.get("")
def show_imports(request: Request, scope: ImportAccounts, session: Db) -> Response:
    """The upload, and the imports so far."""
    return imports_page(request, scope, session)


def imports_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    runs = session.scalars(queries.runs(TARGET.kind).limit(50)).all()
    people = select(User).where(User.id.in_({run.actor for run in runs}))
    names = {user.id: user.name for user in session.scalars(people)}
    return render(
        request,
        "imports/list.html",
        scope,
        status=int(error.status) if error else 200,
        runs=runs,
        names=names,
        max_mb=settings().max_upload_mb,
        error=error,
    )


@router.post("", dependencies=[SizeChecked])
def upload(request: Request, scope: ImportAccounts, session: Db, upload: Received) -> Response:
    """Receive a file; nothing is changed yet."""
    try:
        with attempt(session):
            run = service.receive(session, TARGET, upload.path, file_name=upload.name, actor=scope.user_id)
    except WaymarkError as error:
        return imports_page(request, scope, session, error)
    return go(f"/imports/{run.id}")


@router.get("/{run_id}")
def show_import(
    request: Request,
    run_id: UUID,
    scope: ImportAccounts,
    session: Db,
    show: str = "",
    after: Annotated[int, Query(ge=0)] = 0,
    columns: bool = False,
) -> Response:
    """Where an import stands: its columns, the dry run, the result."""
    run = service.find(session, TARGET.kind, run_id)
    if run.state == State.RECEIVED or (columns and run.state not in (*WORKING, State.DONE)):
        return columns_page(request, scope, session, run)
    return outcome_page(request, scope, session, run, show=show, after=after)


def columns_page(
    request: Request,
    scope: Scope,
    session: Session,
    run: ImportRun,
    *,
    error: WaymarkError | None = None,
    mapping: dict[str, str] | None = None,
) -> Response:
    """The columns of the file and what they mean."""
    return render(
        request,
        "imports/columns.html",
        scope,
        status=int(error.status) if error else 200,
        run=run,
        mapping=run.mapping if mapping is None else mapping,
        sample=queries.sample(session, run.id, 5),
        fields=[(column.name, column.label) for column in TARGET.columns],
        keys=TARGET.keys,
        modes=list(Mode),
        error=error,
    )


def outcome_page(
    request: Request,
    scope: Scope,
    session: Session,
    run: ImportRun,
    *,
    show: str = "",
    after: int = 0,
    error: WaymarkError | None = None,
) -> Response:
    """The dry run or the result, row by row."""
    chosen = show or ("error" if run.counts.get("error") else "")
    action = Action(chosen) if chosen in list(Action) else None
    rows = queries.outcomes(session, run.id, action=action, problems_only=chosen == "warnings", after=after, limit=ROWS)
    return render(
        request,
        "imports/outcome.html",
        scope,
        status=int(error.status) if error else 200,
        run=run,
        rows=rows,
        labels={column.name: column.label for column in TARGET.columns},
        show=chosen,
        after=after,
        is_working=run.state in WORKING,
        is_full=len(rows) == ROWS,
        pins=pins(session, run) if run.state == State.DONE else [],
        error=error,
    )


@router.post("/{run_id}/columns")
def set_columns(request: Request, run_id: UUID, scope: ImportAccounts, session: Db, sent: Sent) -> Response:
    """Say what the columns mean, and try."""
    run = service.find(session, TARGET.kind, run_id)
    mapping = {
        str(place): field for place in range(len(run.header)) if (field := text_of(sent, f"column-{place}")) is not None
    }
    try:
        with attempt(session):
            options: dict[str, Any] = {name: text_of(sent, name) for name in ("key", "country", "currency")}
            wish = MappingWrite(mapping=mapping, mode=Mode(text_of(sent, "mode") or Mode.BOTH), **options)
            api.set_mapping(run_id, wish, scope, session)
    except WaymarkError as error:
        session.refresh(run)
        return columns_page(request, scope, session, run, error=error, mapping=mapping)
    return go(f"/imports/{run_id}")


@router.post("/{run_id}/apply")
def apply(request: Request, run_id: UUID, scope: ImportAccounts, session: Db) -> Response:
    """Do what the dry run promised, all of it or nothing."""
    try:
        with attempt(session):
            api.apply(run_id, scope, session)
    except WaymarkError as error:
        session.expire_all()
        return outcome_page(request, scope, session, service.find(session, TARGET.kind, run_id), error=error)
    return go(f"/imports/{run_id}")


@router.get("/{run_id}/progress")
def show_progress(request: Request, run_id: UUID, scope: ImportAccounts, session: Db) -> Response:
    """A fragment: how far the work is; sends the browser on when it is done."""
    run = service.find(session, TARGET.kind, run_id)
    if run.state not in WORKING:
        return Response(status_code=204, headers={"HX-Redirect": f"/imports/{run_id}"})
    return render(request, "imports/progress.html", scope, run=run)


@router.get("/{run_id}/pins")
def show_pins(request: Request, run_id: UUID, scope: ImportAccounts, session: Db) -> Response:
    """A fragment: the pins of an import by grade, while they are placed."""
    run = service.find(session, TARGET.kind, run_id)
    return render(request, "imports/pins.html", scope, run=run, pins=pins(session, run))


PINS = text(
    """
    select s.pin_state, s.grade, count(*)
    from import_outcome o
    join site s on s.account_id = coalesce(o.target_id, o.new_ids[1]) and s.deleted_at is null
    where o.run_id = :run and o.action in ('create', 'update', 'unchanged')
    group by s.pin_state, s.grade order by count(*) desc
    """
)


def pins(session: Session, run: ImportRun) -> list[tuple[str, str | None, int]]:
    """How many sites of an import have which pin: state, grade, count; those that wait come first."""
    found = [(str(row[0]), row[1], int(row[2])) for row in session.execute(PINS, {"run": run.id})]
    return sorted(found, key=lambda row: row[0] != PinState.PENDING)
