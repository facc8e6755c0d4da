"""The made-up customer list: the same every time, messy, and troublesome where it says so."""

import csv
import io

from server.demo.company import COLUMNS, RealAddress, as_csv, customer_rows, plain

ADDRESSES = [
    RealAddress("Landstrasse", str(number), "9490", "Vaduz", "North" if number % 2 else "South")
    for number in range(1, 400)
]
REPS = {"North": ["nora", "nils"], "South": ["sara", "sven"]}


def test_the_list_is_the_same_every_time() -> None:
    assert customer_rows(ADDRESSES, country="LI", reps=REPS) == customer_rows(ADDRESSES, country="LI", reps=REPS)


def test_every_firm_has_its_own_number_and_name() -> None:
    rows = customer_rows(ADDRESSES, country="LI", reps=REPS)[:300]
    assert len({row["Customer no"] for row in rows}) == 300
    assert len({row["Company"] for row in rows}) == 300


def test_accounts_belong_to_reps_of_their_territory() -> None:
    north = [address for address in ADDRESSES if address.territory == "North"]
    assert {row["Rep"] for row in customer_rows(north, country="LI", reps=REPS)} == {"nora", "nils"}


def test_three_customers_are_there_twice_as_people_enter_them_twice() -> None:
    rows = customer_rows(ADDRESSES, country="LI", reps=REPS)
    for again in rows[300:303]:
        first = next(row for row in rows if row["Phone"] == again["Phone"])
        assert first["Customer no"] != again["Customer no"]
        assert first["Company"] != again["Company"]
        assert plain(first["Company"]).startswith(plain(again["Company"].removesuffix(" AG"))[:8])
        assert (first["Street"], first["Zip"], first["Town"]) == (again["Street"], again["Zip"], again["Town"])


def test_the_last_rows_are_trouble() -> None:
    *_, nowhere, invented, nameless, worthless = customer_rows(ADDRESSES, country="LI", reps=REPS)
    assert nowhere["Street"] == ""
    assert "4711" in invented["Street"]
    assert nameless["Company"] == ""
    assert not worthless["Revenue per year"].isdigit()


def test_the_file_reads_back_as_a_spreadsheet_would_write_it() -> None:
    rows = customer_rows(ADDRESSES, country="LI", reps=REPS, count=20)
    read = list(csv.DictReader(io.StringIO(as_csv(rows).decode("cp1252")), delimiter=";"))
    assert tuple(read[0]) == COLUMNS
    assert len(read) == 27


def test_umlauts_stay_in_mail_addresses_as_people_write_them() -> None:
    assert plain("Öhri Buchhandlung") == "oehribuchhandlung"
    assert plain("Büchel & Söhne, Straße é") == "buechelsoehnestrassee"
