"""What has been hung on created records since: a record on which another one rests is not taken away with its import.

What refers to what is read from the database itself, so that a table of a new room counts from its first day on.
"""

from collections.abc import Iterable, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

FOLLOWING = frozenset({"stop"})
"""Records that a machine makes of others, and makes anew: nobody has hung them on anything."""

# Records are what people edit; all of them can be deleted. Between rooms that do not see each other there is no key:
# a column is called after the table then, and of files `row_id`.
REFERENCES = text(
    """
    with asked as (select cast(:table as text) as name),
    record as (
        select c.oid, c.relname::text as name from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attname = 'deleted_at' and not a.attisdropped
        where c.relkind = 'r' and c.relpersistence = 'p' and c.relnamespace = current_schema()::regnamespace
    )
    select r.name, a.attname::text from record r
    join pg_constraint k on k.conrelid = r.oid and k.contype = 'f'
        and k.confrelid = (select name from asked)::regclass
    join pg_attribute a on a.attrelid = r.oid and a.attnum = k.conkey[1]
    union
    select r.name, a.attname::text from record r
    join pg_attribute a on a.attrelid = r.oid and a.atttypid = 'uuid'::regtype and not a.attisdropped
    join asked q on a.attname in (q.name || '_id', 'row_id') or a.attname = 'merged_into' and r.name = q.name
    order by 1, 2
    """
)

# Each text below is put together from names of the database's own tables.

RESTING = """
    create temporary table import_resting (record_id uuid, row_id uuid, is_whole bool, by_entity text, by_id uuid)
    on commit drop
"""

# Neither what belongs to the record itself nor what the same import has made beside it.
FIND = """
    insert into import_resting (record_id, row_id, is_whole, by_entity, by_id)
    select m.record_id, m.row_id, m.is_whole, '{by}', h.id
    from import_made m join {by} h on h.{column} = m.row_id
    where m.entity = '{table}' and m.why is null and {there}
      and not exists (
          select from import_row_now n where n.entity = '{by}' and n.row_id = h.id and n.record_id = m.record_id)
      and {others}
"""
OTHERS = """not exists (
    select from field_history c
    where c.entity = '{by}' and c.row_id = h.id and c.rev = 1 and c.field = '*' and c.op_id = :run)"""

GOING = "select from import_made g where g.why is null and g.entity = r.by_entity and g.row_id = r.by_id"
KEEP = f"""
    with held as materialized (
        select record_id, row_id, is_whole from import_resting r where not exists ({GOING})
    )
    update import_made m set why = 'in_use'
    where m.why is null and case when m.is_whole then m.record_id in (select record_id from held where is_whole)
                                 else m.row_id in (select row_id from held) end
    returning 1
"""  # noqa: S608
ALONE = f"delete from import_resting r where exists ({GOING})"  # noqa: S608


def keep_what_is_rested_on(session: Session, tables: Sequence[str], run: object) -> None:
    """Mark in `import_made` whatever others rest on as staying, then what that rests on; `import_resting` says why."""
    session.execute(text("drop table if exists import_resting"))
    session.execute(text(RESTING))
    for table, by, column in references(session, tables):
        others = "true" if by in tables else OTHERS.format(by=by)
        there = "true" if column == "merged_into" else "h.deleted_at is null"
        find = FIND.format(table=table, by=by, column=column, there=there, others=others)
        session.execute(text(find), {"run": run} if ":run" in find else {})
    session.execute(text("analyze import_resting"))
    while session.execute(text(KEEP)).all():
        pass
    session.execute(text(ALONE))


def references(session: Session, tables: Iterable[str]) -> list[tuple[str, str, str]]:
    """Table, and table and column of each record that may refer to its rows."""
    return [
        (table, by, column)
        for table in tables
        for by, column in session.execute(REFERENCES, {"table": table})
        if by not in FOLLOWING
    ]
