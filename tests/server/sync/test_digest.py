"""Comparing without sending everything again."""

import hashlib
from uuid import UUID, uuid4

import pytest

from tests.server.sync.world import Json, Phone, Refused, World


def bucket(world: World, name: str) -> int:
    return int(world.sql("select id from bucket where key = :key", key=str(world.territories[name]))[0][0])


def sums(phone: Phone, number: int) -> list[Json]:
    """What a phone says of a bucket."""
    ranges: dict[tuple[str, str], list[str]] = {}
    for held, entity, row_id in phone.members:
        if held == number:
            ranges.setdefault((entity, row_id[-1]), []).append(f"{row_id}:{phone.rows[entity, row_id][0]}")
    return [
        {"e": e, "x": x, "count": len(rows), "sum": f"{sum(map(hashed, rows)) % 2**64:016x}"}
        for (e, x), rows in ranges.items()
    ]


def revs(phone: Phone, number: int, e: str, x: str) -> dict[str, int]:
    """The rows that a phone holds in a range."""
    held = [(e, row_id) for bucket, entity, row_id in phone.members if (bucket, entity, row_id[-1]) == (number, e, x)]
    return {row_id: phone.rows[entity, row_id][0] for entity, row_id in held}


def hashed(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest())


def compare(phone: Phone, number: int, **more: object) -> Json:
    return phone.call("/sync/v1/digest", {"epoch": phone.epoch, "bucket": number, **more})


def test_a_phone_that_holds_everything_is_told_so(world: World) -> None:
    for name in "ABCD":
        world.account(name, "west")
    phone = world.phone("rita")
    phone.sync()
    assert compare(phone, bucket(world, "west"), sums=sums(phone, bucket(world, "west")))["differ"] == []


def test_only_what_differs_is_sent_and_the_cursor_goes_on_from_there(world: World) -> None:
    accounts = [world.account(f"A{number}", "west") for number in range(8)]
    phone = world.phone("rita")
    phone.sync()
    number = bucket(world, "west")
    lost, stale, extra = str(accounts[0]), str(accounts[1]), str(uuid4())
    right = dict(phone.rows)
    del phone.rows["account", lost]
    phone.members.discard((number, "account", lost))
    phone.rows["account", stale] = (99, {"name": "Stale"})
    phone.rows["account", extra] = (1, {"name": "Never was"})
    phone.members.add((number, "account", extra))

    reply = compare(phone, number, sums=sums(phone, number))
    assert {part["x"] for part in reply["differ"]} == {lost[-1], stale[-1], extra[-1]}
    rows = compare(phone, number, have=[part | {"revs": revs(phone, number, **part)} for part in reply["differ"]])[
        "rows"
    ]
    assert {(row["id"], row["o"]) for row in rows} == {(lost, "P"), (stale, "P"), (extra, "R")}
    for row in rows:
        key = (row["b"], row["e"], row["id"])
        if row["o"] == "P":
            phone.members.add(key)
            phone.rows[key[1:]] = (row["r"], row["d"])
        else:
            phone.members.discard(key)
            del phone.rows[key[1:]]
    assert phone.rows == right
    phone.cursors[number] = reply["cursor"]
    assert phone.pull() == 0
    world.sql("update account set name = 'Changed' where id = :id", id=UUID(lost))
    assert phone.pull() == 1


def test_a_bucket_of_somebody_else_does_not_exist(world: World) -> None:
    phone = world.phone("rita")
    phone.sync()
    for number in (bucket(world, "east"), 999_999):
        with pytest.raises(Refused) as refused:
            compare(phone, number, sums=[])
        assert (refused.value.status, refused.value.code) == (404, "not_found")
