"""Why something was refused is said by the phone in its own language: each sentence that can reach it has a code."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic import ValidationError

from mobile.reasons import clash, problem, reason
from mobile.texts import DE, EN, Words
from server.sync.protocol import reasons
from server.sync.pushing import capturing, ops, push

ELSEWHERE = (
    "server.kit.", "server.auth.tokens", "server.geocoding", "server.roads", "server.webhooks", "server.demands",
    "server.notifications", "server.closures", "server.territories", "server.jobs", "server.regions", "server.plans",
    "server.accounts.around", "server.accounts.reaching", "server.accounts.tree", "server.fields.forms",
)  # fmt: skip
"""What ops reach by name only: no op that a phone sends is refused there."""
VALUES = tuple(
    f"server.{room}.values"
    for room in ("records", "accounts", "contacts", "leads", "activities.agenda", "orders", "fields")
)
"""Rules of fields, which are named in tables."""
COMPOSED = re.compile(r"^(X: )?X\.?$|^X: X\.?$")
"""A label with what is wrong with its value: that has a code of its own."""


def gaps(sentence: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", sentence))


@pytest.mark.parametrize("code", reasons.REASONS)
def test_every_code_that_the_server_can_send_has_a_sentence_in_both_languages(code: str) -> None:
    english, german = EN[f"reason_{code}"], DE[f"reason_{code}"]
    assert gaps(german) <= gaps(reasons.REASONS[code]) >= gaps(english)
    assert english != german


def test_codes_of_shapes_are_codes_and_no_two_codes_have_one_sentence() -> None:
    assert {*reasons.SHAPES.values(), "shape"} <= reasons.REASONS.keys()
    assert len(set(reasons.REASONS.values())) == len(reasons.REASONS)


@cache
def tree(module: str) -> dict[str, ast.AST]:
    """The functions and classes of a module."""
    path = import_module(module).__file__
    assert path is not None
    parsed = ast.parse(Path(path).read_text("utf-8"))
    return {node.name: node for node in parsed.body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def named(module: str, node: ast.AST) -> Iterator[tuple[str, str]]:
    """The functions of ours that a function or a class names, over-estimated."""
    home: Any = import_module(module)
    for part in ast.walk(node):
        found: Any = None
        if isinstance(part, ast.Name):
            found = getattr(home, part.id, None)
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            room = getattr(home, part.value.id, None)
            found = getattr(room, part.attr, None) if isinstance(room, ModuleType) else None
        where, name = getattr(found, "__module__", None), getattr(found, "__name__", None)
        if isinstance(where, str) and where.startswith("server.") and isinstance(name, str) and name in tree(where):
            yield where, name


def written(node: ast.expr) -> str | None:
    """A sentence with its gaps as X; None for one that is put together elsewhere."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr():
            return "".join(str(one.value) if isinstance(one, ast.Constant) else "X" for one in node.values)
        case _:
            return None


def refusals() -> set[str]:
    """The sentences, with their helps, of every refusal that ops of phones can come to."""
    seen: set[tuple[str, str]] = set()
    todo = [(one.__module__, one.__name__) for one in (ops.apply, ops.record, ops.parsed, push.take, push.settle)]
    todo += [(room, name) for room in VALUES for name in tree(room)]
    found: set[str] = set()
    while todo:
        place = todo.pop()
        if place in seen or place[0].startswith(ELSEWHERE):
            continue
        seen.add(place)
        node = tree(place[0])[place[1]]
        todo += named(place[0], node)
        for call in (one.exc for one in ast.walk(node) if isinstance(one, ast.Raise)):
            if isinstance(call, ast.Call) and call.args:
                helps = [one.value for one in call.keywords if one.arg == "help"]
                found |= {said for one in (call.args[0], *helps) if (said := written(one))}
    assert (capturing.__name__, "add_account") in seen
    return {said for said in found if " " in said and not COMPOSED.match(said) and not said.startswith("a time ")}


def test_every_refusal_that_ops_can_come_to_has_a_code() -> None:
    assert {said for said in refusals() if not (reasons.read(said) or reasons.read(f"X: {said}."))} == set()


def test_a_sentence_gives_its_values_back_and_one_without_code_stays_as_it_is() -> None:
    (found,) = reasons.told("“Lager” has no price in EUR on 2026-11-27 for this customer.") or ()
    assert found.code == "no_price"
    assert found.values == {"name": "Lager", "currency": "EUR", "day": "2026-11-27"}
    assert reasons.told("There is no such account.", "Ask the oracle.") is None


def test_a_value_that_holds_what_stands_between_two_is_not_split_wrongly_but_told_in_english() -> None:
    plain = "“Sonne AG” has the number 7 already."
    assert reasons.told(plain) is not None
    assert reasons.told("“The “Sonne” has the number One” has the number 7 already.") is None
    assert reasons.told("note is “9: “ten”” meanwhile.") is not None, "a single joint, though the value has quotes"


def test_what_is_wrong_with_a_shape_has_a_code() -> None:
    with pytest.raises(ValidationError) as caught:
        ops.ANY_OP.validate_python({"k": "create", "e": "lead", "id": "x"})
    assert [one.code for one in push.refusal(caught.value).reasons or ()] == ["shape_missing"]


def test_a_german_phone_says_reasons_in_german_and_unknown_ones_as_the_server_does() -> None:
    german = Words("de")
    said = {
        "msg": "“Phone” …",
        "help": "Help.",
        "reasons": [{"code": "longer", "values": {"field": "d.note", "most": "9"}}],
    }
    assert reason(german, said) == "Notiz ist länger als 9 Zeichen."
    newer = said | {"reasons": [*said["reasons"], {"code": "of_tomorrow", "values": {}}]}
    assert reason(german, newer) == "“Phone” … Help."
    assert reason(german, {"msg": "Old server."}) == "Old server."
    assert reason(german, said | {"reasons": [{"code": "longer", "values": {}}]}) == "“Phone” … Help."
    assert problem(german, {"code": "too_big", "msg": "Too large."}) == "Es ist zu gross."
    gone = {"field": "phone", "mine": "1", "server": None, "kind": "out_of_scope"}
    assert "nicht mehr in Ihrem Gebiet" in clash(german, gone)
    assert "das Büro" in clash(german, gone | {"kind": "of_tomorrow", "server": "2"})
