"""What was refused of phones: read by whoever looks after them, taken after all or put aside."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from mobile.field import taking
from server.auth import rights
from server.auth.models import Role
from server.contacts import service as contacts
from server.kit.database import transaction
from server.records.editing import changed_meanwhile
from server.sync.leaving import telling
from tests.server.sync.field_phone import FieldPhone
from tests.server.sync.test_conflicts import Desk
from tests.server.sync.test_edits import define
from tests.server.sync.test_taken_down import order
from tests.server.sync.world import World


class Office(Desk):
    """Somebody at the pages' API."""

    def refused(self, device: UUID, **asked: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.world.client.get(
            f"/api/v1/devices/{device}/refused", params=asked, headers=self.headers
        ).json()
        return found

    def decide_refused(self, device: UUID, n: int, **decision: Any) -> tuple[int, dict[str, Any]]:
        answer = self.world.client.post(f"/api/v1/devices/{device}/refused/{n}", json=decision, headers=self.headers)
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
    found = mona.refused(phone.device_id)["items"]
    assert [one["n"] for one in found] == [3, 2, 1]
    assert [(one["account_name"], one["entity"], bool(one["why"])) for one in found] == [
        ("Bakery", "visit_event", True), (None, "visit_event", True), ("Bakery", "order", True),
    ]  # fmt: skip
    said = {one["field"]: one["value"] for one in found[2]["content"]}
    assert (said["note"], said["lines"]) == ("before noon", "1 × Rolls")
    assert {one["field"]: one["value"] for one in found[1]["content"]} | {"day": ""} == {
        "day": "", "state": "done", "outcome": "order", "note": "nobody knows where",
    }  # fmt: skip
    status, still = mona.decide_refused(phone.device_id, 1, take=True)
    assert (status, still["decided_at"], still["status"]) == (200, None, "rejected")
    may_order(world, "territory")
    status, now = mona.decide_refused(phone.device_id, 1, take=True)
    assert (status, now["status"], now["decided_by_name"]) == (200, "applied", "Mona")
    assert world.sql("select owner_id, note from sales_order") == [(world.users["rita"], "before noon")]
    assert mona.decide_refused(phone.device_id, 1, take=True)[0] == 409
    assert mona.decide_refused(phone.device_id, 3, take=True)[1]["detail"] == "The entry that it builds on is refused."
    assert mona.decide_refused(phone.device_id, 2, take=False)[1]["status"] == "rejected"
    assert [one["n"] for one in mona.refused(phone.device_id)["items"]] == [3]
    assert {one["n"]: one["decided_by_name"] for one in mona.refused(phone.device_id, decided=True)["items"]} == {
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
    page = mona.refused(phone.device_id, limit=2)
    assert [one["n"] for one in page["items"]] == [5, 4]
    assert [one["n"] for one in mona.refused(phone.device_id, limit=9, cursor=page["next_cursor"])["items"]] == [
        3,
        2,
        1,
    ]
    assert (mona.refused(phone.device_id, cursor="bm9uZQ")["status"], otto.refused(phone.device_id)["status"]) == (
        400,
        403,
    )
    world.user("max", Role.MANAGER)
    stranger = Office(world, "max")
    assert stranger.refused(phone.device_id)["status"] == 404
    assert stranger.decide_refused(phone.device_id, 1, take=False)[0] == 404


def test_the_phone_hears_that_the_office_took_its_entry_under_whatever_device_id(
    world: World, rita: FieldPhone
) -> None:
    at = str(world.account("Mill", "west"))
    rita.sync()
    may_order(world, "none")
    taking.draft_order(rita.store, at, None, "EUR", [taking.Line(None, "Rolls", "1", "2.00")])
    rita.sync()
    assert rita.store.outbox.counts() == {"rejected": 1}
    may_order(world, "territory")
    device = rita.device_id
    rita.sign_in()
    mona = Office(world, "mona")
    (one,) = mona.refused(device)["items"]
    assert mona.decide_refused(device, one["n"], take=True)[1]["status"] == "applied"
    report = rita.sync()
    assert report is not None
    assert (report.ok, report.taken, rita.store.outbox.counts()) == (True, 1, {"applied": 1})
    assert len(rita.shown("order")) == 1
    assert rita.sync().taken == 0  # type: ignore[union-attr]


def test_nobody_hears_of_what_another_one_sent(world: World) -> None:
    phone, later = world.phone("rita"), uuid4()
    phone.sync()
    sent = phone.event(later)
    phone.push()
    assert phone.hello(refused=[sent["op_id"]])["taken"] == []
    world.sql("insert into account (id, name) values (:id, 'Late')", id=later)
    assert Office(world, "mona").decide_refused(phone.device_id, 1, take=True)[1]["status"] == "applied"
    assert phone.hello(refused=[sent["op_id"]])["taken"] == [{"op_id": sent["op_id"], "status": "applied"}]
    assert world.phone("otto").hello(refused=[sent["op_id"]])["taken"] == []
    assert "taken" not in phone.hello()


def test_a_photo_that_was_refused_is_offered_again_once_its_entry_is_taken(world: World, rita: FieldPhone) -> None:
    later = uuid4()
    rita.photo(str(later))
    for _ in range(2):
        rita.sync()
    assert len(rita.store.outbox.blobs.all("refused")) == 2
    world.sql("insert into account (id, name) values (:id, 'Late')", id=later)
    mona = Office(world, "mona")
    (one,) = mona.refused(rita.device_id)["items"]
    assert mona.decide_refused(rita.device_id, one["n"], take=True)[1]["status"] == "applied"
    rita.sync()
    assert not rita.store.outbox.blobs.all("refused", "waiting")
    assert world.sql("select count(*) from attachment where file_id is not null") == [(1,)]


def test_what_builds_on_an_entry_that_was_put_aside_can_be_taken(world: World) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    phone.sync()
    first = phone.event(uuid4(), note="nobody knows where")
    phone.event(at, note="builds on it")["dep_op"] = first["op_id"]
    phone.push()
    mona = Office(world, "mona")
    assert mona.decide_refused(phone.device_id, 2, take=True)[0] == 409
    assert mona.decide_refused(phone.device_id, 1, take=False)[0] == 200
    assert mona.decide_refused(phone.device_id, 2, take=True)[1]["status"] == "applied"


def test_what_was_refused_tells_no_hidden_field(world: World) -> None:
    at, phone = world.account("Bakery", "west"), world.phone("rita")
    phone.sync()
    phone.edit("account", at, phone="079 secret", email="no secret mail", note="Pays late")
    phone.save("setadd", "account", uuid4(), field="tags", v=["secret"])
    phone.push()
    ada = world.user("ada", Role.ADMIN)
    with transaction() as session:
        fields = {"account.phone": "hidden", "account.email": "hidden", "account.tags": "hidden"}
        rights.change_role(session, "manager", levels={}, fields=fields, actor=ada)
    page = Office(world, "mona").refused(phone.device_id)
    assert "secret" not in str(page)
    assert "Pays late" in str(page)
    assert "“…” is not an e-mail address" in page["items"][1]["why"]


def test_refused_work_is_read_in_the_words_of_the_office(world: World) -> None:
    world.user("ada", Role.ADMIN)
    define("choices", "doors", label="Doors at the back")
    define("money", "rent")
    define("flag", "cooled")
    define("number", "beds", maximum="100")
    account = world.account("Clinic", "west")
    phone = world.phone("rita")
    phone.schema = 5
    phone.sync()
    world.sql("update custom_field set archived = true where key = 'cooled'")
    written = {"doors": ["s", "f"], "rent": {"amount": "1234.5", "currency": "EUR"}, "cooled": False, "beds": 500}
    f: dict[str, Any] = {f"custom.{key}": [None, value] for key, value in written.items()}
    f |= {"preferred_time": [None, "morning"], "interval_days": [None, 9999], "status": ["customer", "former"]}
    phone.save("patch", "account", account, base_rev=1, f=f)
    (verdict,) = phone.push()
    assert verdict["status"] == "rejected"
    ada = Office(world, "ada")
    (entry,) = ada.refused(phone.device_id)["items"]
    said = {one["field"]: one["value"] for one in entry["content"]}
    assert said["custom.doors"] == "Side, Front"
    assert (said["custom.rent"], said["custom.cooled"]) == ("1234.5 EUR", "no")
    told = {}
    for language in ("en", "de"):
        page = world.client.get(f"/users/{world.users['rita']}", headers=ada.headers | {"accept-language": language})
        told[language] = page.text.partition('id="refused-')[2]
    for words in ("Doors at the back", "Side, Front", "1,234.50 EUR", "no", "500", "morning", "9,999 days", "former"):
        assert f">{words}</d" in told["en"], words
    for words in ("Doors at the back", "1.234,50 EUR", "nein", "9.999 Tage", "Vormittag", "Bevorzugte Tageszeit"):
        assert f">{words}</d" in told["de"], words
    assert "custom." not in told["en"] + told["de"]


def pages_of(world: World, login: str) -> dict[str, str]:
    """What an admin reads of refused entries on somebody's page, by language, without tags."""
    ada = Office(world, "ada")
    told = {}
    for language in ("en", "de"):
        page = world.client.get(f"/users/{world.users[login]}", headers=ada.headers | {"accept-language": language})
        told[language] = " ".join(re.sub("<[^>]+>", " ", page.text.partition('id="refused-')[2]).split())
    return told


@pytest.fixture
def of_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server refuses a clash on a person, as it did: what was refused then still waits on the pages."""
    real = contacts.patch

    def patch(session: Any, scope: Any, contact_id: UUID, *rest: Any) -> Any:
        outcome = real(session, scope, contact_id, *rest)
        if outcome.clashes:
            name = session.get_one(contacts.Contact, contact_id).name
            raise changed_meanwhile(name, outcome.rev, outcome.clashes)
        return outcome

    monkeypatch.setattr(contacts, "patch", patch)


@pytest.mark.usefixtures("of_before")
def test_a_refused_change_of_a_person_tells_who_it_is_and_both_values(world: World) -> None:
    world.user("ada", Role.ADMIN)
    define("text", "topics", "contact", label="Newsletter topics")
    at, contact, phone = world.account("Clinic", "west"), uuid4(), world.phone("rita")
    phone.schema = 5
    phone.sync()
    named = {"first_name": "Sabine", "last_name": "Schädler", "title": None, "phones": [], "mails": []}
    phone.save("create", "contact", contact, d={"account_id": str(at), **named})
    phone.push()
    world.sql("""update contact set custom = '{"topics": "Prices"}', title = 'Buyer'""")
    f = {"custom.topics": [None, "Recipes"], "title": [None, "Head"]}
    phone.save("patch", "contact", contact, base_rev=1, f=f)
    assert [one["status"] for one in phone.push()] == ["rejected"]
    (entry,) = Office(world, "ada").refused(phone.device_id)["items"]
    assert (entry["contact_id"], entry["contact_name"]) == (str(contact), "Sabine Schädler")
    assert {one["field"]: (one["value"], one["stands"]) for one in entry["content"]} == {
        "custom.topics": ("Recipes", "Prices"), "title": ("Head", "Buyer"),
    }  # fmt: skip
    told = pages_of(world, "rita")
    assert "1 entry of this phone was refused" in told["en"]
    assert "Contact Sabine Schädler" in told["en"]
    assert "Somebody else changed Newsletter topics, Function of “Sabine Schädler” in between." in told["en"]
    assert "Jemand anders hat inzwischen Themen des Newsletters, Funktion von «Sabine Schädler» geändert." in told["de"]
    assert "Newsletter topics Recipes stands now Prices" in told["en"]
    assert "Themen des Newsletters Recipes jetzt steht da Prices" in told["de"]
    assert not re.search("ETag|custom", told["en"] + told["de"])


@pytest.mark.usefixtures("of_before")
def test_a_change_is_taken_over_what_was_seen_beside_it_and_nothing_newer(world: World) -> None:
    world.user("ada", Role.ADMIN)
    at, contact, phone = world.account("Clinic", "west"), uuid4(), world.phone("rita")
    phone.sync()
    named = {"first_name": "Sabine", "last_name": "Schädler", "title": None, "phones": [], "mails": []}
    phone.save("create", "contact", contact, d={"account_id": str(at), **named})
    phone.push()
    world.sql("update contact set title = 'Buyer'")
    phone.save("patch", "contact", contact, base_rev=1, f={"title": [None, "Head"]})
    phone.push()
    mona = Office(world, "mona")
    (entry,) = mona.refused(phone.device_id)["items"]
    world.sql("update contact set title = 'Chef'")
    assert mona.decide_refused(phone.device_id, 2, take=True)[1]["status"] == "rejected", "as it was sent"
    assert mona.decide_refused(phone.device_id, 2, take=True, rev=entry["rev"])[1]["status"] == "rejected"
    (entry,) = mona.refused(phone.device_id)["items"]
    assert [one["stands"] for one in entry["content"]] == ["Chef"]
    assert mona.decide_refused(phone.device_id, 2, take=True, rev=entry["rev"])[1]["status"] in ("applied", "merged")
    assert world.sql("select title from contact") == [("Head",)]


def test_a_refused_quantity_is_no_thousand() -> None:
    assert telling.line_of({"quantity": "1.000", "text": "Grinder"}, {}) == "1 × Grinder"
    assert telling.line_of({"quantity": "2.50", "text": "Grinder"}, {}) == "2.5 × Grinder"
    assert telling.line_of({"quantity": "some", "text": "Grinder"}, {}) == "some × Grinder"
