"""Whoever else writes: a pin that a person has set or confirmed by GPS stays where it is, to the last digit."""

import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.geocode.types import Answer, Reason
from geo.types import Fix, Grade, LonLat
from server.accounts import locating, places, service
from server.accounts.importing import target as importing
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import pin_of, wkt
from server.accounts.reviewing import proposals
from server.accounts.reviewing.proposals import NewPin
from server.activities import healing
from server.activities.models import VisitState
from server.activities.service import VisitReport, record_visit
from server.auth.access import Scope
from server.auth.models import User
from server.imports import service as imports
from server.kit.ids import uuid7
from server.records.merging import Delta
from server.records.service import Actor
from server.territories.models import Territory

type MakeAccount = Callable[..., Account]
type MakeScope = Callable[[User], Scope]

HERE, ELSEWHERE = LonLat(9.2, 47.2), LonLat(9.3, 47.3)
COUNT = itertools.count()


class Writers:
    """Everything but a person with the right to place pins."""

    def __init__(self, session: Session, site: Site, rep: Scope, folder: Path) -> None:
        self.session, self.site, self.rep, self.folder = session, site, rep, folder

    def geocoder(self) -> None:
        locating.locate(self.session, [locating.Waiting.of(self.site, "Müller AG")])

    def geocoder_of_what_waits(self) -> None:
        self.site.pin_state = PinState.PENDING
        self.session.flush()
        locating.locate(self.session, locating.pending(self.session))
        self.site.pin_state = PinState.PLACED
        self.session.flush()

    def newer_map(self) -> None:
        self.site.region_version = "old"
        self.session.flush()
        locating.locate(self.session, locating.sites_at(self.session, locating.NOT_BY_PEOPLE))

    def list_with_coordinates(self) -> None:
        self.load("number,name,city,lat,lon\nM,Müller AG,Vaduz,47.3,9.3\n")

    def list_with_another_address(self) -> None:
        self.load(f"number,name,street,city\nM,Müller AG,Neue Gasse {next(COUNT)},Schaan\n")

    def load(self, rows: str) -> None:
        path = self.folder / f"{next(COUNT)}.csv"
        path.write_text(rows, encoding="utf-8")
        run = imports.receive(self.session, importing.TARGET, path, file_name=path.name, actor=None)
        imports.check(self.session, importing.TARGET, run)
        imports.apply(self.session, importing.TARGET, run)

    def rep_with_another_address(self) -> None:
        self.session.refresh(self.site)
        service.edit_site(self.session, self.rep, self.site.id, self.site.rev, {"street": f"Weg {next(COUNT)}"})

    def phone_with_another_city(self) -> None:
        delta = {"city": Delta(self.site.city, f"Ort {next(COUNT)}")}
        service.patch_site(self.session, self.rep, self.site.id, self.site.rev, delta, self.rep.actor)

    def rep_who_would_place_it(self) -> None:
        with pytest.raises(places.Forbidden):
            service.place_by_hand(self.session, self.rep, self.site.id, ELSEWHERE)
        with pytest.raises(places.Forbidden):
            places.locate_again(self.session, self.rep, self.site.id)

    def rep_who_proposes(self) -> None:
        proposals.propose(self.session, self.rep, self.site.id, NewPin(ELSEWHERE, fix=Fix(ELSEWHERE, 5.0)))

    def check_ins(self) -> None:
        for day in range(4):
            on = date(2026, 3, 2) + timedelta(days=day)
            at = datetime.combine(on, datetime.min.time(), UTC)
            fix = Fix(ELSEWHERE, 5.0)
            report = VisitReport(
                event_id=uuid7(), visit_id=uuid7(), account_id=self.site.account_id, site_id=self.site.id, day=on,
                rep_id=self.rep.user_id, state=VisitState.CHECKED_IN, zone="UTC", occurred_at=at, fix=fix,
            )  # fmt: skip
            record_visit(self.session, report, Actor(self.rep.user_id, "sync"))
        assert healing.heal(self.session, self.site.id) is not None


NAMES = [name for name in vars(Writers) if not name.startswith("_") and name != "load"]


def locate_many(_session: Session, queries: list[object]) -> list[Answer]:
    """A geocoder that is sure of another place."""
    answer = Answer(ELSEWHERE, grade=Grade.ROOFTOP, uncertainty_m=5, confidence=1.0, reason=Reason.EXACT)
    return [answer for _ in queries]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(order=st.permutations(NAMES), grade=st.sampled_from([Grade.MANUAL, Grade.GPS_CONFIRMED]))
def test_no_writer_moves_a_pin_of_a_person(
    session: Session,
    scope: MakeScope,
    make_account: MakeAccount,
    rita: User,
    west: Territory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    order: list[str],
    grade: Grade,
) -> None:
    monkeypatch.setattr(locating.geocoding, "pinned_many", locate_many)
    with session.begin_nested() as example:
        account = make_account("Müller AG", at=HERE, number="M", city="Vaduz")
        site = session.scalars(select(Site).where(Site.account_id == account.id)).one()
        site.grade, site.pin = grade, wkt(HERE)
        session.flush()
        writers = Writers(session, site, scope(rita), tmp_path)
        for name in order:
            getattr(writers, name)()
            session.flush()
            session.refresh(site)
            assert (pin_of(site), site.grade, site.pin_state) == (HERE, grade, "placed"), name
        example.rollback()
    session.expire_all()


def test_the_same_writers_do_move_the_pin_of_a_machine(
    session: Session,
    scope: MakeScope,
    make_account: MakeAccount,
    rita: User,
    west: Territory,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(locating.geocoding, "pinned_many", locate_many)
    for name in ("geocoder", "geocoder_of_what_waits", "newer_map", "list_with_coordinates"):
        account = make_account("Müller AG", at=HERE, number="M", city="Vaduz")
        site = session.scalars(select(Site).where(Site.account_id == account.id)).one()
        site.grade = Grade.STREET
        session.flush()
        getattr(Writers(session, site, scope(rita), tmp_path), name)()
        session.refresh(site)
        assert pin_of(site) == ELSEWHERE, name
        account.number, account.name = None, name
        session.flush()
