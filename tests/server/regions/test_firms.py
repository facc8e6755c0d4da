"""Words for kinds of firms, read and written."""

import pytest

from geo.osm.tags import POI_KEYS
from server.regions import firms


def test_every_kind_is_a_tag_of_prospects_with_a_word_in_both_languages() -> None:
    for kind, words in firms.table().items():
        assert kind.split("=")[0] in POI_KEYS or kind == "man_made=works", "which the reader takes too"
        assert len(words) >= 2
        assert all(words)


@pytest.mark.parametrize("written", ["Bakery", "bäckerei", " BAECKEREI ", "boulangerie", "shop=bakery", "SHOP=Bakery"])
def test_a_word_or_a_tag_means_its_kind(written: str) -> None:
    assert firms.kind_of(written) == "shop=bakery"


def test_what_is_no_kind_means_none() -> None:
    assert [firms.kind_of(written) for written in ("", "building=yes", "shop=", "Quatsch", "shop=a'b")] == [None] * 5


def test_what_a_form_shows_means_the_same_kind_again() -> None:
    for language in firms.LANGUAGES:
        assert {kind: firms.kind_of(firms.written(kind, language)) for kind in firms.table()} == {
            kind: kind for kind in firms.table()
        }
        assert len(firms.offered(language)) == len(firms.table())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Dorfbäckerei Hoop AG", "shop=bakery"),
        ("Hilti Metallbau & Söhne", "craft=metal_construction"),
        ("Hotel Restaurant Post", "tourism=hotel"),
        ("Metzger Versicherungen", "office=insurance"),
        ("Müller & Partner", None),
        ("Company Ltd", None),
    ],
)
def test_a_name_tells_of_a_kind_or_of_none(name: str, kind: str | None) -> None:
    assert firms.kind_in(name) == kind


def test_every_kind_has_a_word_of_its_own_in_each_language_also_those_that_extracts_bring_seldom() -> None:
    for kind, words in firms.table().items():
        assert all(words[: len(firms.LANGUAGES)]), kind
    seldom = ("amenity=scout_camp", "amenity=scout_hut", "amenity=kneipp_water_cure", "amenity=sanitary_dump_station")
    assert [firms.word(kind, "de") for kind in seldom] == [
        "Pfadfinderlager", "Pfadfinderheim", "Kneippanlage", "Entsorgungsstation für Wohnmobile",
    ]  # fmt: skip
    assert firms.word("man_made=works", "de") == "Werk"
    assert firms.word("shop=gold;precious_metal", "de") == "Goldhandel", "of several kinds the first"
    assert firms.word("shop=never_heard_of", "de") == "Never heard of"
