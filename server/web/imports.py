"""Bringing records in from a file: what is in it, meaning of the columns, dry run, apply, how the pins get on."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.models import PinState
from server.accounts.values import currency as clean_currency
from server.auth.access import Scope, requires
from server.auth.models import User
from server.exchange import routes as api
from server.exchange.kinds import KINDS, kinds_for
from server.imports import guessing, profiles, queries, service
from server.imports.models import WORKING, Action, ImportRun, Mode, State
from server.imports.rereading import DELIMITERS, ENCODINGS, can_be_reread, encodings_of
from server.imports.schemas import MappingWrite, WayOfReading
from server.imports.targets import Missing, Target
from server.imports.uploads import Received, SizeChecked
from server.jobs import is_anybody_working
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.products.queries import price_lists
from server.web.forms import Sent
from server.web.forms import text as text_of
from server.web.import_words import LABELS, RESTING
from server.web.pages import attempt, go, language_of, render
from server.web.picking import account_named, written

router = APIRouter(prefix="/imports", include_in_schema=False)

Importing = Annotated[Scope, requires("imports:read")]
ROWS = 100
LOOKED_AT = 200
"""Rows that advice about the columns rests on."""

ASKED_FOR = {"deals": "opportunities"}
"""Kinds that people call otherwise than the API."""
CALLED = ("name", "company", "person", "subject", "order_number", "text")
"""Values that name a row, the best first."""


@router.get("")
def show_imports(
    request: Request, scope: Importing, session: Db, kind: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """The upload, which asks what is in the file, and the imports so far."""
    return imports_page(request, scope, session, kind)


def imports_page(
    request: Request, scope: Scope, session: Session, kind: str = "", error: WaymarkError | None = None
) -> Response:
    """The page, with what was refused."""
    kinds = kinds_for(scope)
    runs = session.scalars(api.seen(scope).limit(50)).all()
    names = people(session, {run.actor for run in runs})
    asked = ASKED_FOR.get(kind, kind)
    chosen = asked if asked in kinds else next(iter(kinds), "")
    return render(
        request,
        "imports/list.html",
        scope,
        status=int(error.status) if error else 200,
        kinds=kinds,
        chosen=chosen,
        known=[column.label for column in kinds[chosen].target(session).columns] if chosen else [],
        runs=runs,
        names=names,
        max_mb=settings().max_upload_mb,
        error=error,
    )


def people(session: Session, ids: set[UUID | None]) -> dict[UUID | None, str]:
    """Names by id."""
    return {user.id: user.name for user in session.scalars(select(User).where(User.id.in_(ids)))}


def called(values: Mapping[str, Any]) -> str:
    """What people know a row by."""
    whole = " ".join(str(values[name]) for name in ("first_name", "last_name") if values.get(name))
    return whole or next((str(values[name])[:80] for name in CALLED if values.get(name)), "")


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
def upload(request: Request, scope: Importing, session: Db, upload: Received) -> Response:
    """Receive a file; nothing is changed yet."""
    is_fragment = "hx-request" in request.headers
    try:
        with attempt(session):
            run_id = api.upload(scope, upload, session).id
    except WaymarkError as error:
        if is_fragment:
            return render(request, "imports/refused.html", scope, status=int(error.status), error=error)
        return imports_page(request, scope, session, upload.options.get("kind") or "", error)
    if is_fragment:
        return Response(status_code=204, headers={"HX-Redirect": f"/imports/{run_id}"})
    return go(f"/imports/{run_id}")


@router.get("/{run_id}")
def show_import(
    request: Request,
    run_id: UUID,
    scope: Importing,
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
            service.use(session, api.target(session, run), run, profiles.find(session, run.kind, profile))
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
    shown, told = run.mapping if mapping is None else mapping, api.target(session, run)
    words = language_of(request, scope)
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
        sample=[cells[: len(run.header)] for cells in sample[:5] or queries.sample(session, run.id, 5, readable=False)],
        advice=told.advice(session, sample, shown),
        profiles=[(one, profiles.fits(run, one)) for one in profiles.named(session, run.kind)],
        profile_id=run.profile_id,
        fields=[(column.name, column.label) for column in told.columns],
        keys=[(name, words.t(label)) for name, label in told.keys.items()],
        kind=KINDS[run.kind],
        account=account_written(session, scope, (run.options if options is None else options).get("account")),
        price_lists=[("", "–"), *((one.id, one.name) for one in price_lists(session))],
        modes=list(Mode),
        encodings=encodings_of(run),
        delimiters=DELIMITERS if can_be_reread(run) else {},
        mixed=queries.mixed(session, run),
        written_in=ENCODINGS,
        needs=needs(told),
        missing=[one.fields for one in guessing.missing(told, shown)],
        error=error,
    )


def account_written(session: Session, scope: Scope, chosen: str | None) -> str:
    """The account of rows without one, as it stands in its field: by its name, or what was typed."""
    with suppress(ValueError):
        found = accounts.detail(session, scope, UUID(chosen or ""))
        return written(found.account) if found else ""
    return chosen or ""


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
    code, colon, field = chosen.removeprefix("code:").partition(":") if chosen.startswith("code:") else ("", "", "")
    rows = queries.outcomes(
        session,
        run.id,
        action=action,
        problems_only=chosen == "warnings",
        code=code or None,
        field=field if colon else None,
        after=after,
        limit=ROWS,
    )
    written = queries.as_written(session, run, [row.row_no for row in rows if not row.values])
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
        countries=queries.countries(session, run.id),
        left_out=queries.left_out(session, run) if run.state == State.CHECKED else [],
        labels=labels_of(session, run),
        kind=KINDS[run.kind],
        shown=shown,
        called={row.row_no: called(row.values or written[row.row_no]) for row in rows},
        kept=kept,
        resting=RESTING,
        names=names,
        undone_by=names.get(run.undone_by, "waymark import undo"),
        show=chosen,
        after=after,
        is_chosen=bool(show),
        is_working=run.state in WORKING,
        is_anybody_working=is_anybody_working(session),
        is_full=len(rows) == ROWS,
        pins=pins(session, run) if run.state == State.DONE and run.kind == "accounts" else [],
        error=error,
    )


def labels_of(session: Session, run: ImportRun) -> dict[str, str]:
    """How people call the values of an import; those that only follow from another one have no name."""
    columns = api.target(session, run).columns
    first = {column.values[0]: column.label for column in reversed(columns)}
    return first | LABELS | {column.name: column.label for column in columns}


def needs(told: Target) -> list[Missing]:
    """What new records of a kind cannot be without, whether a column brings it or not."""
    return guessing.missing(told, {})


@router.post("/{run_id}/reading")
def read_anew(request: Request, run_id: UUID, scope: Importing, session: Db, sent: Sent) -> Response:
    """Read the file in another encoding or with another delimiter; the columns show what comes of it."""
    run = api.find(session, scope, run_id)
    chosen = {name: (text_of(sent, name) or "")[:40] or None for name in ("encoding", "delimiter")}
    if chosen["encoding"] == run.encoding:
        chosen["encoding"] = None
    if chosen["delimiter"] and DELIMITERS.get(chosen["delimiter"]) == run.delimiter:
        chosen["delimiter"] = None
    try:
        with attempt(session):
            api.read_anew(run_id, WayOfReading(**chosen), scope, session)
    except WaymarkError as error:
        session.expire_all()
        return columns_page(request, scope, session, api.find(session, scope, run_id), error=error)
    return go(f"/imports/{run_id}")


@router.post("/{run_id}/columns")
def set_columns(request: Request, run_id: UUID, scope: Importing, session: Db, sent: Sent) -> Response:
    """Say what the columns mean, and try."""
    run = api.find(session, scope, run_id)
    places = [str(place) for place in range(len(run.header))]
    mapping = {place: field for place in places if (field := text_of(sent, f"column-{place}")) is not None}
    options: dict[str, Any] = {
        name: text_of(sent, name) for name in ("mode", "key", "country", "currency", "account", "price_list")
    }
    options["keep"] = [mapping[place] for place in mapping if text_of(sent, f"keep-{place}")]
    if (taken := text_of(sent, "advice")) is not None:
        advice = api.target(session, run).advice(session, queries.sample(session, run.id, LOOKED_AT), mapping)
        better = advice[int(taken)].mapping if taken.isdigit() and int(taken) < len(advice) else mapping
        return columns_page(request, scope, session, run, mapping=better, options=options)
    try:
        with attempt(session):
            checked = checked_options(options)
            checked["account"] = account_named(session, scope, options["account"], field="account")
            wish = MappingWrite(mapping=mapping, **checked, save_as=text_of(sent, "save_as"))
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
def forget_profile(profile_id: UUID, scope: Importing, session: Db, sent: Sent) -> Response:
    """Delete a saved meaning of columns."""
    api.forget_profile(profile_id, scope, session)
    run = text_of(sent, "run")
    return go(f"/imports/{UUID(run)}?columns=true" if run else "/imports")


@router.post("/{run_id}/apply")
def apply(request: Request, run_id: UUID, scope: Importing, session: Db) -> Response:
    """Do what the dry run promised, all of it or nothing."""
    try:
        with attempt(session):
            api.apply(run_id, scope, session)
    except WaymarkError as error:
        session.expire_all()
        return outcome_page(request, scope, session, api.find(session, scope, run_id), error=error)
    return go(f"/imports/{run_id}")


@router.post("/{run_id}/undo")
def undo(request: Request, run_id: UUID, scope: Importing, session: Db) -> Response:
    """Take an import back, updates included."""
    try:
        with attempt(session):
            api.undo(run_id, scope, session)
    except WaymarkError as error:
        session.expire_all()
        return outcome_page(request, scope, session, api.find(session, scope, run_id), error=error)
    return go(f"/imports/{run_id}")


@router.get("/{run_id}/progress")
def show_progress(request: Request, run_id: UUID, scope: Importing, session: Db) -> Response:
    """A fragment: how far the work is; sends the browser on when it is done."""
    run = api.find(session, scope, run_id)
    if run.state not in WORKING:
        return Response(status_code=204, headers={"HX-Redirect": f"/imports/{run_id}"})
    return render(request, "imports/progress.html", scope, run=run, is_anybody_working=is_anybody_working(session))


@router.get("/{run_id}/problems.csv")
def download_problems(request: Request, run_id: UUID, scope: Importing, session: Db) -> Response:
    """The rows with problems in the reader's language, to be mended and uploaded again."""
    said = language_of(request, scope).said
    return api.problems_file(session, api.find(session, scope, run_id), said=said)


@router.get("/{run_id}/pins")
def show_pins(request: Request, run_id: UUID, scope: Importing, session: Db) -> Response:
    """A fragment: the pins of an import by grade, while they are placed."""
    run = api.find(session, scope, run_id)
    found, works = pins(session, run), is_anybody_working(session)
    return render(request, "imports/pins.html", scope, run=run, pins=found, is_anybody_working=works)


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
