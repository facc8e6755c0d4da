"""Small towns in many languages, each checked by hand: a street of a town has its numbers in a row, 20 m apart."""

from collections.abc import Iterable, Mapping

from geo.geocode.building import build
from geo.geocode.geocoder import Geocoder
from geo.geocode.memory import MemoryIndex
from geo.osm.records import AddressPoint, Place, Poi, StreetLine
from geo.types import LonLat

STEP_DEG = 0.00018
"""About 20 m northwards."""

Streets = Mapping[tuple[str, str, str], Iterable[str]]
"""(street, postcode, city) -> house numbers."""


def place_of(row: int, position: int, lon: float = 10.0, lat: float = 50.0) -> LonLat:
    """Where the n-th house of the n-th street of a world stands: streets are 700 m apart."""
    return LonLat(round(lon + 0.01 * row, 7), round(lat + STEP_DEG * position, 7))


def addresses(streets: Streets, country: str) -> list[AddressPoint]:
    return [
        AddressPoint(f"{row}/{number}", number, street, postcode, city, country, place_of(row, position))
        for row, ((street, postcode, city), numbers) in enumerate(streets.items())
        for position, number in enumerate(numbers)
    ]


def world(
    streets: Streets,
    country: str,
    lines: Iterable[StreetLine] = (),
    places: Iterable[Place] = (),
    pois: Iterable[Poi] = (),
) -> Geocoder:
    return Geocoder(MemoryIndex(build(addresses(streets, country), lines, places, pois), "test"))


def row(first: int, last: int, step: int = 1) -> list[str]:
    return [str(n) for n in range(first, last + 1, step)]


VADUZ: Streets = {
    ("Landstrasse", "9490", "Vaduz"): row(1, 40),
    ("Landstrasse", "9494", "Schaan"): row(1, 40),
    ("Hintergass", "9490", "Vaduz"): row(1, 20),
    ("Fürst-Franz-Josef-Strasse", "9490", "Vaduz"): [*row(1, 30), "12a", "12b"],
    ("Im Gässle", "9494", "Schaan"): row(1, 20),
    ("Backofengasse", "9494", "Schaan"): row(1, 20),
    ("Sankt Luziweg", "9487", "Bendern"): row(1, 12),
}
BALTIMORE: Streets = {
    ("North Beechwood Avenue", "21228", "Catonsville"): row(300, 340, 2),
    ("Versailles Circle", "21204", "Towson"): row(101, 131, 2),
    ("Versailles Court", "21204", "Towson"): row(1, 19, 2),
    ("Mount Carmel Road", "21155", "Upperco"): row(3800, 3840, 2),
    ("Sulphur Spring Road", "21227", "Halethorpe"): row(1501, 1541, 2),
    ("Avenue A", "21219", "Sparrows Point"): row(9000, 9020, 2),
}
ALESSANDRIA: Streets = {
    ("Via Dante Alighieri", "15121", "Alessandria"): [*row(1, 60), "12/A", "90/H", "90"],
    ("Corso Roma", "15121", "Alessandria"): row(1, 60),
    ("Piazza Della Libertà", "15121", "Alessandria"): row(1, 20),
    ("Via 28 Marzo 1921", "15121", "Alessandria"): row(1, 30),
    ("Via Roma Di Spinetta Marengo", "15122", "Alessandria"): row(1, 30),
}
MADRID: Streets = {
    ("Calle de Alcalá", "28014", "Madrid"): row(1, 60),
    ("Avenida de la Constitución", "28931", "Móstoles"): row(1, 60),
    ("Plaza Mayor", "28012", "Madrid"): row(1, 30),
    ("Paseo del Prado", "28014", "Madrid"): row(1, 40),
}
PARIS: Streets = {
    ("Rue Saint-Antoine", "75004", "Paris"): [*row(1, 60), "5 bis"],
    ("Avenue du Général de Gaulle", "94160", "Saint-Mandé"): row(1, 60),
    ("Boulevard Voltaire", "75011", "Paris"): row(1, 60),
}
LISBON: Streets = {
    ("Rua Augusta", "1100-048", "Lisboa"): row(1, 60),
    ("Avenida da Liberdade", "1250-096", "Lisboa"): row(1, 60),
    ("Praça do Comércio", "1100-148", "Lisboa"): row(1, 20),
}
GHENT: Streets = {
    ("Veldstraat", "9000", "Gent"): row(1, 60),
    ("Brusselsesteenweg", "9050", "Gentbrugge"): row(1, 60),
    ("Sint-Pietersnieuwstraat", "9000", "Gent"): row(1, 60),
}
HELSINKI: Streets = {
    ("Mannerheimintie", "00100", "Helsinki"): row(1, 40),
    ("Lönnrotinkatu", "00120", "Helsinki"): [*row(1, 40), "6 B"],
    ("Kasarmikatu", "00130", "Helsinki"): row(1, 40),
    ("Eteläesplanadi", "00130", "Helsinki"): row(2, 22),
}
STOCKHOLM: Streets = {
    ("Kungsgatan", "111 35", "Stockholm"): row(1, 60),
    ("Sankt Eriksgatan", "112 34", "Stockholm"): row(1, 60),
    ("Sveavägen", "111 57", "Stockholm"): row(1, 60),
}
OSLO: Streets = {
    ("Karl Johans gate", "0154", "Oslo"): row(1, 40),
    ("Kirkeveien", "0364", "Oslo"): row(1, 60),
}
COPENHAGEN: Streets = {
    ("Nørre Voldgade", "1358", "København K"): row(1, 60),
    ("Ålekistevej", "2720", "Vanløse"): row(1, 60),
}
WARSAW: Streets = {
    ("Marszałkowska", "00-017", "Warszawa"): row(1, 60),
    ("Aleja Jana Pawła II", "00-133", "Warszawa"): row(1, 60),
}
PRAGUE: Streets = {
    ("Václavské náměstí", "110 00", "Praha"): row(1, 60),
    ("Vinohradská", "120 00", "Praha"): row(1, 60),
}
EVERYWHERE = {
    "LI": VADUZ, "US": BALTIMORE, "IT": ALESSANDRIA, "ES": MADRID, "FR": PARIS, "PT": LISBON, "BE": GHENT,
    "FI": HELSINKI, "SE": STOCKHOLM, "NO": OSLO, "DK": COPENHAGEN, "PL": WARSAW, "CZ": PRAGUE,
}  # fmt: skip
