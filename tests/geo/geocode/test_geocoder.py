"""Questions in thirteen countries, answered by hand."""

from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import ALESSANDRIA, EVERYWHERE, HELSINKI, VADUZ, Streets, addresses, place_of, row, world

from geo.distance import haversine_m
from geo.geocode.building import build
from geo.geocode.geocoder import Geocoder
from geo.geocode.types import AddressQuery, Reason
from geo.osm.records import AddressPoint, Place, Poi, StreetLine
from geo.types import Grade, LonLat

Town = Callable[[str], Geocoder]


def line(text: str) -> AddressQuery:
    return AddressQuery(query=text)


def fields(street: str, postcode: str = "", city: str = "", country: str = "") -> AddressQuery:
    return AddressQuery(street=street, postcode=postcode, city=city, country=country)


@pytest.mark.parametrize("country", sorted(EVERYWHERE))
def test_every_address_of_the_index_finds_itself(town: Town, country: str) -> None:
    known = addresses(EVERYWHERE[country], country)
    questions = [fields(f"{a.street} {a.number}", a.postcode, a.city, a.country) for a in known]
    questions += [line(f"{a.street} {a.number}, {a.postcode} {a.city}") for a in known]
    for answer, a in zip(town(country).locate_many(questions), known * 2, strict=True):
        assert (answer.street, answer.number, answer.postcode, answer.city) == (a.street, a.number, a.postcode, a.city)
        assert answer.point == a.point
        assert answer.is_confident, answer
        assert answer.grade is Grade.ROOFTOP


@pytest.mark.parametrize(
    ("country", "question", "street", "number"),
    [
        ("LI", fields("landstr 12", "FL-9490", "VADUZ", "Principality of Liechtenstein"), "Landstrasse", "12"),
        ("LI", fields("12 Landstrasse", "9494", "Schaan"), "Landstrasse", "12"),
        ("LI", fields("Landstrasse12, 3. OG", "9494", "Shcaan"), "Landstrasse", "12"),
        ("LI", fields("Fuerst Franz Josef Strasse 12 A", "9490", ""), "Fürst-Franz-Josef-Strasse", "12a"),
        ("LI", fields("Gässle 8", "9494", "Schaan"), "Im Gässle", "8"),
        ("LI", fields("Backofenga. 7", "9494", "Schaan"), "Backofengasse", "7"),
        ("LI", line("Alpina Elektro Anstalt, St. Luziweg Nr. 4, 9487 Bendern FL"), "Sankt Luziweg", "4"),
        ("LI", line("Vaduz 9490, Hintegras 7"), "Hintergass", "7"),
        ("US", fields("#204, 304 N Beechwood Ave.", "21228-1088", "", "USA"), "North Beechwood Avenue", "304"),
        ("LI", fields("Landstrasse 12, FL-9490 Vaduz"), "Landstrasse", "12"),
        ("LI", line("9494 Schaan Im Gässle 8"), "Im Gässle", "8"),
        ("LI", line("Vaduz 9490 Hintergass 7"), "Hintergass", "7"),
        ("LI", fields("C 21, Landstrasse 12", "9490", "Vaduz"), "Landstrasse", "12"),
        ("LI", fields("FÃ¼rst-Franz-Josef-Strasse 12b", "9490", "Vaduz"), "Fürst-Franz-Josef-Strasse", "12b"),
        ("LI", fields("Im GÃ¤ssle 8", "9494", "Schaan"), "Im Gässle", "8"),
        ("US", line("105/107 Versailles, Towson, MD 21204, USA"), "Versailles Circle", "105"),
        ("US", line("3820 Mt Carmel St., Upperco, Maryland 21155, United States"), "Mount Carmel Road", "3820"),
        ("US", fields("1515 sulphurspring road Fl 3", "21227", ""), "Sulphur Spring Road", "1515"),
        ("US", fields("9002 Avenue A", "21219", "Sparrows Point"), "Avenue A", "9002"),
        ("IT", fields("V. D. Alighieri, 90/H", "15121", "Alessandria"), "Via Dante Alighieri", "90/H"),
        ("IT", fields("Via  Dante  Alighieri  12 a", "I-15121", "ALESSANDRIA (AL)"), "Via Dante Alighieri", "12/A"),
        ("IT", line("Dante Alighieri, 22 bis, 15121 Alessandria AL, Italia"), "Via Dante Alighieri", "22"),
        ("IT", line("P.za Libertà n. 4, 15121 Alessandria (AL)"), "Piazza Della Libertà", "4"),
        ("IT", fields("Via Roma 7", "15122", "Spinetta Marengo"), "Via Roma Di Spinetta Marengo", "7"),
        ("IT", line("Via 28 Marzo 1921 20, 15121 Alessandria"), "Via 28 Marzo 1921", "20"),
        ("ES", line("C/ Alcalá, nº 12, 2º izq, 28014 Madrid"), "Calle de Alcalá", "12"),
        ("ES", fields("Avda Constitucion 7", "28931", "Mostoles", "España"), "Avenida de la Constitución", "7"),
        ("FR", fields("5bis, r. St Antoine", "75004", "Paris"), "Rue Saint-Antoine", "5 bis"),
        ("FR", line("12 av. Gal de Gaulle, 94160 Saint-Mandé, France"), "Avenue du Général de Gaulle", "12"),
        ("FR", line("12 boulevard Voltaire 75011 Paris"), "Boulevard Voltaire", "12"),
        ("FR", line("75011 Paris 12 boulevard Voltaire"), "Boulevard Voltaire", "12"),
        ("PT", line("R. Augusta 24, 2.º Dto, 1100-048 Lisboa, Portugal"), "Rua Augusta", "24"),
        ("BE", fields("Veldstr. 12 bus 3", "B-9000", "Gent", "België"), "Veldstraat", "12"),
        ("BE", line("Brusselse steenweg 44, 9050 Gentbrugge"), "Brusselsesteenweg", "44"),
        ("FI", fields("Lönnrotink. 6 B 23", "00120", "Helsinki", "FIN"), "Lönnrotinkatu", "6 B"),
        ("FI", line("Kampaamo Tuulia Tmi, Kasarmikt 12 C-porras, 00130 Helsinki, Suomi"), "Kasarmikatu", "12"),
        ("FI", fields("Et.espl. 10", "00130", "Helsinki"), "Eteläesplanadi", "10"),
        ("SE", line("Kungsg. 12, 111 35 Stockholm, Sverige"), "Kungsgatan", "12"),
        ("SE", fields("S:t Eriksgatan 7 4 tr", "11234", "Stockholm"), "Sankt Eriksgatan", "7"),
        ("NO", line("Karl Johans gt. 12, 0154 Oslo, Norge"), "Karl Johans gate", "12"),
        ("DK", line("Alekistevej 12, 2. th, 2720 Vanløse"), "Ålekistevej", "12"),
        ("PL", line("ul. Marszalkowska 12 m. 4, 00-017 Warszawa, Polska"), "Marszałkowska", "12"),
        ("CZ", line("Vaclavske nam. 12, 110 00 Praha, Česko"), "Václavské náměstí", "12"),
    ],
)  # fmt: skip
def test_messy_addresses_are_read_as_a_person_reads_them(
    town: Town, country: str, question: AddressQuery, street: str, number: str
) -> None:
    answer = town(country).locate(question)
    assert (answer.street, answer.number) == (street, number)
    assert answer.is_confident, answer


MORE: dict[str, Streets] = {
    "FR": {
        ("Rue Saint-Martin", "74800", "La Roche-sur-Foron"): row(1, 60),
        ("Rue du 8 Mai 1945", "74800", "La Roche-sur-Foron"): row(1, 60),
        ("Rue de Lyon", "74800", "La Roche-sur-Foron"): row(1, 60),
        ("Rue Neuve - Nieuwstraat", "74800", "La Roche-sur-Foron"): row(1, 60),
        ("Rue Jules Ferry", "74801", "Montreuil-le-Bas"): row(1, 60),
        ("Rue de Lyon", "74802", "La Roche Noire en Bas"): row(1, 60),
    },
    "GB": {
        ("Bishop's Gate", "ST5 1RB", "Newcastle"): row(1, 60),
        ("Bishop's Gate", "GL54 1BN", "Stow"): row(1, 60),
        ("Old Crossing Drive", "ST5 1RB", "Newcastle"): row(1, 60),
        ("Old Rise Court", "GL54 1BN", "Stow"): row(1, 60),
    },
    "CZ": {
        ("28. října", "549 01", "Nové Město"): [f"{100 + n}/{n}" for n in range(1, 60)],
        ("Nábřeží Svobody", "549 01", "Nové Město"): row(1, 60),
        ("Generála Svobody", "549 01", "Nové Město"): row(1, 60),
    },
    "HU": {("Dózsa György út", "8360", "Kis-Balaton"): row(1, 60)},
    "DE": {("Pradafant", "9490", "Ort"): row(1, 60), ("Untere Pradafant", "9490", "Ort"): row(1, 60)},
    "EE": {
        ("Ranna tee", "30321", "Kohtla"): row(1, 60),
        ("Tartu maantee", "30321", "Kohtla"): row(1, 60),
        ("Sõpruse puiestee", "30321", "Kohtla"): row(1, 60),
    },
    "TR": {
        ("1203 Sokak", "06730", "Şirin Beypazarı"): row(1, 60),
        ("Fevzi Çakmak Caddesi", "06730", "Şirin Beypazarı"): row(1, 60),
    },
    "MT": {
        ("Triq Is-Sur", "FGR 1240", "Fgura"): row(1, 60),
        ("Misraħ il-Knisja", "FGR 1240", "Fgura"): row(1, 60),
        ("Triq il-Merħba", "FGR", "Fgura"): row(1, 60),
    },
    "CA": {
        ("Main Street", "K0C 1M0", "Hawkesville"): row(1, 60),
        ("King Street West", "K0C 1M0", "Hawkesville"): row(1, 60),
        ("rue Principale", "K0C 1M0", "Hawkesville"): row(1, 60),
    },
    "IE": {("Castle Street", "F92 X4E1", "Rathmullen"): row(1, 60), ("The Square", "P75 HY22", "Kil"): row(1, 9)},
    "BG": {("ул. Роза", "9150", "Оряхово"): [*row(1, 30), "20А"]},
    "SE": {("Lilla Torg", "296 31", "Åhus"): row(1, 60), ("Östra Vallgatan", "296 31", "Åhus"): row(1, 60)},
}


@pytest.mark.parametrize(
    ("country", "question", "street", "number"),
    [
        ("FR", line("43 Rue Saint-Martin, 74800 La Roche-sur-Foron, France"), "Rue Saint-Martin", "43"),
        ("FR", line("Rue du 8 Mai 1945, 11, 74800 La Roche-sur-Foron"), "Rue du 8 Mai 1945", "11"),
        ("FR", line("75, Rue Jules Ferry 74801 Montreuil-le-Bas"), "Rue Jules Ferry", "75"),
        ("FR", line("12 rue jules ferry montreuil-le-bas"), "Rue Jules Ferry", "12"),
        ("FR", fields("nº12 Rue de Lyon", "74800", "La Roche-sur-Foron"), "Rue de Lyon", "12"),
        ("FR", fields("Nieuwstraat 7", "74800", "La Roche-sur-Foron"), "Rue Neuve - Nieuwstraat", "7"),
        ("FR", line("La Roche-sur-Foron 74800, 35 Rue Saint-Martin"), "Rue Saint-Martin", "35"),
        ("FR", line("Rue de Lyon 6 La Roche Noire en Bas"), "Rue de Lyon", "6"),
        ("GB", line("Newcastle ST5 1RB, 7 Bishop's Gate"), "Bishop's Gate", "7"),
        ("GB", line("7 Bishop's Gate, ST5 1RB"), "Bishop's Gate", "7"),
        ("GB", line("36 Old Crossing, Newcastle, ST5 1RB"), "Old Crossing Drive", "36"),
        ("CZ", fields("28. října čp. 154/54", "549 01", "Nové Město"), "28. října", "154/54"),
        ("CZ", fields("gen. Svobody 13", "549 01", "Nové Město"), "Generála Svobody", "13"),
        ("CZ", line("Nábřeží Svobody, 13 Nové Město"), "Nábřeží Svobody", "13"),
        ("HU", fields("Dózsa György út10", "8360", "Kis-Balaton"), "Dózsa György út", "10"),
        ("DE", line("Ort 9490, Untee Pradafant 5"), "Untere Pradafant", "5"),
        ("IE", fields("7 Tke Square", "P75 HY22", "Kil"), "The Square", "7"),
        ("MT", line("24 Triq il-Merħba, FGR, Malta"), "Triq il-Merħba", "24"),
        ("MT", line("24 Triq il-Merħba, FGR Fgura"), "Triq il-Merħba", "24"),
        ("CA", line("34A bureau 20, Main Street, Hawkesville, K0C 1M0"), "Main Street", "34"),
        ("CA", line("C.P. 44, 2 Main Street, K0C 1M0 Hawkesville"), "Main Street", "2"),
        ("BG", fields("\xd1\u0192\xd0\xbb. \xd0\xa0\xd0\xbe\xd0\xb7\xd0\xb0 12", "9150", "Оряхово"), "ул. Роза", "12"),
        ("EE", fields("Tartu mnt 8", "30321", "Kohtla", "Eesti"), "Tartu maantee", "8"),
        ("EE", fields("Ranna puiestee 8", "30321", "Kohtla", "Eesti"), "Ranna tee", "8"),
        ("EE", fields("Sopruse pst maja 9", "30321", "Kohtla"), "Sõpruse puiestee", "9"),
        ("TR", fields("Fevzi Çakmak Cad. No:12 D:5", "06730", "Sirin Beypazari"), "Fevzi Çakmak Caddesi", "12"),
        ("MT", fields("24 Is-Sur", "FGR1240", "Fgura"), "Triq Is-Sur", "24"),
        ("MT", line("24 Misrah il-Knisja, FGR 1240 Fgura"), "Misraħ il-Knisja", "24"),
        ("CA", fields("34, suite 4 Main Street", "K0C 1M0", "Hawkesville"), "Main Street", "34"),
        ("CA", fields("2 bureau 20 rue Principale", "K0C 1M0", "Hawkesville"), "rue Principale", "2"),
        ("CA", fields("apt 12 Main Street 34", "K0C 1M0", "Hawkesville"), "Main Street", "34"),
        ("CA", line("Flat 3 22 Main Street, Hawkesville K0C 1M0"), "Main Street", "22"),
        ("IE", fields("51 - first floor Castle Street", "F92 X4E1", "Rathmullen"), "Castle Street", "51"),
        ("IE", line("46 Castle Street, F92 X4E1"), "Castle Street", "46"),
        ("BG", line("ул. Роза20А 9150 Оряхово"), "ул. Роза", "20А"),
        ("SE", fields("Ö. Vallg. 5", "29631", "Åhus"), "Östra Vallgatan", "5"),
        ("SE", fields("L. Torg 5", "296 31", "Åhus"), "Lilla Torg", "5"),
    ],
)
def test_what_other_places_write_is_read_by_the_same_rules(
    country: str, question: AddressQuery, street: str, number: str
) -> None:
    answer = _more(country).locate(question)
    assert (answer.street, answer.number) == (street, number)
    if number not in ("75",):
        assert answer.is_confident, answer


def test_a_street_with_another_figure_in_its_name_is_another_street() -> None:
    answer = _more("TR").locate(fields("1205 Sokak 12", "06730", "Şirin Beypazarı"))
    assert not answer.is_confident, answer


@pytest.mark.parametrize("others", [0, 320])
def test_a_misspelt_name_that_ends_with_a_figure_is_found_in_a_village_and_in_a_large_town(others: int) -> None:
    streets: dict[tuple[str, str, str], list[str]] = {("Boulevard 14", "1000", "Ort"): row(1, 9)}
    for n in range(others):
        streets[f"{chr(97 + n % 26)}{chr(97 + n // 26)}weg", "1000", "Ort"] = ["1"]
    answer = world(streets, "").locate(fields("Bulevard 14", "1000", "Ort"))
    assert (answer.street, answer.number) == ("Boulevard 14", "")


def test_a_street_in_the_opposite_direction_is_another_street() -> None:
    answer = _more("CA").locate(fields("12 King Street E", "K0C 1M0", "Hawkesville"))
    assert not answer.is_confident, answer
    assert _more("CA").locate(fields("12 King St W", "K0C 1M0", "Hawkesville")).is_confident


def test_the_number_of_a_flat_is_no_house_number() -> None:
    answer = _more("CA").locate(fields("Suite 4 Main Street", "K0C 1M0", "Hawkesville"))
    assert (answer.street, answer.number, answer.reason) == ("Main Street", "", Reason.NO_NUMBER)


def test_postcode_of_one_town_and_city_of_another_that_both_have_the_street_are_for_a_person_to_decide(
    town: Town,
) -> None:
    answer = town("LI").locate(fields("Landstrasse 12", "9490", "Schaan"))
    assert (answer.is_confident, answer.reason) == (False, Reason.AMBIGUOUS)
    assert [(c.city, c.confidence) for c in answer.candidates] == [("Schaan", 0.6), ("Vaduz", 0.6)]
    far = _more("GB").locate(fields("7 Bishop's Gate", "GL54 1BN", "Newcastle"))
    assert (far.is_confident, [c.city for c in far.candidates]) == (False, ["Newcastle", "Stow"]), (
        "a whole name says more than some figures"
    )


def test_a_wrong_country_does_not_outweigh_postcode_and_city_together(town: Town) -> None:
    assert town("LI").locate(fields("Landstrasse 12", "9490", "Vaduz", "CR")).is_confident


def test_villages_that_share_a_street_name_and_write_no_city_are_not_one_street() -> None:
    houses = [
        AddressPoint(f"{lon}/{n}", str(n), "Triq il-Kbira", "", "", "MT", place_of(0, n, lon=lon))
        for lon in (14.3, 14.4)
        for n in range(1, 30)
    ]
    content = build(houses)
    assert [(s.name, len(s.houses)) for s in content.streets] == [("Triq il-Kbira", 29)] * 2


@pytest.mark.parametrize(
    ("country", "question", "reason"),
    [
        ("LI", fields("Tintenfischweg 12", "9490", "Vaduz"), None),
        ("LI", fields("Landstrasse 512", "9490", "Vaduz"), Reason.NUMBER_OUT_OF_RANGE),
        ("LI", fields("Hintergass 14", "9494", "Schaan"), Reason.PLACE_CONTRADICTS),
        ("LI", fields("Landstrasse 12", "8001", "Zürich", "Schweiz"), Reason.OTHER_COUNTRY),
        ("LI", line("Bahnhofstrasse 58, 8001 Zürich, Schweiz"), None),
        ("US", line("20 Plutonium Road, Towson, MD 21204"), None),
        ("US", line("179 Versailles Court, Towson, MD 21204"), None),
        ("IT", line("Via Kiwi Spaziale 10, 15122 Alessandria"), None),
        ("IT", fields("Via Dante Alighieri 7", "15033", "Casale Monferrato", "Italia"), Reason.PLACE_CONTRADICTS),
        ("FI", fields("Kasarmikatu 12", "40100", "Jyväskylä", "Suomi"), Reason.PLACE_CONTRADICTS),
        ("FI", line("Kasarmikatu 1415, Helsinki"), Reason.NUMBER_OUT_OF_RANGE),
    ],
)
def test_invented_addresses_are_never_confident(
    town: Town, country: str, question: AddressQuery, reason: Reason | None
) -> None:
    answer = town(country).locate(question)
    assert not answer.is_confident, answer
    if reason is not None:
        assert answer.reason is reason


def test_below_the_threshold_the_best_three_are_offered(town: Town) -> None:
    answer = town("LI").locate(fields("Landstrasse 12"))
    assert not answer.is_confident
    assert {c.city for c in answer.candidates} == {"Vaduz", "Schaan"}
    assert len(answer.candidates) <= 3
    assert all(c.uncertainty_m > 0 for c in answer.candidates)


def test_a_number_missing_from_the_index_is_placed_between_its_neighbours() -> None:
    town = world({("Rheinstrasse", "9495", "Triesen"): [*row(1, 9), *row(13, 20)]}, "LI")
    answer = town.locate(fields("Rheinstrasse 11", "9495", "Triesen"))
    assert answer.is_confident
    assert (answer.grade, answer.reason) == (Grade.INTERPOLATED, Reason.NEARBY_NUMBER)
    assert answer.point is not None
    assert haversine_m(answer.point, place_of(0, 8)) < 60


def test_a_street_is_found_by_its_name_in_another_language() -> None:
    road = StreetLine("w1", "Kasarmikatu", {"name:sv": "Kaserngatan"}, (place_of(2, 0), place_of(2, 30)))
    city = Place("n1", "city", "Helsinki", {"name:sv": "Helsingfors"}, place_of(2, 0), "FI")
    town = world(HELSINKI, "FI", [road], [city])
    answer = town.locate(fields("Kaserngatan 12", "00130", "Helsingfors", "Finland"))
    assert (answer.street, answer.number, answer.is_confident) == ("Kasarmikatu", "12", True)


def test_a_business_is_found_by_its_name_despite_its_legal_form_and_a_typo() -> None:
    pois = [
        Poi("n1", "Gasthaus Weinlaube", {}, "amenity=restaurant", place_of(3, 2), {"addr:city": "Vaduz"}),
        Poi("n2", "Rolis Kochstudio", {}, "shop=kitchen", place_of(5, 2), {"addr:city": "Schaan"}),
    ]
    town = world(VADUZ, "LI", pois=pois)
    for text, name in (
        ("Gasthaus Weilnaube, Vaduz", "Gasthaus Weinlaube"),
        ("Rolis Kochstudio GmbH, Schaan", "Rolis Kochstudio"),
    ):
        answer = town.locate(line(text))
        assert (answer.street, answer.reason, answer.is_confident) == (name, Reason.POI, True)


def test_a_place_alone_is_a_locality_and_a_village_may_number_its_houses_without_streets() -> None:
    village = Place("n1", "village", "Silum", {}, LonLat(9.6, 47.1), "LI", postcode="9497")
    town = world(VADUZ, "LI", places=[village])
    answer = town.locate(line("Silum"))
    assert (answer.grade, answer.city) == (Grade.LOCALITY, "Silum")


def test_reverse_names_the_nearest_house(town: Town) -> None:
    there = place_of(1, 6)
    answer = town("IT").reverse(LonLat(there.lon + 0.00005, there.lat))
    assert (answer.street, answer.number, answer.reason) == ("Corso Roma", "7", Reason.REVERSE)
    assert answer.uncertainty_m is not None
    assert answer.uncertainty_m < 10


def test_nothing_asked_is_nothing_found(town: Town) -> None:
    answer = town("LI").locate(AddressQuery())
    assert (answer.point, answer.reason) == (None, Reason.EMPTY)


def test_one_question_and_a_batch_give_the_same_answers(town: Town) -> None:
    questions = [fields(f"Landstr. {n}", "9490", "Vaduz") for n in range(1, 60)] * 2
    batch = list(town("LI").locate_many(questions))
    assert batch == [town("LI").locate(question) for question in questions]


@settings(deadline=None, max_examples=150)
@given(st.text(max_size=80), st.text(max_size=12), st.text(max_size=20))
def test_whatever_is_written_gets_an_answer(street: str, postcode: str, city: str) -> None:
    town = _alessandria()
    for question in (fields(street, postcode, city), line(f"{street}, {postcode} {city}"), AddressQuery(name=street)):
        assert 0 <= town.locate(question).confidence <= 1


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from(sorted(ALESSANDRIA)),
    st.integers(1, 20),
    st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=9),
)
def test_noise_words_never_raise_the_confidence(key: tuple[str, str, str], number: int, noise: str) -> None:
    street, postcode, city = key
    plain = _alessandria().locate(fields(f"{street} {number}", postcode, city))
    noisy = _alessandria().locate(fields(f"{noise} {street} {number}", postcode, city))
    assert noisy.confidence <= plain.confidence


@cache
def _more(country: str) -> Geocoder:
    return world(MORE[country], country)


_TOWNS: list[Geocoder] = []


def _alessandria() -> Geocoder:
    if not _TOWNS:
        _TOWNS.append(world(ALESSANDRIA, "IT"))
    return _TOWNS[0]
