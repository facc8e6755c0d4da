"""Two streets of one town written as one are asked about; what is no street's word is dropped as before."""

import pytest
from worlds import row, world

from geo.geocode.types import AddressQuery, Answer

TOWN = world(
    {
        ("Bahnhofstrasse", "9490", "Vaduz"): row(1, 40),
        ("Hauptstrasse", "9490", "Vaduz"): row(1, 40),
        ("Goethestrasse", "9490", "Vaduz"): row(1, 40),
        ("Schillerstrasse", "9490", "Vaduz"): row(1, 40),
        ("Am Markt", "9490", "Vaduz"): row(1, 40),
        ("Torvet", "9490", "Vaduz"): row(1, 40),
        ("Vukovarska ulica", "9490", "Vaduz"): row(1, 40),
        ("Ulica kralja Tomislava", "9490", "Vaduz"): row(1, 40),
        ("Rue Rouge", "9490", "Vaduz"): row(1, 40),
        ("Rue Jean-Pierre Bausch", "9490", "Vaduz"): row(1, 40),
        ("Lielā iela", "9490", "Vaduz"): row(1, 40),
        ("Dārza iela", "9490", "Vaduz"): row(1, 40),
        ("Velvet Ridge Drive", "9490", "Vaduz"): row(1, 40),
        ("Ridge Road", "9490", "Vaduz"): row(1, 40),
        ("Velvet Street", "9490", "Vaduz"): row(1, 40),
        ("Berliner Strasse", "9490", "Vaduz"): row(1, 40),
        ("Am Ring", "9490", "Vaduz"): row(1, 40),
        ("Loop Street", "9490", "Vaduz"): row(1, 40),
        ("Marine Drive", "9490", "Vaduz"): row(1, 40),
        ("Strada 1 Decembrie 1918", "9490", "Vaduz"): row(1, 40),
        ("Strada Cloșca", "9490", "Vaduz"): row(1, 40),
        ("28ης Οκτωβρίου", "9490", "Vaduz"): row(1, 40),
        ("Đường Võ Văn Tần", "9490", "Vaduz"): row(1, 40),
        ("Đường Lê Lợi", "9490", "Vaduz"): row(1, 40),
        ("Θεμιστοκλέους", "9490", "Vaduz"): row(1, 40),
        ("Untere Gasse", "9494", "Schaan"): row(1, 40),
    },
    "",
)


def asked(street: str) -> Answer:
    return TOWN.locate(AddressQuery(street=street, postcode="9490", city="Vaduz"))


@pytest.mark.parametrize(
    "street",
    [
        "Bahnhofhauptstrasse 4",
        "Goethe Schillerstrasse 4",
        "Goethe-Schillerstrasse 4",
        "Goethestrasse Schillerstrasse 4",
        "Torvet Schillerstrasse 4",
        "Hauptstrassebahnhof 4",
        "Ulica kralja Vukovarska 15",
        "5 Rue Rouge Bausch",
        "Lielā Dārza iela 5",
        "4 Marine-Loop Street",
        "4 Rouge Quokka",
        "Strada 1 Cloșca 1918 34",
        "28ης Θεμιστοκλέους 15",
        "9 Đường 3 Tháng 2",
    ],
)
def test_two_streets_in_one_are_asked_about(street: str) -> None:
    assert not asked(street).is_confident


@pytest.mark.parametrize(
    ("street", "name"),
    [
        ("Müller Schillerstrasse 4", "Schillerstrasse"),
        ("Müller, Goethe, Schillerstrasse 4", "Schillerstrasse"),
        ("Untere Schillerstrasse 4", "Schillerstrasse"),
        ("Schillerstrase 4", "Schillerstrasse"),
        ("Strada Cloșca 4 28", "Strada Cloșca"),
        ("4 Θεμιστοκλέους 28", "Θεμιστοκλέους"),
        ("4 Velvet", "Velvet Street"),
        ("Strada 1 Decembrie 1918 4", "Strada 1 Decembrie 1918"),
        ("Schiller Strasse 4", "Schillerstrasse"),
        ("Schllerstr. 4", "Schillerstrasse"),
        ("Ul. Vukovarska 4", "Vukovarska ulica"),
        ("4 Rue J.-P. Bausch", "Rue Jean-Pierre Bausch"),
        ("4 Velvetridge Drive", "Velvet Ridge Drive"),
        ("Berliner Ring 4", "Berliner Strasse"),
        ("Bahnhof AG Schillerstrasse 4", "Schillerstrasse"),
    ],
)
def test_words_of_no_other_street_of_the_town_are_dropped_or_read_as_misspelt(street: str, name: str) -> None:
    answer = asked(street)
    assert (answer.street, answer.number, answer.is_confident) == (name, "4", True)
