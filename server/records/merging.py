"""The three-way merge of one record, field by field. Pure; pages, API and sync all use this one function."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from server.records.models import ConflictKind

type Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None


class Policy(StrEnum):
    """Who wins a field that two people changed."""

    KEEP_SERVER = "keep_server"
    """The server's value stays, the other one is stored as a conflict."""
    TAKE_FIELD = "take_field"
    """The incoming value is applied, the server's is stored as a conflict."""


@dataclass(frozen=True)
class Rules:
    """How the fields of an entity merge."""

    take_field: frozenset[str] = frozenset()
    """Fields where the person on the spot knows better."""
    groups: tuple[frozenset[str], ...] = ()
    """Fields that only make sense together (address and point, price and currency): they merge as one."""

    def policy(self, name: str) -> Policy:
        """The policy of one field."""
        return Policy.TAKE_FIELD if name in self.take_field else Policy.KEEP_SERVER

    def group(self, name: str) -> frozenset[str]:
        """The fields that merge together with this one, itself included."""
        return next((group for group in self.groups if name in group), frozenset({name}))


@dataclass(frozen=True, slots=True)
class Delta:
    """What somebody changed in one field."""

    old: Json
    """The value they saw."""
    new: Json
    """The value they want."""


@dataclass(frozen=True, slots=True)
class Clash:
    """A field that two people changed differently."""

    field: str
    kind: ConflictKind
    policy: Policy
    base: Json
    mine: Json
    server: Json


@dataclass(frozen=True, slots=True)
class Current:
    """The record as it is stored."""

    values: Mapping[str, Json]
    rev: int
    frev: Mapping[str, int] = field(default_factory=dict)
    deleted: bool = False
    own: frozenset[str] = frozenset()
    """Fields whose value the editor wrote, earlier than this change: nobody else has changed them since."""


@dataclass(frozen=True, slots=True)
class Merge:
    """What comes of a change: values to write and clashes to store. Every delta is in exactly one of the three."""

    apply: Mapping[str, Json]
    clashes: tuple[Clash, ...]
    same: frozenset[str]
    """Fields that hold the wanted value already, and those that the editor left as they saw them: a form sends all."""


def merge(
    current: Current, base_rev: int, deltas: Mapping[str, Delta], rules: Rules, *, in_scope: bool = True
) -> Merge:
    """Merge a change, made while the record stood at `base_rev`, into the record as it is now.

    A field is applied when nobody else changed it since `base_rev`, or when it still (or again) holds the value that
    the editor saw. Otherwise it clashes, together with the rest of its group. Out of the editor's scope what is stored
    decides nothing: whatever they want clashes, so that no value can be guessed.
    """
    same = frozenset(
        name
        for name, delta in deltas.items()
        if delta.new == delta.old or (in_scope and delta.new == current.values.get(name))
    )
    wanted = {name: delta for name, delta in deltas.items() if name not in same}
    kind = None
    if not in_scope:
        kind = ConflictKind.OUT_OF_SCOPE
    elif current.deleted:
        kind = ConflictKind.EDIT_AFTER_DELETE
    if kind is not None:
        clashes = tuple(clash(current, name, delta, kind, Policy.KEEP_SERVER) for name, delta in wanted.items())
        return Merge({}, clashes, same)

    def changed_meanwhile(name: str) -> bool:
        if name in current.own or current.frev.get(name, 1) <= base_rev:
            return False
        return name not in deltas or current.values.get(name) not in (deltas[name].old, deltas[name].new)

    clashing = {name for name in wanted if any(changed_meanwhile(other) for other in rules.group(name))}
    apply = {
        name: delta.new
        for name, delta in wanted.items()
        if name not in clashing or rules.policy(name) is Policy.TAKE_FIELD
    }
    clashes = tuple(
        clash(current, name, wanted[name], ConflictKind.CONCURRENT, rules.policy(name)) for name in sorted(clashing)
    )
    return Merge(apply, clashes, same)


def clash(current: Current, name: str, delta: Delta, kind: ConflictKind, policy: Policy) -> Clash:
    """The three values of a field that clashes."""
    return Clash(name, kind, policy, base=delta.old, mine=delta.new, server=current.values.get(name))
