"""A file's way through the import pages."""

import json
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import geopandas
from fastapi.testclient import TestClient
from shapely.geometry import Point
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from server.accounts.models import Account
from server.auth.models import Role, User
from server.imports.models import ImportKept, ImportPiece, ImportRun
from server.records.service import Actor, acting
from tests.server.web.conftest import token_in

FILE = "Kunden-Nr.;Firma;Strasse;PLZ;Ort\nK-1;Bäckerei Amann;Städtle 1;9490;Vaduz\nK-2;;Städtle 2;9490;Vaduz\n"


def test_a_file_is_uploaded_checked_and_applied(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    browser = browser_of(make_user("ada"))
    token = {"_csrf": token_in(browser.get("/imports").text)}
    answer = browser.post("/imports", data=token, files={"file": ("kunden.csv", FILE.encode("cp1252"))})
    assert answer.status_code == 303
    run = answer.headers["location"]
    page = browser.get(run).text
    assert '<option value="name" selected>' in page
    columns = {f"column-{place}": name for place, name in enumerate(("number", "name", "street", "postcode", "city"))}
    answer = browser.post(f"{run}/columns", data=token | columns | {"mode": "both", "key": "number"})
    assert answer.status_code == 303
    page = browser.get(run).text
    assert "Nothing is changed yet" in page
    assert "Name: is missing" in page
    german = browser.get(run, headers={"accept-language": "de"}).text
    assert "Name: fehlt. Jedes Konto braucht einen Namen." in german
    assert f'href="{run}/problems.csv"' in german
    mended = browser.get(f"{run}/problems.csv", headers={"accept-language": "de"}).content.decode("utf-8-sig")
    assert mended.splitlines() == [
        "Zeile,Stufe,Was nicht stimmt,Kunden-Nr.,Firma,Strasse,PLZ,Ort",
        "3,Fehler,Name: fehlt. Jedes Konto braucht einen Namen.,K-2,,Städtle 2,9490,Vaduz",
    ]
    assert session.scalar(select(Account)) is None
    assert browser.post(f"{run}/apply", data=token).status_code == 303
    assert [account.name for account in session.scalars(select(Account))] == ["Bäckerei Amann"]
    assert "Done: 1 new" in browser.get(run).text


def test_a_file_is_read_in_another_encoding_than_was_guessed(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    browser = browser_of(make_user("ada"))
    token = {"_csrf": token_in(browser.get("/imports").text)}
    written = "Nazwa;Miejscowość;Straße\nŻabka Łódź;Łódź;Świerkowa 1\nPlain;Opole;Long Road 2\n"
    answer = browser.post("/imports", data=token, files={"file": ("firmy.csv", written.encode("cp1250", "replace"))})
    run, key = answer.headers["location"], UUID(answer.headers["location"].rpartition("/")[2])
    found = session.get_one(ImportRun, key)
    columns = {"column-0": "name", "mode": "both", "key": "name"}
    browser.post(f"{run}/columns", data=token | columns)
    for wrong in ("cp1251", "cp1252", "cp850"):
        assert browser.post(f"{run}/reading", data=token | {"encoding": wrong}).status_code == 303
        assert "Żabka Łódź" not in browser.get(run).text
    answer = browser.post(f"{run}/reading", data=token | {"encoding": "cp1250"})
    page = browser.get(answer.headers["location"]).text
    assert "Żabka Łódź" in page
    assert '<option value="cp1250" selected>' in page
    session.refresh(found)
    assert (found.header, found.state, found.encoding) == (["Nazwa", "Miejscowość", "Straße"], "received", "cp1250")
    refused = browser.post(f"{run}/reading", data=token | {"encoding": "ebcdic"})
    assert refused.status_code == 422
    assert "no encoding that can be chosen" in refused.text
    answer = browser.post("/imports", data=token, files={"file": ("firmy.csv", written.encode())})
    assert 'name="encoding"' not in browser.get(answer.headers["location"]).text, "Unicode tells itself"
    refused = browser.post(f"{answer.headers['location']}/reading", data=token | {"encoding": "cp1250"})
    assert refused.status_code == 409


def test_a_delimiter_is_chosen_seen_at_once_and_remembered_with_the_columns(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    browser = browser_of(make_user("ada"))
    written = 'name|a,b|city\n"Beck | Söhne"|1,2|Vaduz\nAmann|"3,4"|Schaan\n'
    run, token = uploaded(browser, written.encode())
    assert '<option value="comma" selected>' not in browser.get(run).text
    answer = browser.post(f"{run}/reading", data=token | {"delimiter": "comma"})
    assert answer.status_code == 303
    page = browser.get(run).text
    assert '<option value="comma" selected>' in page
    assert "b|city" in page
    browser.post(f"{run}/reading", data=token | {"delimiter": "bar"})
    page = browser.get(run).text
    assert "Beck | Söhne" in page, "the file is read as it came, not what was made of it"
    refused = browser.post(f"{run}/reading", data=token | {"delimiter": "space"})
    assert refused.status_code == 422
    assert "no delimiter that can be chosen" in refused.text
    browser.post(f"{run}/reading", data=token | {"delimiter": "semicolon"})
    whole = {"column-0": "name", "mode": "both", "key": "name", "save_as": "As it is"}
    assert browser.post(f"{run}/columns", data=token | whole).status_code == 303
    again, _ = uploaded(browser, written.replace("Amann", "Meier").encode())
    page = browser.get(again).text
    assert '<option value="semicolon" selected>' in page, "as last time"
    browser.post(f"{again}/reading", data=token | {"delimiter": "bar"})
    profile = browser.get(again).text.split("profile=")[1].split('"')[0]
    page = browser.get(f"{again}?columns=true&profile={profile}").text
    assert '<option value="semicolon" selected>' in page
    found = session.get_one(ImportRun, UUID(again.rpartition("/")[2]))
    assert (found.delimiter, found.header) == (";", ["name|a,b|city"])
    browser.post(f"{again}/columns", data=token | {"column-0": "name", "mode": "both", "key": "name"})
    browser.post(f"{again}/apply", data=token)
    assert session.scalar(select(func.count()).select_from(ImportPiece)) == 1, "it is not read again"
    assert browser.post(f"{again}/reading", data=token | {"delimiter": "bar"}).status_code == 409


def test_rows_of_another_encoding_are_counted_named_and_taken(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    browser = browser_of(make_user("ada"))
    lines = [b"name;city", "Müller;Zürich".encode(), "Größe;Genève".encode("cp1252"), "Käser;Rüti".encode()]
    run, token = uploaded(browser, b"\n".join(lines))
    page = browser.get(run).text
    assert "1 row is written in Western Europe (Windows-1252)" in page
    assert "Look at row 3." in page
    browser.post(f"{run}/columns", data=token | {"column-0": "name", "column-1": "city", "key": "name"})
    german = browser.get(run, headers={"accept-language": "de"}).text
    assert "Die Zeile ist in cp1252 geschrieben" in german
    browser.post(f"{run}/apply", data=token)
    assert sorted(session.scalars(select(Account.name))) == ["Größe", "Käser", "Müller"]


def test_what_a_new_record_lacks_is_said_before_the_dry_run_and_nothing_is_applied_that_changes_nothing(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    browser = browser_of(make_user("ada"))
    token = {"_csrf": token_in(browser.get("/imports").text)}
    file = b"Deal;Konto;Betrag\nNew roof;Nobody AG;100\nOld roof;Nobody AG;200\nShed;Other AG;300\n"
    answer = browser.post("/imports", data=token | {"kind": "opportunities"}, files={"file": ("deals.csv", file)})
    run = answer.headers["location"]
    page = browser.get(run).text
    assert '<option value="account" selected>' in page
    assert "No column means “Expected close”" in page
    assert 'data-needs="close_on closed_at">' in page
    assert 'data-needs="account" hidden>' in page
    columns = {"column-0": "name", "column-1": "account", "column-2": "amount", "key": "name"}
    browser.post(f"{run}/columns", data=token | columns)
    page = browser.get(run).text
    assert f'action="{run}/apply"' not in page
    assert "There is nothing to apply: every row has an error." in page
    summary = page.partition("What was found in the file")[2].partition("</table>")[0]
    assert "“Nobody AG” within" in summary
    assert "“Other AG” within" in summary
    assert "(2 ×)" in summary


def test_a_file_that_is_none_is_explained_on_the_page(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("ada"))
    token = {"_csrf": token_in(browser.get("/imports").text)}
    answer = browser.post("/imports", data=token, files={"file": ("leer.csv", b"")})
    assert 400 <= answer.status_code < 500
    assert "leer.csv" in answer.text


def test_a_rep_does_not_import_and_the_support_finds_the_way(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    rita, sue = browser_of(make_user("rita", Role.REP)), browser_of(make_user("sue", Role.SUPPORT))
    assert rita.get("/imports").status_code == 403
    assert 'href="/imports"' not in rita.get("/me").text
    assert 'href="/imports"' in sue.get("/me").text
    page = sue.get("/imports").text
    assert 'value="contacts"' in page
    assert 'value="accounts"' not in page


def uploaded(browser: TestClient, content: bytes, name: str = "kunden.csv") -> tuple[str, dict[str, str]]:
    token = {"_csrf": token_in(browser.get("/imports").text)}
    answer = browser.post("/imports", data=token, files={"file": (name, content)})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"], token


def test_an_import_is_undone_on_its_page_and_what_stayed_is_listed(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    ada = make_user("ada")
    browser = browser_of(ada)
    run, token = uploaded(browser, b"number,name,city\n1,Amann,Vaduz\n2,Beck,Schaan\n")
    columns = {"column-0": "number", "column-1": "name", "column-2": "city", "key": "number"}
    browser.post(f"{run}/columns", data=token | columns)
    browser.post(f"{run}/apply", data=token)
    assert "Undo this import" in browser.get(run).text
    acting(session, Actor(ada.id, "web"))
    session.scalars(select(Account).where(Account.number == "2")).one().note = "called"
    session.flush()
    assert browser.post(f"{run}/undo", data=token).status_code == 303
    page = browser.get(run).text
    assert "Undone by Ada" in page
    assert "1 are gone" in page
    assert "edited by Ada" in page
    kept = session.scalars(select(ImportKept)).first()
    assert kept is not None
    kept.why = "merged"
    session.flush()
    assert '<a href="/duplicates/merged">changed when accounts were merged</a>' in browser.get(run).text
    kept.why, kept.value = "in_use", {"sales_order": 2, "strange": 1}
    session.flush()
    assert "others rest on it: Orders 2, Other entries 1" in browser.get(run).text
    kept.why, kept.value = "confirmed", None
    session.flush()
    german = browser.get(run, headers={"accept-language": "de"}).text
    assert "durch Check-ins bestätigt" in german
    living = select(Account.name).where(Account.deleted_at.is_(None))
    assert session.scalars(living).all() == ["Beck"]
    assert "nothing of what stayed can be taken back yet" in browser.post(f"{run}/undo", data=token).text
    assert "Undo what is left" in browser.get(run).text


def test_columns_are_exchanged_by_one_click_and_saved_under_a_name(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("ada"))
    run, token = uploaded(browser, b"name,plz,ort\nA,Vaduz,9490\nB,Schaan,9494\n")
    assert "Postcode and city look exchanged" in browser.get(run).text
    columns = {"column-0": "name", "column-1": "postcode", "column-2": "city", "keep-1": "1"}
    page = browser.post(f"{run}/columns", data=token | columns | {"advice": "0"}).text
    assert "look exchanged" not in page
    assert page.index('<option value="city" selected>') < page.index('<option value="postcode" selected>')
    columns |= {"column-1": "city", "column-2": "postcode", "save_as": "ERP"}
    assert browser.post(f"{run}/columns", data=token | columns).status_code == 303
    again, _ = uploaded(browser, b"name,plz,ort\nC,Vaduz,9490\n")
    page = browser.get(again).text
    assert "meant last time" in page
    assert 'name="keep-1" value="1" checked' in page
    profile = page.split("/imports/profiles/")[1].split("/")[0]
    assert f"columns=true&profile={profile}" in page
    other, _ = uploaded(browser, b"name,town\nC,Vaduz\n")
    shown = browser.get(other).text
    assert (f"profile={profile}" in shown, "lacks columns" in shown) == (False, True), (
        "not for a file without its columns"
    )
    assert browser.post(f"/imports/profiles/{profile}/delete", data=token).status_code == 303
    assert "ERP" not in browser.get(again).text
    refused = browser.post(f"{again}/columns", data=token | columns | {"country": "Narnia"})
    assert refused.status_code == 422
    assert "no country that is known" in refused.text


def test_a_file_with_several_layers_asks_which_one(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], tmp_path: Path
) -> None:
    browser = browser_of(make_user("ada"))
    file = tmp_path / "list.gpkg"
    for layer in ("north", "south"):
        frame = geopandas.GeoDataFrame({"name": [layer]}, geometry=[Point(9.5, 47.1)], crs=4326)
        frame.to_file(file, layer=layer, driver="GPKG")
    token = {"_csrf": token_in(browser.get("/imports").text)}
    files = {"file": (file.name, file.read_bytes())}
    answer = browser.post("/imports", data=token, files=files, headers={"hx-request": "true"})
    assert answer.status_code == 422
    assert 'name="sheet" value="south" form="upload"' in answer.text
    answer = browser.post("/imports", data=token | {"sheet": "south"}, files=files, headers={"hx-request": "true"})
    assert answer.headers["hx-redirect"].startswith("/imports/")
    assert "south" in browser.get(answer.headers["hx-redirect"]).text


def test_what_was_found_is_counted_by_kind(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("ada"))
    run, token = uploaded(browser, b"name,city\n" + b"Same AG,Vaduz\n" * 300)
    browser.post(f"{run}/columns", data=token | {"column-0": "name", "column-1": "city", "key": "name"})
    page = browser.get(run).text
    assert "The row repeats row 2 cell by cell" in page
    assert page.count("cell by cell") == 101, "one line of the summary, one page of rows"
    assert "Same AG" in browser.get(f"{run}?show=all").text
    assert browser.get(f"{run}?show=code:repeated_row&after=250").text.count("cell by cell") == 1 + 51


def test_work_that_nobody_does_is_said(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User], session: Session
) -> None:
    browser = browser_of(make_user("ada"))
    run, _ = uploaded(browser, b"name;city\nAmann;Vaduz\n\nBeck;Schaan\n")
    found = session.get_one(ImportRun, UUID(run.rpartition("/")[2]))
    found.state = "checking"
    session.flush()
    assert "No worker is running" in browser.get(f"{run}/progress").text
    session.execute(text("insert into procrastinate_workers (last_heartbeat) values (now())"))
    assert "No worker is running" not in browser.get(f"{run}/progress").text


def test_a_dry_run_says_of_areas_that_a_point_inside_was_taken(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("ada"))
    ring = [[9.5, 47.1], [9.6, 47.1], [9.6, 47.2], [9.5, 47.1]]
    area = {"type": "Feature", "properties": {"name": "A"}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    run, token = uploaded(browser, json.dumps({"type": "FeatureCollection", "features": [area]}).encode())
    chosen = {"column-0": "lon", "column-1": "lat", "column-2": "name"}
    assert browser.post(f"{run}/columns", data=token | chosen).status_code == 303
    assert "The geometry is an area; a point inside it was taken." in browser.get(run).text
    german = browser.get(run, headers={"accept-language": "de"}).text
    assert "Die Geometrie ist eine Fläche; ein Punkt in ihrem Innern wurde übernommen." in german


def test_a_dry_run_names_columns_that_are_left_out_and_empty_rows(
    browser_of: Callable[[User], TestClient], make_user: Callable[..., User]
) -> None:
    browser = browser_of(make_user("ada"))
    run, token = uploaded(browser, b"name;Farbe;leer;city\nAmann;blau;;Vaduz\n;;;\n;;;\nBeck;;;Schaan\n")
    assert browser.post(f"{run}/columns", data=token | {"column-0": "name", "column-3": "city"}).status_code == 303
    page = browser.get(run).text
    assert "2 empty rows left out" in page
    assert "Columns left out, though they hold values: <bdi>Farbe</bdi></p>" in page
    refused = browser.post(f"{run}/columns", data=token, headers={"accept-language": "de"})
    assert "Keine Spalte sagt, von welchem Eintrag eine Zeile handelt." in refused.text
    assert "Sagen Sie, welche Spalte «Name» ist." in refused.text
