"""Bringing accounts in from a file: upload, meaning of the columns, dry run, apply, and how the pins get on."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts.importing import routes as api
from server.accounts.importing.target import TARGET, target
from server.accounts.models import PinState
from server.accounts.values import currency as clean_currency
from server.auth.access import Scope, requires
from server.auth.models import User
from server.imports import profiles, queries, service
from server.imports.models import WORKING, Action, ImportRun, Mode, State
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
ROWS = 100
LOOKED_AT = 200
"""Rows that advice about the columns rests on."""

LABELS = {column.values[0]: column.label for column in reversed(TARGET.columns)} | {
    "owner_id": "Owner",
    "service_s": "Length of a visit",
    "currency": "Currency",
    "lat": "Latitude",
    "pin": "Pin",
    "grade": "Grade of the pin",
}
"""How people call the values of an import; those that only follow from another one have no name."""


@router.get("")
def show_imports(request: Request, scope: ImportAccounts, session: Db) -> Response:
    """The upload, and the imports so far."""
    return imports_page(request, scope, session)


def imports_page(request: Request, scope: Scope, session: Session, error: WaymarkError | None = None) -> Response:
    """The page, with what was refused."""
    runs = session.scalars(queries.runs(TARGET.kind, actor=api.whose(scope)).limit(50)).all()
    names = people(session, {run.actor for run in runs})
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


def people(session: Session, ids: set[UUID | None]) -> dict[UUID | None, str]:
    """Names by id."""
    return {user.id: user.name for user in session.scalars(select(User).where(User.id.in_(ids)))}


def shown(value: object) -> str:
    """A value of a preview as people read it."""
    if value is None or value == []:
        return "–"
    if isinstance(value, dict) and "coordinates" in value:
        return ", ".join(f"{degrees:.5f}" for degrees in reversed(value["coordinates"]))
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)[:300]


@router.post("", dependencies=[SizeChecked])
def upload(request: Request, scope: ImportAccounts, session: Db, upload: Received) -> Response:
    """Receive a file; nothing is changed yet."""
    is_fragment = "hx-request" in request.headers
    sheet = upload.options.get("sheet") or None
    try:
        with attempt(session):
            run = service.receive(
                session, target(session), upload.path, file_name=upload.name, actor=scope.user_id, sheet=sheet
            )
    except WaymarkError as error:
        if is_fragment:
            return render(request, "imports/refused.html", scope, status=int(error.status), error=error)
        return imports_page(request, scope, session, error)
    if is_fragment:
        return Response(status_code=204, headers={"HX-Redirect": f"/imports/{run.id}"})
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
    profile: UUID | None = None,
) -> Response:
    """Where an import stands: its columns, the dry run, the result."""
    run = api.find(session, scope, run_id)
    if run.state == State.RECEIVED or (columns and run.state not in (*WORKING, State.DONE, State.UNDONE)):
        if profile is not None:
            profiles.use(run, profiles.find(session, TARGET.kind, profile))
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
    options: dict[str, Any] | None = None,
) -> Response:
    """The columns of the file and what they mean."""
    shown = run.mapping if mapping is None else mapping
    sample = queries.sample(session, run.id, LOOKED_AT)
    return render(
        request,
        "imports/columns.html",
        scope,
        status=int(error.status) if error else 200,
        run=run,
        mapping=shown,
        options=run.options if options is None else options,
        keep=(run.options if options is None else options).get("keep") or (),
        sample=sample[:5],
        advice=target(session).advice(session, sample, shown),
        profiles=profiles.named(session, TARGET.kind),
        profile_id=run.profile_id,
        fields=[(column.name, column.label) for column in target(session).columns],
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
    chosen = show or ("error" if run.counts.get("error") and run.state == State.CHECKED else "")
    action = Action(chosen) if chosen in list(Action) else None
    code = chosen.removeprefix("code:") if chosen.startswith("code:") else None
    rows = queries.outcomes(
        session, run.id, action=action, problems_only=chosen == "warnings", code=code, after=after, limit=ROWS
    )
    kept = queries.kept(session, run.id, limit=ROWS)
    names = people(session, {run.undone_by, *(one.changed_by for one in kept)})
    return render(
        request,
        "imports/outcome.html",
        scope,
        status=int(error.status) if error else 200,
        run=run,
        rows=rows,
        kinds=[] if run.state in WORKING else queries.kinds(session, run.id),
        labels=LABELS | {column.name: column.label for column in target(session).columns},
        shown=shown,
        kept=kept,
        names=names,
        undone_by=names.get(run.undone_by, "waymark import undo"),
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
    run = api.find(session, scope, run_id)
    places = [str(place) for place in range(len(run.header))]
    mapping = {place: field for place in places if (field := text_of(sent, f"column-{place}")) is not None}
    options: dict[str, Any] = {name: text_of(sent, name) for name in ("mode", "key", "country", "currency")}
    options["keep"] = [mapping[place] for place in mapping if text_of(sent, f"keep-{place}")]
    if (taken := text_of(sent, "advice")) is not None:
        advice = target(session).advice(session, queries.sample(session, run.id, LOOKED_AT), mapping)
        better = advice[int(taken)].mapping if taken.isdigit() and int(taken) < len(advice) else mapping
        return columns_page(request, scope, session, run, mapping=better, options=options)
    try:
        with attempt(session):
            wish = MappingWrite(mapping=mapping, **checked_options(options), save_as=text_of(sent, "save_as"))
            api.set_mapping(run_id, wish, scope, session)
    except WaymarkError as error:
        session.refresh(run)
        return columns_page(request, scope, session, run, error=error, mapping=mapping, options=options)
    return go(f"/imports/{run_id}")


def checked_options(options: dict[str, Any]) -> dict[str, Any]:
    """The options of the form. Refuses a currency that is none."""
    currency = options["currency"]
    return options | {
        "mode": Mode(options["mode"] or Mode.BOTH),
        "currency": None if currency is None else clean_currency(currency),
    }


@router.post("/profiles/{profile_id}/delete")
def forget_profile(profile_id: UUID, scope: ImportAccounts, session: Db, sent: Sent) -> Response:
    """Delete a saved meaning of columns."""
    profiles.forget(session, TARGET.kind, profile_id)
    run = text_of(sent, "run")
    return go(f"/imports/{UUID(run)}?columns=true" if run else "/imports")


@router.post("/{run_id}/apply")
def apply(request: Request, run_id: UUID, scope: ImportAccounts, session: Db) -> Response:
    """Do what the dry run promised, all of it or nothing."""
    try:
        with attempt(session):
            api.apply(run_id, scope, session)
    except WaymarkError as error:
        session.expire_all()
        return outcome_page(request, scope, session, api.find(session, scope, run_id), error=error)
    return go(f"/imports/{run_id}")


@router.post("/{run_id}/undo")
def undo(request: Request, run_id: UUID, scope: ImportAccounts, session: Db) -> Response:
    """Take an import back, updates included."""
    try:
        with attempt(session):
            api.undo(run_id, scope, session)
    except WaymarkError as error:
        session.expire_all()
        return outcome_page(request, scope, session, api.find(session, scope, run_id), error=error)
    return go(f"/imports/{run_id}")


@router.get("/{run_id}/progress")
def show_progress(request: Request, run_id: UUID, scope: ImportAccounts, session: Db) -> Response:
    """A fragment: how far the work is; sends the browser on when it is done."""
    run = api.find(session, scope, run_id)
    if run.state not in WORKING:
        return Response(status_code=204, headers={"HX-Redirect": f"/imports/{run_id}"})
    return render(request, "imports/progress.html", scope, run=run)


@router.get("/{run_id}/pins")
def show_pins(request: Request, run_id: UUID, scope: ImportAccounts, session: Db) -> Response:
    """A fragment: the pins of an import by grade, while they are placed."""
    run = api.find(session, scope, run_id)
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
