"""The page of regions: address files come and go, and the geocoder elsewhere is switched on with its terms."""

from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.geocoding import queries, remote, uploads
from server.geocoding.models import AddressLoad, RemoteProvider
from server.geocoding.sources import Wish
from server.geocoding.sources import add as add_source
from tests.server.web.conftest import token_in

Browsers = Callable[[User], TestClient]
TABLE = "LON,LAT,NUMBER,STREET,CITY,POSTCODE\n" + "".join(
    f"-76.7,{39.2 + n / 5000:.5f},{n},Mill Road,Catonsville,21228\n" for n in range(1, 21)
)
FORM = {"name": "county", "country": "US", "source": "The County", "licence": "public domain"}
"""What somebody says about the file."""


@pytest.mark.parametrize("path", ["/regions", "/regions/elsewhere", "/regions/addresses/uploads"])
def test_strangers_are_sent_to_sign_in(client_for: Callable[[User | None], TestClient], path: str) -> None:
    answer = client_for(None).get(path, headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/sign-in")


@pytest.mark.parametrize("path", ["/regions", "/regions/elsewhere", "/regions/addresses/uploads"])
def test_a_manager_may_not_change_what_everything_is_built_from(
    browser_of: Browsers, make_user: Callable[..., User], path: str
) -> None:
    assert browser_of(make_user("mara", Role.MANAGER)).get(path).status_code == 403


@pytest.fixture
def admin(browser_of: Browsers, make_user: Callable[..., User]) -> TestClient:
    return browser_of(make_user("ada"))


def send(admin: TestClient, path: str, **data: str) -> int:
    token = token_in(admin.get("/regions").text)
    return admin.post(path, data={"_csrf": token, **data}).status_code


def test_an_address_file_is_uploaded_for_the_worker(admin: TestClient, session: Session) -> None:
    token = token_in(admin.get("/regions").text)
    files = {"file": ("county.csv", TABLE.encode(), "text/csv")}
    answer = admin.post("/regions/addresses", data={"_csrf": token, **FORM}, files=files)
    assert answer.status_code == 303
    load = session.scalars(select(AddressLoad)).one()
    assert (load.state, load.options["country"]) == ("waiting", "US")
    page = admin.get("/regions").text
    assert "county.csv" in page
    assert "waits for a worker" in page
    assert "waits for a worker" in admin.get("/regions/addresses/uploads").text
    uploads.kept(load.id).unlink()


def test_a_country_that_is_none_is_refused_beside_its_field(admin: TestClient, session: Session) -> None:
    token = token_in(admin.get("/regions").text)
    files = {"file": ("county.csv", TABLE.encode(), "text/csv")}
    answer = admin.post("/regions/addresses", data={"_csrf": token, **FORM, "country": "Atlantis"}, files=files)
    assert answer.status_code == 422
    assert "“Atlantis” is not a country." in answer.text
    assert 'value="The County"' in answer.text
    assert session.scalars(select(AddressLoad)).all() == []


def test_an_address_file_is_removed_and_brought_back(
    admin: TestClient, session: Session, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("file") / "county.csv"
    path.write_text(TABLE)
    source = add_source(session, [path], Wish("county", "US", "The County", "PD")).source
    page = admin.get("/regions").text
    assert "The County (PD)" in page
    assert send(admin, f"/regions/addresses/{source.id}/remove") == 303
    assert queries.files(session) == []
    assert "county is removed" in admin.get("/regions").text
    assert send(admin, f"/regions/addresses/{source.id}/restore") == 303
    assert [one.name for one in queries.files(session)] == ["county"]


def test_an_address_file_that_was_replaced_is_brought_back_in_place_of_the_present_one(
    admin: TestClient, session: Session, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("file") / "county.csv"
    for lines in (21, 11):
        path.write_text("\n".join(TABLE.splitlines()[:lines]))
        add_source(session, [path], Wish("county", "US", "The County", replace_all=True))
    page = admin.get("/regions").text
    assert "An older county of 20 house numbers was replaced on" in page
    assert 'name="replace_all"' in page
    (older,) = queries.removed_files(session)
    assert send(admin, f"/regions/addresses/{older.id}/restore") == 303
    assert [one.addresses for one in queries.files(session)] == [20]
    assert "An older county of 10 house numbers was replaced on" in admin.get("/regions").text


def test_the_terms_are_shown_and_must_be_accepted(admin: TestClient, session: Session) -> None:
    page = admin.get("/regions/elsewhere").text
    assert "forbids bulk work" in page
    assert "never the firm" in page
    wish = {"url": "http://127.0.0.1:9", "agent": "Example Ltd, it@example.com", "interval_s": "1,5", "daily_cap": "50"}
    assert send(admin, "/regions/elsewhere/nominatim", **wish) == 422
    assert remote.active(session) is None
    assert send(admin, "/regions/elsewhere/nominatim", **wish, accept="yes") == 303
    setup = remote.active(session)
    assert isinstance(setup, RemoteProvider)
    assert (setup.provider, setup.interval_s, setup.daily_cap) == ("nominatim", 1.5, 50)
    assert setup.terms_accepted_by is not None
    assert "Nominatim is asked for addresses" in admin.get("/regions").text
    assert send(admin, "/regions/elsewhere/nominatim/off") == 303
    assert remote.active(session) is None
