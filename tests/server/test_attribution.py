"""Whom to thank stands on everything that leaves: whichever way somebody takes places out of the system."""

import io
from collections.abc import Callable
from datetime import date
from pathlib import Path
from uuid import uuid4

import openpyxl
import pyogrio
import pytest
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import service as accounts
from server.accounts.service import NewAccount
from server.auth.access import scope_of
from server.auth.models import User
from server.geocoding import sources
from server.geocoding.models import RemoteDay
from server.geocoding.sources import Wish
from server.plans.exporting import background

FILE, ELSEWHERE = "The County (public domain)", "Photon, © OpenStreetMap contributors (ODbL 1.0)"
PLACE = LonLat(-76.7, 39.202)


@pytest.fixture
def admin(
    session: Session,
    make_user: Callable[..., User],
    client_for: Callable[[User | None], TestClient],
    tmp_path: Path,
) -> TestClient:
    """An admin of a company with an address file, a geocoder elsewhere that answered once, and a customer."""
    path = tmp_path / "county.csv"
    rows = "".join(f"-76.7,{39.2 + n / 5000:.5f},{n},Mill Road,Catonsville,21228\n" for n in range(1, 21))
    path.write_text("LON,LAT,NUMBER,STREET,CITY,POSTCODE\n" + rows)
    sources.add(session, [path], Wish("county", "US", "The County", "public domain"))
    session.add(RemoteDay(provider="photon", day=date(2026, 11, 25), asked=1, answered=1))
    user = make_user()
    site = {"street": "7 Mill Road", "city": "Catonsville", "lon": PLACE.lon, "lat": PLACE.lat}
    scope = scope_of(session, user, source="web")
    accounts.create(session, scope, NewAccount({"name": "Miller", "status": "customer"}, [site]), force=True)
    return client_for(user)


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/accounts/export.csv",
        "/api/v1/accounts/export.geojson",
        "/api/v1/attribution",
        "/api/v1/density",
        "/api/v1/density/export?format=html",
        "/api/v1/geocode?query=7 Mill Road, Catonsville",
        "/api/v1/reverse?lon=-76.7&lat=39.202",
    ],
)
def test_what_leaves_as_text_names_every_source(admin: TestClient, path: str) -> None:
    answer = admin.get(path)
    assert answer.status_code == 200
    body = answer.content.decode("utf-8-sig").replace("\\u00a9", "©")
    assert FILE in body
    assert ELSEWHERE in body


def test_workbooks_and_geopackages_name_every_source(admin: TestClient, tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(admin.get("/api/v1/accounts/export.xlsx").content))
    cells = " ".join(str(cell) for row in book["Sources"].iter_rows(values_only=True) for cell in row)
    path = tmp_path / f"{uuid4()}.gpkg"
    path.write_bytes(admin.get("/api/v1/density/export?format=gpkg").content)
    told = pyogrio.read_dataframe(path, layer="about")
    about = " ".join(told[told["what"] == "source"]["meaning"])
    path = tmp_path / f"{uuid4()}.gpkg"
    path.write_bytes(admin.get("/api/v1/accounts/export.gpkg").content)
    listed = " ".join(pyogrio.read_dataframe(path, layer="about")["meaning"])
    described = pyogrio.read_info(path, layer="accounts")["layer_metadata"]["DESCRIPTION"]
    for text in (cells, about, listed, described):
        assert FILE in text
        assert ELSEWHERE in text


def test_a_day_that_leaves_names_the_address_files_around_it(admin: TestClient, session: Session) -> None:
    assert set(background.sources(session, [PLACE])) == {FILE, ELSEWHERE}
    assert set(background.sources(session, [LonLat(9.5, 47.1)])) == {ELSEWHERE}


def test_a_map_names_only_what_its_view_shows(admin: TestClient) -> None:
    around = admin.get("/api/v1/attribution", params={"box": "-77,39,-76,40"}).json()["items"]
    assert FILE in around
    assert FILE not in admin.get("/api/v1/attribution", params={"box": "9,47,10,48"}).json()["items"]
    refused = admin.get("/api/v1/attribution", params={"box": "9,47,north"})
    assert (refused.status_code, refused.json()["field"]) == (422, "box")
