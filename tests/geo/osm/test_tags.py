"""What tags mean: addresses, names, prospects."""

from geo.osm.tags import address_of, other_names, poi_kind


def test_a_list_of_house_numbers_is_several_addresses() -> None:
    address = address_of({"addr:housenumber": "12;14, 16a", "addr:street": "Lindenweg"})
    assert address is not None
    assert address.numbers == ("12", "14", "16a")


def test_a_village_without_streets_numbers_its_houses_by_place() -> None:
    address = address_of({"addr:housenumber": "7", "addr:place": "Oberdorf"})
    assert address is not None
    assert (address.street, address.is_place) == ("Oberdorf", True)


def test_a_street_known_from_a_relation_completes_a_house() -> None:
    address = address_of({"addr:housenumber": "7", "addr:city": "Vaduz"}, "Lindenweg")
    assert address is not None
    assert (address.street, address.city, address.is_place) == ("Lindenweg", "Vaduz", False)


def test_a_number_that_belongs_to_nothing_is_no_address() -> None:
    assert address_of({"addr:housenumber": "7"}) is None
    assert address_of({"addr:housenumber": " ; ", "addr:street": "Lindenweg"}) is None
    assert address_of({"addr:street": "Lindenweg"}) is None


def test_only_real_country_codes_are_countries() -> None:
    address = address_of({"addr:housenumber": "7", "addr:street": "Lindenweg", "addr:country": "Schweiz"})
    assert address is not None
    assert address.country == ""


def test_names_in_other_languages_are_kept_and_other_tags_are_not() -> None:
    tags = {"name": "Annankatu", "name:sv": "Annegatan", "alt_name": "Anna", "name:etymology:wikidata": "Q1"}
    assert other_names(tags) == {"name:sv": "Annegatan", "alt_name": "Anna"}


def test_a_shop_in_an_attraction_is_a_prospect_and_a_fountain_is_not() -> None:
    assert poi_kind({"tourism": "attraction", "shop": "gift"}) == ("shop=gift", True)
    assert poi_kind({"amenity": "fountain"}) == ("amenity=fountain", False)
    assert poi_kind({"club": "scout", "leisure": "park"}) == ("club=scout", False)
    assert poi_kind({"leisure": "summer_camp"}) == ("leisure=summer_camp", False)
    assert poi_kind({"amenity": "parking", "craft": "winery"}) == ("craft=winery", True)
    assert poi_kind({"highway": "residential"}) is None
