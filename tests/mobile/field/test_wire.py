"""The codec: what is read is written again unchanged, unknown keys are ignored, wrong types are named."""

import pytest

from mobile.field.sync import wire

PULL_REPLY = {
    "buckets_now": [7, 412],
    "more": True,
    "groups": [
        {
            "buckets": [7, 412],
            "cursor": "abc",
            "complete": False,
            "rows": [
                {"b": 412, "e": "account", "id": "x", "o": "P", "r": 20, "d": {"name": "A", "phone": None}},
                {"b": 412, "e": "account", "id": "y", "o": "R"},
            ],
        }
    ],
}


def test_a_message_is_written_as_it_was_read():
    assert wire.emit(wire.parse(wire.PullReply, PULL_REPLY)) == PULL_REPLY


def test_null_is_written_where_the_protocol_wants_the_key():
    request = wire.PullRequest("e", [wire.PullGroup(None, [1])], 10)
    assert wire.emit(request)["groups"] == [{"cursor": None, "buckets": [1]}]


def test_keys_of_a_later_version_are_ignored():
    assert wire.parse(wire.PullReply, PULL_REPLY | {"later": 1}) == wire.parse(wire.PullReply, PULL_REPLY)


@pytest.mark.parametrize(
    ("change", "named"),
    [({"more": 1}, "PullReply.more"), ({"groups": {}}, "PullReply.groups"), ({"buckets_now": ["7"]}, "buckets_now[0]")],
)
def test_a_wrong_type_is_named(change, named):
    with pytest.raises(wire.BadMessage) as error:
        wire.parse(wire.PullReply, PULL_REPLY | change)
    assert named in str(error.value)


def test_a_missing_key_is_named():
    with pytest.raises(wire.BadMessage, match=r"PullReply\.more must be present"):
        wire.parse(wire.PullReply, {k: v for k, v in PULL_REPLY.items() if k != "more"})
