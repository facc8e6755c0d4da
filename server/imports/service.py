"""The steps of an import: receive a file, give its columns a meaning, check every row, apply all or nothing."""

import errno
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from server.imports import guessing, queries
from server.imports.errors import BadFile, NotReady
from server.imports.models import ImportOutcome, ImportRow, ImportRun, Mode, State
from server.imports.reading import Table, fingerprint, open_table
from server.imports.targets import Problem, Severity, Target
from server.kit import clock
from server.kit.database import copy_rows, transaction
from server.kit.errors import Invalid, Unavailable, WaymarkError
from server.kit.ids import uuid7
from server.records.service import Actor, acting

BATCH = 2000
SAMPLE = 200
MAX_PROBLEMS = 20
"""Problems kept of one row."""

type Progress = Callable[[int, int], None]
"""Told how many rows are done, and of how many."""


def receive(
    session: Session, target: Target, path: Path, *, file_name: str, actor: UUID | None, sheet: str | None = None
) -> ImportRun:
    """Read a file into the database and guess what its columns mean. Nothing of it is kept when it cannot be read."""
    known = guessing.names_of(target.columns)
    try:
        table = open_table(path, sheet=sheet, knows=lambda title: guessing.glued(title) in known)
        run = ImportRun(
            kind=target.kind,
            file_name=Path(file_name).name[:200] or "file",
            sha256=fingerprint(path),
            size=path.stat().st_size,
            format=table.format,
            encoding=table.encoding,
            delimiter=table.delimiter,
            sheet=table.sheet,
            header=table.header,
            actor=actor,
            options={"mode": Mode.BOTH},
        )
        session.add(run)
        session.flush()
        run.row_count = stage(session, run, table)
    except WaymarkError as error:
        raise type(error)(f"{Path(file_name).name}: {error.message}", help=error.help, **dict(error.details)) from error
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise Unavailable(
            f"{Path(file_name).name} cannot be read: {error.strerror or error}.",
            help="Free some space on the server's disk." if full else "Upload the file again.",
        ) from error
    if run.row_count == 0:
        raise BadFile(f"{file_name}: there are no rows below the header.", help="Export it again with its rows.")
    run.mapping = guessing.guess(run.header, queries.sample(session, run.id, SAMPLE), target.columns)
    run.options = {"mode": Mode.BOTH, "key": default_key(target, run.mapping)}
    session.flush()
    return run


def stage(session: Session, run: ImportRun, table: Table) -> int:
    """Write a file's rows as they are; returns how many."""
    rows = ((run.id, row.number, row.cells, row.problem) for row in table.rows)
    return copy_rows(session, ImportRow.__tablename__, ("run_id", "row_no", "cells", "problem"), rows)


def default_key(target: Target, mapping: dict[str, str]) -> str:
    """The first key whose field the file has, else the last one."""
    keys = list(target.keys)
    return next((key for key in keys if key in mapping.values()), keys[-1])


def configure(
    session: Session, target: Target, run: ImportRun, mapping: dict[str, str], options: dict[str, Any]
) -> None:
    """Say what the columns mean and what the import may do. Refuses unknown columns and fields, and one field twice."""
    if run.state in (State.CHECKING, State.APPLYING, State.DONE):
        raise NotReady(f"This import is {run.state}.", help="Upload the file again to import it with other columns.")
    fields = {column.name for column in target.columns}
    for place, name in mapping.items():
        if not re.fullmatch("[0-9]{1,4}", place) or int(place) >= len(run.header):
            raise Invalid(f"There is no column {place[:20]}.", help=f"Columns go from 0 to {len(run.header) - 1}.")
        if name not in fields:
            raise Invalid(f"There is no field “{name}”.", help="Known: " + ", ".join(sorted(fields)) + ".")
    twice = {name for name in mapping.values() if [*mapping.values()].count(name) > 1}
    if twice:
        raise Invalid(f"Several columns mean {', '.join(sorted(twice))}.", help="Choose one column for each field.")
    key = options.get("key") or default_key(target, mapping)
    if key not in target.keys:
        raise Invalid(f"Records cannot be recognised by “{key}”.", help="Known: " + ", ".join(target.keys) + ".")
    run.mapping = mapping
    run.options = {**options, "key": key, "mode": Mode(options.get("mode") or Mode.BOTH)}
    run.state, run.message, run.checked_at = State.RECEIVED, None, None
    session.flush()


def check(session: Session, target: Target, run: ImportRun, progress: Progress | None = None) -> None:
    """The dry run: what every row means, what would become of it, and what is wrong with it. Changes no record."""
    one_at_a_time(session, str(run.id))
    session.execute(delete(ImportOutcome).where(ImportOutcome.run_id == run.id))
    session.execute(text("drop table if exists import_checked"))
    session.execute(
        text(
            "create temporary table import_checked (row_no int, values jsonb, problems jsonb, new_ids uuid[])"
            " on commit drop"
        )
    )
    rule = target.row_rule(session, run)
    places = {int(place): name for place, name in run.mapping.items()}
    last = done = 0
    while batch := queries.rows_after(session, run.id, last, BATCH):
        copy_rows(
            session,
            "import_checked",
            ("row_no", "values", "problems", "new_ids"),
            (checked_row(row, places, rule, target.ids) for row in batch),
        )
        last, done = batch[-1].row_no, done + len(batch)
        if progress:
            progress(done, run.row_count)
    number_rows(session, target, run)
    plan(session, target, run)
    run.state, run.checked_at = State.CHECKED, clock.now()
    session.flush()


def checked_row(row: ImportRow, places: dict[int, str], rule: Any, ids: int) -> tuple[Any, ...]:
    """One row as its meaning."""
    if row.problem is not None:
        problems = [Problem(Severity.ERROR, "", "unreadable", f"{row.problem}.".capitalize())]
        values: dict[str, Any] = {}
    else:
        meaning = rule({name: row.cells[place] for place, name in places.items() if row.cells[place]})
        values, problems = meaning.values, meaning.problems
    stored = json.dumps([problem.document() for problem in problems[:MAX_PROBLEMS]])
    return (row.row_no, json.dumps(values), stored, [uuid7() for _ in range(ids)])


NUMBERED = """
    insert into import_outcome (run_id, row_no, values, problems, key, new_ids, action)
    select :run, k.row_no, k.values,
           case when k.first_row < k.row_no and k.key is not null
                then k.problems || jsonb_build_array(jsonb_build_object(
                    'level', 'error', 'field', cast(:key as text), 'code', 'duplicate_in_file',
                    'message', format('Row %s of the file means the same record.', k.first_row)))
                else k.problems end,
           k.key, k.new_ids, 'skipped'
    from (
        select c.*, min(c.row_no) over (partition by c.key) as first_row
        from (select c.*, {key} as key from import_checked c) c
    ) k
"""


def number_rows(session: Session, target: Target, run: ImportRun) -> None:
    """Give every row its key; a second row with the same key is an error."""
    key = str(run.options["key"])
    session.execute(text(NUMBERED.format(key=target.key_sql(key))), {"run": run.id, "key": key})
    session.execute(text("analyze import_outcome"))


PLAN = """
    with found as ({current}),
    taken as (
        select f.*, row_number() over (partition by f.id order by f.row_no) as turn
        from found f join import_outcome o on o.run_id = :run and o.row_no = f.row_no
        where not o.problems @> '[{{"level": "error"}}]'
    ),
    seen as (
        select o.row_no, t.id, t.turn,
               case when t.id is null then '{{}}'::jsonb else coalesce((
                   select jsonb_object_agg(v.key, jsonb_build_array(t.doc -> v.key, v.value))
                   from jsonb_each(o.values) v where t.doc -> v.key is distinct from v.value
               ), '{{}}'::jsonb) end as changes
        from import_outcome o left join taken t on t.row_no = o.row_no
        where o.run_id = :run
    )
    update import_outcome o set
        target_id = s.id,
        changes = s.changes,
        problems = case when s.turn > 1 then o.problems || cast(:same as jsonb) else o.problems end,
        action = case
            when s.turn > 1 or o.problems @> '[{{"level": "error"}}]' then 'error'
            when s.id is null then case when :mode in ('both', 'create') then 'create' else 'skipped' end
            when s.changes = '{{}}'::jsonb then 'unchanged'
            when :mode in ('both', 'update') then 'update'
            else 'skipped' end
    from seen s
    where o.run_id = :run and o.row_no = s.row_no
"""
SAME = Problem(Severity.ERROR, "", "duplicate_in_file", "An earlier row of the file means the same record.")


def plan(session: Session, target: Target, run: ImportRun) -> None:
    """Compare every row with what is there now: the record it means, before and after of each field, and the action."""
    statement = text(PLAN.format(current=target.current_sql()))
    mode, same = str(run.options["mode"]), json.dumps([SAME.document()])
    session.execute(statement, {"run": run.id, "mode": mode, "same": same})
    session.expire_all()
    run.counts = queries.counts(session, run.id)


def apply(session: Session, target: Target, run: ImportRun) -> None:
    """Write what the dry run promised, compared once more with what is there now; all or nothing."""
    one_at_a_time(session, target.kind)
    session.flush()
    session.refresh(run)
    if run.state == State.DONE:
        return
    require_checked(run)
    acting(session, Actor(user_id=run.actor, source="import", op_id=run.id))
    plan(session, target, run)
    target.write(session, run)
    run.state, run.applied_at, run.message = State.DONE, clock.now(), None
    session.flush()


def require_checked(run: ImportRun) -> None:
    """Refuse what had no dry run."""
    if run.checked_at is None or run.state in (State.RECEIVED, State.CHECKING):
        raise NotReady("The import is not checked yet.", help="Run the dry run first; it changes nothing.")


def tell_progress(run_id: UUID, state: State) -> Progress:
    """Shows a job's progress to others while its own transaction is open."""

    def tell(done: int, total: int) -> None:
        del total
        note(run_id, done_rows=done, state=state)

    return tell


def begins(run_id: UUID, state: State) -> bool:
    """Write down that a step begins; an import that is done stays so, however often it was asked for."""
    with transaction() as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        if run.state == State.DONE:
            return False
        run.state, run.done_rows, run.message = state, 0, None
        return True


def note(run_id: UUID, **values: Any) -> None:
    """Write down where an import stands, in a transaction of its own."""
    with transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(ImportRun, run_id), name, value)


def find(session: Session, kind: str, run_id: UUID) -> ImportRun:
    """An import of this kind."""
    run = session.scalars(select(ImportRun).where(ImportRun.id == run_id, ImportRun.kind == kind)).one_or_none()
    if run is None:
        raise queries.no_such_import()
    return run


def one_at_a_time(session: Session, what: str) -> None:
    """Wait until nobody else works on this: two imports of the same rows would create them twice."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"imports:{what}"))))
