"""A made-up company's customer list: real addresses, invented firms, and the mess that such lists have. Seeded."""

import csv
import io
import random
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

COLUMNS = (
    "Customer no",
    "Company",
    "Street",
    "Zip",
    "Town",
    "Country",
    "Phone",
    "E-mail",
    "Class",
    "Status",
    "Revenue per year",
    "Potential",
    "Visit every (days)",
    "Opening hours",
    "Rep",
    "Notes",
)
SURNAMES = (
    "Amann Beck Biedermann Büchel Büchler Eberle Frick Frommelt Gassner Goop Hasler Hilti Hoop Jehle Kaiser Kindle "
    "Kieber Lampert Marxer Matt Meier Nigg Näscher Öhri Ospelt Quaderer Ritter Risch Schädler Sele Seger Vogt Wanger "
    "Wille Wohlwend Zech"
).split()
TRADES = (
    "Bäckerei Metzgerei Schreinerei Elektro Sanitär Gartenbau Blumen Apotheke Optik Garage Velos Malerei Druckerei "
    "Treuhand Architektur Physiotherapie Getränke Käserei Buchhandlung Weinhandel Gasthaus Hotel Metallbau Textil"
).split()
FORMS = ("AG", "GmbH", "Anstalt", "& Söhne", "& Partner", "", "", "")
TWICE = 3
"""So many customers are in the list twice."""
HOURS = (
    "Mo-Fr 08:00-12:00,13:30-17:00",
    "Mo-Fr 07:30-18:00; Sa 08:00-12:00",
    "Tu-Sa 09:00-12:00,14:00-18:00",
    "Mo-Fr 09:00-17:00",
    "Mo,Tu,Th,Fr 08:00-18:00",
)


@dataclass(frozen=True)
class RealAddress:
    """A house number of the region."""

    street: str
    number: str
    postcode: str
    city: str
    territory: str = ""
    """Name of the territory around it; empty where there is none."""


UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def plain(name: str) -> str:
    """A name as it stands in a mail address: small letters from a to z."""
    bare = unicodedata.normalize("NFKD", name.lower().translate(UMLAUTS))
    return "".join(letter for letter in bare if "a" <= letter <= "z")


def invented_name(chance: random.Random, taken: set[str]) -> str:
    """A firm's name that is not in use yet."""
    while True:
        surname, trade = chance.choice(SURNAMES), chance.choice(TRADES)
        order = chance.choice(((trade, surname), (surname, trade), (trade, "zum", surname)))
        name = " ".join((*order, chance.choice(FORMS))).strip()
        if name not in taken:
            taken.add(name)
            return name


def swap_two_letters(chance: random.Random, street: str) -> str:
    """A slip of the fingers in the middle of the word."""
    if len(street) < 7:
        return street
    at = chance.randrange(2, len(street) - 3)
    return street[:at] + street[at + 1] + street[at] + street[at + 2 :]


def shorten_type(_: random.Random, street: str) -> str:
    """`Landstrasse` becomes `Landstr.`"""
    for long, short in (("strasse", "str."), ("straße", "str."), ("Street", "St"), ("Avenue", "Ave")):
        if street.endswith(long):
            return street.removesuffix(long) + short
    return street


STREET_MESS: tuple[tuple[float, Callable[[random.Random, str], str]], ...] = (
    (0.25, shorten_type),
    (0.06, swap_two_letters),
    (0.08, lambda _, street: street.upper()),
    (0.05, lambda _, street: street.lower()),
)


def written_address(chance: random.Random, address: RealAddress, country: str, name: str) -> tuple[str, ...]:
    """Street, postcode, town and country as somebody typed them."""
    street = address.street
    for share, mess in STREET_MESS:
        if chance.random() < share:
            street = mess(chance, street)
    line = chance.choices(
        (f"{street} {address.number}", f"{street}, {address.number}", f"{street} Nr. {address.number}"), (8, 1, 1)
    )[0]
    if chance.random() < 0.05:
        line = f"c/o {name}, {line}"
    if chance.random() < 0.04:
        line = f"  {line} "
    postcode = "" if chance.random() < 0.04 else address.postcode
    if postcode and chance.random() < 0.05:
        postcode = f"{country}-{postcode}"
    city = address.city.upper() if chance.random() < 0.08 else address.city
    return line, postcode, city, country if chance.random() < 0.8 else ""


def phone_number(chance: random.Random) -> str:
    """A number of Liechtenstein's plan in one of the ways people write it."""
    digits = f"{chance.choice((23, 37, 39))}{chance.randrange(0, 10**5):05d}"
    spaced = f"{digits[:3]} {digits[3:5]} {digits[5:]}"
    return chance.choice((f"+423 {spaced}", f"00423{digits}", spaced, f"+423/{digits}"))


def customer_rows(
    addresses: Sequence[RealAddress],
    *,
    country: str,
    reps: Mapping[str, Sequence[str]],
    count: int = 300,
    seed: int = 1,
) -> list[dict[str, str]]:
    """The rows of the customer list.

    Parameters
    ----------
    addresses
        Real addresses, any number; they are drawn without repetition as long as they last.
    country
        Two letters, as the list writes it.
    reps
        Logins of the reps who own the accounts, by territory; all of them where a territory has none.
    """
    chance = random.Random(seed)
    spread = list(addresses)
    chance.shuffle(spread)
    everybody = [login for logins in reps.values() for login in logins]
    taken: set[str] = set()
    rows = []
    for index in range(count):
        address = spread[index % len(spread)]
        name = invented_name(chance, taken)
        line, postcode, city, land = written_address(chance, address, country, name)
        grade = chance.choices("ABC", (15, 35, 50))[0]
        value = round(chance.lognormvariate({"A": 10.6, "B": 9.6, "C": 8.4}[grade], 0.5), 2)
        firm = plain(name)[:20]
        rows.append(
            dict(
                zip(
                    COLUMNS,
                    (
                        f"K-{10001 + index}",
                        name,
                        line,
                        postcode,
                        city,
                        land,
                        phone_number(chance),
                        f"office@{firm}.example" if chance.random() < 0.8 else "",
                        grade,
                        "customer" if chance.random() < 0.85 else "prospect",
                        f"{value:.2f}",
                        f"{value * chance.uniform(1.0, 2.5):.2f}",
                        "" if chance.random() < 0.7 else str(chance.choice((7, 14, 28, 42, 84))),
                        chance.choice(HOURS) if chance.random() < 0.6 else "",
                        chance.choice(reps.get(address.territory) or everybody),
                        "Ring the bell at the back." if chance.random() < 0.05 else "",
                    ),
                    strict=True,
                )
            )
        )
    return rows + twice_rows(rows) + troublesome_rows(rows, country)


def twice_rows(rows: Sequence[dict[str, str]]) -> list[dict[str, str]]:
    """Customers whom somebody entered a second time: under a new number, written as another person writes them.

    Each is still to be found by what both have: the place and the phone; a shorter name, another mail, no value yet.
    """
    found = []
    for number, row in enumerate(rows[10 : 10 + TWICE], 1):
        bare = row["Company"].removesuffix(" AG").removesuffix(" GmbH").removesuffix(" & Söhne")
        found.append(
            row
            | {
                "Customer no": f"K-{18000 + number}",
                "Company": bare if bare != row["Company"] else f"{bare} AG",
                "E-mail": f"info@{plain(bare)[:20]}.example",
                "Class": "C",
                "Revenue per year": "",
                "Potential": "",
                "Visit every (days)": "",
                "Notes": "",
            }
        )
    return found


def troublesome_rows(rows: Sequence[dict[str, str]], country: str) -> list[dict[str, str]]:
    """Rows that no import may swallow silently: each has a named outcome."""
    nowhere = rows[0] | {
        "Customer no": "K-19001",
        "Company": "Postfach Handels AG",
        "Street": "",
        "Zip": "",
        "Town": "",
    }
    invented = rows[1] | {
        "Customer no": "K-19002",
        "Company": "Nirgendwo GmbH",
        "Street": "Quetzalcoatlboulevard 4711",
        "Country": country,
    }
    nameless = rows[2] | {"Customer no": "K-19003", "Company": ""}
    worthless = rows[3] | {
        "Customer no": "K-19004",
        "Company": "Zahlendreher AG",
        "Revenue per year": "twelve thousand",
    }
    return [nowhere, invented, nameless, worthless]


def as_csv(rows: Sequence[dict[str, str]]) -> bytes:
    """The list as the file that somebody exported from a spreadsheet: semicolons, Windows letters."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, delimiter=";", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode("cp1252", errors="replace")
