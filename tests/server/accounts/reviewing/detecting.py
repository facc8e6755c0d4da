"""A small country by a lake and the sea, checked by hand, in which everything can be in the wrong place.

Lakonia lies from 9.0 to 9.4 east and 47.0 to 47.2 north. Its only municipality, Seestadt, reaches east to 9.3: from
there to the border is the sea. A lake fills a square around 9.05/47.05.
The houses of the Hauptstrasse, postcode 01234, stand along 47.10 from 9.10 eastwards.
"""

from sqlalchemy import text
from sqlalchemy.orm import Session

from geo.geocode.building import build
from geo.osm.records import AddressPoint
from geo.types import LonLat
from server.geocoding import service as geocoding
from server.geocoding.models import Source
from server.kit.ids import uuid7

COUNTRY = "DE"
"""Germany's code is borrowed: five digits, zeros in front."""


def house(number: int) -> LonLat:
    """Where a house of the Hauptstrasse stands."""
    return LonLat(round(9.10 + number * 0.0003, 6), 47.10)


def add_country(session: Session) -> Source:
    """Put the country on the map: its border, its municipality, its lake, its houses."""
    region = uuid7()
    session.execute(
        text("""insert into region (id, name, sha256, version, state, source, licence, attribution, bbox, country)
        values (:id, 'lakonia', :sha, 1, 'ready', 'made up', 'none', '{}', '{9.0,47.0,9.4,47.2}', '')"""),
        {"id": region, "sha": "ab" * 32},
    )
    place = text("""insert into region_place (region_id, source_id, kind, name, names, country, admin_level, postcode,
        point, area) values (:region, :name, :kind, :name, '{}', :country, :level, '',
        st_setsrid(st_makepoint(9.1, 47.1), 4326), st_multi(st_makeenvelope(9.0, 47.0, :east, 47.2, 4326)))""")
    for name, kind, level, east in (("Lakonia", "country", 2, 9.4), ("Seestadt", "municipality", 8, 9.3)):
        values = {"region": region, "name": name, "kind": kind, "country": COUNTRY, "level": level, "east": east}
        session.execute(place, values)
    session.execute(
        text("""insert into basemap_feature (region_id, layer, kind, name, min_zoom, geom) values (:region, 'water',
        'lake', 'Spiegelsee', 8, st_transform(st_makeenvelope(9.04, 47.04, 9.06, 47.06, 4326), 3857))"""),
        {"region": region},
    )
    houses = [
        AddressPoint(f"n{n}", str(n), "Hauptstrasse", "01234", "Seestadt", COUNTRY, house(n)) for n in range(1, 41)
    ]
    source = Source(
        name="lakonia", country=COUNTRY, origin="made up", licence="none", attribution=[], fingerprint="lakonia"
    )
    return geocoding.write(session, source, build(houses))
