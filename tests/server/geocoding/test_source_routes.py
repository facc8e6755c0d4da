"""The JSON API of address files and of geocoders elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from server.auth.models import Role, User
from server.geocoding import jobs, queries, source_routes, sources, uploads
from server.geocoding.sources import Wish
from server.kit.database import transaction
from server.kit.ids import uuid7
from server.web.language import Language

Clients = Callable[[User | None], TestClient]
TABLE = "LON,LAT,NUMBER,STREET,CITY,POSTCODE\n" + "".join(
    f"-76.7,{39.2 + n / 5000:.5f},{n},Mill Road,Catonsville,21228\n" for n in range(1, 21)
)
WRITES = [("post", "/api/v1/address-files"), ("get", "/api/v1/remote-geocoders"),
          ("put", "/api/v1/remote-geocoders/photon"), ("delete", "/api/v1/remote-geocoders/photon")]  # fmt: skip


@pytest.mark.parametrize(("verb", "path"), [*WRITES, ("get", "/api/v1/address-files")])
def test_nobody_is_refused(client_for: Clients, verb: str, path: str) -> None:
    more = {"headers": {"content-length": "0"}} if verb == "post" else {}
    assert client_for(None).request(verb, path, **more).status_code == 401


@pytest.mark.parametrize(("verb", "path"), WRITES)
def test_a_rep_may_look_but_not_change(
    client_for: Clients, make_user: Callable[..., User], verb: str, path: str
) -> None:
    rep = client_for(make_user("rita", Role.REP))
    assert rep.get("/api/v1/address-files").json()["items"] == []
    body = {"url": "https://x.example", "user_agent": "me"} if verb == "put" else None
    assert rep.request(verb, path, json=body).status_code == 403


def test_a_file_is_received_listed_removed_and_brought_back(
    client_for: Clients, make_user: Callable[..., User], session: Session, tmp_path: Path
) -> None:
    admin = client_for(make_user())
    form = {"name": "county", "country": "United States", "source": "The County"}
    answer = admin.post("/api/v1/address-files", data=form, files={"file": ("county.csv", TABLE.encode())})
    assert answer.status_code == 202
    assert admin.get(f"/api/v1/address-files/uploads/{answer.json()['id']}").json()["state"] == "waiting"
    uploads.kept(answer.json()["id"]).rename(tmp_path / "county.csv")
    sources.add(session, [tmp_path / "county.csv"], Wish("county", "US", "The County"))
    item = admin.get("/api/v1/address-files").json()["items"][0]
    assert (item["addresses"], item["attribution"], item["removed_at"]) == (20, ["The County"], None)
    assert admin.delete(f"/api/v1/address-files/{item['id']}").json()["removed_at"]
    assert admin.post(f"/api/v1/address-files/{item['id']}/restore").json()["removed_at"] is None
    assert admin.delete(f"/api/v1/address-files/{answer.json()['id']}").status_code == 404


def test_a_geocoder_is_switched_on_and_off_and_never_shows_its_key(
    client_for: Clients, make_user: Callable[..., User]
) -> None:
    admin = client_for(make_user())
    body = {"url": "https://photon.example.com", "user_agent": "Example Ltd, it@example.com", "daily_cap": 7}
    refused = admin.put("/api/v1/remote-geocoders/photon", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, "accept")
    on = admin.put("/api/v1/remote-geocoders/photon", json={**body, "accepts_terms": True}).json()
    assert (on["is_on"], on["usage"]["left_today"], "key" in on) == (True, 7, False)
    assert admin.delete("/api/v1/remote-geocoders/photon").status_code == 204
    assert not any(one["is_on"] for one in admin.get("/api/v1/remote-geocoders").json()["items"])
    assert admin.put("/api/v1/remote-geocoders/elsewhere", json=body).status_code == 404


def test_a_worker_reads_an_upload_and_a_wrong_one_is_told_why(empty_database: Engine, tmp_path: Path) -> None:
    wish = Wish("county", "US", "The County")
    for name, content in (("good.csv", TABLE), ("bad.csv", "colour,weight\nred,3\n")):
        (tmp_path / name).write_text(content)
        with transaction() as session:
            load = uploads.receive(session, tmp_path / name, name, wish)
        jobs.read_upload.func(str(load.id))
        jobs.read_upload.func(str(load.id))
        assert not uploads.kept(load.id).exists()
    with transaction() as session:
        bad, good = uploads.latest(session)
        assert (good.state, good.rows) == ("done", 20)
        assert good.message == "20 addresses on 1 streets."
        assert bad.state == "failed"
        assert "bad.csv: the first line must name the columns" in bad.message
        assert len(queries.files(session)) == 1


def test_an_upload_that_lacks_much_says_so_and_is_taken_when_that_is_wanted(empty_database: Engine) -> None:
    short = "\n".join(TABLE.splitlines()[:11])
    form = {"name": "county", "country": "US", "source": "The County"}
    states = []
    for content, more in ((TABLE, {}), (short, {}), (short, {"replace_all": "true"})):
        path = uploads.kept(uuid7())
        path.write_text(content)
        with transaction() as session:
            load = uploads.receive(session, path, "county.csv", source_routes.wish_of({**form, **more}))
        jobs.read_upload.func(str(load.id))
        with transaction() as session:
            load = uploads.find(session, load.id)
            states.append((load.state, queries.files(session)[0].addresses))
            if load.state == "failed":
                assert "10 of the 20 house numbers of “county” are not in the newer file" in load.message
                assert "10 der 20 Hausnummern von «county» fehlen" in Language("de").said(load.message)
                assert "wählen Sie «Alles ersetzen»" in Language("de").said(load.message)
    assert states == [("done", 20), ("failed", 20), ("done", 10)]
