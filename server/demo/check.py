"""`waymark demo --check`: the main job without staying up, the phone's dead zone included; says what it found."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from server.activities.models import Visit, VisitEvent
from server.auth.access import system_scope
from server.demo import people, regions, sales, steps
from server.demo.processes import Api, Phone, StepFailed, free_port, web_server, worker
from server.density import files, queries, service
from server.density.files import Format
from server.kit.database import transaction
from server.regions.models import Region

VISITS = 3
type Tell = Callable[[str], None]


@dataclass
class Report:
    """What a run found."""

    counts: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def step(self, name: str, tell: Tell) -> Iterator[None]:
        """Time a step and say that it begins."""
        tell(name)
        begin = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - begin, 2)


def expect(holds: bool, message: str) -> None:
    """Refuse to go on when something is not as it should be."""
    if not holds:
        raise StepFailed(message, help="The processes' logs are in the demonstration's folder.")


def run(region_file: Path | None, folder: Path, tell: Tell, customers: int = steps.CUSTOMERS) -> dict[str, Any]:
    """Run the main job for so many customers; every figure is looked at, anything off is an error."""
    report, logs = Report(), folder / "logs"
    with report.step("region", tell):
        region_id = regions.choose(region_file, lambda step, _done, _total: None)
    with report.step("people and territories", tell), transaction() as session:
        region = session.get_one(Region, region_id)
        ids = people.hire(session)
        report.counts |= {"region": region.name, "people": len(ids)}
        report.counts["territories"] = people.assign(session, region, ids)
    port = free_port()
    with worker(logs / "worker.log"):
        with web_server(port, logs / "server.log") as address:
            office(report, Api(address, steps.token_of("admin")), region_id, folder, ids, tell, customers)
            phone = Phone(folder / "phone", address)
            with report.step("phone signs in and syncs", tell):
                first_sync(report, phone)
        with report.step("visits without a server", tell):
            logged = log_visits(phone)
        with web_server(port, logs / "server.log") as address, report.step("visits arrive", tell):
            arrive(report, phone, Api(address, steps.token_of("mara")), logged)
    return {
        "ok": True,
        "counts": report.counts,
        "seconds": report.seconds | {"total": round(sum(report.seconds.values()), 2)},
        "exports": str(folder / "exports"),
        "phone": str(folder / "phone"),
    }


def office(
    report: Report, api: Api, region_id: UUID, folder: Path, ids: dict[str, UUID], tell: Tell, customers: int
) -> None:
    """Import, place, count, plan, export."""
    with report.step("import", tell):
        with transaction() as session:
            content, rows = steps.customer_list(session, region_id, customers)
        imported = steps.import_customers(api, content)
        report.counts["import"] = imported
        expect(imported["counts"].get("error", 0) > 0, "The rows that are wrong were not refused.")
    with report.step("geocode", tell):
        wait_for_pins()
        with transaction() as session:
            accounts, states, grades = steps.accounts_of(session), steps.pins(session), steps.grades(session)
        report.counts |= {"accounts": accounts, "pins": dict(states), "grades": grades}
        expect(accounts >= 0.95 * rows, f"Only {accounts} of {rows} rows became accounts.")
        expect(states["placed"] >= 0.9 * accounts, f"Only {states['placed']} of {accounts} accounts were placed.")
    with report.step("two years of sales", tell):
        report.counts["sales"] = sales.two_years(region_id, tell) | {"segments": sales.segments(api)}
        missing = [room for room, count in report.counts["sales"].items() if not count]
        expect(not missing, f"Nothing was made for {', '.join(missing)}.")
    with report.step("density", tell):
        report.counts["density"] = count_density(folder / "exports")
    with report.step("plan", tell):
        plan = steps.plan_week(api, [ids[login] for login in people.REPS], steps.today())
        summary = plan["summary"]
        report.counts["plan"] = summary | {"estimated": plan["estimated"]}
        expect(summary["visits"] >= 4 * len(people.REPS), f"The plan has only {summary['visits']} visits.")
        expect(len(plan["unplanned"]) == summary["unplanned"], "An unplanned visit has no reason.")
    with report.step("export", tell):
        exported = steps.export_days(steps.today(), steps.DAYS, folder / "exports")
        report.counts["exports"] = {"folders": len(exported.folders), "files": exported.files}
        expect(len(exported.folders) >= len(people.REPS), f"Only {len(exported.folders)} exports were written.")


def wait_for_pins(seconds: float = 120) -> None:
    """Wait until the worker has looked at every address."""
    deadline = time.monotonic() + seconds
    while True:
        with transaction() as session:
            waiting = steps.pins(session)["pending"]
        if not waiting:
            return
        expect(time.monotonic() < deadline, f"{waiting} addresses were not looked at within {seconds:.0f} s.")
        time.sleep(0.25)


def count_density(folder: Path) -> dict[str, int]:
    """Count prospects and customers by cell, and write the snapshot and the GeoPackage."""
    folder.mkdir(parents=True, exist_ok=True)
    with transaction() as session:
        service.refresh(session)
    with transaction() as session:
        totals = queries.totals(session)
        files.write(session, system_scope(), folder / "density.html", Format.HTML)
        files.write(session, system_scope(), folder / "density.gpkg", Format.GPKG)
    expect(totals.prospects > 0 and totals.customers > 0, "No cell holds a prospect or a customer.")
    return {"prospects": totals.prospects, "customers": totals.customers}


def first_sync(report: Report, phone: Phone) -> None:
    """Sign a rep's phone in and bring it up to date."""
    signed_in = phone.run("--login", people.REPS[0], "--password", people.PASSWORD, "sign-in")
    expect(signed_in["exit"] == 0, f"The phone could not sign in: {signed_in}")
    synced = phone.run("sync")
    expect(synced["exit"] == 0, f"The phone could not sync: {synced}")
    day = phone.run("today")
    expect(len(day.get("stops", [])) >= VISITS, f"The phone knows only {len(day.get('stops', []))} stops.")
    report.counts["phone"] = {"rows": synced["rows"], "maps": synced["maps"], "stops": len(day["stops"])}


def log_visits(phone: Phone) -> dict[str, Any]:
    """With the server down: a sync fails politely, three visits are saved on the phone."""
    offline = phone.run("sync", "--no-maps")
    expect(offline["exit"] == 1, "The phone says that it synced without a server.")
    logged = phone.run("log-visits", str(VISITS))
    expect(logged["exit"] == 0, f"The visits were not saved on the phone: {logged}")
    expect(logged["unsent"] == VISITS, f"{logged['unsent']} ops wait on the phone, not {VISITS}.")
    return logged


def arrive(report: Report, phone: Phone, manager: Api, logged: dict[str, Any]) -> None:
    """Back in the network: every visit arrives exactly once, however often the phone syncs; the manager sees them."""
    for _ in range(2):
        synced = phone.run("sync", "--no-maps")
        expect(synced["exit"] == 0 and synced["unsent"] == 0, f"The phone could not send its visits: {synced}")
    ids = [UUID(visit["visit_id"]) for visit in logged["visits"]]
    with transaction() as session:
        events = session.scalar(select(func.count()).where(VisitEvent.visit_id.in_(ids), VisitEvent.state == "done"))
        done = session.scalar(select(func.count()).where(Visit.id.in_(ids), Visit.state == "done"))
    expect(events == done == VISITS, f"{events} reports of {done} finished visits arrived, not {VISITS}.")
    seen = [manager.get(f"/api/v1/visits/{one}") for one in ids]
    expect(all(visit["state"] == "done" for visit in seen), "The manager does not see the visits.")
    report.counts["arrived"] = {
        "visits": done,
        "reports": events,
        "verified": sum(visit["checkin"]["verification"] == "verified" for visit in seen if visit["checkin"]),
    }
