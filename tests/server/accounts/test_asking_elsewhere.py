"""Sites that our own index is not sure of are asked for elsewhere, in the background; pins of people stay."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import typer
from sqlalchemy import Engine, inspect, select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from geo.types import LonLat
from server.accounts import jobs, locating, places
from server.accounts.duplicates import pairs
from server.accounts.importing.target import TARGET
from server.accounts.models import Account, Site
from server.accounts.reviewing import desk
from server.auth.access import scope_of
from server.auth.models import Role
from server.auth.service import create_user
from server.geocoding import remote, sources
from server.geocoding.commands import geocode
from server.geocoding.providers import PROVIDERS
from server.geocoding.remote import Setup
from server.geocoding.sources import Wish
from server.imports import queries as import_queries
from server.imports import service as imports
from server.imports.models import ImportRun
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from tests.server.geocoding import remote_peer
from tests.server.geocoding.remote_peer import KNOWN, Peer

OTHERS = "".join(f"-76.8,{39.2 + n / 5000:.5f},{n},Oak Lane,Arbutus,21227\n" for n in range(1, 21))


@pytest.fixture
def peer(empty_database: Engine, tmp_path: Path) -> Iterator[Peer]:
    """Three sites at a street that only the peer knows, one of them pinned by hand; and the peer, switched on."""
    path = tmp_path / "county.csv"
    path.write_text("LON,LAT,NUMBER,STREET,CITY,POSTCODE\n" + OTHERS)
    with remote_peer.running() as running:
        with transaction() as session:
            sources.add(session, [path], Wish("county", "US", "The County"))
            for name in ("Machine", "Person", "Twin"):
                account = Account(name=name)
                session.add(account)
                session.flush()
                session.add(Site(account_id=account.id, street="7 Mill Rd", postcode="21228", city="Catonsville"))
            session.flush()
            locating.locate(session, locating.pending(session))
            session.scalars(select(Site).join(Account).where(Account.name == "Person")).one().grade = "manual"
            setup = Setup(running.url, "Example Ltd, it@example.com", 0.01, 100)
            remote.configure(session, "nominatim", setup, accepts=True, actor=None)
        yield running


def test_an_unsure_site_gets_the_answer_with_its_provider_and_keeps_it(peer: Peer) -> None:
    jobs.ask_elsewhere.func()
    jobs.ask_elsewhere.func()
    with transaction() as session:
        rows = session.execute(select(Account.name, Site.provider, Site.grade, Site.pin_state).join(Site)).all()
        found = {name: tuple(rest) for name, *rest in rows}
        assert found["Machine"] == found["Twin"] == ("nominatim", "rooftop", "placed")
        assert found["Person"][1] == "manual"
        locating.locate(session, locating.sites_at(session, locating.NOT_BY_PEOPLE))
        assert set(session.scalars(select(Site.provider).where(Site.grade == "rooftop"))) == {"nominatim"}
    assert len(peer.asked) == 1


def test_a_pin_of_a_provider_with_a_term_is_given_back_after_it(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROVIDERS, "nominatim", replace(PROVIDERS["nominatim"], keeps_days=29))
    monkeypatch.setattr(remote, "LIMITED", ("nominatim",))
    jobs.ask_elsewhere.func()
    jobs.give_pins_back.func()
    with transaction() as session:
        assert pins(session) == {"Machine": "nominatim", "Twin": "nominatim", "Person": "waymark"}
        session.execute(text("update geocoding_remote_answer set asked_at = now() - interval '30 days'"))
    jobs.give_pins_back.func()
    with transaction() as session:
        assert "nominatim" not in pins(session).values()
    jobs.ask_elsewhere.func()
    with transaction() as session:
        assert pins(session)["Machine"] == "nominatim"
    assert len(peer.asked) == 2


def test_no_table_keeps_a_pin_beyond_its_providers_term_and_undos_say_so(
    peer: Peer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PROVIDERS, "nominatim", replace(PROVIDERS["nominatim"], keeps_days=29))
    monkeypatch.setattr(remote, "LIMITED", ("nominatim",))
    jobs.ask_elsewhere.func()
    path = tmp_path / "list.csv"
    path.write_text("number,name,lat,lon\n1,Machine,39.2,-76.8\n")
    with transaction() as session:
        session.execute(text("update account set number = '1' where name = 'Machine'"))
        session.execute(text("update site set is_main = true"))
        pairs.search(session)
        run = imports.receive(session, TARGET, path, file_name=path.name, actor=None)
        imports.configure(session, TARGET, run, run.mapping, {})
        imports.check(session, TARGET, run)
        imports.apply(session, TARGET, run)
        run_id, twin = run.id, session.scalars(select(Site).join(Account).where(Account.name == "Twin")).one()
        ada = create_user(session, login="ada", name="Ada", role=Role.ADMIN, password="three words make one")
        scope = scope_of(session, ada, source="web")
        decided = desk.decide(session, scope, twin.id, desk.Decision(twin.rev, point=LonLat(-76.8, 39.2)))
        decision, rev = decided.id, twin.rev
        assert {"site_change", "field_history", "import_outcome"} <= keeping(session)
        session.execute(text("update geocoding_remote_answer set asked_at = now() - interval '30 days'"))
        remote.forget(session)
    jobs.give_pins_back.func()
    with transaction() as session:
        assert keeping(session) == set()
        twin = session.scalars(select(Site).join(Account).where(Account.name == "Twin")).one()
        with pytest.raises(WaymarkError, match="may not be kept"):
            places.put_pin_back(session, scope, twin.id, rev - 1)
        desk.undo(session, scope, decision)
        imports.undo(session, TARGET, session.get_one(ImportRun, run_id), None)
        kept = [(one.field, one.why) for one in import_queries.kept(session, run_id)]
        assert kept == [("pin", "forgotten")]
        states = session.execute(select(Account.name, Site.pin_state).join(Site).where(Site.pin.is_(None)))
        assert {name: state for name, state in states} == {"Machine": "pending", "Twin": "pending", "Person": "failed"}


def keeping(session: Session) -> set[str]:
    """The tables in which the peer's coordinates stand: as numbers, or as a point."""
    session.flush()
    _, lat, lon = KNOWN
    point = session.scalar(
        text("select encode(st_asewkb(st_setsrid(st_makepoint(:x, :y), 4326)), 'hex')"), {"x": lon, "y": lat}
    )
    wanted = {"lat": f"%{round(lat, 6)}%", "near": f"%{str(lat)[:9]}%", "point": f"%{point}%"}
    found = set()
    for table in inspect(session.connection()).get_table_names():
        like = text(f'select exists (select from "{table}" t where t::text ilike any(array[:lat, :near, :point]))')
        if session.scalar(like, wanted):
            found.add(table)
    return found


def pins(session: Session) -> dict[str, str | None]:
    """Who placed whose pin."""
    return {name: who for name, who in session.execute(select(Account.name, Site.provider).join(Site))}


def test_a_refusal_leaves_the_sites_to_a_later_job(peer: Peer) -> None:
    peer.instead = (429, {"Retry-After": "60"}, b"{}")
    jobs.ask_elsewhere.func()
    with transaction() as session:
        assert len(locating.unasked(session, 10)) == 2
    assert len(peer.asked) == 1


def test_a_list_is_asked_elsewhere_too_and_names_the_provider(peer: Peer, tmp_path: Path) -> None:
    asked, found = tmp_path / "in.csv", tmp_path / "out.csv"
    asked.write_text("id,street,postcode,city\na,7 Mill Rd,21228,Catonsville\nb,7 Oak Lane,21227,Arbutus\n")
    cli = typer.Typer()
    cli.command()(geocode)
    outcome = CliRunner().invoke(cli, [str(asked), str(found), "--remote"], catch_exceptions=False)
    assert outcome.exit_code == 0
    rows = [line.split(",") for line in found.read_text().splitlines()]
    assert [(row[0], row[-1]) for row in rows] == [("id", "provider"), ("a", "nominatim"), ("b", "waymark")]
    assert "Nominatim" in (tmp_path / "out.csv.sources.txt").read_text()
