"""A phone on which its person signs in anew: once in the lists of phones, and nothing of it is out of sight or lost."""

from uuid import UUID, uuid4

from httpx import Response

from server.auth import codes, queries
from server.auth.access import scope_of
from server.auth.models import User
from server.kit.database import transaction
from server.sync import doctor
from tests.server.sync.world import Phone, World, public_key

SILENT = "phones that are silent and hold unsent work"


def registration(world: World, login: str, *former: UUID) -> Response:
    """What a phone hears that registers with a code, and says what it was before."""
    with transaction() as session:
        scope = scope_of(session, session.get_one(User, world.users[login]), source="api")
        _, code = codes.make(session, scope, world.users[login])
    body = {"code": code, "name": "phone", "platform": "test", "public_key": public_key()}
    return world.client.post("/api/v1/devices/by-code", json=body | {"former": [str(one) for one in former]})


def signed_in(world: World, login: str, *former: UUID) -> Phone:
    """One that was let in."""
    said = registration(world, login, *former).json()
    return Phone(world.client, UUID(said["device_id"]), said["access_token"])


def listed(world: World) -> set[UUID]:
    """The phones that stand in the lists."""
    everything = {one for (one,) in world.sql("select id from device")}
    with transaction() as session:
        return everything - queries.replaced(session, everything)


def test_it_stands_once_as_soon_as_the_new_one_has_spoken(world: World) -> None:
    first, another = signed_in(world, "rita"), signed_in(world, "otto")
    first.hello(pending={"ops": 3, "blobs": 0, "oldest": None})
    world.sql("update device set last_seen_at = now() - interval '5 days' where id = :d", d=first.device_id)
    assert doctor_says(world) == 1
    second = signed_in(world, "rita", first.device_id, another.device_id, uuid4())
    assert listed(world) == {first.device_id, second.device_id, another.device_id}, "the answer may not have arrived"
    second.hello()
    assert listed(world) == {second.device_id, another.device_id}, "others on the same phone stay"
    assert doctor_says(world) == 0, "what waited goes on under the new one"


def doctor_says(world: World) -> int:
    """How many phones are silent with unsent work."""
    with transaction() as session:
        return next(one.count for one in doctor.examine(session) if one.question == SILENT)


def test_a_lost_answer_leaves_the_phone_what_it_was_and_the_next_try_leaves_one(world: World) -> None:
    first = signed_in(world, "rita")
    lost = signed_in(world, "rita", first.device_id)
    first.hello()
    assert first.device_id in listed(world)
    third = signed_in(world, "rita", first.device_id)
    third.hello()
    assert listed(world) == {third.device_id}
    assert lost.device_id not in listed(world)


def test_a_former_one_that_speaks_is_a_phone_of_its_own(world: World) -> None:
    first = signed_in(world, "rita")
    first.hello()
    second = signed_in(world, "rita", first.device_id)
    second.hello()
    first.hello()
    assert listed(world) == {second.device_id}, "a sync that had begun before"
    world.sql("update device set registered_at = registered_at - interval '2 minutes'")
    assert listed(world) == {first.device_id, second.device_id}, "files that were copied to another phone"


def test_one_that_is_retired_stays_in_sight(world: World) -> None:
    first = signed_in(world, "rita")
    world.sql("update device set state = 'retired' where id = :d", d=first.device_id)
    second = signed_in(world, "rita", first.device_id)
    second.hello()
    assert listed(world) == {first.device_id, second.device_id}


def test_one_that_is_to_be_wiped_is_not_signed_in_anew_by_its_person(world: World) -> None:
    first, locked = signed_in(world, "rita"), signed_in(world, "rita")
    for device, state in ((first.device_id, "wipe_pending"), (locked.device_id, "locked")):
        world.sql("update device set state = :s where id = :d", s=state, d=device)
    answer = registration(world, "rita", locked.device_id, first.device_id)
    assert (answer.status_code, answer.json()["code"]) == (403, "wipe")
    assert signed_in(world, "otto", first.device_id).hello(), "of others on the same phone nothing is to be wiped"
