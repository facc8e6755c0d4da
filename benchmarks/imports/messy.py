"""A customer list as companies keep it: real addresses, wrong in every usual way, the same for the same seed."""

import csv
import io
import random
from collections.abc import Sequence

KINDS = ("Bäckerei", "Garage", "Hotel", "Getränke", "Bau", "Elektro", "Optik", "Schreinerei", "Kiosk", "Apotheke")
NAMES = (
    "Müller", "Beck", "Meier", "Frick", "Öhri", "Schädler", "Quaderer", "Hasler", "Wohlwend", "Ritter", "Kindle",
    "Marxer", "Büchel", "Näscher", "Sele", "Zech", "Gassner", "Eberle", "Nigg", "Vogt", "O'Neill", "Šimić", "Łącki",
)  # fmt: skip
FORMS = ("AG", "GmbH", "Est.", "Anstalt", "& Söhne", "e.K.")
HEADER = (
    "Kunden-Nr.", "Firma", "Strasse", "PLZ", "Ort", "Land", "Telefon", "E-Mail", "Umsatz", "Klasse", "Status",
    "Letzter Besuch", "Notiz",
)  # fmt: skip

type Address = tuple[str, str, str, str, str]
"""Street, number, postcode, city, country."""


def messy_rows(addresses: Sequence[Address], count: int, seed: int = 7) -> list[list[str]]:
    """Rows of a customer list: 3 % without address, 2 % twice, typing errors, odd dates, amounts and phones."""
    rng = random.Random(seed)
    rows: list[list[str]] = []
    while len(rows) < count:
        if rows and rng.random() < 0.02:
            rows.append(list(rng.choice(rows)))
            continue
        number = 100_000 + len(rows)
        street, house, postcode, city, country = rng.choice(addresses)
        place = [
            f"{mistyped(rng, street)} {house}",
            postcode,
            city,
            rng.choice((country, "Liechtenstein", "", country)),
        ]
        if rng.random() < 0.03:
            place = ["", "", "", ""]
        elif rng.random() < 0.05:
            place = [place[0], "", f"{postcode} {city}", place[3]]
        name = f"{rng.choice(KINDS)} {rng.choice(NAMES)} {rng.choice(FORMS)}" + (f" {number}" if number % 3 else "")
        rows.append(
            [
                f"K-{number}", "" if rng.random() < 0.005 else name, *place, phone(rng), mail(rng, number), money(rng),
                rng.choice(("A", "B", "C", "A-Kunde", "b", "", "Z")), rng.choice(("Kunde", "Interessent", "aktiv", "")),
                visited(rng), rng.choice(("", "", "ruft zurück", "🍺 Fest", "=2+3", "zweite\nZeile", "x" * 300)),
            ]
        )  # fmt: skip
    return rows


def mistyped(rng: random.Random, street: str) -> str:
    """One street in ten with a slip of the finger."""
    if rng.random() >= 0.1 or len(street) < 6:
        return street
    at = rng.randrange(1, len(street) - 2)
    return street[:at] + street[at + 1] + street[at] + street[at + 2 :]


def phone(rng: random.Random) -> str:
    """As people write it, and as spreadsheets leave it."""
    digits = f"{rng.randrange(2_000_000, 7_999_999)}"
    return rng.choice((f"+423 {digits[:3]} {digits[3:5]} {digits[5:]}", digits, f"00423{digits}", "4.23E+09", ""))


def mail(rng: random.Random, number: int) -> str:
    """Mostly an address."""
    return rng.choice((f"info{number}@example.com", f"Info{number}@Example.com", "", "kein-mail"))


def money(rng: random.Random) -> str:
    """Amounts of four countries."""
    value = rng.randrange(100, 90_000)
    return rng.choice((f"CHF {value // 1000}'{value % 1000:03}.–", f"{value},50 €", str(value), "", "viel"))


def visited(rng: random.Random) -> str:
    """Days of any spelling."""
    return rng.choice(
        (f"2026-0{rng.randrange(1, 9)}-1{rng.randrange(0, 9)}", "46023", "03/04/2026", "3.4.26", "", "bald")
    )


def as_csv(rows: Sequence[Sequence[str]]) -> bytes:
    """A file with semicolons whose second half is in another encoding than the first."""
    halves = []
    for part, encoding in ((rows[: len(rows) // 2], "utf-8"), (rows[len(rows) // 2 :], "cp1252")):
        stream = io.StringIO()
        csv.writer(stream, delimiter=";").writerows(part)
        halves.append(stream.getvalue().encode(encoding, "replace"))
    return ";".join(HEADER).encode() + b"\r\n" + b"".join(halves)
