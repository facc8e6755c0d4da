"""The steps of an import: receive a file, give its columns a meaning, check every row, apply all or nothing."""

import errno
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from server.imports import guessing, profiles, queries, rereading
from server.imports.checking import PART, begin_anew, check, plan, read
from server.imports.errors import BadFile, NotReady
from server.imports.models import WORKING, Action, ImportProfile, ImportRow, ImportRun, Mode, State
from server.imports.reading import Table, fingerprint, open_table
from server.imports.targets import Progress, Target
from server.imports.undoing import require_undoable, undo
from server.kit import clock
from server.kit.database import copy_rows, transaction
from server.kit.errors import Invalid, Unavailable, WaymarkError
from server.kit.locks import one_at_a_time
from server.records.service import Actor, acting
from server.webhooks import service as webhooks

__all__ = [
    "apply",
    "begins",
    "check",
    "configure",
    "find",
    "note",
    "read_in",
    "read_on",
    "receive",
    "require_checked",
    "require_undoable",
    "undo",
    "use",
]

SAMPLE = 200


def receive(
    session: Session, target: Target, path: Path, *, file_name: str, actor: UUID | None, sheet: str | None = None
) -> ImportRun:
    """Read a file into the database and guess what its columns mean. Nothing of it is kept when it cannot be read."""
    name = Path(file_name).name[:200] or "file"
    with said_of(name):
        table, chosen = opened(session, target, path, sheet)
        run = ImportRun(
            kind=target.kind,
            file_name=name,
            sha256=fingerprint(path),
            size=path.stat().st_size,
            format=table.format,
            sheet=table.sheet,
            header=table.header,
            actor=actor,
            options={"mode": Mode.BOTH, **chosen},
        )
        session.add(run)
        session.flush()
        stage(session, run, table)
        if run.format == "csv":
            rereading.keep(session, run, path)
    understand(session, target, run)
    return run


@contextmanager
def said_of(name: str) -> Iterator[None]:
    """What is wrong with a file is said with its name."""
    try:
        yield
    except WaymarkError as error:
        raise type(error)(f"{name}: {error.message}", help=error.help, **dict(error.details)) from error
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise Unavailable(
            f"{name} cannot be read: {error.strerror or error}.",
            help="Free some space on the server's disk." if full else "Upload the file again.",
        ) from error


def knows(target: Target) -> Callable[[str], bool]:
    """Tells titles of columns from other text."""
    known = guessing.names_of(target.columns)
    return lambda title: guessing.glued(title) in known


def opened(session: Session, target: Target, path: Path, sheet: str | None) -> tuple[Table, dict[str, str]]:
    """A file as its like was read last time: how a person chose to read a header holds for the next file with it."""
    table = open_table(path, sheet=sheet, knows=knows(target))
    for chosen in profiles.chosen_before(session, target.kind) if table.format == "csv" else ():
        if "encoding" in chosen and rereading.is_unicode(table.encoding):
            continue
        other = open_table(path, **chosen, knows=knows(target))
        profile = profiles.for_header(session, target.kind, other.header)
        if profile is not None and profiles.chosen_of(profile.options) == chosen:
            return other, chosen
    return table, {}


def understand(session: Session, target: Target, run: ImportRun) -> None:
    """Give the columns the meaning that they had last time, else the one that is guessed."""
    profile = profiles.for_header(session, target.kind, run.header)
    if profile is not None:
        profiles.use(run, profile)
    else:
        run.mapping = guessing.guess(run.header, queries.sample(session, run.id, SAMPLE), target.columns)
        chosen = profiles.chosen_of(run.options)
        run.options = {"mode": Mode.BOTH, "key": default_key(target, run.mapping), **chosen}
    session.flush()


def read_in(
    session: Session, target: Target, run: ImportRun, *, encoding: str | None = None, delimiter: str | None = None
) -> None:
    """Read a received text file in another encoding, or with another delimiter (by its name); other titles are
    understood anew. Lines that are UTF-8 stay so.

    Refuses what is not offered, files that have nothing to choose, and imports that are done.
    """
    rereading.require_choice(run, encoding)
    alone(session, target, run)
    rereading.require_choice(run, encoding)
    given = {"encoding": encoding, "delimiter": delimiter and rereading.delimiter_of(delimiter)}
    chosen = profiles.chosen_of(run.options) | {name: value for name, value in given.items() if value}
    header = run.header
    with rereading.as_it_came(session, run) as path, said_of(run.file_name):
        table = open_table(path, **chosen, knows=knows(target))
        session.execute(delete(ImportRow).where(ImportRow.run_id == run.id))
        run.header, run.options = table.header, {**run.options, **chosen}
        stage(session, run, table)
    run.state, run.message, run.checked_at = State.RECEIVED, None, None
    begin_anew(session, run)
    if run.header != header:
        understand(session, target, run)
    session.flush()


def use(session: Session, target: Target, run: ImportRun, profile: ImportProfile) -> None:
    """Give an import a profile's meaning of the columns and options, and read its file as the profile does."""
    chosen = profiles.chosen_of(profile.options)
    if rereading.is_unicode(run.encoding):
        chosen.pop("encoding", None)
    other = {name: value for name, value in chosen.items() if getattr(run, name) != value}
    if other and rereading.can_be_reread(run):
        run.options = {**run.options, **other}
        read_in(session, target, run)
    profiles.use(run, profile)


def stage(session: Session, run: ImportRun, table: Table) -> None:
    """Write a file's rows as they are. Refuses a file without any."""
    empty, last = 0, None

    def rows() -> Iterator[tuple[Any, ...]]:
        nonlocal empty, last
        for row in table.rows:
            empty += 0 if last is None else row.number - last - 1
            last = row.number
            yield run.id, row.number, row.cells, row.problem, row.note, row.encoding

    names = ("run_id", "row_no", "cells", "problem", "note", "encoding")
    run.row_count, run.empty_rows = copy_rows(session, ImportRow.__tablename__, names, rows()), empty
    run.encoding, run.delimiter = table.encoding, table.delimiter
    if run.row_count == 0:
        raise BadFile("there are no rows below the header.", help="Export it again with its rows.")


def default_key(target: Target, mapping: dict[str, str]) -> str:
    """The first key whose field the file has, else the last one."""
    keys = list(target.keys)
    return next((key for key in keys if key in mapping.values()), keys[-1])


def configure(
    session: Session,
    target: Target,
    run: ImportRun,
    mapping: dict[str, str],
    options: dict[str, Any],
    *,
    save_as: str | None = None,
) -> None:
    """Say what the columns mean and what the import may do; saved under a name when one is given.

    Refuses unknown columns and fields, one field twice, and columns that name no record.
    """
    require_open(run)
    alone(session, target, run)
    require_open(run)
    fields = {column.name for column in target.columns}
    for place, name in mapping.items():
        if not re.fullmatch("[0-9]{1,4}", place) or int(place) >= len(run.header):
            raise Invalid(f"There is no column {place[:20]}.", help=f"Columns go from 0 to {len(run.header) - 1}.")
        if name not in fields:
            raise Invalid(f"There is no field “{name}”.", help="Known: " + ", ".join(sorted(fields)) + ".")
    twice = {name for name in mapping.values() if [*mapping.values()].count(name) > 1}
    if twice:
        raise Invalid(f"Several columns mean {', '.join(sorted(twice))}.", help="Choose one column for each field.")
    guessing.require_record(target, mapping)
    key = options.get("key") or default_key(target, mapping)
    if key not in target.keys:
        raise Invalid(f"Records cannot be recognised by “{key}”.", help="Known: " + ", ".join(target.keys) + ".")
    unknown = sorted(set(options.get("keep") or ()) - fields)
    if unknown:
        raise Invalid(f"There is no field “{unknown[0]}”.", help="Known: " + ", ".join(sorted(fields)) + ".")
    target.check_options(options)
    run.mapping = mapping
    chosen = profiles.chosen_of(run.options)
    run.options = {**options, **chosen, "key": key, "mode": Mode(options.get("mode") or Mode.BOTH)}
    run.state, run.message, run.checked_at = State.RECEIVED, None, None
    begin_anew(session, run)
    if save_as and save_as.strip():
        profiles.remember(session, run, name=save_as)
    session.flush()


def require_open(run: ImportRun) -> None:
    """Refuse what is being worked on, or done."""
    if run.state in (*WORKING, State.DONE, State.UNDONE):
        raise NotReady(f"This import is {run.state}.", help="Upload the file again to import it with other columns.")


def alone(session: Session, target: Target, run: ImportRun) -> None:
    """Wait for whoever reads or writes the import at this moment; it is as they left it then."""
    one_at_a_time(session, f"imports:{target.kind}", f"imports:{run.id}")
    session.flush()
    session.refresh(run)


def apply(session: Session, target: Target, run: ImportRun, progress: Progress | None = None) -> None:
    """Write what the dry run promised, compared once more with what is there now; all or nothing.

    When records have changed since the dry run so that other counts come of it, the message says so.
    What the columns meant is remembered for the next file with this header, unless no row could be taken.
    """
    one_at_a_time(session, f"imports:{target.kind}")
    session.flush()
    session.refresh(run)
    if run.state in (State.DONE, State.UNDONE):
        return
    require_checked(run)
    acting(session, Actor(user_id=run.actor, source="import", op_id=run.id))
    promised = queries.counts(session, run.id)
    counts = plan(session, target, run)
    target.write(session, run, progress or untold)
    rereading.forget(session, run)
    if any(counts.get(action) for action in (Action.CREATE, Action.UPDATE, Action.UNCHANGED)):
        profiles.remember(session, run)
    run.counts, run.state, run.applied_at, run.message = counts, State.DONE, clock.now(), unlike(promised, counts)
    session.flush()
    webhooks.announce(session, "import", str(run.id), run.state)


def unlike(promised: Mapping[str, int], counts: Mapping[str, int]) -> str | None:
    """What is said when something else came of the rows than the dry run promised; None when nothing did."""
    if all(promised[action] == counts[action] for action in Action):
        return None
    was, now = (
        f"{told[Action.CREATE]} new, {told[Action.UPDATE]} changed, {told[Action.UNCHANGED]} unchanged, "
        f"{told[Action.SKIPPED] + told[Action.ERROR]} left out"
        for told in (promised, counts)
    )
    return f"Records have changed since the dry run. It promised: {was}. It became: {now}."


def untold(done: int, total: int, counts: Mapping[str, int]) -> None:
    """Nobody waits for progress."""
    del done, total, counts


def require_checked(run: ImportRun) -> None:
    """Refuse what had no dry run."""
    if run.checked_at is None or run.state in (State.RECEIVED, State.CHECKING):
        raise NotReady("The import is not checked yet.", help="Run the dry run first; it changes nothing.")


def tell_progress(run_id: UUID, state: State) -> Progress:
    """Shows a job's progress to others while its own transaction is open."""

    def tell(done: int, total: int, counts: Mapping[str, int]) -> None:
        del total
        note(run_id, done_rows=done, state=state, counts=dict(counts))

    return tell


FINISHED = {State.CHECKING: (State.DONE, State.UNDONE), State.APPLYING: (State.DONE, State.UNDONE)}


def begins(run_id: UUID, state: State) -> bool:
    """Write down that a step begins; one that is finished stays so, however often it was asked for."""
    with transaction() as session:
        run = session.get_one(ImportRun, run_id, with_for_update=True)
        if run.state in FINISHED.get(state, (State.UNDONE,)):
            return False
        run.state, run.message = state, None
        run.done_rows = run.done_rows if state is State.CHECKING and run.read_to is not None else 0
        return True


def read_on(run_id: UUID, target: Callable[[Session, ImportRun], Target], progress: Progress) -> None:
    """Read the rest of a file for its dry run, part by part, each kept at once: a killed worker's parts stay read."""
    is_going_on = True
    while is_going_on:
        with transaction() as session:
            run = session.get_one(ImportRun, run_id)
            is_going_on = read(session, target(session, run), run, PART)
            done, total, seen = run.done_rows, run.row_count, dict(run.counts)
        progress(done, total, seen)


def note(run_id: UUID, **values: Any) -> None:
    """Write down where an import stands, in a transaction of its own."""
    with transaction() as session:
        for name, value in values.items():
            setattr(session.get_one(ImportRun, run_id), name, value)


def find(session: Session, kind: str, run_id: UUID, *, actor: UUID | None = None) -> ImportRun:
    """An import of this kind; one of this person's when given."""
    run = session.scalars(queries.runs(kind, actor=actor).where(ImportRun.id == run_id)).one_or_none()
    if run is None:
        raise queries.no_such_import()
    return run
