"""The statements of a declared target, put together from the constants of its fields; nobody sends any of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from server.auth.access import Scope


class Find(Protocol):
    """Finds what cells name, within somebody's reach (None: all)."""

    def __call__(
        self, session: Session, scope: Scope | None, cells: Sequence[str], /
    ) -> Mapping[str, Sequence[UUID]]: ...


@dataclass(frozen=True)
class Link:
    """Records that cells name."""

    one: str
    """What it is, as in “there is no … “X””."""
    many: str
    by: str
    """What names one for sure."""
    find: Find
    help: str = ""
    known: Callable[[Session, Sequence[str]], Mapping[str, str]] | None = None
    """Says of cells that name nothing what there is to name."""
    is_shared: bool = False
    """Everybody sees all of them: what is not found is not there."""


@dataclass(frozen=True)
class Field:
    """A column that a file may bring, and where its value is stored."""

    name: str
    label: str
    titles: str = ""
    """Titles under which files carry it, separated by blanks."""
    type: str = "text"
    """Of its column in the table."""
    clean: Callable[[str], Any] = lambda cell: cell
    value: str = ""
    """The column that it is stored in; several fields may share one list. Left out: as its name."""
    link: Link | None = None
    default: str | None = None
    """SQL over `o`: what a new record has when the file says nothing."""
    is_needed: bool = False
    """Whether a new record cannot be without it."""
    is_strict: bool = False
    """Whether a value that cannot be is an error, not a warning."""
    is_unique: bool = False
    is_offered: bool = True
    """Whether a column of a file can mean it; others follow from what does."""
    is_stored: bool = True
    """Whether it is a column of the table, else the target's own statements write it."""
    present: str | None = None
    """SQL over `t` and `o`: the value that is there, as JSON; left out: the column's own."""
    rewrite: str | None = None
    """SQL over `t` and `o`: what an update writes, when it is not simply the value."""
    fresh: str | None = None
    """SQL over `o`: what a new record gets, when it is not simply the value."""
    looks_like: Callable[[str], bool] | None = None

    def __post_init__(self) -> None:
        if not self.value:
            object.__setattr__(self, "value", self.name)

    @property
    def known_as(self) -> tuple[str, ...]:
        """The titles one by one."""
        return tuple(self.titles.split())

    @property
    def brings(self) -> tuple[str, ...]:
        """The value, when it is not called as the field is."""
        return (self.value,) if self.value != self.name else ()


@dataclass(frozen=True)
class Key:
    """What records can be recognised by."""

    label: str
    text: str
    """SQL over `c.values`: what a row says of it, null when nothing."""
    match: str
    """SQL over `t` and `k.key`: whether a record goes by it."""


WAYMARK_ID = "waymark_id"
BY_ID = Key("Waymark's id", "c.values ->> 'id'", "t.id = k.key::uuid")
"""What an export of our own carries."""


def key_sql(keys: Mapping[str, Key], key: str) -> str:
    """The text that a row is recognised by: that of the chosen key, else of the next ones."""
    names = list(keys)
    wanted = [key, *names[names.index(key) + 1 :]]
    return "coalesce(" + ", ".join(f"'{name}:' || ({keys[name].text})" for name in wanted) + ")"


def json_of(field: Field) -> str:
    """The value that is there, written as the rule of a row writes it."""
    column = f"t.{field.value}"
    if field.present is not None:
        return field.present
    if field.type == "numeric":
        return f"to_jsonb(trim_scale({column})::text)"
    if field.type == "timestamptz":
        return f"""to_jsonb(to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))"""
    return f"to_jsonb({column})"


def typed(field: Field) -> str:
    """One value of a row in its type."""
    if field.type == "text[]":
        return f"array(select jsonb_array_elements_text(o.values -> '{field.value}'))"
    if field.type == "jsonb":
        return f"(o.values -> '{field.value}')"
    return f"(o.values ->> '{field.value}')::{field.type}"


def distinct(fields: Sequence[Field]) -> list[Field]:
    """One field for each value."""
    return list({field.value: field for field in reversed(fields)}.values())[::-1]


def current_sql(table: str, fields: Sequence[Field], keys: Mapping[str, Key], *, has_own: bool) -> str:
    """The records that rows mean, with their present values; of several the latest."""
    found = " union all ".join(
        f"""(select k.row_no, t.id from (
                select row_no, substr(key, {len(name) + 2}) as key from import_outcome
                where run_id = :run and key like '{name}:%') k
             join {table} t on {key.match} where t.deleted_at is null)"""  # noqa: S608
        for name, key in keys.items()
    )
    doc = ", ".join(f"'{field.value}', {json_of(field)}" for field in distinct(fields) if field.value != "id")
    own = "custom_flat(t.custom) || " if has_own else ""
    return f"""
        select distinct on (m.row_no) m.row_no, t.id,
               jsonb_build_object('id', o.values -> 'id') || {own}jsonb_strip_nulls(jsonb_build_object({doc})) as doc
        from ({found}) m
        join {table} t on t.id = m.id
        join import_outcome o on o.run_id = :run and o.row_no = m.row_no
        order by m.row_no, t.created_at desc, t.id
    """  # noqa: S608


NONE_IN_USE = "select null::uuid as row_id where false"
NOTHING_ODD = "select 0 as row_no, '' as field, '' as code, '' as message where false"
"""The rows of a target that finds nothing odd about rows beside each other."""


def refused_sql(table: str, fields: Sequence[Field], label: str) -> str:
    """New records that lack something, and unique values that another record has, or another row of the file."""
    parts = [
        "select row_no, 'There is no record with this id; leave the column out to create new ones.' as message"
        " from import_outcome where run_id = :run and action = 'create' and values ? 'id'"
    ]
    for field in fields:
        called = field.label.replace("'", "''")
        if field.is_needed:
            parts.append(
                f"select row_no, '{called}: is missing; a new record needs it.' as message from import_outcome"  # noqa: S608
                f" where run_id = :run and action = 'create' and not values ? '{field.value}'"
            )
        if field.is_unique:
            parts.append(taken_sql(table, field, label, called))
    return " union all ".join(f"({part})" for part in parts)


def taken_sql(table: str, field: Field, label: str, called: str) -> str:
    """Rows with a value that another record has, or that another row brings."""
    brings = f"(o.action = 'create' or o.action = 'update' and o.changes ? '{field.value}')"
    return f"""
        select o.row_no, format('{called}: “%s” has %s already.', {label}, t.{field.value}) as message
        from import_outcome o join {table} t on t.{field.value} = {typed(field)} and t.deleted_at is null
        where o.run_id = :run and t.id is distinct from o.target_id and {brings}
        union all
        select n.row_no, format('{called}: row %s of the file brings the same one.', n.first_row) from (
            select o.row_no, min(o.row_no) over (partition by o.values ->> '{field.value}') as first_row
            from import_outcome o where o.run_id = :run and o.values ? '{field.value}' and {brings}
        ) n where n.row_no > n.first_row
    """  # noqa: S608


def places_sql(table: str, fields: Sequence[Field]) -> str:
    """Where the values that change are stored: in the record's own row."""
    names = ", ".join(f"'{field.value}'" for field in distinct(fields) if field.is_stored)
    return f"""
        select o.row_no, c.field, '{table}' as entity, o.target_id as row_id, c.field as col
        from import_outcome o cross join lateral jsonb_object_keys(o.changes) c(field)
        where o.run_id = :run and o.action = 'update' and (c.field in ({names}) or c.field like 'custom.%')
    """  # noqa: S608


CHANGED_OWN = (
    "(select coalesce(jsonb_object_agg(substr(k, 8), o.values -> k), '{}')"
    " from jsonb_object_keys(o.changes) k where k like 'custom.%')"
)


def write_sql(table: str, fields: Sequence[Field], made: Mapping[str, str], *, has_own: bool) -> tuple[str, str]:
    """All changed records, then all new ones."""
    stored = [field for field in distinct(fields) if field.is_stored and field.value != "id"]
    sets = [
        f"{f.value} = case when o.changes ? '{f.value}' then {f.rewrite or typed(f)} else t.{f.value} end"
        for f in stored
    ]
    columns = ["id", *(field.value for field in stored), *made]
    values = ["o.new_ids[1]", *(inserted(field) for field in stored), *made.values()]
    if has_own:
        sets.append(f"custom = t.custom || {CHANGED_OWN}")
        columns, values = [*columns, "custom"], [*values, "custom_inner(o.values)"]
    return (
        f"""
        update {table} t set {", ".join(sets)}
        from import_outcome o where o.run_id = :run and o.action = 'update' and t.id = o.target_id
        """,  # noqa: S608
        f"""
        insert into {table} ({", ".join(columns)}) select {", ".join(values)}
        from import_outcome o where o.run_id = :run and o.action = 'create' order by o.row_no
        """,  # noqa: S608
    )


def inserted(field: Field) -> str:
    """One value of a new record, with what it is when the file says nothing."""
    if field.fresh is not None:
        return field.fresh
    if field.default is None:
        return typed(field)
    return f"case when o.values ? '{field.value}' then {typed(field)} else {field.default} end"
