"""A filter as JSON, for chips and programs: groups hold items, a single condition holds its text and its parts."""

from collections.abc import Mapping
from typing import Any

from server.kit.errors import Invalid
from server.kit.filtering.grammar import MAX_CONDITIONS, MAX_DEPTH, parse
from server.kit.filtering.nodes import All, AnyOf, Between, Comparison, Emptiness, Membership, Node, Not
from server.kit.filtering.writing import scalar, write

PHONE_NODES = (All, AnyOf, Not, Comparison, Between, Membership, Emptiness)


def to_json(node: Node) -> dict[str, Any]:
    """A tree as JSON.

    `{"all": [...]}`, `{"any": [...]}`, `{"not": {...}}` or `{"text": "class = A", "field": "class", "operator": "=",
    "values": ["A"]}`; conditions of other shapes have their text alone.
    """
    match node:
        case All(children):
            return {"all": [to_json(child) for child in children]}
        case AnyOf(children):
            return {"any": [to_json(child) for child in children]}
        case Not(child) if not isinstance(child, Emptiness | Membership | Between):
            return {"not": to_json(child)}
    return {"text": write(node)} | parts(node)


def parts(node: Node) -> dict[str, Any]:
    """Field, operator and values of a condition on one field."""
    negative = isinstance(node, Not)
    inner = node.child if isinstance(node, Not) else node
    before = "not " if negative else ""
    match inner:
        case Comparison(name, operator, value):
            return {"field": name, "operator": operator, "values": [scalar(value.value)]}
        case Between(name, low, high):
            return {"field": name, "operator": f"{before}between", "values": [scalar(low.value), scalar(high.value)]}
        case Membership(name, values):
            return {"field": name, "operator": f"{before}in", "values": [scalar(value.value) for value in values]}
        case Emptiness(name):
            return {"field": name, "operator": "is not empty" if negative else "is empty", "values": []}
    return {}


def from_json(body: Any, depth: int = 0) -> Node:
    """The tree of a JSON filter; refuses what `to_json` would not write."""
    if depth > MAX_DEPTH:
        raise Invalid("The filter is nested too deeply.")
    if isinstance(body, Mapping) and len(body) == 1 and ("all" in body or "any" in body):
        items = body.get("all", body.get("any"))
        if not isinstance(items, list) or not 1 <= len(items) <= MAX_CONDITIONS:
            raise Invalid(f"A group holds 1 to {MAX_CONDITIONS} conditions.")
        children = tuple(from_json(item, depth + 1) for item in items)
        if len(children) == 1:
            return children[0]
        return All(children) if "all" in body else AnyOf(children)
    if isinstance(body, Mapping) and set(body) == {"not"}:
        return Not(from_json(body["not"], depth + 1))
    if isinstance(body, Mapping) and isinstance(body.get("text"), str):
        return parse(body["text"])
    raise Invalid(
        "This is not a filter.", help='{"all": [...]}, {"any": [...]}, {"not": {...}} or {"text": "class = A"}'
    )


def fits_phone(node: Node) -> bool:
    """Whether the phone's part of the language holds it: conditions on the object's own fields, joined and negated."""
    if not isinstance(node, PHONE_NODES):
        return False
    match node:
        case All(children) | AnyOf(children):
            return all(fits_phone(child) for child in children)
        case Not(child):
            return fits_phone(child)
    return "." not in node.field
