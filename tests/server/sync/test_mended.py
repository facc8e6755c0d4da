"""An entry that was refused, and that its rep mended and sent again, is made once."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from mobile import reasons
from mobile.field import drafts, taking
from mobile.field.store.drafts import Draft
from mobile.texts import Words
from server.auth import rights
from server.auth.models import Role
from server.kit.database import transaction
from tests.server.sync import stories
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.test_refused import Office
from tests.server.sync.test_taken_down import order
from tests.server.sync.world import World


def refused_lead(world: World, rita: FieldPhone) -> Draft:
    """A lead that was refused and that its rep opens again, now that leads may be made."""
    for level in ("none", "own"):
        with transaction() as session:
            rights.change_role(session, "rep", levels={"leads:write": level}, fields={}, actor=world.users["ada"])
        if level == "none":
            op = taking.new_lead(rita.store, 9.2, 47.2, company="Hofladen")
            rita.sync()
    drafts.reopen(rita.store, rita.store.outbox.op(op.op_id) or op)
    (draft,) = drafts.unfinished(rita.store)
    return draft


def mend(rita: FieldPhone, draft: Draft) -> str:
    """The form is saved; says what became of what was sent."""
    act = lambda: taking.new_lead(rita.store, 9.2, 47.2, company="Hofladen Beck")  # noqa: E731
    rita.store.at_once(lambda: drafts.finished(rita.store, draft, {}, act))
    rita.sync()
    return rita.store.outbox.ops()[-1].state


def test_an_entry_that_its_rep_mended_and_sent_again_is_no_second_one_for_the_office(
    world: World, rita: FieldPhone
) -> None:
    mona, draft = Office(world, "mona"), refused_lead(world, rita)
    (waiting,) = mona.refused(rita.device_id)["items"]
    assert mend(rita, draft) == "applied"
    assert mona.refused(rita.device_id)["items"] == []
    assert mona.decide_refused(rita.device_id, waiting["n"], take=True)[0] == 409
    assert world.sql("select company from lead") == [("Hofladen Beck",)]
    (closed,) = mona.refused(rita.device_id, decided=True)["items"]
    assert (closed["decided_by_name"], closed["mended_by"]) == ("Rita", rita.store.outbox.ops()[-1].op_id)
    path = f"/users/{world.users['rita']}"
    page = world.client.get(path, headers=Office(world, "ada").headers)
    assert (page.status_code, "sent again" in page.text) == (200, True)


def test_an_entry_that_the_office_took_first_is_not_made_once_more_by_its_mended_one(
    world: World, rita: FieldPhone
) -> None:
    mona, draft = Office(world, "mona"), refused_lead(world, rita)
    (waiting,) = mona.refused(rita.device_id)["items"]
    stories.at(rita, "/push", before=lambda: mona.decide_refused(rita.device_id, waiting["n"], take=True))
    assert mend(rita, draft) == "rejected"
    last = rita.store.outbox.ops()[-1].result
    assert last is not None
    assert reasons.reason(Words("en"), last["error"]).startswith("The office has had this entry taken meanwhile.")
    assert world.sql("select company from lead") == [("Hofladen",)]


def test_what_is_opened_of_an_entry_that_was_taken_is_the_one_that_stands(world: World, rita: FieldPhone) -> None:
    mona, draft = Office(world, "mona"), refused_lead(world, rita)
    (waiting,) = mona.refused(rita.device_id)["items"]
    stories.at(rita, "/push", before=lambda: mona.decide_refused(rita.device_id, waiting["n"], take=True))
    assert mend(rita, draft) == "rejected"
    first, again = rita.store.outbox.ops()
    held = {"mends": again.op_id, "refilled": {"name": "Hofladen Beck"}, "changes": False}
    form = {"screen": "lead", "arguments": {"lon": 9.2, "lat": 47.2}, "name": "Hofladen Beck"}
    drafts.keep(rita.store, "of an older app", form | held, for_good=True)
    for _ in range(2):  # before the phone hears what stands, and after it
        assert drafts.can_reopen(rita.store, again)
        assert drafts.reopen(rita.store, again) == ("lead_card", {"lead_id": first.row_id})
        with pytest.raises(drafts.TakenMeanwhile):
            mend(rita, Draft("of an older app", "", form | held))
        rita.sync()
    assert drafts.unfinished(rita.store) == []
    assert mona.refused(rita.device_id)["items"] == []
    assert world.sql("select company from lead") == [("Hofladen",)]


def kinds(at: UUID) -> dict[str, tuple[str, dict[str, Any]]]:
    """What a rep makes at an account, by kind: the right to it, and what it says."""
    person = {"account_id": str(at), "first_name": "Otto", "last_name": None, "title": None, "phones": [], "mails": []}
    task = dict.fromkeys(("site_id", "contact_id", "note", "due_on", "starts_at", "ends_at"))
    place = {"lon": 9.2, "lat": 47.2, "phone": None, "note": None}
    founded = dict.fromkeys(("account_class", "street", "postcode", "city"))
    return {
        "order": ("orders:write", order(at)),
        "contact": ("contacts:write", person),
        "activity": ("activities:write", task | {"kind": "task", "account_id": str(at), "subject": "Samples"}),
        "lead": ("leads:write", place | {"company": "Hofladen", "person": None, "email": None}),
        "account": ("accounts:write", place | founded | {"name": "Hofladen", "status": "prospect", "tags": []}),
    }


TABLES = {"order": "sales_order", "lead": "lead", "account": "account", "contact": "contact", "activity": "activity"}


@pytest.mark.parametrize("e", TABLES)
def test_a_chain_of_mended_entries_makes_no_second_one(world: World, e: str) -> None:
    world.user("ada", Role.ADMIN)
    at, phone, mona = world.account("Bakery", "west"), world.phone("rita"), Office(world, "mona")
    phone.sync()
    right, d = kinds(at)[e]
    (before,) = world.sql(f"select count(*) from {TABLES[e]}")[0]

    def rep_may(level: str) -> None:
        with transaction() as session:
            rights.change_role(session, "rep", levels={right: level}, fields={}, actor=world.users["ada"])

    def again(mended: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        lines = [line | {"id": str(uuid4())} for line in d.get("lines", ())]
        op = phone.save("create", e, uuid4(), d=d | ({"lines": lines} if lines else {}))
        op["mends"] = mended["op_id"]
        (verdict,) = phone.push()
        return op, verdict

    rep_may("none")
    first = phone.save("create", e, uuid4(), d=d)
    phone.push()
    second, _ = again(first)
    assert [one["n"] for one in mona.refused(phone.device_id)["items"]] == [2], "the later one waits for both"
    rep_may("own" if e == "lead" else "territory")
    assert mona.decide_refused(phone.device_id, 2, take=True)[1]["status"] == "applied"
    third, verdict = again(second)
    told = [verdict, again(third)[1], again(first)[1]]
    assert {one["error"]["code"] for one in told} == {"taken_meanwhile"}
    assert mona.refused(phone.device_id)["items"] == [], "the phone has said so"
    (closed, *_) = mona.refused(phone.device_id, decided=True)["items"]
    assert (closed["is_over"], closed["decided_by_name"]) == (True, None)
    world.sql("update sync_receipt set decided_at = null where n = 3")
    assert mona.decide_refused(phone.device_id, 3, take=True)[1]["why"].startswith("The office has had this entry")
    assert world.sql(f"select count(*) from {TABLES[e]}") == [(before + 1,)]


def test_only_its_own_rep_closes_an_entry_by_another_one(world: World, rita: FieldPhone) -> None:
    refused_lead(world, rita)
    (waiting,) = Office(world, "mona").refused(rita.device_id)["items"]
    other = world.phone("otto")
    other.sync()
    op = other.save("create", "lead", uuid4(), d={"company": "X", "person": None, "phone": None, "email": None,
                    "note": None, "lon": 9.2, "lat": 47.2})  # fmt: skip
    op["mends"] = waiting["op_id"]
    assert [one["status"] for one in other.push()] == ["applied"]
    assert len(Office(world, "mona").refused(rita.device_id)["items"]) == 1
