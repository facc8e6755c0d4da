"""Sites and their pins: set by hand, asked again, merged edits, vector tiles."""

import csv
import io
from collections.abc import Callable

from fastapi.testclient import TestClient
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from geo.geocode.types import Answer, Reason
from geo.types import Grade, LonLat
from server.accounts import pins, queries, service
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import wkt
from server.auth.access import Scope
from server.auth.models import User
from server.records.merging import Delta
from server.records.queries import open_conflicts
from server.territories.models import Territory

type MakeAccount = Callable[..., Account]
type MakeScope = Callable[[User], Scope]


def main_site(session: Session, account: Account) -> Site:
    return queries.sites_of(session, [account.id])[0]


def test_a_pin_set_by_hand_decides_the_territory_and_stays(
    admin_client: TestClient, session: Session, make_account: MakeAccount, west: Territory, east: Territory
) -> None:
    account = make_account("Müller AG", street="Städtle 1", city="Vaduz")
    site = main_site(session, account)
    path, tag = f"/api/v1/sites/{site.id}", f'"{site.rev}"'
    answer = admin_client.put(f"{path}/pin", json={"lon": 9.2, "lat": 47.2}, headers={"If-Match": tag})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["grade"], answer.json()["provider"], answer.json()["pin_state"]) == (
        "manual",
        "hand",
        "placed",
    )
    assert answer.json()["territory_id"] == str(west.id)
    assert admin_client.get(f"/api/v1/accounts/{account.id}").json()["territory_id"] == str(west.id)
    older = admin_client.put(f"{path}/pin", json={"lon": 9.7, "lat": 47.2}, headers={"If-Match": tag})
    assert older.status_code == 412
    moved = admin_client.patch(path, json={"city": "Schaan"}, headers={"If-Match": answer.headers["etag"]})
    assert (moved.json()["lon"], moved.json()["grade"]) == (9.2, "manual"), "a new address does not move it"
    again = admin_client.post(f"{path}/locate").json()
    assert (again["pin_state"], again["lon"], again["territory_id"]) == ("pending", None, str(west.id))


def test_undo_brings_a_pin_back_with_its_grade_and_reason(
    admin_client: TestClient, session: Session, make_account: MakeAccount, west: Territory, east: Territory
) -> None:
    site = main_site(session, make_account("Müller AG", at=(9.2, 47.2)))
    site.grade, site.uncertainty_m, site.provider, site.geocode_reason = "given", 787, "import", "coordinates_given"
    session.flush()
    session.refresh(site)
    path, names = (
        f"/api/v1/sites/{site.id}",
        ("lon", "lat", "grade", "uncertainty_m", "provider", "reason", "territory_id"),
    )
    before = admin_client.get(path).json()
    moved = admin_client.put(f"{path}/pin", json={"lon": 9.7, "lat": 47.3}, headers={"If-Match": str(site.rev)}).json()
    assert (moved["grade"], moved["territory_id"]) == ("manual", str(east.id))
    after = admin_client.post(f"{path}/pin/undo", json={"rev": before["rev"]}).json()
    assert {name: after[name] for name in names} == {name: before[name] for name in names}
    assert admin_client.post(f"{path}/pin/undo", json={"rev": 99}).status_code == 422


def test_a_rep_places_no_pin_and_is_told_to_propose_one(
    client_for: Callable[[User | None], TestClient], session: Session, make_account: MakeAccount, rita: User
) -> None:
    site = main_site(session, make_account("Müller AG", at=(9.2, 47.2)))
    client, path = client_for(rita), f"/api/v1/sites/{site.id}"
    refused = client.put(f"{path}/pin", json={"lon": 9.21, "lat": 47.2}, headers={"If-Match": str(site.rev)})
    assert (refused.status_code, refused.json()["permission"]) == (403, "pins:place")
    assert f"/api/v1/sites/{site.id}/pin-proposals" in refused.json()["help"]
    assert client.post(f"{path}/pin/undo", json={"rev": 1}).status_code == 403
    assert client.post(f"{path}/locate").status_code == 403, "nor does she forget one that a person has set"


def test_a_new_address_sends_the_pin_back_to_the_geocoder(
    admin_client: TestClient, session: Session, make_account: MakeAccount
) -> None:
    account = make_account("Müller AG", street="Städtle 1", city="Vaduz")
    site = main_site(session, account)
    answered = Answer(
        LonLat(9.52, 47.14), grade=Grade.ROOFTOP, uncertainty_m=8, confidence=0.95, reason=Reason.EXACT,
        region_version="v1",
    )  # fmt: skip
    pins.set_by_answers(session, {site.id: answered})
    session.refresh(site)
    assert (site.pin_state, site.grade, site.region_version) == ("placed", "rooftop", "v1")
    answer = admin_client.patch(
        f"/api/v1/sites/{site.id}", json={"street": "Landstrasse 1"}, headers={"If-Match": str(site.rev)}
    )
    assert (answer.json()["pin_state"], answer.json()["lon"], answer.json()["grade"]) == ("pending", None, None)


def test_an_address_is_not_emptied_and_a_country_is_a_country_but_a_pin_by_hand_needs_neither(
    admin_client: TestClient, session: Session, make_account: MakeAccount
) -> None:
    account = make_account("Müller AG", street="Städtle 1", city="Vaduz")
    site = main_site(session, account)
    path, head = f"/api/v1/sites/{site.id}", {"If-Match": f'"{site.rev}"'}
    for changes, told in (
        ({"street": "", "postcode": None, "city": " "}, "The site would have no address."),
        ({"country": "Atlantis"}, "Country: “Atlantis” is not known."),
        ({"service_s": 0}, "Service time: a visit takes 1 to 1,440 minutes."),
        ({"service_s": 86_401}, "Service time: a visit takes 1 to 1,440 minutes."),
    ):
        answer = admin_client.patch(path, json=changes, headers=head)
        assert (answer.status_code, answer.json()["detail"]) == (422, told)
        assert answer.json()["help"], "and how to mend it"
    assert admin_client.post(f"/api/v1/accounts/{account.id}/sites", json={"country": "Atlantis"}).status_code == 422
    assert (
        admin_client.patch(path, json={"country": "Schweiz", "service_s": 60}, headers=head).json()["country"] == "CH"
    )
    session.refresh(site)
    placed = admin_client.put(f"{path}/pin", json={"lon": 9.2, "lat": 47.2}, headers={"If-Match": f'"{site.rev}"'})
    empty = admin_client.patch(path, json={"street": "", "city": ""}, headers={"If-Match": placed.headers["etag"]})
    assert (empty.status_code, empty.json()["city"], empty.json()["lon"]) == (200, None, 9.2)


def test_an_unsure_answer_waits_for_a_person_and_none_at_all_fails(session: Session, make_account: MakeAccount) -> None:
    site = main_site(session, make_account("Müller AG", street="Städtle 1", city="Vaduz"))
    unsure = Answer(LonLat(9.5, 47.1), grade=Grade.STREET, uncertainty_m=300, confidence=0.5)
    pins.set_by_answers(session, {site.id: unsure})
    assert (site.pin_state, site.grade, site.uncertainty_m) == (PinState.REVIEW, "street", 300)
    pins.set_by_answers(session, {site.id: Answer(None, reason=Reason.NOT_FOUND, region_version="v1")})
    assert (site.pin_state, site.pin, site.geocode_reason) == (PinState.FAILED, None, "not_found")


def test_an_answer_never_moves_a_pin_set_by_hand(session: Session, make_account: MakeAccount) -> None:
    site = main_site(session, make_account("Müller AG", at=(9.5, 47.1)))
    pins.set_by_answers(session, {site.id: Answer(LonLat(9.9, 47.4), grade=Grade.ROOFTOP, confidence=1)})
    assert (site.grade, site.provider) == ("manual", "hand")


def test_the_one_who_stood_at_the_door_knows_the_opening_hours(
    session: Session, scope: MakeScope, make_account: MakeAccount, ada: User
) -> None:
    account = make_account("Müller AG", city="Vaduz", opening_hours="Mo-Fr 08:00-12:00")
    site, office = main_site(session, account), scope(ada)
    base = site.rev
    service.edit_site(session, office, site.id, base, {"opening_hours": "Mo-Fr 09:00-12:00"})
    delta = {"opening_hours": Delta("Mo-Fr 08:00-12:00", "Mo-Sa 08:00-12:00")}
    outcome = service.patch_site(session, office, site.id, base, delta, office.actor)
    assert outcome.applied == {"opening_hours"}
    assert site.opening_hours == "Mo-Sa 08:00-12:00"
    (kept,) = open_conflicts(session, entity="site", row_ids=[site.id])
    assert (kept.mine, kept.server) == ("Mo-Sa 08:00-12:00", "Mo-Fr 09:00-12:00")


def test_half_an_address_is_never_merged(admin_client: TestClient, session: Session, make_account: MakeAccount) -> None:
    site = main_site(session, make_account("Müller AG", street="Städtle 1", postcode="9490", city="Vaduz"))
    path, tag = f"/api/v1/sites/{site.id}", f'"{site.rev}"'
    admin_client.patch(path, json={"city": "Schaan", "postcode": "9494"}, headers={"If-Match": tag})
    answer = admin_client.patch(path, json={"street": "Städtle 2"}, headers={"If-Match": tag})
    assert answer.status_code == 412


def test_there_is_always_one_main_site(admin_client: TestClient, make_account: MakeAccount) -> None:
    account = make_account("Zwei AG", at=(9.2, 47.2))
    added = admin_client.post(f"/api/v1/accounts/{account.id}/sites", json={"city": "Schaan"})
    second, etag = added.json(), added.headers["etag"]
    assert not second["is_main"]
    first = admin_client.get(f"/api/v1/accounts/{account.id}").json()["sites"][0]
    refused = admin_client.delete(f"/api/v1/sites/{first['id']}", headers={"If-Match": str(first["rev"])})
    assert refused.status_code == 409
    assert admin_client.delete(f"/api/v1/sites/{second['id']}", headers={"If-Match": '"0"'}).status_code == 412
    assert admin_client.post(f"/api/v1/sites/{second['id']}/main").json()["is_main"]
    sites = admin_client.get(f"/api/v1/accounts/{account.id}").json()["sites"]
    assert [site["is_main"] for site in sites] == [True, False]
    gone = admin_client.delete(f"/api/v1/sites/{first['id']}", headers={"If-Match": str(sites[1]["rev"])})
    assert gone.status_code == 204
    assert etag


def test_a_tile_shows_single_accounts_from_zoom_nine_and_clusters_below(
    admin_client: TestClient, session: Session, make_account: MakeAccount
) -> None:
    for step in range(5):
        make_account(f"Nah {step}", at=(9.52 + step / 1e5, 47.14), account_class="ABC"[step % 3])
    pole = make_account("Südpol", at=(0.0, -85.0))  # what stands there since before poles were refused
    session.execute(update(Site).where(Site.account_id == pole.id).values(pin=wkt(LonLat(0.0, -89.9))))
    near = admin_client.get("/tiles/accounts/14/8625/5753")
    assert near.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert b"Nah 0" in near.content
    assert b"overdue_days" in near.content
    far = admin_client.get("/tiles/accounts/5/16/11").content
    assert b"Nah 0" not in far
    assert b"count" in far
    same = admin_client.get("/tiles/accounts/14/8625/5753", headers={"If-None-Match": near.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    assert admin_client.get("/tiles/accounts/14/8625/5753", params={"filter": "class = A", "q": "nah"}).content
    assert admin_client.get("/tiles/accounts/3/9/0").status_code == 400
    assert admin_client.get("/tiles/accounts/0/0/0").status_code == 200, "a pin on the pole does no harm"


def test_history_by_hand_is_kept_too(session: Session, make_account: MakeAccount) -> None:
    site = main_site(session, make_account("Müller AG", at=(9.2, 47.2)))
    session.execute(
        text("update site set pin = st_setsrid(st_makepoint(9.3, 47.3), 4326) where id = :id"), {"id": site.id}
    )
    change = "select old -> 'coordinates' from field_history where row_id = :id and field = 'pin'"
    assert session.execute(text(change), {"id": site.id}).scalar_one() == [9.2, 47.2]


def test_an_export_tells_doubtful_pins_from_sure_ones_and_whole_metres(
    session: Session, make_account: Callable[..., Account], admin_client: TestClient
) -> None:
    site = main_site(session, make_account("Doubtful", at=(9.2, 47.2)))
    site.pin_state, site.grade, site.uncertainty_m, site.confidence = "review", "rooftop", 26.17889310633078, 0.4567
    session.flush()
    (row,) = csv.DictReader(io.StringIO(admin_client.get("/api/v1/accounts/export.csv").content.decode("utf-8-sig")))
    told = [row[name] for name in ("grade", "uncertainty_m", "pin_state", "pin_confidence")]
    assert told == ["rooftop", "27", "review", "0.46"]
