"""The undo of an import, updates included: set-based from the history, exact, never over what somebody changed since.

Changes that were taken back (imports, repairs, merges, decisions), and their undos, count as if they had never been; so
do those of background work, which only follows.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.imports.errors import NotReady
from server.imports.models import ImportRun, State
from server.imports.resting import keep_what_is_rested_on
from server.imports.targets import Target, Written
from server.kit import clock
from server.kit.database import copy_rows
from server.kit.ids import uuid7
from server.kit.locks import one_at_a_time
from server.records.models import FORGOTTEN
from server.records.service import BY_ITSELF, Actor, acting
from server.webhooks import service as webhooks

# Each text below is put together from the constants of a target, never from what somebody sends.

TABLES = (
    "import_undo",
    "import_void",
    "import_group",
    "import_row_now",
    "import_later",
    "import_back",
    "import_made",
    "import_formerly",
)

VOID = """
    create temporary table import_void on commit drop as
    select cast(:run as uuid) as op_id
    union select id from import_run where undone_at is not null
    union select undo_op from import_run where undone_at is not null
    union select op_id from ({causes}) c where is_undone
"""

# The rows that the import has created or changed. What an undone import has created counts as created by this one: its
# undo left it only because of this one.
UNDO = """
    create temporary table import_undo on commit drop as
    select h.entity, h.row_id, case when bool_or(c.id is not null) then 1 else min(h.rev) end as first_rev,
           bool_or(c.id is not null) as created
    from field_history h
    left join field_history c on c.entity = h.entity and c.row_id = h.row_id and c.rev = 1 and c.field = '*'
                             and c.op_id in (select op_id from import_void)
    where h.op_id = :run and h.entity = any(:tables) group by h.entity, h.row_id
"""

# Whatever else was taken back since (a repair, a merge, a decision): its undo bears the same op and the source `undo`.
UNDONE = """
    insert into import_void (op_id)
    select distinct h.op_id from import_undo u
    join field_history h on h.entity = u.entity and h.row_id = u.row_id and h.rev >= u.first_rev
    where h.source = 'undo' and h.op_id is not null and h.op_id not in (select op_id from import_void)
"""

BESIDE = """
    insert into import_undo (entity, row_id, first_rev, created)
    select n.entity, n.row_id, 1, true from import_row_now n
    join import_undo w on w.entity = :main and w.row_id = n.record_id and w.created
    join field_history c on c.entity = n.entity and c.row_id = n.row_id and c.rev = 1 and c.field = '*'
                        and c.op_id in (select op_id from import_void)
    where not exists (select from import_undo u where u.entity = n.entity and u.row_id = n.row_id)
"""

GROUP = """
    create temporary table import_group (entity text, field text, grp text, follows bool, primary key (entity, field))
    on commit drop
"""

# The last change of each field by somebody else since.
LATER = """
    create temporary table import_later on commit drop as
    select distinct on (h.entity, h.row_id, h.field)
           h.entity, h.row_id, h.field, coalesce(g.grp, h.field) as grp, h.actor, h.at, h.op_id, h.source
    from import_undo u
    join field_history h on h.entity = u.entity and h.row_id = u.row_id and h.rev >= u.first_rev
    left join import_group g on g.entity = h.entity and g.field = h.field
    where not {by_itself} and (h.op_id is null or h.op_id not in (select op_id from import_void))
      and h.entity || '.' || h.field <> all(:derived)
    order by h.entity, h.row_id, h.field, h.rev desc
"""

# What stood in each field before: told by the first change since; when undone imports wrote it, by what stood there
# before them.
BACK = """
    create temporary table import_back on commit drop as
    with own as (
        select distinct h.entity, h.row_id, g.grp
        from field_history h join import_group g on g.entity = h.entity and g.field = h.field
        where h.op_id = :run
    ),
    mine as (
        select distinct on (h.entity, h.row_id, h.field) h.entity, h.row_id, h.field, g.grp, u.first_rev, h.old
        from import_undo u
        join field_history h on h.entity = u.entity and h.row_id = u.row_id and h.rev >= u.first_rev
        join import_group g on g.entity = h.entity and g.field = h.field
        join own on own.entity = h.entity and own.row_id = h.row_id and own.grp = g.grp
        where not u.created and (h.op_id = :run or {by_itself} and g.follows)
        order by h.entity, h.row_id, h.field, h.rev
    )
    select m.entity, m.row_id, m.field, n.record_id, n.label,
           case when v.found then v.old else m.old end as former,
           nullif(n.doc -> m.field, 'null') as value,
           l.actor, l.at, l.op_id,
           case when l.row_id is null then null
                when exists (select from import_run r where r.id = l.op_id) then 'imported'
                when l.source = 'checkins' then 'confirmed'
                else coalesce((select c.why from ({causes}) c where c.op_id = l.op_id), 'edited') end as why
    from mine m
    join import_row_now n on n.entity = m.entity and n.row_id = m.row_id
    left join lateral (
        select true as found, h.old from field_history h
        where (select count(*) from import_void) > 1
          and h.entity = m.entity and h.row_id = m.row_id and h.field = m.field and h.rev < m.first_rev
          and h.op_id in (select op_id from import_void)
          and h.rev > coalesce((
              select max(k.rev) from field_history k
              where k.entity = m.entity and k.row_id = m.row_id and k.field = m.field and k.rev < m.first_rev
                and not (k.source = 'job' and k.actor is null)
                and (k.op_id is null or k.op_id not in (select op_id from import_void))), 0)
        order by h.rev limit 1
    ) v on true
    left join lateral (
        select l.* from import_later l where l.entity = m.entity and l.row_id = m.row_id and l.grp = m.grp
        order by l.at desc limit 1
    ) l on true
"""

# A created record stays as a whole when anything of it was changed or added since; a row that was added to an older
# record is looked at alone.
MADE = """
    create temporary table import_made on commit drop as
    with made as (
        select n.entity, n.row_id, n.record_id, n.label, w.row_id is not null as is_whole
        from import_row_now n
        join import_undo u on u.entity = n.entity and u.row_id = n.row_id and u.created
        left join import_undo w on w.entity = :main and w.row_id = n.record_id and w.created
        where n.doc ->> 'deleted_at' is null
    ),
    touched as (
        select distinct on (n.record_id, n.row_id) n.record_id, n.row_id, l.actor, l.at, l.op_id, l.source
        from import_row_now n
        left join import_undo u on u.entity = n.entity and u.row_id = n.row_id
        left join import_later l on l.entity = n.entity and l.row_id = n.row_id
        where l.row_id is not null or u.row_id is null and n.doc ->> 'deleted_at' is null
        order by n.record_id, n.row_id, l.at desc nulls last
    )
    select m.*, t.actor, t.at, t.op_id,
           case when t.record_id is not null then case
                    when exists (select from import_run r where r.id = t.op_id) then 'imported'
                    when t.source = 'checkins' then 'confirmed'
                    else coalesce((select c.why from ({causes}) c where c.op_id = t.op_id), 'edited') end
                when m.record_id in (select row_id from ({in_use}) x) then 'in_use' end as why
    from made m
    left join lateral (
        select t.* from touched t where t.record_id = m.record_id and (m.is_whole or t.row_id = m.row_id)
        order by t.at desc nulls last limit 1
    ) t on true
"""

TAKEN = """
    update import_back b set why = 'taken' from {table} t
    where b.entity = '{table}' and b.field = '{column}' and b.why is null
      and t.{column} = b.former #>> '{{}}' and t.id <> b.row_id and t.deleted_at is null
      and t.id not in (select row_id from import_made where why is null)
"""

HELD = """
    insert into import_kept
        (run_id, record_id, label, field, value, former, why, changed_by, changed_at, other_run)
    select :run, record_id, label, '*', (
               select jsonb_object_agg(by_entity, n) from (
                   select by_entity, count(distinct by_id) as n from import_resting r
                   where m.why = 'in_use' and r.record_id = m.record_id and (m.is_whole or r.row_id = m.row_id)
                   group by by_entity) c
           ), null, why, actor, at, case when why in ('imported', 'repaired') then op_id end
    from import_made m where why is not null and (entity = :main or not is_whole)
"""
# A second undo asks anew only about what the first one has left; what it took back is people's by now.
FORMERLY = """
    create temporary table import_formerly on commit drop as
    select distinct record_id, field from import_kept where run_id = :run and why <> 'forgotten'
"""
ONLY_LEFT = (
    """
    delete from import_made m
    where not exists (select from import_formerly k where k.record_id = m.record_id and k.field = '*')
    """,
    """
    delete from import_back b
    where not exists (
        select from import_formerly k
        join import_group f on f.entity = b.entity and f.field = k.field
        join import_group g on g.entity = b.entity and g.field = b.field and g.grp = f.grp
        where k.record_id = b.record_id)
    """,
    "delete from import_kept where run_id = :run and why <> 'forgotten'",
)

KEPT = f"""{HELD}
    union all
    select :run, record_id, label, field, value, former, why, actor, at,
           case when why in ('imported', 'repaired') then op_id end
    from import_back
    where why is not null and former is distinct from value and entity || '.' || field <> all(:quiet)
    order by 3, 4
"""  # noqa: S608
HELD_LATE = f"""{HELD}
    and why = 'in_use' and exists (
        select from import_resting r where r.record_id = m.record_id and (m.is_whole or r.row_id = m.row_id))
"""
"""What was hung on a record while all this went on."""

# What may not be kept any longer is named, and stays empty.
GONE = """
    insert into import_kept (run_id, record_id, label, field, value, former, why)
    select :run, record_id, label, field, value, null, 'forgotten' from import_back
    where why is null and former = to_jsonb(cast(:forgotten as text))
"""
EMPTIED = "update import_back set former = null where former = to_jsonb(cast(:forgotten as text))"

REMOVE = """
    update {table} t set deleted_at = :now from import_made m
    where m.entity = '{table}' and m.row_id = t.id and m.why is null and t.deleted_at is null
"""

COME_BACK = """
    update {table} t set deleted_at = null from import_made m
    where m.entity = '{table}' and m.row_id = t.id and m.why = 'in_use' and t.deleted_at = :now
"""

RESTORE = """
    with docs as materialized (
        select row_id, jsonb_object_agg(field, former) as doc,
               jsonb_populate_record(null::{table}, jsonb_object_agg(field, former)) as was
        from import_back where entity = '{table}' and why is null and former is distinct from value group by row_id
    )
    update {table} t set {columns} from docs d where t.id = d.row_id
"""

COUNTS = text(
    """
    select (select count(*) from import_made where why is null and entity = :main),
           (select count(distinct record_id) from import_back where why is null and former is distinct from value),
           (select count(*) from import_kept where run_id = :run)
    """
)
RESTORED = text("select distinct record_id from import_back where why is null")


def undo(session: Session, target: Target, run: ImportRun, actor: UUID | None) -> None:
    """Take back everything that an import has written; what somebody has changed since stays and is named.

    Of an import that is undone already, take back what had stayed and may go by now: it bears the same op, and counts
    as one undo with it. Refuses an import that is not applied, and one of which nothing more can be taken back.
    """
    one_at_a_time(session, f"imports:{target.kind}")
    session.flush()
    session.refresh(run)
    require_undoable(run)
    op = run.undo_op or uuid7()
    acting(session, Actor(user_id=actor, source="undo", op_id=op))
    find_out(session, target, run)
    now = clock.now()
    for table in reversed(target.tables):
        session.execute(text(REMOVE.format(table=table.name)), {"now": now})
    for table in target.tables:
        plain = [c for c in table.columns if "." not in c]
        columns = ", ".join(f"{c} = case when d.doc ? '{c}' then (d.was).{c} else t.{c} end" for c in plain)
        if len(plain) < len(table.columns):
            columns += ", custom = jsonb_strip_nulls(t.custom || custom_inner(d.doc))"
        session.execute(text(RESTORE.format(table=table.name, columns=columns)))
    target.restored(session, session.scalars(RESTORED).all())
    main = target.tables[0].name
    look_again(session, target, run.id, now)
    removed, restored, kept = session.execute(COUNTS, {"main": main, "run": run.id}).one()
    before = run.undo_counts if run.undone_at is not None else {}
    if run.undone_at is not None and not removed and not restored:
        raise NotReady(
            "This import is undone already, and nothing of what stayed can be taken back yet.",
            help="What is listed is still in use or changed. Take away what rests on it first.",
        )
    run.state, run.message, run.undone_at, run.undone_by, run.undo_op = State.UNDONE, None, clock.now(), actor, op
    counted = {"removed": removed + before.get("removed", 0), "restored": restored + before.get("restored", 0)}
    run.undo_counts = counted | {"kept": kept}
    session.flush()
    session.expire_all()
    webhooks.announce(session, "import", str(run.id), run.state)


def look_again(session: Session, target: Target, run_id: UUID, now: datetime) -> None:
    """Let what others have come to rest on, while thousands of rows went away at `now`, come back and be named."""
    keep_what_is_rested_on(session, [table.name for table in target.tables], run_id)
    for table in target.tables:
        session.execute(text(COME_BACK.format(table=table.name)), {"now": now})
    session.execute(text(HELD_LATE), {"run": run_id, "main": target.tables[0].name})


def require_undoable(run: ImportRun) -> None:
    """Refuse what is not applied, and what is undone to the last."""
    if run.undone_at is not None and not run.undo_counts.get("kept"):
        raise NotReady("This import is undone already.", help="Upload the file again to import it again.")
    if run.state == State.UNDONE:
        return
    if run.state not in (State.DONE, State.UNDOING):
        raise NotReady(f"This import is {run.state}; nothing of it is applied.", help="There is nothing to undo.")


def find_out(session: Session, target: Target, run: ImportRun) -> None:
    """Work out, in temporary tables, what goes away, what goes back, and what stays."""
    run_id, names, main = run.id, [table.name for table in target.tables], target.tables[0].name
    derived = [f"{table.name}.{column}" for table in target.tables for column in table.derived]
    for name in TABLES:
        session.execute(text(f"drop table if exists {name}"))
    causes = target.causes_sql()
    session.execute(text(VOID.format(causes=causes)), {"run": run_id})
    session.execute(text(UNDO), {"run": run_id, "tables": names})
    session.execute(text(GROUP))
    copy_rows(session, "import_group", ("entity", "field", "grp", "follows"), groups(target.tables))
    session.execute(text(now_sql(target)))
    for name in ("import_undo", "import_row_now"):
        session.execute(text(f"create index on {name} (row_id)"))
        session.execute(text(f"analyze {name}"))
    session.execute(text("create index on import_row_now (record_id)"))
    session.execute(text(UNDONE))
    session.execute(text(BESIDE), {"main": main})
    session.execute(text(UNDONE))  # once more: of the rows that have just come beside
    session.execute(text(LATER.format(by_itself=BY_ITSELF)), {"derived": derived})
    session.execute(text("create index on import_later (row_id)"))
    session.execute(text("analyze import_later"))
    session.execute(text(BACK.format(causes=causes, by_itself=BY_ITSELF)), {"run": run_id})
    session.execute(text(MADE.format(in_use=target.in_use_sql(), causes=causes)), {"main": main})
    if run.undone_at is not None:
        session.execute(text(FORMERLY), {"run": run_id})
        for statement in ONLY_LEFT:
            session.execute(text(statement), {"run": run_id} if ":run" in statement else {})
    session.execute(text("create index on import_made (row_id)"))
    session.execute(text("analyze import_made"))
    keep_what_is_rested_on(session, names, run_id)
    session.execute(text("create index on import_resting (record_id)"))
    for table in target.tables:
        for column in table.unique:
            session.execute(text(TAKEN.format(table=table.name, column=column)))
    session.execute(text(GONE), {"run": run_id, "forgotten": FORGOTTEN})
    session.execute(text(EMPTIED), {"forgotten": FORGOTTEN})
    quiet = [f"{table.name}.{column}" for table in target.tables for column in table.quiet]
    session.execute(text(KEPT), {"run": run_id, "main": main, "quiet": quiet})


def groups(tables: Iterable[Written]) -> list[tuple[str, str, str, bool]]:
    """Every column with the group that it goes back with."""
    found = []
    for table in tables:
        together = {column: f"group {place}" for place, group in enumerate(table.groups) for column in group}
        found += [(table.name, name, together.get(name, name), name in table.followers) for name in table.columns]
    return found


def now_sql(target: Target) -> str:
    """The rows of every record that the import has touched, as they are now."""
    flat = "to_jsonb(t) || custom_flat(to_jsonb(t) -> 'custom')"
    docs = " union all ".join(
        f"select '{table.name}' as entity, t.id as row_id, {flat} as doc from {table.name} t"  # noqa: S608
        for table in target.tables
    )
    return f"""
        create temporary table import_row_now on commit drop as
        with records as materialized (select * from ({target.records_sql()}) r),
        touched as (
            select distinct r.record_id from records r
            join import_undo u on u.entity = r.entity and u.row_id = r.row_id
        )
        select r.entity, r.row_id, r.record_id, r.label, d.doc
        from touched t join records r on r.record_id = t.record_id
        join ({docs}) d on d.entity = r.entity and d.row_id = r.row_id
    """  # noqa: S608
