"""The search from the command line."""

from sqlalchemy import Engine
from typer.testing import CliRunner

from server.accounts import service
from server.accounts.commands import duplicates
from server.accounts.service import NewAccount
from server.auth.access import system_scope
from server.kit.database import transaction


def test_find_says_what_it_did_and_list_shows_the_pairs(empty_database: Engine) -> None:
    with transaction() as session:
        for name in ("Garage Hinterlechner AG", "Hinterlechner Garage"):
            site = {"street": "Landstrasse 12", "city": "Vaduz", "lon": 9.52, "lat": 47.14}
            service.create(session, system_scope(), NewAccount({"name": name}, [site]), force=True)
    found = CliRunner().invoke(duplicates, ["find"])
    assert "2 of 2 accounts looked at, 1 pairs compared" in found.output
    assert "The rule (from 0.99) is off" in found.output
    listed = CliRunner().invoke(duplicates, ["list"])
    assert "Garage Hinterlechner AG (Landstrasse 12, Vaduz)" in listed.output
    assert listed.output.endswith("1 pairs wait.\n")
