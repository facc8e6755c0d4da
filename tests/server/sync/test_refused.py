"""What was refused of phones: read by whoever looks after them, taken after all or put aside."""

from typing import Any
from uuid import uuid4

from server.auth import rights
from server.auth.models import Role
from server.kit.database import transaction
from tests.server.sync.test_conflicts import Desk
from tests.server.sync.test_taken_down import order
from tests.server.sync.world import Phone, World


class Office(Desk):
    """Somebody at the pages' API."""

    def refused(self, phone: Phone, **asked: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.world.client.get(
            f"/api/v1/devices/{phone.device_id}/refused", params=asked, headers=self.headers
        ).json()
        return found

    def decide_refused(self, phone: Phone, n: int, *, take: bool) -> tuple[int, dict[str, Any]]:
        answer = self.world.client.post(
            f"/api/v1/devices/{phone.device_id}/refused/{n}", json={"take": take}, headers=self.headers
        )
        return answer.status_code, answer.json()


def may_order(world: World, level: str) -> None:
    with transaction() as session:
        rights.change_role(session, "rep", levels={"orders:write": level}, fields={}, actor=world.users["ada"])


def test_refused_work_is_read_taken_again_or_put_aside(world: World) -> None:
    world.user("ada", Role.ADMIN)
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    phone.sync()
    may_order(world, "none")
    phone.save("create", "order", uuid4(), d=order(at) | {"note": "before noon"})
    first = phone.event(uuid4(), note="nobody knows where")
    waiting = phone.event(at, note="builds on it")
    waiting["dep_op"] = first["op_id"]
    assert [verdict["status"] for verdict in phone.push()] == ["rejected", "rejected", "deferred"]
    mona = Office(world, "mona")
    found = mona.refused(phone)["items"]
    assert [one["n"] for one in found] == [3, 2, 1]
    assert [(one["account_name"], one["entity"], bool(one["why"])) for one in found] == [
        ("Bakery", "visit_event", True), (None, "visit_event", True), ("Bakery", "order", True),
    ]  # fmt: skip
    said = {one["field"]: one["value"] for one in found[2]["content"]}
    assert (said["note"], said["lines"]) == ("before noon", "1 × Rolls")
    assert {one["field"]: one["value"] for one in found[1]["content"]} | {"day": ""} == {
        "day": "", "state": "done", "outcome": "order", "note": "nobody knows where",
    }  # fmt: skip
    status, still = mona.decide_refused(phone, 1, take=True)
    assert (status, still["decided_at"], still["status"]) == (200, None, "rejected")
    may_order(world, "territory")
    status, now = mona.decide_refused(phone, 1, take=True)
    assert (status, now["status"], now["decided_by_name"]) == (200, "applied", "Mona")
    assert world.sql("select owner_id, note from sales_order") == [(world.users["rita"], "before noon")]
    assert mona.decide_refused(phone, 1, take=True)[0] == 409
    assert mona.decide_refused(phone, 3, take=True)[1]["detail"] == "The entry that it builds on is refused."
    assert mona.decide_refused(phone, 2, take=False)[1]["status"] == "rejected"
    assert [one["n"] for one in mona.refused(phone)["items"]] == [3]
    assert {one["n"]: one["decided_by_name"] for one in mona.refused(phone, decided=True)["items"]} == {
        1: "Mona", 2: "Mona",
    }  # fmt: skip
    phone.states[1] = "queued"
    assert [(verdict["status"], verdict["replay"]) for verdict in phone.push()] == [("applied", True)]


def test_refused_work_comes_in_pages_and_to_nobody_else(world: World) -> None:
    phone = world.phone("rita")
    phone.sync()
    for _ in range(5):
        phone.event(uuid4())
    phone.push()
    mona, otto = Office(world, "mona"), Office(world, "otto")
    page = mona.refused(phone, limit=2)
    assert [one["n"] for one in page["items"]] == [5, 4]
    assert [one["n"] for one in mona.refused(phone, limit=9, cursor=page["next_cursor"])["items"]] == [3, 2, 1]
    assert (mona.refused(phone, cursor="bm9uZQ")["status"], otto.refused(phone)["status"]) == (400, 403)
    world.user("max", Role.MANAGER)
    stranger = Office(world, "max")
    assert stranger.refused(phone)["status"] == 404
    assert stranger.decide_refused(phone, 1, take=False)[0] == 404
