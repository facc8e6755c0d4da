"""The dry run: what every row means, what would become of it, and what is wrong with it."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import delete, literal, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from server.imports import queries
from server.imports.models import Action, ImportChecked, ImportOutcome, ImportRun, State
from server.imports.targets import Checked, Problem, Progress, Severity, Target
from server.kit import clock
from server.kit.database import copy_rows
from server.kit.ids import uuid7
from server.kit.locks import one_at_a_time
from server.records.currencies import digits_sql
from server.records.service import BY_PEOPLE

BATCH = 2000
PART = 10_000
"""Rows that are read in one go; so many are read again at most after a kill."""
MAX_PROBLEMS = 20
"""Problems kept of one row."""

ERROR = '[{"level": "error"}]'

type Rule = Callable[[Mapping[str, str]], Checked]


def check(session: Session, target: Target, run: ImportRun, progress: Progress | None = None) -> None:
    """The dry run: what every row means, what would become of it, and what is wrong with it. Changes no record.

    Rows that an earlier try has read are not read again.
    """
    while read(session, target, run, PART):
        if progress:
            progress(run.done_rows, run.row_count, run.counts)
    session.execute(delete(ImportOutcome).where(ImportOutcome.run_id == run.id))
    number_rows(session, target, run)
    run.counts = plan(session, target, run)
    begin_anew(session, run)
    run.state, run.checked_at = State.CHECKED, clock.now()
    session.flush()


def begin_anew(session: Session, run: ImportRun) -> None:
    """Forget what an unfinished dry run has read."""
    session.execute(delete(ImportChecked).where(ImportChecked.run_id == run.id))
    run.read_to = None


def read(session: Session, target: Target, run: ImportRun, limit: int) -> bool:
    """Read the next rows of the file, so many; answers whether there were any.

    Whoever commits after each part can be killed at any time, and the next one goes on after the last part.
    """
    one_at_a_time(session, f"imports:{run.id}")
    session.flush()
    session.refresh(run)
    if run.read_to is None:
        begin_anew(session, run)
        session.execute(text(TWINS), {"run": run.id})
        session.execute(text("analyze import_checked"))  # else its twins may be looked through once for every row
        run.read_to, run.done_rows, run.counts = 0, 0, {}
    rule = target.row_rule(session, run)
    places, seen = {int(place): name for place, name in run.mapping.items()}, Counter[str](run.counts)
    began = run.done_rows
    while limit > run.done_rows - began and (batch := queries.rows_after(session, run.id, run.read_to, BATCH)):
        rows = [(run.id, *checked_row(row, places, rule, target.ids, seen)) for row in batch]
        copy_rows(session, ImportChecked.__tablename__, ("run_id", "row_no", "values", "problems", "new_ids"), rows)
        run.read_to, run.done_rows = batch[-1].row_no, run.done_rows + len(batch)
    run.counts = dict(seen)
    session.flush()
    return run.done_rows > began


# A row that repeats another cell by cell is told apart before its cells are read: a million of them cost seconds.
TWINS = """
    insert into import_checked (run_id, row_no, first_row)
    select :run, row_no, first_row from (
        select row_no, min(row_no) over (partition by md5(cells::text)) as first_row
        from import_row where run_id = :run and problem is null
    ) r where row_no > first_row
"""


def checked_row(
    row: queries.Read, places: Mapping[int, str], rule: Rule, ids: int, seen: Counter[str]
) -> tuple[Any, ...]:
    """One row as its meaning."""
    problems = [Problem(Severity.WARNING, "", "mended", row.note)] if row.note else []
    if row.encoding is not None:
        written = f"The row is written in {row.encoding}, unlike most of the file; it was read so."
        problems.append(Problem(Severity.WARNING, "", "other_encoding", written))
    values: dict[str, Any] = {}
    if row.problem is not None:
        problems.append(Problem(Severity.ERROR, "", "unreadable", f"{row.problem[:1].upper()}{row.problem[1:]}."))
    else:
        meaning = rule({name: row.cells[place] for place, name in places.items() if row.cells[place]})
        values, problems = meaning.values, problems + meaning.problems
    levels = {problem.level for problem in problems}
    seen.update({"error": Severity.ERROR in levels, "warnings": Severity.WARNING in levels})
    stored = json.dumps([problem.document() for problem in problems[:MAX_PROBLEMS]])
    return (row.row_no, json.dumps(values), stored, [uuid7() for _ in range(ids)])


NUMBERED = """
    insert into import_outcome (run_id, row_no, values, problems, key, new_ids, action)
    select :run, k.row_no, k.values,
           case when k.first < k.row_no and k.key is not null
                then k.problems || jsonb_build_array(jsonb_build_object(
                    'level', 'error', 'field', cast(:key as text), 'code', 'duplicate_in_file',
                    'message', format('Row %s of the file means the same record.', k.first)))
                else k.problems end,
           k.key, k.new_ids,
           case when k.first < k.row_no and k.key is not null or k.problems @> cast(:error as jsonb)
                then 'error' else 'skipped' end
    from (
        select c.*, min(c.row_no) over (partition by c.key) as first
        from (select c.*, {key} as key from import_checked c where run_id = :run and first_row is null) c
    ) k
"""
REPEATED = """
    insert into import_outcome (run_id, row_no, values, problems, new_ids, action)
    select :run, row_no, '{}', jsonb_build_array(jsonb_build_object(
               'level', 'error', 'field', '', 'code', 'repeated_row',
               'message', format('The row repeats row %s cell by cell.', first_row))), '{}', 'error'
    from import_checked where run_id = :run and first_row is not null
"""

ODD = """
    with odd as materialized (
        select row_no, jsonb_agg(jsonb_build_object(
            'level', 'warning', 'field', field, 'code', code, 'message', message)) as problems
        from ({odd}) q group by row_no
    )
    update import_outcome o set problems = o.problems || odd.problems
    from odd where o.run_id = :run and o.row_no = odd.row_no and o.action <> 'error'
"""


def number_rows(session: Session, target: Target, run: ImportRun) -> None:
    """Give every row its key; a second row with the same key is an error, what is odd beside others a warning."""
    key = str(run.options["key"])
    session.execute(text("analyze import_checked"))
    session.execute(text(NUMBERED.format(key=target.key_sql(key))), {"run": run.id, "key": key, "error": ERROR})
    session.execute(text(REPEATED), {"run": run.id})
    session.execute(text("analyze import_outcome"))
    session.execute(text(ODD.format(odd=target.odd_sql())), {"run": run.id})


# A table of its own with statistics: how many rows of one import are no errors is guessed wrongly beside the dry run of
# a large broken file, and the records would then be looked for anew for every row.
TAKEN = """
    create temporary table import_taken on commit drop as
    with found as ({current})
    select f.*, row_number() over (partition by f.id order by f.row_no) as turn
    from found f join import_outcome o on o.run_id = :run and o.row_no = f.row_no
    where o.action <> 'error'
"""
PLAN = """
    with seen as (
        select o.row_no, t.id, t.turn,
               case when t.id is null then '{}'::jsonb else coalesce((
                   select jsonb_object_agg(v.key, jsonb_build_array(t.doc -> v.key, v.value))
                   from jsonb_each(o.values) v where t.doc -> v.key is distinct from v.value
               ), '{}'::jsonb) end as changes
        from import_outcome o left join import_taken t on t.row_no = o.row_no
        where o.run_id = :run and o.action <> 'error'
    )
    update import_outcome o set
        target_id = s.id,
        changes = s.changes,
        kept = '{}',
        problems = case when s.turn > 1 then o.problems || cast(:same as jsonb) else o.problems end,
        action = case
            when s.turn > 1 then 'error'
            when s.id is null then case when :mode in ('both', 'create') then 'create' else 'skipped' end
            when s.changes = '{}'::jsonb then 'unchanged'
            when :mode in ('both', 'update') then 'update'
            else 'skipped' end
    from seen s
    where o.run_id = :run and o.row_no = s.row_no
"""
SAME = Problem(Severity.ERROR, "", "duplicate_in_file", "An earlier row of the file means the same record.")

# Who wrote a value last: the latest change of its field, else the creation of its row; what an undone import wrote,
# and what its undo brought back, is not counted. The first value of a column decides for all of them.
KEEP = """
    with places as ({places}),
    void as (
        select id as op_id from import_run where undone_at is not null
        union all select undo_op from import_run where undone_at is not null
    ),
    wanted as (select * from unnest(cast(:first as text[]), cast(:fields as text[])) w (first, field)),
    last as (
        select distinct on (p.row_no, p.field) p.row_no, p.field, h.source, h.field = '*' as is_creation
        from places p
        join field_history h on h.entity = p.entity and h.row_id = p.row_id and h.field in (p.col, '*')
        where p.field in (select first from wanted) and (h.op_id is null or h.op_id not in (select op_id from void))
        order by p.row_no, p.field, h.rev desc
    ),
    held as (
        select o.row_no, jsonb_object_agg(w.field, o.changes -> w.field) as kept, array_agg(w.field) as fields
        from last l
        join import_outcome o on o.run_id = :run and o.row_no = l.row_no
        join wanted w on w.first = l.field and o.changes ? w.field
        where l.source = any(:people) and not (l.is_creation and o.changes -> l.field -> 0 = 'null')
        group by o.row_no
    )
    update import_outcome o set
        kept = h.kept,
        changes = o.changes - h.fields,
        action = case when o.changes - h.fields = '{{}}'::jsonb then 'unchanged' else o.action end
    from held h where o.run_id = :run and o.row_no = h.row_no
"""

# An amount is rounded once: in the money of its row, else of the record that it means, else of the import. What a
# spreadsheet's binary numbers add behind the cents is less than a thousandth, and not worth a word.
CUT = """
    with written as (
        select o.row_no, n.name, n.label, (o.values ->> n.name)::numeric as amount,
               coalesce(o.values ->> 'currency', t.currency, :currency) as currency
        from import_outcome o
        cross join unnest(cast(:names as text[]), cast(:labels as text[])) n (name, label)
        left join {table} t on t.id = o.target_id
        where o.run_id = :run and (o.action = 'create' and o.values ? n.name or o.changes ? n.name)
    ),
    cut as (
        select w.*, case jsonb_typeof(o.values -> name) when 'number' then to_jsonb(taken)
                    else to_jsonb(trim_scale(taken)::text) end as stored
        from (select *, round(amount, {digits}) as taken from written) w
        join import_outcome o on o.run_id = :run and o.row_no = w.row_no
        where amount <> taken
    ),
    told as (
        select row_no, jsonb_object_agg(name, stored) as taken,
               coalesce(jsonb_agg(jsonb_build_object(
                   'level', 'warning', 'field', name, 'code', 'rounded', 'message', format(
                       '%s: “%s” has more decimals than %s; taken as %s.', label, trim_scale(amount), currency, taken)
                   )) filter (where abs(amount - taken) >= 0.001), '[]') as problems
        from cut group by row_no
    )
    update import_outcome o set
        values = o.values || told.taken,
        changes = o.changes || coalesce((
            select jsonb_object_agg(key, jsonb_build_array(o.changes -> key -> 0, value))
            from jsonb_each(told.taken) where o.changes ? key), '{{}}'),
        problems = o.problems || told.problems
    from told where o.run_id = :run and o.row_no = told.row_no
"""

REFUSE = """
    with r as materialized ({refused})
    update import_outcome o set
        action = 'error',
        problems = o.problems || jsonb_build_array(jsonb_build_object(
            'level', 'error', 'field', '', 'code', 'taken', 'message', r.message))
    from r
    where o.run_id = :run and o.row_no = r.row_no and o.action in ('create', 'update')
"""


BEYOND = Problem(Severity.ERROR, "", "not_yours", "The record is outside your area; ask whoever is responsible for it.")


def refuse_beyond_reach(session: Session, target: Target, run: ImportRun) -> None:
    """Rows that mean records which the importer may not change are errors, and say nothing of what stands there."""
    reach = target.reach(session, run)
    if reach is None:
        return
    beyond = ImportOutcome.target_id.is_not(None) & ImportOutcome.target_id.not_in(reach)
    statement = update(ImportOutcome).where(
        ImportOutcome.run_id == run.id, ImportOutcome.action != Action.ERROR, beyond
    )
    session.execute(
        statement.values(
            action=Action.ERROR,
            changes={},
            problems=ImportOutcome.problems.op("||")(literal([BEYOND.document()], JSONB)),
        ).execution_options(synchronize_session=False)
    )


def plan(session: Session, target: Target, run: ImportRun) -> dict[str, int]:
    """Compare every row with what is there now: the record it means, before and after of each field, and the action."""
    run_id, mode, same = run.id, str(run.options["mode"]), json.dumps([SAME.document()])
    session.execute(text("drop table if exists import_taken"))
    session.execute(text(TAKEN.format(current=target.current_sql())), {"run": run_id})
    session.execute(text("analyze import_taken"))
    session.execute(text(PLAN), {"run": run_id, "mode": mode, "same": same})
    refuse_beyond_reach(session, target, run)
    session.execute(text("analyze import_outcome"))  # what follows asks for actions that were not there before
    keep = [column.values for column in target.columns if column.name in run.options.get("keep", ())]
    pairs = {(values[0], value) for values in keep for value in values}
    if pairs:
        first, fields = zip(*sorted(pairs), strict=True)
        values = {"run": run_id, "first": list(first), "fields": list(fields), "people": list(BY_PEOPLE)}
        session.execute(text(KEEP.format(places=target.places_sql())), values)
    if target.money:
        cut = CUT.format(table=target.tables[0].name, digits=digits_sql("currency"))
        session.execute(text(cut), amounts(target, run))
    session.execute(text(REFUSE.format(refused=target.refused_sql())), {"run": run_id})
    return queries.counts(session, run_id)


def amounts(target: Target, run: ImportRun) -> dict[str, Any]:
    """The amounts that rows may bring, how people call them, and the currency of those that name none."""
    labels = {column.name: column.label for column in target.columns}
    names = list(target.money)
    return {"run": run.id, "names": names, "labels": [labels[name] for name in names], "currency": run.currency}
