"""From published routes to files on disk and over the API."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from routing.export.tour import Span
from server import worker
from server.activities import service as activities
from server.auth.models import Role, User
from server.jobs.service import queue
from server.kit import clock
from server.plans.exporting import folders, jobs, service, sheets, targets
from server.plans.exporting.target_models import ExportDelivery
from server.plans.exporting.target_schemas import TargetWrite
from server.plans.models import Plan
from tests.server.plans.exporting.conftest import DAY, PUBLISHED, MakeUser, Publish, at

type ClientFor = Callable[[User | None], TestClient]


def test_a_sheet_says_what_the_published_route_says(session: Session, rita: User, publish: Publish) -> None:
    publish(rita)
    (tour,) = sheets.tours(session, Span.of(DAY))
    (sheet,) = tour.days
    (stop,) = sheet.stops
    assert (sheet.rep, sheet.login, sheet.zone) == ("Rita", "rita", "Europe/Vaduz")
    assert (stop.account, stop.address, stop.phone) == ("Mühle Łódź", "Dorf 1, 9490 Vaduz", "+423 233 11 22")
    assert (stop.leg.seconds, stop.leg.estimated, sheet.last_leg.estimated) == (600, False, True)
    assert [(item.account, item.reason) for item in sheet.left_out] == [("Hofladen", "It is closed all day.")]


def test_a_proposal_that_nobody_published_is_not_exported(session: Session, rita: User, publish: Publish) -> None:
    publish(rita, published_at=None)
    assert sheets.tours(session, Span.of(DAY)) == []
    with pytest.raises(folders.NoExport, match="No route is published"):
        service.write_day(session, DAY)


@pytest.mark.usefixtures("libraries")
def test_a_day_is_written_for_every_rep_and_again_with_the_same_bytes(
    session: Session, rita: User, make_user: MakeUser, publish: Publish, home: Path
) -> None:
    publish(rita)
    publish(make_user("otto", Role.REP))
    written = service.write_day(session, DAY)
    assert [path.relative_to(home).as_posix() for path in written] == [
        "exports/2026-11-24/otto",
        "exports/2026-11-24/rita",
    ]
    endings = {path.suffix for path in written[0].iterdir()}
    assert endings == {".ics", ".gpx", ".geojson", ".csv", ".xlsx", ".pdf", ".html", ".json"}
    before = {path: path.stat().st_mtime_ns for folder in written for path in folder.iterdir()}
    service.write_day(session, DAY)
    assert before == {path: path.stat().st_mtime_ns for folder in written for path in folder.iterdir()}


@pytest.mark.usefixtures("libraries")
def test_another_folder_may_take_the_files(session: Session, rita: User, publish: Publish, tmp_path: Path) -> None:
    publish(rita)
    (folder,) = service.write_day(session, DAY, tmp_path / "mail")
    assert folder == tmp_path / "mail/2026-11-24/rita"
    assert folders.exports_of(DAY) == []


@pytest.mark.usefixtures("libraries")
def test_a_rep_who_has_no_route_any_more_loses_the_export(session: Session, rita: User, publish: Publish) -> None:
    route = publish(rita)
    service.write_rep(session, Span.of(DAY), rita.id)
    assert len(folders.exports_of(DAY)) == 1
    route.published_at = None
    session.flush()
    assert service.write_rep(session, Span.of(DAY), rita.id) is None
    jobs.defer_day(session, DAY)
    assert folders.exports_of(DAY) == []


def test_asking_twice_leaves_one_job_per_rep(session: Session, rita: User, publish: Publish) -> None:
    publish(rita)
    assert jobs.defer_day(session, DAY) == 1
    assert jobs.defer_day(session, DAY) == 1
    waiting = text("select count(*) from procrastinate_jobs where task_name = 'plans.export_rep'")
    assert session.scalar(waiting) == 1


@pytest.mark.parametrize(
    ("hour_utc", "due"),
    [(16, None), (17, date(2026, 11, 24)), (20, date(2026, 11, 24))],
    ids=["before the hour", "at the hour", "after a worker slept through it"],
)
def test_tomorrow_is_exported_from_the_evening_hour_on(
    monkeypatch: pytest.MonkeyPatch, hour_utc: int, due: date | None
) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 23, hour_utc, 0, tzinfo=UTC))
    assert service.day_to_export() == due


def test_days_without_an_export_are_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "now", lambda: datetime(2026, 11, 23, 17, 0, tzinfo=UTC))
    monkeypatch.setattr(service.settings(), "export_days", "4,6")
    assert service.day_to_export() is None


@pytest.mark.parametrize("path", ["", "/2026-11-24", "/2026-11-24/rita/zip", "/2026-11-24/rita/files/manifest.json"])
def test_a_stranger_is_refused(client_for: ClientFor, path: str) -> None:
    assert client_for(None).get(f"/api/v1/exports{path}").status_code == 401


@pytest.mark.usefixtures("libraries")
def test_a_rep_gets_her_own_files_and_no_one_elses(
    session: Session, rita: User, make_user: MakeUser, publish: Publish, client_for: ClientFor
) -> None:
    publish(rita)
    service.write_day(session, DAY)
    mine, other = client_for(rita), client_for(make_user("otto", Role.REP))
    (item,) = mine.get("/api/v1/exports/2026-11-24").json()["items"]
    for file in item["files"]:
        answer = mine.get(file["url"])
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert answer.headers["content-disposition"].startswith("attachment")
        assert other.get(file["url"]).status_code == 404
    archive = zipfile.ZipFile(io.BytesIO(mine.get(item["zip_url"]).content))
    assert json.loads(archive.read("manifest.json"))["login"] == "rita"
    assert other.get(item["zip_url"]).status_code == 404
    assert other.get("/api/v1/exports/2026-11-24").json()["items"] == []
    assert other.get("/api/v1/exports").json()["items"] == []
    assert mine.get("/api/v1/exports").json()["items"] == [
        {"span": "2026-11-24", "first_day": "2026-11-24", "last_day": "2026-11-24", "reps": 1}
    ]


@pytest.mark.usefixtures("libraries")
def test_an_unchanged_file_is_not_sent_again(
    session: Session, rita: User, publish: Publish, client_for: ClientFor
) -> None:
    publish(rita)
    service.write_day(session, DAY)
    client, url = client_for(rita), "/api/v1/exports/2026-11-24/rita/files/2026-11-24-rita.pdf"
    etag = client.get(url).headers["etag"]
    assert client.get(url, headers={"If-None-Match": etag}).status_code == 304


def test_a_rep_may_not_ask_for_everybodys_exports(
    rita: User, make_user: MakeUser, publish: Publish, client_for: ClientFor
) -> None:
    publish(rita)
    assert client_for(rita).post("/api/v1/exports/2026-11-24").status_code == 403
    answer = client_for(make_user("ada")).post("/api/v1/exports/2026-11-24")
    assert (answer.status_code, answer.json()["reps"]) == (202, 1)


def test_a_week_is_one_set_of_files_and_days_without_a_route_are_left_out(
    session: Session, rita: User, publish: Publish
) -> None:
    publish(rita)
    publish(rita, DAY + timedelta(days=2))
    (tour,) = sheets.tours(session, Span.of(DAY, 5))
    assert [sheet.day.day for sheet in tour.days] == [24, 26]
    assert tour.file_stem == "2026-11-24--2026-11-28-rita"


def test_what_an_earlier_plan_brought_and_a_later_one_dropped_is_withdrawn(
    session: Session, rita: User, publish: Publish
) -> None:
    first = publish(rita)
    visit = activities.plan_visit(
        session,
        activities.PlannedVisit(
            account_id=first.stops[0].account_id, site_id=first.stops[0].site_id, rep_id=rita.id, day=DAY,
            zone="Europe/Vaduz", starts_at=at(7, 30), ends_at=at(8),
        ),
    )  # fmt: skip
    first.stops[0].visit_id = visit.id
    session.flush()
    (before,) = sheets.tours(session, Span.of(DAY))
    assert (before.days[0].stops[0].visit_id, before.withdrawn) == (str(visit.id), ())
    activities.withdraw(session, [visit.id])
    first.deleted_at = first.stops[0].deleted_at = PUBLISHED
    session.flush()
    publish(rita, number="008")
    session.expire_all()
    (after,) = sheets.tours(session, Span.of(DAY))
    (gone,) = after.withdrawn
    assert (gone.visit_id, gone.account) == (str(visit.id), "Mühle Łódź")
    assert gone.sequence > before.days[0].stops[0].sequence


@pytest.mark.usefixtures("libraries")
def test_a_whole_plan_comes_as_one_archive_with_a_manifest_and_the_same_bytes_again(
    session: Session, rita: User, make_user: MakeUser, publish: Publish, client_for: ClientFor
) -> None:
    route = publish(rita)
    otto, path = publish(make_user("otto", Role.REP)), f"/api/v1/plans/{route.plan_id}/zip"
    otto.plan_id = route.plan_id  # one plan of two
    session.flush()
    service.write_rep(session, Span.of(DAY), rita.id)
    manager = client_for(make_user("mona", Role.ADMIN))
    refused = manager.get(path)
    assert (refused.status_code, refused.json()["detail"]) == (409, "The files of Otto are not written yet.")
    service.write_day(session, DAY)
    answer = manager.get(path)
    assert answer.content == manager.get(path).content
    assert manager.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        assert {Path(name).parent.name for name in archive.namelist()} == {"", "otto", "rita"}
        for entry in manifest["files"]:
            assert hashlib.sha256(archive.read(entry["name"])).hexdigest() == entry["sha256"]
        for rep in manifest["reps"]:
            assert hashlib.sha256(archive.read(rep["manifest"])).hexdigest() == rep["sha256"]
    with zipfile.ZipFile(io.BytesIO(client_for(rita).get(path).content)) as archive:
        assert {Path(name).parent.name for name in archive.namelist()} == {"", "rita"}, "a rep gets what she may see"
    assert client_for(make_user("nils", Role.REP)).get(path).status_code == 404


@pytest.mark.usefixtures("libraries")
def test_the_archive_of_a_plan_never_holds_the_files_of_another_plan(
    session: Session, rita: User, make_user: MakeUser, publish: Publish, client_for: ClientFor
) -> None:
    first = publish(rita)
    service.write_day(session, DAY)
    manager = client_for(make_user("mona", Role.ADMIN))
    assert manager.get(f"/api/v1/plans/{first.plan_id}/zip").status_code == 200
    first.deleted_at = clock.now()
    session.flush()
    second = publish(rita, number="008")
    later = manager.get(f"/api/v1/plans/{second.plan_id}/zip")
    assert (later.status_code, later.json()["code"]) == (409, "export_not_written_yet")
    earlier = manager.get(f"/api/v1/plans/{first.plan_id}/zip")
    assert (earlier.status_code, earlier.json()["detail"]) == (409, "Another plan has taken the place of this one.")
    service.write_day(session, DAY)
    assert manager.get(f"/api/v1/plans/{second.plan_id}/zip").status_code == 200
    assert manager.get(f"/api/v1/plans/{first.plan_id}/zip").status_code == 409


@pytest.mark.usefixtures("libraries")
def test_the_archive_of_a_plan_waits_for_new_files_when_a_stop_has_changed(
    session: Session, rita: User, publish: Publish, client_for: ClientFor
) -> None:
    route = publish(rita)
    service.write_day(session, DAY)
    session.refresh(route)
    route.stops[0].starts_at += timedelta(minutes=5)
    session.flush()
    assert client_for(rita).get(f"/api/v1/plans/{route.plan_id}/zip").json()["code"] == "export_not_written_yet"


def test_a_plan_that_was_taken_back_or_has_no_visit_says_that_there_is_nothing_to_download(
    session: Session, rita: User, publish: Publish, client_for: ClientFor
) -> None:
    route = publish(rita)
    plan, plan_id = session.get_one(Plan, route.plan_id), route.plan_id
    session.delete(route)
    session.flush()
    session.expire_all()
    answer = client_for(rita).get(f"/api/v1/plans/{plan_id}/zip")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_export")
    plan.published_at = plan.deleted_at = clock.now()
    session.flush()
    answer = client_for(rita).get(f"/api/v1/plans/{plan_id}/zip")
    assert (answer.status_code, answer.json()["code"]) == (409, "plan_overtaken")
    assert "was taken back" in answer.json()["detail"]


def test_a_span_that_is_none_is_refused_in_words(rita: User, client_for: ClientFor) -> None:
    answer = client_for(rita).get("/api/v1/exports/2026-11-24--2026-11-01")
    assert answer.status_code == 422
    assert "neither a day nor some days" in answer.json()["detail"]


def test_before_a_monday_its_week_is_asked_for_too(
    session: Session, rita: User, publish: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(rita, date(2026, 11, 30))
    assert jobs.defer_evening(session, date(2026, 11, 30)) == 2
    assert jobs.defer_evening(session, DAY) == 0


@pytest.mark.usefixtures("libraries")
def test_a_rep_written_by_a_job_is_sent_to_the_targets_and_a_second_run_sends_nothing(
    session: Session,
    rita: User,
    publish: Publish,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    @contextmanager
    def here() -> Iterator[Session]:
        yield session

    monkeypatch.setattr(jobs, "transaction", here)
    folder = tmp_path_factory.mktemp("drive")
    targets.add(session, TargetWrite(name="Drive", kind="folder", folder=str(folder)))
    publish(rita)
    for _twice in range(2):
        jobs.export_rep(span=str(DAY), rep_id=str(rita.id))
    (delivery,) = session.scalars(select(ExportDelivery)).all()
    assert (delivery.login, delivery.span, delivery.revision) == (
        "rita",
        str(DAY),
        folders.export_of(DAY, "rita").revision,
    )
    waiting = text("select count(*) from procrastinate_jobs where task_name = 'plans.deliver'")
    assert session.scalar(waiting) == 1


def test_routes_and_stops_carry_links_to_navigation_apps(rita: User, publish: Publish, client_for: ClientFor) -> None:
    publish(rita)
    (route,) = client_for(rita).get(f"/api/v1/routes?first_day={DAY}").json()["items"]
    assert [(link["app"], link["part"]) for link in route["navigation"]] == [
        ("Google Maps", "1–2"),
        ("Apple Maps", "1–2"),
        ("OsmAnd", "1–2"),
    ]
    assert [link["app"] for link in route["stops"][0]["navigation"]] == [
        "Any app", "Google Maps", "Apple Maps", "Waze", "OsmAnd"
    ]  # fmt: skip


def test_the_worker_knows_the_evening_export() -> None:
    worker.load_jobs()
    assert {"plans.evening_export", "plans.export_rep"} <= set(queue.tasks)
