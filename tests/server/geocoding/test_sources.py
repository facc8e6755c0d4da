"""Address files as sources of the index: what is read, what is left out, and how a file comes and goes."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.geocode.types import AddressQuery
from server.geocoding import addressfiles, queries, service, sources
from server.geocoding.errors import BadFile, NoSuchSource
from server.geocoding.models import Change, Source, Version
from server.geocoding.sources import Added, Wish
from server.kit.errors import Conflict, Invalid
from server.regions.models import Region

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
    # the United States have no box here: Zurich is not noticed, but what lies beyond the poles is
    assert added.tally.left_out == {"no_number": 1, "no_street": 1, "no_point": 1, "bad_point": 1}
    assert added.tally.first["no_number"] == ["county.csv, line 22"]
    assert "1 rows without a street are left out: county.csv, line 23" in added.tally.lines()
    assert added.source.left_out["no_point"] == {"rows": 1, "first": ["county.csv, line 24"]}
