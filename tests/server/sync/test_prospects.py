"""Prospects of open data on phones: whose ground, which apps, and one lead of each whoever asks."""

from uuid import UUID, uuid4

from server.auth.models import Role
from tests.server.sync.world import Json, Phone, World

FIRM = """
insert into offered_prospect (id, name, kind, kind_words, credit, pin, territory_id)
values (:id, :name, 'shop=bakery', '{"en": "Bakery", "de": "Bäckerei"}', '© OpenStreetMap contributors',
        st_setsrid(st_makepoint(9.5, 47.1), 4326), :area)
"""


def firm(world: World, name: str, area: str | None) -> str:
    row_id = uuid4()
    world.sql(FIRM, id=row_id, name=name, area=world.territories[area] if area else None)
    return str(row_id)


def newest(world: World, login: str) -> Phone:
    phone = world.phone(login)
    phone.schema = 2
    phone.sync()
    return phone


def lead_of(phone: Phone, prospect_id: str, name: str) -> Json:
    d = {"company": name, "person": None, "phone": None, "email": None, "note": None, "lon": 9.5, "lat": 47.1}
    return phone.save("create", "lead", uuid4(), d=d | {"prospect_id": prospect_id})


def test_a_phone_holds_the_prospects_of_its_reps_ground_and_old_apps_none(world: World) -> None:
    west, east, nobodys = firm(world, "W", "west"), firm(world, "E", "east"), firm(world, "N", None)
    rita, mona, old = newest(world, "rita"), newest(world, "mona"), world.phone("rita")
    old.sync()
    assert [one.ids("prospect") for one in (rita, mona, old)] == [{west}, {nobodys}, set()]
    assert "prospects" not in {one["kind"] for one in old.hello()["buckets"]}
    world.sql("update offered_prospect set rev = rev + 1, territory_id = :t", t=world.territories["west"])
    rita.sync()
    assert rita.ids("prospect") == {west, east, nobodys}
    world.revoke("rita", "west")
    world.grant("rita", "east")
    rita.sync()
    assert rita.ids("prospect") == set()
    rita.schema = 1
    rita.sync()
    assert "prospects" not in {one["kind"] for one in rita.hello()["buckets"]}


def test_who_may_not_see_the_market_gets_no_prospects(world: World) -> None:
    firm(world, "W", "west")
    phone = newest(world, "rita")
    assert len(phone.ids("prospect")) == 1
    world.sql(
        "insert into access_role (id, name, base, is_ours, grants, fields)"
        """ values (gen_random_uuid(), 'rep', 'rep', true, '{"density:read": "none"}', '{}')"""
    )
    phone.sync()
    assert phone.ids("prospect") == set()


def test_two_reps_make_a_lead_of_one_prospect_and_the_second_hears_whose_it_is(world: World) -> None:
    world.grant("otto", "west")
    prospect_id = firm(world, "Bäckerei am Bach", "west")
    rita, otto = newest(world, "rita"), newest(world, "otto")
    assert rita.ids("prospect") == otto.ids("prospect") == {prospect_id}
    op = lead_of(rita, prospect_id, "Bäckerei am Bach")
    lead_of(otto, prospect_id, "Bäckerei am Bach")
    (first,), (second,) = rita.push(), otto.push()
    assert (first["status"], first["row"]["source"]) == ("applied", "prospect")
    assert (second["status"], second["error"]["code"]) == ("rejected", "prospect_taken")
    assert [one["code"] for one in second["error"]["reasons"]] == ["prospect_is_lead_of", "search_it"]
    assert second["error"]["reasons"][0]["values"]["who"] == "Rita"
    again = rita.call("/sync/v1/push", {"epoch": rita.epoch, "ops": [op]})["results"][0]
    assert (again["status"], again["replay"]) == ("applied", True)
    for phone in (rita, otto):
        phone.sync()
        assert phone.ids("prospect") == set()
    assert world.sql("select company, source from lead") == [("Bäckerei am Bach", "prospect")]
    assert UUID(prospect_id) == world.sql("select prospect_id from white_space_item")[0][0]


def test_who_leads_gets_nobodys_ground_and_everybody_while_no_territory_is_drawn(world: World) -> None:
    nobodys = firm(world, "N", None)
    world.user("rolf", Role.REP)
    assert newest(world, "rolf").ids("prospect") == set()
    world.sql("update territory set deleted_at = now(), rev = rev + 1")
    assert newest(world, "rolf").ids("prospect") == {nobodys}
