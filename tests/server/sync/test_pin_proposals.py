"""A rep's pin from the phone: it arrives once, waits for a manager, and the answer comes back."""

from uuid import UUID, uuid4

from sqlalchemy import text

from server.accounts.place_models import PinProposal
from server.accounts.reviewing import proposals
from server.auth.access import Scope, scope_of
from server.auth.models import User
from server.kit.database import transaction
from server.sync.doctor import examine
from server.sync.jobs import tidy
from tests.server.sync.world import Json, Phone, World

FIX = {"lon": 9.21, "lat": 47.2, "accuracy_m": 6.0, "fix_at": "2026-11-23T10:11:58+01:00", "mock": False}


def site_of(world: World, account: UUID) -> UUID:
    found: UUID = world.sql("select id from site where account_id = :id", id=account)[0][0]
    return found


def propose(world: World, phone: Phone, account: UUID, **more: object) -> Json:
    d = {"account_id": str(account), "site_id": str(site_of(world, account)), "lon": 9.21, "lat": 47.2}
    return phone.save("create", "pin_proposal", uuid4(), d=d | {"note": "Gate", "fix": FIX} | more)


def shown(phone: Phone) -> dict[str, tuple[str, str | None]]:
    return {row_id: (d["state"], d["answer"]) for (e, row_id), (_, d) in phone.rows.items() if e == "pin_proposal"}


def scope_in(session: object, world: World, login: str) -> Scope:
    user = session.get(User, world.users[login])  # type: ignore[attr-defined]
    return scope_of(session, user, source="web")  # type: ignore[arg-type]


def test_a_proposal_sent_twice_is_one_and_the_refusal_reaches_the_phone(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    op = propose(world, phone, account)
    (result,) = phone.push()
    assert (result["status"], result["row"]["state"]) == ("applied", "open")
    again = phone.call("/sync/v1/push", {"epoch": phone.epoch, "ops": [op]})["results"][0]
    assert (again["status"], again["replay"], again["row"]["id"]) == ("applied", True, op["id"])
    assert world.sql("select count(*) from pin_proposal")[0][0] == 1
    assert world.sql("select pin is null from site")[0][0] is True
    with transaction() as session:
        proposals.refuse(session, scope_in(session, world, "mona"), UUID(op["id"]), "That is the old warehouse.")
    phone.sync()
    assert shown(phone) == {op["id"]: ("refused", "That is the old warehouse.")}
    other = world.phone("otto")
    other.sync()
    assert shown(other) == {}, "nobody else's phone holds it"


def test_an_accepted_proposal_comes_back_as_the_pin(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    op = propose(world, phone, account)
    phone.push()
    with transaction() as session:
        proposals.accept(session, scope_in(session, world, "mona"), UUID(op["id"]))
    world.grant("rita", "east")
    phone.sync()
    assert shown(phone) == {op["id"]: ("accepted", None)}
    assert world.sql("select st_x(pin), grade, provider from site")[0] == (9.21, "gps_confirmed", "hand")


def test_a_managers_phone_places_the_pin_at_once(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("mona")
    phone.sync()
    propose(world, phone, account, fix=None)
    (result,) = phone.push()
    assert result["row"]["state"] == "accepted"
    assert world.sql("select st_x(pin), grade from site")[0] == (9.21, "manual")


def test_an_account_that_has_left_the_area_meanwhile_still_takes_the_proposal(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    propose(world, phone, account)
    world.move(account, "east")
    (result,) = phone.push()
    assert result["status"] == "applied"
    with transaction() as session:
        (proposal,) = session.query(PinProposal).all()
        assert proposal.state == "open"


def test_a_site_that_is_gone_and_a_place_off_the_world_are_refused_with_a_reason(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    propose(world, phone, account, site_id=str(uuid4()))
    propose(world, phone, account, lat=190)
    propose(world, phone, account, lat=89.9)
    propose(world, phone, account, lon=0, lat=0)
    propose(world, phone, account)
    results = phone.push()
    assert [one["status"] for one in results] == [*["rejected"] * 4, "applied"]
    assert [one["error"]["code"] for one in results[:4]] == ["not_found", "bad_request", "invalid", "invalid"]
    assert ["pole" in results[2]["error"]["msg"], "off Africa" in results[3]["error"]["msg"]] == [True, True]


def test_what_was_decided_long_ago_leaves_the_phone_and_the_doctor_finds_nothing(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    old = propose(world, phone, account)
    phone.push()
    other = world.account("Mill", "west")
    phone.sync()
    waiting = propose(world, phone, other)
    phone.sync()
    world.sql("update pin_proposal set proposed_at = now() - interval '100 days'")
    world.sql(
        "update pin_proposal set state = 'refused', answer = 'No', decided_at = now() where id = :id",
        id=UUID(old["id"]),
    )
    phone.sync()
    assert set(shown(phone)) == {old["id"], waiting["id"]}
    with transaction() as session:
        session.execute(text("alter table pin_proposal disable trigger user"))
        session.execute(text("update pin_proposal set decided_at = now() - interval '91 days' where state = 'refused'"))
        session.execute(text("alter table pin_proposal enable trigger user"))
    with transaction() as session:
        tidy(session)
        assert [finding for finding in examine(session) if finding.count] == []
    phone.sync()
    assert set(shown(phone)) == {waiting["id"]}, "an open one stays, however old it is"


def test_a_phone_cannot_write_a_pin_past_the_proposals(world: World) -> None:
    account = world.account("Bakery", "west")
    phone = world.phone("rita")
    phone.sync()
    phone.save("patch", "site", site_of(world, account), base_rev=1, f={"lon": [None, 9.2], "lat": [None, 47.2]})
    phone.save("patch", "pin_proposal", uuid4(), base_rev=1, f={"state": ["open", "accepted"]})
    results = phone.push()
    assert [one["error"]["code"] for one in results] == ["not_allowed", "not_allowed"]
