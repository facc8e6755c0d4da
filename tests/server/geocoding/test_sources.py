"""Address files as sources of the index: what is read, what is left out, and how a file comes and goes."""

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import any_, select
from sqlalchemy.orm import Session

from geo.geocode.types import AddressQuery
from server.geocoding import addressfiles, queries, service, sources, updating
from server.geocoding.errors import BadFile, LosesMuch, NoSuchSource
from server.geocoding.models import Change, Version
from server.geocoding.sources import Added, Wish
from server.kit import clock
from server.kit.errors import Conflict, Invalid
from server.regions.models import Region
from tests.server.at_once import overlapping

HEADER = "LON,LAT,NUMBER,STREET,CITY,POSTCODE,ID\n"


def rows(count: int, street: str = "Mill Road") -> str:
    return "".join(f"-76.7,{39.2 + n / 5000:.5f},{n},{street},Catonsville,21228,b{n}\n" for n in range(1, count + 1))


@pytest.fixture
def add(session: Session, tmp_path: Path) -> Callable[..., Added]:
    """Add a text as an address file: `add(HEADER + rows(40))`."""

    def make(content: str | bytes, name: str = "county", file: str = "county.csv", **more: str) -> Added:
        path = tmp_path / file
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        wish = Wish(name, more.get("country", "US"), more.get("origin", "The County"), more.get("licence", "PD"))
        wish = replace(wish, replace_all=bool(more.get("replace_all")))
        return sources.add(session, [path], wish)

    return make


def sure(session: Session, question: str) -> bool:
    return service.locate(session, AddressQuery(query=question)).is_confident


def test_a_file_is_asked_beside_the_region_and_credited(
    session: Session, region: Region, add: Callable[..., Added]
) -> None:
    add(HEADER + rows(40))
    answer = service.locate(session, AddressQuery(query="7 Mill Rd, Catonsville, MD 21228"))
    assert (answer.street, answer.number, answer.is_confident) == ("Mill Road", "7", True)
    assert queries.attributions(session) == sorted([*region.attribution, "The County (PD)"])


def test_columns_may_stand_in_any_order_and_case_and_bear_other_names(add: Callable[..., Added]) -> None:
    table = "zip;Street;HouseNumber;Town;Longitude;latitude\n" + "".join(
        f"21228;Mill Road;{n};Catonsville;-76,7;39,{2000 + n}\n" for n in range(1, 11)
    )
    added = add(table)
    assert (added.source.addresses, added.tally.left_out) == (10, {})


def test_lines_of_geojson_are_read_like_a_table(add: Callable[..., Added]) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"hash": f"h{n}", "number": str(n), "street": "Mill Road", "city": "", "postcode": "21228"},
            "geometry": {"type": "Point", "coordinates": [-76.7, 39.2 + n / 5000]},
        }
        for n in range(1, 21)
    ]
    lines = "\n".join(map(json.dumps, features))
    assert add(gzip.compress(lines.encode()), file="source.geojson.gz").source.addresses == 20
    collection = json.dumps({"type": "FeatureCollection", "features": features}, indent=1)
    assert add(collection, name="other", file="source.geojson").source.addresses == 20


def test_rows_that_cannot_be_used_are_counted_by_reason_with_their_lines(add: Callable[..., Added]) -> None:
    bad = (
        "-76.7,39.3,,Mill Road,Catonsville,21228,x\n-76.7,39.3,1,,Catonsville,21228,x\n,,1,Mill Road,,,x\n"
        "abc,39.3,1,Mill Road,,,x\n39.2,-76.7,1,Mill Road,,,x\n8.5,47.3,1,Mill Road,,,x\n0,0,1,Mill Road,,,x\n"
    )
    added = add(HEADER + rows(20) + bad)
    assert added.tally.left_out == {
        "no_number": 1, "no_street": 1, "no_point": 1, "bad_point": 2, "swapped": 1, "outside": 1,
    }  # fmt: skip
    assert added.tally.first["no_number"] == ["county.csv, line 22"]
    assert "1 rows without a street are left out: county.csv, line 23" in added.tally.lines()
    assert added.source.left_out["no_point"] == {"rows": 1, "first": ["county.csv, line 24"]}


def test_points_of_another_country_are_left_out_and_named(add: Callable[..., Added]) -> None:
    good = "".join(f"7.0{n},51.4{n},{n},Aachener Str.,Essen,45145,e{n}\n" for n in range(1, 30))
    added = add(HEADER + good + "51.4,7.0,9,Aachener Str.,,,x\n-76.7,39.2,9,Aachener Str.,,,x\n", country="Germany")
    assert added.tally.left_out == {"swapped": 1, "outside": 1}


@pytest.mark.parametrize(
    ("content", "message", "remedy"),
    [
        ("LON,LAT,NUMBER\n1,2,3\n", "STREET not found among lon, lat, number", "OpenAddresses"),
        (HEADER, "no rows below the header", ""),
        (HEADER + "51.4,7.0,1,Aachener Str.,Essen,,x\n" * 9, "9 of 9 rows have latitude and longitude swapped", "Swap"),
        (HEADER + "7.0,51.4,1,Aachener Str.,45145,Essen,x\n" * 9, "9 of 9 rows have city and postcode swapped", "CITY"),
        ("7.0,51.4,1,Aachener Str.\n", "; lon, lat, number, street, city, postcode, id … not found.", ""),
        (HEADER + "-76.7,39.2,1,Mill Road,,,x\n" * 9, "9 of 9 points lie outside DE", "--country"),
        (HEADER + "7,51.4,none,Aachener Str.,,,x\n" * 9, "No row has a house number", "NUMBER"),
        ('{"type": "Feature"}\n{"type": \n', "line 2: not JSON", "each line"),
        ('{"type": "Topology"}\n', "line 1: not a GeoJSON feature", ""),
    ],
)
def test_a_wrong_file_is_refused_with_the_remedy_and_nothing_changes(
    session: Session, add: Callable[..., Added], content: str, message: str, remedy: str
) -> None:
    add(HEADER + rows(40))
    with pytest.raises(BadFile) as error:
        add(content, country="DE")
    assert message in error.value.message
    assert remedy in error.value.help
    assert [source.addresses for source in queries.files(session)] == [40]


def test_a_folder_is_one_source_and_an_empty_one_is_refused(session: Session, tmp_path: Path) -> None:
    for at, street in enumerate(("Mill Road", "Oak Lane")):
        (tmp_path / f"{at}.csv").write_text(HEADER + rows(20, street))
    (tmp_path / "readme.md").write_text("not one")
    added = sources.add(session, addressfiles.found([tmp_path]), Wish("county", "US", "The County"))
    assert (added.source.streets, added.source.addresses) == (2, 40)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadFile, match="no address file in this folder"):
        addressfiles.found([tmp_path / "empty"])


def test_the_same_file_twice_changes_nothing_but_its_credit(session: Session, add: Callable[..., Added]) -> None:
    first = add(HEADER + rows(40))
    again = add(HEADER + rows(40), file="renamed.csv", origin="The Town")
    assert (again.is_known, again.source.id) == (True, first.source.id)
    assert queries.attributions(session) == ["The Town (PD)"]
    assert len(session.scalars(select(Version)).all()) == 1


def test_a_newer_file_takes_over_and_tells_what_differs(session: Session, add: Callable[..., Added]) -> None:
    old = add(HEADER + rows(40) + rows(10, "Oak Lane"))
    newer = add(HEADER + rows(41) + rows(9, "Elm Street"))
    assert not sure(session, "7 Oak Lane, Catonsville, MD 21228")
    assert sure(session, "7 Elm Street, Catonsville, MD 21228")
    assert newer.source.replaces == old.source.id
    assert newer.source.changes["streets"] == {"added": 1, "changed": 1, "removed": 1}
    assert newer.source.changes["numbers"] == {"added": 10, "removed": 10}
    assert [source.id for source in queries.removed_files(session)] == [old.source.id]
    changed = session.scalars(select(Change).where(Change.batch == newer.source.id, Change.kind == "street")).all()
    assert {(c.change, c.names[0]) for c in changed} == {
        ("added", "Elm Street"), ("changed", "Mill Road"), ("removed", "Oak Lane"),
    }  # fmt: skip


def test_a_file_that_was_taken_out_can_be_brought_back(session: Session, add: Callable[..., Added]) -> None:
    add(HEADER + rows(40))
    add(HEADER + rows(20, "Oak Lane"), name="other")
    question = "7 Mill Road, Catonsville, MD 21228"
    sources.remove(session, "county")
    assert not sure(session, question)
    assert [source.name for source in queries.removed_files(session)] == ["county"]
    back = sources.restore(session, sources.to_restore(session, "county"))
    assert sure(session, question)
    with pytest.raises(Conflict):
        sources.restore(session, back)


SHORT, EXCHANGED = HEADER + rows(25), HEADER.replace("STREET,CITY", "CITY,STREET") + rows(40)


@pytest.mark.parametrize(
    ("content", "figures"),
    [
        (SHORT, "15 of the 40 house numbers of “county” are not in the newer file; 0 of its 1 streets are new"),
        (EXCHANGED, "40 of the 40 house numbers of “county” are not in the newer file; 1 of its 1 streets are new"),
    ],
    ids=["cut off", "exchanged"],
)
def test_a_newer_file_that_lacks_much_is_taken_only_when_that_is_wanted_and_the_older_one_can_be_brought_back(
    session: Session, add: Callable[..., Added], content: str, figures: str
) -> None:
    add(HEADER + rows(20, "Oak Lane"), name="other")
    older = add(HEADER + rows(40)).source
    with pytest.raises(LosesMuch) as refused, session.begin_nested():
        add(content)
    assert figures in refused.value.message
    assert "--replace-all" in refused.value.help
    question = "39 Mill Road, Catonsville, MD 21228"
    assert sure(session, question)
    wrong = add(content, replace_all="yes").source
    assert not sure(session, question)
    assert sources.restore(session, sources.to_restore(session, "county")).id == older.id
    assert sure(session, question)
    current = session.scalars(select(Version).order_by(Version.number.desc()).limit(1)).one()
    assert (older.replaces, current.is_all_new, wrong.removed_at is None) == (wrong.id, False, False)
    before = session.scalars(select(Version).where(any_(Version.sources) == wrong.id)).one()
    seen = updating.unseen(session, before.version, current)
    assert "Mill Road" in updating.names_in(session, seen.batches)
    assert [source.id for source in queries.removed_files(session)] == [wrong.id]


def test_a_file_may_lose_some_and_what_it_replaced_is_kept_for_30_days(
    session: Session, add: Callable[..., Added]
) -> None:
    older = add(HEADER + rows(40)).source
    add(HEADER + rows(28))
    older.removed_at = clock.now() - sources.KEPT + timedelta(hours=1)
    session.flush()
    sources.clear(session)
    assert queries.removed_files(session) == [older]
    older.removed_at = clock.now() - sources.KEPT - timedelta(hours=1)
    session.flush()
    sources.clear(session)
    assert queries.removed_files(session) == []


def test_what_was_replaced_comes_back_also_when_its_follower_was_removed(
    session: Session, add: Callable[..., Added]
) -> None:
    add(HEADER + rows(20, "Oak Lane"), name="other")
    older = add(HEADER + rows(40)).source
    add(HEADER + rows(40) + rows(9, "Elm Street"))
    sources.remove(session, "county")
    sources.restore(session, older)
    assert sure(session, "7 Mill Road, Catonsville, MD 21228")
    assert not session.scalars(select(Version).order_by(Version.number.desc()).limit(1)).one().is_all_new


def test_unknown_names_and_countries_are_refused(session: Session, add: Callable[..., Added]) -> None:
    with pytest.raises(NoSuchSource):
        sources.remove(session, "elsewhere")
    with pytest.raises(NoSuchSource):
        sources.to_restore(session, "elsewhere")
    with pytest.raises(Invalid, match="not a country"):
        add(HEADER + rows(2), country="Atlantis")


def test_who_removes_a_file_waits_for_whoever_adds_it(empty_database: object, tmp_path: Path) -> None:
    path = tmp_path / "county.csv"
    path.write_text(HEADER + rows(40))
    wish = Wish("county", "US", "The County", "PD")
    came = overlapping(
        lambda session: sources.add(session, [path], wish), lambda session: sources.remove(session, "county").name
    )
    assert came == "county"
