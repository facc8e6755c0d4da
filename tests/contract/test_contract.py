"""The contract between server and phone: schema and golden messages. Golden files are only added."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from server.kit.errors import WaymarkError
from server.sync import contract
from server.sync.protocol import problems, wire
from server.sync.pulling import documents

HERE = Path(__file__).parent
GOLDEN = sorted((HERE / "golden").glob("*.json"))
MESSAGES = [path for path in GOLDEN if not path.name.startswith("error.")]
ERRORS = [path for path in GOLDEN if path.name.startswith("error.")]


def spelled(value: Any) -> str:
    """How golden messages are written: keys sorted, one space of indentation, real characters."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_schema_is_what_the_server_uses() -> None:
    stored = (HERE / "schema.json").read_text(encoding="utf-8")
    assert stored == contract.text(), "run: python -m server.sync.contract > tests/contract/schema.json"


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_the_server_reads_a_golden_message_and_writes_it_byte_for_byte(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    message = contract.MESSAGES[path.name.partition(".")[0]].model_validate_json(text)
    assert spelled(wire.emit(message)) == text


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_a_golden_message_fits_the_schema(path: Path) -> None:
    schema = json.loads((HERE / "schema.json").read_text(encoding="utf-8"))
    part = schema["parts"][f"message {path.name.partition('.')[0]}"]
    Draft202012Validator(part | {"$defs": schema["$defs"]}).validate(json.loads(path.read_text(encoding="utf-8")))


def test_every_golden_op_is_understood() -> None:
    ops = [op for path in GOLDEN if path.name.startswith("push-request.") for op in json.loads(path.read_text())["ops"]]
    adapter: TypeAdapter[wire.AnyOp] = TypeAdapter(wire.AnyOp)
    kinds = {wire.Patch, wire.SetChange, wire.Delete, wire.Create, wire.ProposePin}
    kinds |= {
        wire.DraftOrder,
        wire.AddActivity,
        wire.AddLead,
        wire.AddAccount,
        wire.AddContact,
        wire.AddAttachment,
        wire.AddTrack,
    }
    assert {type(adapter.validate_python(op)) for op in ops} == kinds
    assert all(wire.emit(adapter.validate_python(op)).keys() == op.keys() for op in ops)


def test_every_golden_row_is_a_whole_document() -> None:
    pages = [json.loads(path.read_text()) for path in GOLDEN if path.name.startswith("pull-reply.")]
    seen = set()
    for row in (row for page in pages for group in page["groups"] for row in group["rows"] if row["o"] == "P"):
        documents.DOCUMENTS[row["e"]].model_validate(row["d"])
        seen.add(row["e"])
    assert seen == set(documents.DOCUMENTS)


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
def test_a_golden_error_is_a_problem_document_with_the_code_of_the_contract(path: Path) -> None:
    body = json.loads(path.read_text(encoding="utf-8"))
    assert spelled(body) == path.read_text(encoding="utf-8")
    assert body["code"].replace("_", "-") == path.stem.removeprefix("error.")
    assert {"type", "title", "status", "detail", "code"} <= body.keys()


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (
            problems.EpochChanged("The database was restored or moved.", help="Say hello again.", retry=False),
            "epoch-changed",
        ),
        (problems.Gap("Op 120 is missing.", help="Say hello and send from there.", retry=False, expected=120), "gap"),
        (problems.CursorExpired("The cursor is too old.", help="Compare by digest.", retry=False), "cursor-expired"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_server_words_an_error_as_the_golden_file_does(error: WaymarkError, name: str) -> None:
    golden = json.loads((HERE / "golden" / f"error.{name}.json").read_text(encoding="utf-8"))
    assert golden | error.problem() == golden


def test_the_order_of_keys_does_not_change_the_hash_of_an_op_but_its_number_is_left_out() -> None:
    one = {"n": 1, "op_id": "a", "k": "patch", "f": {"b": ["ä", None], "a": [1, 2]}}
    other = {"k": "patch", "f": {"a": [1, 2], "b": ["ä", None]}, "op_id": "a", "n": 7}
    assert wire.body_sha(one) == wire.body_sha(other)
    assert wire.body_sha(one).hex() == "928793535f6a48e2fa8bc9b798eff99bc0b604acba0bd17abbc0a5a9287e4168"
    assert wire.body_sha(one) != wire.body_sha({**one, "f": {"b": ["ö", None], "a": [1, 2]}})
