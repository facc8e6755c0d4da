"""A company's customers with known duplicates: real addresses and business names where there are some, then disturbed.

The words of names come from the extracts and from lists of trades in eleven languages; no rule of the product knows
them.
"""

import csv
import gzip
import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

TRADES = {
    "de": (
        "Schreinerei Dachdeckerei Malerbetrieb Fahrschule Metzgerei Konditorei Zimmerei Optik "
        "Apotheke Gasthaus Raumausstattung Landtechnik Steuerberatung Fliesen Elektrotechnik"
    ),
    "it": (
        "Trattoria Officina Ferramenta Panificio Carrozzeria Falegnameria Tabaccheria Macelleria "
        "Farmacia Pasticceria Idraulica Edilizia Gioielleria"
    ),
    "en": (
        "Plumbing Roofing Landscaping Bakery Hardware Dental Pharmacy Auto Flooring Catering "
        "Insurance Veterinary Brewing Electric"
    ),
    "fi": ("Leipomo Kampaamo Rakennus Autokorjaamo Kukkakauppa Apteekki Ravintola Maalaamo Puusepänliike Optikko"),
    "sv": "Bageri Snickeri Bilverkstad Blomsterhandel Måleri Frisörsalong Byggfirma Rörmokare",
    "fr": (
        "Boulangerie Menuiserie Plomberie Fleuriste Boucherie Pharmacie Quincaillerie Carrelage Traiteur Serrurerie"
    ),
    "es": "Panadería Ferretería Carpintería Fontanería Peluquería Taller Farmacia Librería Frutería",
    "nl": "Bakkerij Schildersbedrijf Timmerwerken Slagerij Loodgieter Rijschool Bloemenhuis Drukkerij",
    "pl": "Piekarnia Stolarnia Kwiaciarnia Apteka Warsztat Cukiernia Drukarnia Hurtownia",
    "cs": "Pekárna Truhlářství Zámečnictví Lékárna Květinářství Autoservis Instalatérství",
    "mt": "Stationery Ironmonger Confectionery Marine Upholstery Aluminium Joinery",
}
LEGAL = {
    "de": ["GmbH", "GmbH & Co. KG", "e.K.", "AG", "UG (haftungsbeschränkt)", "OHG", "GbR"],
    "it": ["S.r.l.", "S.p.A.", "S.n.c.", "di", "S.a.s."], "en": ["LLC", "Inc.", "Ltd.", "Corp.", "Co."],
    "fi": ["Oy", "Ky", "Tmi", "Oyj"], "sv": ["AB", "HB", "Ab Oy"], "fr": ["SARL", "SAS", "EURL", "SA"],
    "es": ["S.L.", "S.A.", "S.L.U."], "nl": ["B.V.", "V.O.F."], "pl": ["Sp. z o.o.", "S.A."],
    "cs": ["s.r.o.", "a.s."], "mt": ["Ltd", "Co. Ltd", "plc"],
}  # fmt: skip
FIRST = {
    "de": "Franz Josef Anna Peter Karin Uwe Jürgen Heike Günther Silke",
    "it": "Giuseppe Mario Lucia Paolo Chiara Franco Elena",
    "en": "John Mary William Linda Robert Susan Kevin Joyce", "fi": "Mikko Juha Aino Päivi Timo Hannele",
    "sv": "Lars Karin Björn Åsa Göran", "fr": "Jean Marie Luc Hélène François", "es": "José María Íñigo Carmen Pablo",
    "nl": "Jan Pieter Sanne Wouter Femke", "pl": "Piotr Agnieszka Paweł Małgorzata", "cs": "Jiří Jana Tomáš Zdeněk",
    "mt": "Carmel Joseph Rita Ġorġ Doris",
}  # fmt: skip
SYLLABLES = {
    "de": (
        "Ba Kö Schn Ho Wei Rie Mü Fe Str Gru Lau Zie Tho Bre",
        "mer ler bach mann berg er old ing haus ner rich feld",
    ),
    "it": ("Ca Mo Ros Be Fer Gal Vi Pe San Tre Lo", "lini setti rolo nari gnoni celli rati oldo vasco zzi"),
    "en": ("Har Wil Tho Cart Bur Ash Mac Pem Law Fitz", "ton field worth ley son man ridge bury well"),
    "fi": ("Kor Mä Vir Lai Niem Hei Sal Rant Pel", "honen kinen tala nen la mäki salo vaara"),
    "sv": ("Lind Berg Ek Ström Nor Sand Hög", "qvist ström gren lund mark dahl"),
    "fr": ("Du Le Mar Beau Cha Ro Gi", "bois mont chand val rier lot ssard"),
    "es": ("Gar Fern Mo Ri Ló Cas Zu", "cía ández reno vera illo tillo biri"),
    "nl": ("Van der Bo De Hoo Ver", "berg sma gaard meulen dijk stra"),
    "pl": ("Kowal Wiś Dąb Zie Maz Now", "ski niewski rowski liński urek akowski"),
    "cs": ("Nov Dvo Svo Pro Hor Kuč", "ák řák boda cházka áček era"),
    "mt": ("Bor Cam Zam Far Vel Mif", "ġ illeri mit rugia la sud"),
}
TONGUES = {
    "DE": "de",
    "LI": "de fr",
    "IT": "it",
    "US": "en es",
    "FI": "fi sv",
    "MT": "mt en it",
    "XX": "nl pl cs fr es",
}
PREFIX = {"DE": "+49", "LI": "+423", "IT": "+39", "US": "+1", "FI": "+358", "MT": "+356", "XX": "+31"}
SHORTER = [
    (r"(?i)strasse\b", "str."), (r"(?i)straße\b", "str."), (r"(?i)\bvia\b", "V."), (r"(?i)\bstreet\b", "St"),
    (r"(?i)\broad\b", "Rd"), (r"(?i)\bavenue\b", "Ave"), (r"(?i)\bdrive\b", "Dr"), (r"(?i)\bcourt\b", "Ct"),
    (r"(?i)\bcorso\b", "C.so"), (r"(?i)\bpiazza\b", "P.za"), (r"(?i)weg\b", "wg"), (r"(?i)platz\b", "pl."),
    (r"(?i)katu\b", "k."), (r"(?i)\bstr\.", "straße"),
]  # fmt: skip


@dataclass(frozen=True)
class Spot:
    """An address."""

    street: str
    number: str
    postcode: str
    city: str
    lon: float
    lat: float
    country: str


@dataclass(frozen=True)
class Row:
    """A customer as it stands in the company's list."""

    truth: int
    """Rows of one firm have one number."""
    name: str
    spot: Spot
    kind: str = "plain"
    phone: str | None = None
    email: str | None = None
    website: str | None = None
    street: str | None = None
    postcode: str | None = None
    city: str | None = None
    point: tuple[float, float] | None = None
    noise: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Material:
    """Places and words that rows are made of."""

    spots: dict[str, list[Spot]]
    names: dict[str, list[str]]


def csv_spots(name: str, country: str) -> list[Spot]:
    """Addresses of a table."""
    path = DATA / "addresses" / f"{name}.csv.gz"
    if not path.exists():
        return []
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [
            Spot(r["STREET"], r["NUMBER"], r["POSTCODE"], r["CITY"], float(r["LON"]), float(r["LAT"]), country)
            for r in csv.DictReader(file)
        ]


def osm(name: str, country: str) -> tuple[list[Spot], list[str]]:
    """Addresses and business names of an extract."""
    path = DATA / "osm" / f"{name}.osm.pbf"
    if not path.exists():
        return [], []
    import osmium

    spots, names = [], []
    for thing in osmium.FileProcessor(str(path)).with_locations():
        tags = thing.tags
        if "name" in tags and ("shop" in tags or "amenity" in tags or "office" in tags or "craft" in tags):
            names.append(tags["name"])
        if "addr:street" in tags and "addr:housenumber" in tags and (thing.is_node() or thing.is_way()):
            where = thing if thing.is_node() else thing.nodes[0]
            if where.location.valid():
                spots.append(
                    Spot(
                        tags["addr:street"], tags["addr:housenumber"], tags.get("addr:postcode", ""),
                        tags.get("addr:city", name.title()), where.location.lon, where.location.lat, country,
                    )
                )  # fmt: skip
    return spots, names


def made_up(rng: random.Random) -> list[Spot]:
    """Addresses of a town that does not exist, for machines without the data."""
    streets = [surname(rng, rng.choice(list(SYLLABLES))) + rng.choice((" Str.", " Lane", "straat")) for _ in range(700)]
    found = []
    for street in streets:
        lon, lat = 5 + rng.random(), 52 + rng.random() / 2
        for number in range(1, 60):
            spot = Spot(
                street, str(number), f"{1000 + int(lon * 7919) % 90}", "Nergenshuizen", lon, lat + number / 9000, "XX"
            )
            found.append(spot)
    return found


def material(seed: int, held_out: bool) -> Material:
    """Places for fitting, or others that the fit has never seen."""
    spots: dict[str, list[Spot]] = {}
    names: dict[str, list[str]] = {}
    tables = {"baltimore-county": "US", "alessandria": "IT"} if held_out else {"essen": "DE"}
    extracts = {"helsinki": "FI", "malta": "MT"} if held_out else {"heidelberg": "DE", "liechtenstein": "LI"}
    for table, country in tables.items():
        spots.setdefault(country, []).extend(csv_spots(table, country))
    for extract, country in extracts.items():
        found, named = osm(extract, country)
        spots.setdefault(country, []).extend(found)
        names.setdefault(country, []).extend(named)
    spots = {country: some for country, some in spots.items() if len(some) > 500}
    spots["XX"] = made_up(random.Random(seed))
    return Material(spots, names)


def surname(rng: random.Random, tongue: str) -> str:
    """A family name that nobody has."""
    starts, ends = (part.split() for part in SYLLABLES[tongue])
    middle = rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") + rng.choice(("", "", "l", "n", "r", "s", "m"))
    last = rng.choice(ends) if rng.random() < 0.8 else ""
    return (rng.choice(starts) + (middle if rng.random() < 0.7 else "") + last).capitalize()


def firm_name(rng: random.Random, tongue: str, real: list[str]) -> str:
    """The name of a firm."""
    trade, family = rng.choice(TRADES[tongue].split()), surname(rng, tongue)
    first = rng.choice(FIRST[tongue].split())
    legal = rng.choice(LEGAL[tongue])
    shapes = [
        f"{trade} {family}", f"{family} {trade} {legal}", f"{family} {legal}", f"{first} {family} {trade}",
        f"{family} & {surname(rng, tongue)} {legal}", f"{trade} {first} {family}", f"{trade} {family} {legal}",
    ]  # fmt: skip
    if real and rng.random() < 0.45:
        word = rng.choice(real)
        return word if rng.random() < 0.25 else f"{word} {rng.choice((family, legal))}"
    return rng.choice(shapes)


def phone_of(rng: random.Random, country: str) -> str:
    """A number in E.164."""
    digits = 7 if country in ("LI",) else 8 if country == "MT" else 9 if country != "US" else 10
    return PREFIX[country] + str(rng.choice("23456789")) + "".join(rng.choice("0123456789") for _ in range(digits - 1))


def domain_for(rng: random.Random, name: str) -> str:
    """A domain that a firm would take."""
    word = re.sub(r"[^a-z0-9]+", "-", name.lower().encode("ascii", "ignore").decode()).strip("-")[:24] or "firma"
    return f"{word}{rng.choice(('', '', '-online', str(rng.randrange(99))))}.{rng.choice(('com', 'net', 'eu', 'biz'))}"


def filled(rng: random.Random, row: Row) -> Row:
    """A row with what a company knows of a customer."""
    spot = row.spot
    domain = domain_for(rng, row.name)
    mail = f"{rng.choice(('info', 'office', 'kontakt', 'mail'))}@{domain}" if rng.random() < 0.7 else None
    free = f"{domain.split('.')[0]}{rng.randrange(99)}@{rng.choice(('gmail.com', 'gmx.de', 'libero.it'))}"
    return replace(
        row,
        phone=row.phone or (phone_of(rng, spot.country) if rng.random() < 0.75 else None),
        email=row.email or ((mail or free) if rng.random() < 0.5 else None),
        website=row.website or (f"https://www.{domain}" if rng.random() < 0.4 else None),
        street=f"{spot.street} {spot.number}" if rng.random() < 0.96 else None,
        postcode=spot.postcode or None,
        city=spot.city,
        point=(spot.lon, spot.lat) if rng.random() < 0.94 else None,
    )


class Company:
    """Makes a company's list."""

    def __init__(self, seed: int, rows: int, *, held_out: bool, share: float = 0.02) -> None:
        self.rng = random.Random(seed)
        self.stuff = material(seed, held_out)
        self.countries = list(self.stuff.spots)
        self.size, self.copies = rows, round(rows * share)
        self.weights = [min(len(self.stuff.spots[country]), 20_000) for country in self.countries]
        self.truths = 0
        self.taken: set[tuple[str, str, str]] = set()

    def rows(self) -> list[Row]:
        """All rows, shuffled."""
        firms: list[Row] = []
        makers = (self.plain, self.chain, self.house, self.family, self.namesakes)
        while len(firms) < self.size * 1.05:
            maker = self.rng.choices(makers, (70, 2, 3, 1.5, 1.5))[0]
            firms.extend(maker())
        firms = [row for row in firms if self.is_first(row)][: self.size - self.copies]
        copies = [self.copy(row) for row in self.rng.sample(firms, self.copies)]
        found = firms + copies
        self.rng.shuffle(found)
        return found

    def is_first(self, row: Row) -> bool:
        """Whether no other firm of this name (but for its legal form) is in the house: nobody could tell them apart."""
        forms = {form for some in LEGAL.values() for form in some}
        words = re.sub("|".join(re.escape(" " + form) + "$" for form in sorted(forms, key=len)[::-1]), "", row.name)
        key = (" ".join(sorted(words.lower().split())), row.spot.street, row.spot.number)
        found = key not in self.taken
        self.taken.add(key)
        return found

    def truth(self) -> int:
        """A new firm."""
        self.truths += 1
        return self.truths

    def spot(self) -> Spot:
        """Some address."""
        return self.rng.choice(self.stuff.spots[self.rng.choices(self.countries, self.weights)[0]])

    def name(self, country: str) -> str:
        """Some name."""
        return firm_name(self.rng, self.rng.choice(TONGUES[country].split()), self.stuff.names.get(country, []))

    def plain(self) -> Iterator[Row]:
        """A firm."""
        spot = self.spot()
        yield filled(self.rng, Row(self.truth(), self.name(spot.country), spot))

    def chain(self) -> Iterator[Row]:
        """Branches of one chain at different addresses: not duplicates."""
        rng, first = self.rng, self.spot()
        name, site = self.name(first.country), None
        phone = phone_of(rng, first.country) if rng.random() < 0.3 else None
        site = f"https://www.{domain_for(rng, name)}" if rng.random() < 0.7 else None
        for number in range(rng.randint(2, 7)):
            spot = rng.choice(self.stuff.spots[first.country])
            said = rng.choice((name, name, name, f"{name} {spot.city}", f"{name} {number + 1}"))
            yield filled(rng, Row(self.truth(), said, spot, "chain", phone=phone, website=site))

    def house(self) -> Iterator[Row]:
        """Firms that share a house, perhaps a phone: not duplicates."""
        rng, spot = self.rng, self.spot()
        phone = phone_of(rng, spot.country) if rng.random() < 0.35 else None
        for _ in range(rng.randint(2, 6)):
            yield filled(rng, Row(self.truth(), self.name(spot.country), spot, "house", phone=phone))

    def family(self) -> Iterator[Row]:
        """Two generations or siblings of one trade, often under one roof: not duplicates."""
        rng, spot = self.rng, self.spot()
        tongue = rng.choice(TONGUES[spot.country].split())
        family, trade = surname(rng, tongue), rng.choice(TRADES[tongue].split())
        one, two = rng.sample(FIRST[tongue].split(), 2)
        other_trade = rng.choice(TRADES[tongue].split())
        shapes = [
            (f"{trade} {one} {family}", f"{trade} {two} {family}"),
            (f"{one} {family} sen.", f"{one} {family} jun."),
            (f"{family} {trade}", f"{family} {other_trade if other_trade != trade else trade + ' Service'}"),
        ]
        together = rng.random() < 0.5
        phone = phone_of(rng, spot.country) if together and rng.random() < 0.3 else None
        for name in rng.choice(shapes):
            where = spot if together else rng.choice(self.stuff.spots[spot.country])
            yield filled(rng, Row(self.truth(), name, where, "family", phone=phone))

    def namesakes(self) -> Iterator[Row]:
        """Firms of one name that have nothing to do with each other."""
        first = self.spot()
        name = self.name(first.country)
        for _ in range(self.rng.randint(2, 3)):
            spot = self.rng.choice(self.stuff.spots[first.country])
            yield filled(self.rng, Row(self.truth(), name, spot, "namesake"))

    def copy(self, row: Row) -> Row:
        """The same firm as somebody else typed it."""
        return Disturbance(self.rng, row).row()


class Disturbance:
    """One firm typed again."""

    def __init__(self, rng: random.Random, row: Row) -> None:
        self.rng, self.old, self.noise = rng, row, []

    def chance(self, share: float, name: str) -> bool:
        """Whether a kind of noise happens; remembered."""
        if self.rng.random() >= share:
            return False
        self.noise.append(name)
        return True

    def row(self) -> Row:
        """The copy."""
        old = self.old
        copy = replace(
            old, kind="copy", name=self.name(old.name), phone=self.phone(old.phone), email=self.email(old.email),
            website=None if self.chance(0.4, "no website") else old.website, street=self.street(),
            postcode=None if self.chance(0.15, "no postcode") else old.postcode, city=self.city(old.city),
            point=self.point(),
        )  # fmt: skip
        if copy.street is None and copy.point is None and copy.phone is None:
            copy = replace(copy, street=f"{old.spot.street} {old.spot.number}")
        return replace(copy, noise=tuple(self.noise))

    def name(self, name: str) -> str:
        """Name as somebody else writes it."""
        rng, legal = self.rng, [form for forms in LEGAL.values() for form in forms]
        forms = sorted((form for form in legal if name.endswith(" " + form)), key=len)
        if forms and self.chance(0.5, "legal form"):
            name = name.removesuffix(" " + forms[-1]) + rng.choice(("", "", " " + rng.choice(legal)))
        parts = name.split()
        if len(parts) > 1 and self.chance(0.2, "order"):
            parts = parts[1:] + parts[:1]
        if len(parts) > 2 and self.chance(0.08, "word left out"):
            parts.pop(rng.randrange(len(parts)))
        if self.chance(0.1, "abbreviated"):
            at = max(range(len(parts)), key=lambda i: (len(parts[i]) > 6) * rng.random())
            parts[at] = parts[at][: rng.randint(3, 5)] + "." if len(parts[at]) > 6 else parts[at]
        if len(parts) > 1 and self.chance(0.06, "glued"):
            parts[:2] = [rng.choice(("", "-")).join(parts[:2])]
        name = " ".join(parts)
        for _ in range(2):
            if self.chance(0.22, "slip"):
                name = self.slip(name)
        if self.chance(0.08, "place added") and self.old.city:
            name += " " + self.old.city
        if self.chance(0.15, "letters"):
            name = rng.choice((str.upper, str.lower))(name)
        if self.chance(0.3, "umlauts"):
            for one, two in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("é", "e"), ("í", "i"), ("ř", "r")):
                name = name.replace(one, two)
        return name

    def slip(self, text: str) -> str:
        """A slip of the finger."""
        places = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
        if not places:
            return text
        at, rng = self.rng.choice(places), self.rng
        return rng.choice(
            (
                text[:at] + text[at + 1 :], text[:at] + text[at] + text[at:],
                text[:at] + text[at + 1] + text[at] + text[at + 2 :],
                text[:at] + rng.choice("aeinrst") + text[at + 1 :],
            )
        )  # fmt: skip

    def phone(self, phone: str | None) -> str | None:
        """Phone: none, another one, or one digit wrong."""
        if phone is None:
            return phone_of(self.rng, self.old.spot.country) if self.chance(0.2, "phone found") else None
        if self.chance(0.25, "no phone"):
            return None
        if self.chance(0.1, "other phone"):
            return phone_of(self.rng, self.old.spot.country)
        if self.chance(0.04, "digit wrong"):
            return phone[:-1] + self.rng.choice("0123456789")
        return phone

    def email(self, email: str | None) -> str | None:
        """E-mail: none, or another person of the firm."""
        if email is None or self.chance(0.35, "no e-mail"):
            return None
        if self.chance(0.25, "other e-mail"):
            return self.rng.choice(("anna.b", "sales", "buero", "m.k")) + "@" + email.split("@")[1]
        return email

    def street(self) -> str | None:
        """Street as somebody else writes it."""
        spot, rng = self.old.spot, self.rng
        if self.chance(0.1, "no street"):
            return None
        street, number = spot.street, spot.number
        if self.chance(0.35, "street shortened"):
            for long, short in SHORTER:
                if (changed := re.sub(long, short, street)) != street:
                    street = changed
                    break
        if self.chance(0.15, "slip in street"):
            street = self.slip(street)
        if self.chance(0.05, "number written otherwise"):
            number = rng.choice((number + "a", number + "-" + str(int(re.sub(r"\D", "", number) or 1) + 2), ""))
        return f"{street} {number}".strip()

    def city(self, city: str | None) -> str | None:
        """City as somebody else writes it."""
        if not city or self.chance(0.08, "no city"):
            return None
        if self.chance(0.12, "city otherwise"):
            return self.rng.choice((city.upper(), city[:4] + ".", self.slip(city), city + "-Zentrum"))
        return city

    def point(self) -> tuple[float, float] | None:
        """Pin some metres away."""
        spot, rng = self.old.spot, self.rng
        if self.chance(0.1, "no pin"):
            return None
        if self.chance(0.4, "same pin"):  # both rows were placed by their address
            return spot.lon, spot.lat
        metres = rng.uniform(120, 700) if self.chance(0.2, "pin far") else abs(rng.gauss(0, 30))
        angle = rng.uniform(0, 2 * math.pi)
        return (
            spot.lon + metres * math.cos(angle) / 111_320 / math.cos(math.radians(spot.lat)),
            spot.lat + metres * math.sin(angle) / 111_320,
        )
