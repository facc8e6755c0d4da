"""Links to navigation apps: every stop is led to once, in order, whatever an app takes."""

from urllib.parse import parse_qs, urlsplit

from geo.types import LonLat
from routing.export import navigation
from routing.export.types import DaySheet

PLACES = [LonLat(9.5 + number / 100, 47.1) for number in range(23)]


def test_a_place_is_opened_by_five_kinds_of_app() -> None:
    links = {link.app: link.url for link in navigation.to_place(LonLat(9.5, 47.1), "Müller & Co (Werk)")}
    assert list(links) == ["Any app", "Google Maps", "Apple Maps", "Waze", "OsmAnd"]
    assert links["Any app"] == "geo:47.100000,9.500000?q=47.100000,9.500000(M%C3%BCller%20%26%20Co%20%28Werk%29)"
    assert all("47.100000,9.500000" in url for url in links.values())


def test_a_long_day_is_cut_where_an_app_takes_no_more() -> None:
    parts = [link for link in navigation.along(PLACES) if link.app == "Google Maps"]
    assert [link.part for link in parts] == ["1–10", "11–20", "21–23"]
    led: list[str] = []
    for link in parts:
        query = parse_qs(urlsplit(link.url).query)
        on_the_way = query["waypoints"][0].split("|")
        assert len(on_the_way) <= 9
        led += [*on_the_way, *query["destination"]]
    assert led == [f"{place.lat:.6f},{place.lon:.6f}" for place in PLACES]


def test_apple_takes_fourteen_and_osmand_thirty() -> None:
    parts = {app: [link.part for link in navigation.along(PLACES) if link.app == app] for app in navigation.MOST_STOPS}
    assert parts["Apple Maps"] == ["1–14", "15–23"]
    assert parts["OsmAnd"] == ["1–23"]


def test_a_day_leads_to_its_stops_and_home(sheet: DaySheet) -> None:
    google = next(link for link in navigation.along_day(sheet) if link.app == "Google Maps")
    assert google.part == "1–4"
    assert parse_qs(urlsplit(google.url).query)["destination"] == ["47.140000,9.520000"]


def test_a_single_place_needs_no_way() -> None:
    links = navigation.along(PLACES[:1])
    assert {link.part for link in links} == {"1"}
    assert not any("way" in link.url.split("?")[1] or "via" in link.url for link in links)
