"""The phone keeps the contract: every golden message is read and written again unchanged, every error is named."""

import json
from pathlib import Path

import pytest

from mobile.field.store.canonical import canonical, sha256
from mobile.field.store.overlay import lay_over, references, target
from mobile.field.sync import problems, wire

GOLDEN = Path(__file__).parents[2] / "contract" / "golden"
KINDS = {
    "hello-request": wire.HelloRequest, "hello-reply": wire.HelloReply, "push-request": wire.PushRequest,
    "push-reply": wire.PushReply, "pull-request": wire.PullRequest, "pull-reply": wire.PullReply,
    "blob-request": wire.BlobRequest, "blob-reply": wire.BlobReply,
    "quarantine-request": wire.QuarantineRequest, "quarantine-reply": wire.QuarantineReply,
    "wiped-request": wire.WipedRequest,
}  # fmt: skip
MESSAGES = [path for path in sorted(GOLDEN.glob("*.json")) if path.name.partition(".")[0] in KINDS]
ERRORS = sorted(GOLDEN.glob("error.*.json"))
MUST = {
    "token_expired": problems.TokenExpired, "login_required": problems.SignInNeeded, "busy": problems.Busy,
    "rate_limited": problems.Busy, "replica_behind": problems.Busy, "device_locked": problems.DeviceBarred,
    "retired": problems.DeviceBarred, "wipe": problems.DeviceBarred, "epoch_changed": problems.EpochChanged,
    "gap": problems.Gap, "device_forked": problems.DeviceForked, "cursor_expired": problems.StartOver,
    "bucket_gen": problems.StartOver, "too_big": problems.Indigestible, "bad_request": problems.Indigestible,
    "upgrade": problems.UpgradeNeeded, "wrong_offset": problems.WrongOffset, "checksum_mismatch": problems.Damaged,
    "file_refused": problems.FileRefused, "not_announced": problems.NotAnnounced,
}  # fmt: skip


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_a_golden_message_is_read_and_written_unchanged(path):
    message = json.loads(path.read_text(encoding="utf-8"))
    assert wire.emit(wire.parse(KINDS[path.name.partition(".")[0]], message)) == message


@pytest.mark.parametrize("path", ERRORS, ids=lambda path: path.stem)
def test_a_golden_error_is_known_by_its_code(path):
    body = json.loads(path.read_text(encoding="utf-8"))
    error = problems.problem(body["status"], body, None)
    assert type(error) is MUST[body["code"]]
    assert error.after_s == body.get("after_s")


def test_every_golden_op_can_be_laid_over_a_row():
    for path in GOLDEN.glob("push-request.*.json"):
        for op in json.loads(path.read_text(encoding="utf-8"))["ops"]:
            assert target(op) in references(op)
            lay_over({"id": op["id"], "tags": ["a"]}, [op])


def test_an_op_is_hashed_as_the_server_hashes_it():
    body = {"op_id": "a", "k": "patch", "f": {"b": ["ä", None], "a": [1, 2]}}
    assert sha256(canonical(body)).hex() == "928793535f6a48e2fa8bc9b798eff99bc0b604acba0bd17abbc0a5a9287e4168"
