"""Reads of imports: status, preview, errors."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from server.imports.features import AREA
from server.imports.models import Action, ImportChecked, ImportKept, ImportOutcome, ImportRow, ImportRun
from server.kit.errors import NotFound
from server.kit.spreadsheets import harmless


def no_such_import() -> NotFound:
    """The answer for unknown imports."""
    return NotFound("There is no such import.")


def all_runs() -> Select[ImportRun]:
    """The imports of every kind, the latest first."""
    return select(ImportRun).order_by(ImportRun.created_at.desc(), ImportRun.id)


def runs(kind: str, *, actor: UUID | None = None) -> Select[ImportRun]:
    """The imports of a kind, the latest first; those of one person when given."""
    statement = all_runs().where(ImportRun.kind == kind)
    return statement.where(ImportRun.actor == actor) if actor else statement


class Read(NamedTuple):
    """A row of the file as it was read; see `ImportRow`."""

    row_no: int
    cells: list[str]
    problem: str | None
    note: str | None
    encoding: str | None


READ = [getattr(ImportRow, name) for name in Read._fields]


def rows_after(session: Session, run_id: UUID, row_no: int, limit: int) -> Sequence[Read]:
    """The next rows of the file as they were read, without those that repeat an earlier one."""
    repeats = select(ImportChecked.row_no).where(
        ImportChecked.run_id == run_id, ImportChecked.row_no == ImportRow.row_no, ImportChecked.first_row.is_not(None)
    )
    statement = select(*READ).where(ImportRow.run_id == run_id, ImportRow.row_no > row_no, ~repeats.exists())
    return [Read._make(row) for row in session.execute(statement.order_by(ImportRow.row_no).limit(limit))]


def sample(session: Session, run_id: UUID, limit: int, *, readable: bool = True) -> list[list[str]]:
    """The cells of the first readable rows, or of the first of the others."""
    wanted = ImportRow.problem.is_(None) if readable else ImportRow.problem.is_not(None)
    statement = select(ImportRow.cells).where(ImportRow.run_id == run_id, wanted)
    return list(session.scalars(statement.order_by(ImportRow.row_no).limit(limit)))


def as_written(session: Session, run: ImportRun, row_numbers: Sequence[int]) -> dict[int, dict[str, str]]:
    """The cells of some rows by their fields, as they stand in the file."""
    statement = select(ImportRow.row_no, ImportRow.cells).where(
        ImportRow.run_id == run.id, ImportRow.row_no.in_(row_numbers)
    )
    return {
        row_no: {name: cells[int(place)] for place, name in run.mapping.items() if int(place) < len(cells)}
        for row_no, cells in session.execute(statement)
    }


MIXED = text(
    """
    select encoding, count(*), (array_agg(row_no order by row_no))[1 : :named]
    from import_row where run_id = :run and encoding is not null group by encoding
    """
)


class Mixed(NamedTuple):
    """The rows of a file that are written in another encoding than most of it."""

    encoding: str
    rows: int
    row_numbers: list[int]
    """The first of them."""


def mixed(session: Session, run: ImportRun) -> Mixed | None:
    """The rows that are written in another encoding than most of the file; None when there are none."""
    found = session.execute(MIXED, {"run": run.id, "named": NAMED}).first() if run.format == "csv" else None
    return None if found is None else Mixed._make(found)


AREAS = text("select count(*) from import_row where run_id = :run and starts_with(note, :said)")


def areas(session: Session, run: ImportRun) -> int:
    """How many rows are areas of which a point inside was taken."""
    return (
        session.execute(AREAS, {"run": run.id, "said": AREA}).scalar_one() if run.format in {"geojson", "gpkg"} else 0
    )


HOLDS = text(
    """
    select distinct place.n from import_row r cross join unnest(cast(:places as int[])) place(n)
    where r.run_id = :run and r.problem is null and btrim(r.cells[place.n + 1]) <> ''
    """
)


def left_out(session: Session, run: ImportRun) -> list[str]:
    """The titles of columns that hold values and mean nothing, in the file's order."""
    places = [place for place in range(len(run.header)) if str(place) not in run.mapping]
    holding = set(session.scalars(HOLDS, {"run": run.id, "places": places})) if places else set[int]()
    return [run.header[place] or f"column {place + 1}" for place in places if place in holding]


COUNTS = text(
    """
    select action, count(*), count(*) filter (where problems @> '[{"level": "warning"}]')
    from import_outcome where run_id = :run group by action
    """
)


def counts(session: Session, run_id: UUID) -> dict[str, int]:
    """Rows by action, and how many carry a warning."""
    found = {str(action): 0 for action in Action}
    warned = 0
    for action, count, warnings in session.execute(COUNTS, {"run": run_id}):
        found[action] = count
        warned += warnings
    return found | {"warnings": warned}


def outcomes(
    session: Session,
    run_id: UUID,
    *,
    action: Action | None = None,
    problems_only: bool = False,
    code: str | None = None,
    field: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> Sequence[ImportOutcome]:
    """What becomes of the rows, in the file's order."""
    statement = select(ImportOutcome).where(ImportOutcome.run_id == run_id, ImportOutcome.row_no > after)
    if action is not None:
        statement = statement.where(ImportOutcome.action == action)
    if problems_only:
        statement = statement.where(ImportOutcome.problems != [])
    wanted = {name: value for name, value in (("code", code), ("field", field)) if value is not None}
    if wanted:
        statement = statement.where(ImportOutcome.problems.contains([wanted]))
    return session.scalars(statement.order_by(ImportOutcome.row_no).limit(limit)).all()


COUNTRIES = text(
    """
    select values ->> 'country', count(*) from import_outcome
    where run_id = :run and action <> 'error' and values ? 'country' group by 1 order by 2 desc, 1 limit :most
    """
)


def countries(session: Session, run_id: UUID, *, most: int = 12) -> list[tuple[str, int]]:
    """How many of the rows that are taken are in which country, the most frequent first."""
    return [(str(row[0]), int(row[1])) for row in session.execute(COUNTRIES, {"run": run_id, "most": most})]


def kept(session: Session, run_id: UUID, *, after: int = 0, limit: int = 100) -> Sequence[ImportKept]:
    """What an undo has left as it is."""
    statement = select(ImportKept).where(ImportKept.run_id == run_id, ImportKept.id > after)
    return session.scalars(statement.order_by(ImportKept.id).limit(limit)).all()


KINDS = text(
    """
    with said as (
        select p.level, p.field, p.code, p.message, count(*) as rows, min(o.row_no) as first_row,
               max(o.row_no) as last_row
        from import_outcome o
        cross join lateral jsonb_to_recordset(o.problems) p(level text, field text, code text, message text)
        where o.run_id = :run and o.problems <> '[]'
        group by p.level, p.field, p.code, p.message
    ),
    ranked as (
        select s.*, row_number() over (partition by level, field, code order by rows desc, first_row) as place
        from said s
    ),
    kinds as (
        select level, field, code, sum(rows)::int as rows, min(first_row) as first_row, max(last_row) as last_row,
               count(*)::int as wordings,
               jsonb_agg(jsonb_build_object('message', message, 'rows', rows) order by place)
                   filter (where place <= :told) as told
        from ranked group by level, field, code
    )
    select k.level, k.field, k.code, k.rows, array(
        select o.row_no from import_outcome o
        where o.run_id = :run and o.row_no between k.first_row and k.last_row and o.problems @> jsonb_build_array(
            jsonb_build_object('level', k.level, 'field', k.field, 'code', k.code))
        order by o.row_no limit :named), k.told, k.wordings,
        case when k.field = 'country' then array(
        select o.values ->> 'country' from import_outcome o
        where o.run_id = :run and o.row_no between k.first_row and k.last_row and o.values ? 'country'
          and o.problems @> jsonb_build_array(jsonb_build_object('field', k.field, 'code', k.code))
        group by 1 order by count(*) desc, 1 limit :named) else '{}' end
    from kinds k order by k.level, k.rows desc, k.field, k.code
    """
)
NAMED = 8
"""Rows of a kind of problem that are named by their numbers."""
TOLD = 3
"""Wordings of a kind of problem that are told, each with its values."""


class Told(NamedTuple):
    """What is said of some rows, word by word."""

    message: str
    rows: int


class Kind(NamedTuple):
    """A kind of problem in a file."""

    level: str
    field: str
    code: str
    rows: int
    row_numbers: list[int]
    """The first of them."""
    told: list[Told]
    """What is said of them, the most frequent first: other values, other words."""
    wordings: int
    """How many different things are said."""
    countries: list[str]
    """Those that rows with a problem of their country name, the most frequent first."""


def kinds(session: Session, run_id: UUID) -> list[Kind]:
    """The problems of a file, counted by kind, errors first: a million of one kind are one line."""
    found = session.execute(KINDS, {"run": run_id, "named": NAMED, "told": TOLD})
    return [Kind._make(row)._replace(told=[Told(**one) for one in row.told]) for row in found]


def report(
    session: Session, run: ImportRun, *, errors_only: bool = False, said: Callable[[str], str] = str
) -> Iterator[str]:
    """The rows with problems as CSV: row, level, what is wrong, then the row itself, to be mended and uploaded.

    `said` puts our words into the reader's language; titles and cells of the file stay as they are.
    """
    yield line([*(said(title) for title in ("row", "level", "problem")), *run.header])
    statement = (
        select(ImportRow.row_no, ImportRow.cells, ImportOutcome.problems, ImportOutcome.action)
        .join(ImportOutcome, (ImportOutcome.run_id == ImportRow.run_id) & (ImportOutcome.row_no == ImportRow.row_no))
        .where(ImportRow.run_id == run.id, ImportOutcome.problems != [])
        .order_by(ImportRow.row_no)
    )
    if errors_only:
        statement = statement.where(ImportOutcome.action == Action.ERROR)
    for row_no, cells, problems, action in session.execute(statement.execution_options(yield_per=1000)):
        level = "error" if action == Action.ERROR else "warning"
        message = " ".join(problem["message"] for problem in problems)
        yield line([str(row_no), said(level), said(message), *cells])


def line(cells: Sequence[str]) -> str:
    """One line of CSV whose cells no spreadsheet takes for formulas."""
    text = io.StringIO()
    csv.writer(text).writerow([harmless(cell) for cell in cells])
    return text.getvalue()
