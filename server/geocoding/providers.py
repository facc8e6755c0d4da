"""Geocoders elsewhere that geopy speaks to: what they ask of whom uses them, and what their answers mean."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from geopy.geocoders import GoogleV3, Nominatim, OpenCage, Pelias, Photon
from geopy.location import Location
from rapidfuzz import fuzz

from geo.geocode.names import glued, postcode_key
from geo.geocode.normalise import street_name
from geo.geocode.types import AddressQuery, Answer, Reason
from geo.geocode.vocabulary import fold, words
from geo.types import Grade, LonLat
from server.geocoding.transport import LONGEST_S, Transport
from server.kit.errors import Invalid

_PLAINLY: dict[str, Any] = {"timeout": LONGEST_S, "adapter_factory": Transport}
_UNCERTAINTY_M = {Grade.ROOFTOP: 25.0, Grade.INTERPOLATED: 75.0, Grade.STREET: 250.0, Grade.LOCALITY: 3000.0}
"""Modest: what the type of an answer promises, not what it might be."""
_SURE, _BARE, _STREET, _PLACE, _DOUBTFUL = 0.85, 0.7, 0.5, 0.3, 0.2
_ALIKE = 82


@dataclass(frozen=True)
class Found:
    """An answer of a geocoder elsewhere, as far as it says."""

    lon: float
    lat: float
    grade: str
    number: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""


@dataclass(frozen=True)
class Provider:
    """A kind of geocoder."""

    key: str
    name: str
    url: str
    """Its public address; empty when there is none."""
    needs_key: bool
    interval_s: float
    """Least seconds between questions that its terms allow at its public address."""
    daily_cap: int
    credit: str
    """Printed wherever its results leave."""
    terms: tuple[str, ...]
    """What an admin agrees to."""
    client: Callable[[str, str, str | None, str], Any]
    """From scheme, host, key and user agent to geopy's geocoder."""
    options: Mapping[str, Any]
    """What geopy's `geocode` is told besides the question."""
    read: Callable[[Mapping[str, Any]], tuple[str, dict[str, str]]]
    """Grade and address fields of a raw answer."""
    keeps_days: int | None = None
    """How long its terms allow to keep an answer; None: as long as one likes."""

    @property
    def all_terms(self) -> list[str]:
        """What an admin agrees to, and what is sent to it."""
        return [*self.terms, WHAT_IS_SENT, *([ASKED_ONCE] if self.keeps_days is None else [])]


def _place(address: Mapping[str, Any]) -> str:
    names = ("city", "town", "village", "municipality", "locality", "hamlet", "suburb")
    return next((str(address[name]) for name in names if address.get(name)), "")


def _fields(number: Any, street: Any, postcode: Any, city: Any, country: Any) -> dict[str, str]:
    names = ("number", "street", "postcode", "city", "country")
    texts = (number, street, postcode, city, str(country or "").upper())
    return {name: str(text or "")[:200] for name, text in zip(names, texts, strict=True)}


def _graded(number: str, street: str) -> str:
    return Grade.ROOFTOP if number else Grade.STREET if street else Grade.LOCALITY


def _nominatim(raw: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    address = raw["address"]
    street = address.get("road") or address.get("pedestrian")
    fields = _fields(
        address.get("house_number"), street, address.get("postcode"), _place(address), address.get("country_code")
    )
    return _graded(fields["number"], fields["street"]), fields


def _photon(raw: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    p = raw["properties"]
    street = p.get("street") or (p.get("name") if p.get("type") == "street" else "")
    fields = _fields(p.get("housenumber"), street, p.get("postcode"), p.get("city"), p.get("countrycode"))
    return _graded(fields["number"], fields["street"]), fields


def _pelias(raw: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    p = raw["properties"]
    city = p.get("locality") or p.get("localadmin")
    fields = _fields(p.get("housenumber"), p.get("street"), p.get("postalcode"), city, p.get("country_code"))
    grade = _graded(fields["number"], fields["street"])
    if grade == Grade.ROOFTOP and p.get("accuracy") != "point":
        grade = Grade.INTERPOLATED
    return grade, fields


def _google(raw: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    parts = {kind: part for part in raw["address_components"] for kind in part["types"]}

    def name(kind: str, form: str = "long_name") -> str:
        return str(parts[kind][form]) if kind in parts else ""

    city = name("locality") or name("postal_town") or name("administrative_area_level_3")
    fields = _fields(name("street_number"), name("route"), name("postal_code"), city, name("country", "short_name"))
    grade = _graded(fields["number"], fields["street"])
    exactly = raw["geometry"]["location_type"]
    if grade == Grade.ROOFTOP and exactly != "ROOFTOP":
        grade = Grade.INTERPOLATED if exactly == "RANGE_INTERPOLATED" else Grade.STREET
    return grade, fields


def _opencage(raw: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    c = raw["components"]
    fields = _fields(c.get("house_number"), c.get("road"), c.get("postcode"), _place(c), c.get("country_code"))
    return _graded(fields["number"], fields["street"]), fields


PROVIDERS: Mapping[str, Provider] = {
    provider.key: provider
    for provider in (
        Provider(
            "nominatim", "Nominatim", "https://nominatim.openstreetmap.org", False, 1.0, 1000,
            "Nominatim, © OpenStreetMap contributors (ODbL 1.0)",
            (
                "The public server allows one question a second of all your machines together and forbids bulk work;"
                " for more run your own and give its address.",
                "A user agent that names you is required; results must credit OpenStreetMap (ODbL).",
                "Its policy: operations.osmfoundation.org/policies/nominatim",
            ),
            lambda scheme, host, _key, agent: Nominatim(
                user_agent=agent, domain=host, scheme=scheme, **_PLAINLY
            ),
            {"addressdetails": True}, _nominatim,
        ),
        Provider(
            "photon", "Photon", "https://photon.komoot.io", False, 1.0, 1000,
            "Photon, © OpenStreetMap contributors (ODbL 1.0)",
            (
                "The public server asks for fair use: extensive use is throttled or banned; for more run your own.",
                "Results must credit OpenStreetMap (ODbL).",
                "Its terms: photon.komoot.io",
            ),
            lambda scheme, host, _key, agent: Photon(user_agent=agent, domain=host, scheme=scheme, **_PLAINLY),
            {}, _photon,
        ),
        Provider(
            "pelias", "Pelias", "", False, 0.2, 10_000, "Pelias, © OpenStreetMap contributors, OpenAddresses",
            (
                "Pelias is software: what is allowed is what the operator of the server that you name allows.",
                "Results must credit the sources that the server was built from.",
            ),
            lambda scheme, host, key, agent: Pelias(host, key, user_agent=agent, scheme=scheme, **_PLAINLY),
            {}, _pelias,
        ),
        Provider(
            "google", "Google", "https://maps.googleapis.com", True, 0.1, 500, "Geocoding by Google",
            (
                "Every question is billed to your key.",
                "Google's terms forbid to keep coordinates for more than 30 days: Waymark forgets each answer after 29"
                " and asks again, which is billed again.",
                "They forbid to show them on any map but Google's: ask your lawyer before you switch this on.",
                "Its terms: cloud.google.com/maps-platform/terms",
            ),
            lambda scheme, host, key, agent: GoogleV3(
                key, domain=host, scheme=scheme, user_agent=agent, **_PLAINLY
            ),
            {}, _google, keeps_days=29,
        ),
        Provider(
            "opencage", "OpenCage", "https://api.opencagedata.com", True, 1.0, 2400,
            "OpenCage, © OpenStreetMap contributors (ODbL 1.0)",
            (
                "Questions are billed to your key beyond the trial's 2,500 a day; the trial allows one a second.",
                "Results may be kept as long as you like and must credit OpenStreetMap (ODbL).",
                "Its terms: opencagedata.com/terms",
            ),
            lambda scheme, host, key, agent: OpenCage(
                key, domain=host, scheme=scheme, user_agent=agent, **_PLAINLY
            ),
            {"annotations": False}, _opencage,
        ),
    )
}  # fmt: skip
"""By key, in the order in which they are shown."""
WHAT_IS_SENT = "The address of a site is sent to it, never the firm's name."
ASKED_ONCE = "A question is asked once and its answer kept."


def address_of(url: str) -> tuple[str, str]:
    """Scheme and host (with a path where there is one) of a server's address; refuses what is no web address."""
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise Invalid(f"“{url[:80]}” is no web address: {error}.", field="url") from error
    del port
    is_plain = url.strip().isascii() and url.strip().isprintable() and not set(url.strip()) & set(' "<>@')
    if parts.scheme not in ("https", "http") or not parts.hostname or not is_plain or parts.query or parts.fragment:
        raise Invalid(
            f"“{url[:80]}” is not the address of a server.", help="For example https://photon.example.com.", field="url"
        )
    return parts.scheme, (parts.netloc + parts.path).rstrip("/")


def client_of(provider: Provider, url: str, key: str | None, agent: str) -> Any:
    """Geopy's client for a provider at an address."""
    return provider.client(*address_of(url), key, agent)


def found_in(provider: Provider, location: Location) -> Found:
    """What an answer says; raises KeyError, TypeError or ValueError when it is no answer of this provider."""
    grade, fields = provider.read(location.raw)
    point = LonLat.checked(float(location.longitude), float(location.latitude))
    return Found(round(point.lon, 7), round(point.lat, 7), str(grade), **fields)


def judged(found: Found, query: AddressQuery, text: str, provider: Provider) -> Answer:
    """An answer with its confidence: never more than its type says, and little unless it is what was asked for."""
    grade = Grade(found.grade)
    asked = words(fold(text))
    line = " ".join(asked)
    street = bool(found.street) and fuzz.partial_ratio(" ".join(street_name(found.street).rest), line) >= _ALIKE
    number = bool(found.number) and glued(found.number) in {*asked, *map("".join, pairwise(asked))}
    code = bool(found.postcode) and postcode_key(found.postcode) in postcode_key(query.postcode or text)
    city = bool(found.city) and fuzz.partial_ratio(" ".join(words(fold(found.city))), line) >= _ALIKE
    if grade in (Grade.ROOFTOP, Grade.INTERPOLATED) and street and number and (code or city):
        sure, reason = (_SURE if grade == Grade.ROOFTOP else _BARE), Reason.EXACT
    elif grade in (Grade.ROOFTOP, Grade.INTERPOLATED) and street and number:
        sure, reason = _STREET, Reason.UNSURE
    elif grade == Grade.STREET and street and (code or city):
        sure, reason = _STREET, Reason.NO_NUMBER
    elif grade == Grade.LOCALITY and (code or city):
        sure, reason = _PLACE, Reason.PLACE_ONLY
    else:
        sure, reason = _DOUBTFUL, Reason.UNSURE
    return Answer(
        LonLat(found.lon, found.lat), found.street, found.number, found.postcode, found.city, found.country, grade,
        _UNCERTAINTY_M[grade], sure, reason, provider.key,
    )  # fmt: skip
