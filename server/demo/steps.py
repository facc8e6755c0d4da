"""The main job, step by step: customers in, placed, counted, planned, exported. Each through the door a person uses."""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from routing.export.tour import Span
from server.accounts.models import Account, Site
from server.auth.queries import user_by_login
from server.auth.tokens import create_api_token
from server.demo.company import RealAddress, as_csv, customer_rows
from server.demo.people import NORTH, SOUTH
from server.demo.processes import Api, StepFailed
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.plans.exporting import service as exporting
from server.plans.exporting.sheets import reps_of
from server.regions.models import Region

DAYS = 7
PLAN_STEPS = 10_000
CUSTOMERS = 300

ADDRESSES = text(
    """
    select distinct on (a.street, a.number, a.city) a.street, a.number, a.postcode, a.city, coalesce(t.name, '')
    from region_address a left join territory t on t.deleted_at is null and st_covers(t.area, a.point)
    where a.region_id = :region and a.street <> '' and a.city <> '' and not a.is_place
    order by a.street, a.number, a.city, a.source_id, t.name
    """
)


def token_of(login: str) -> str:
    """An API token for one of the people, as they would make it on the page of users."""
    with transaction() as session:
        user = user_by_login(session, login)
        if user is None:
            raise StepFailed(f"There is no {login}.")
        return create_api_token(session, user.id, "demonstration", None, 1)[1]


def customer_list(session: Session, region_id: UUID, count: int = CUSTOMERS) -> tuple[bytes, int]:
    """The company's customer list as a file with so many customers, and how many rows it has with the bad ones."""
    region = session.get_one(Region, region_id)
    addresses = [RealAddress(*row) for row in session.execute(ADDRESSES, {"region": region_id})]
    if len(addresses) < count // 10:
        raise StepFailed(
            f"Region {region.name} has only {len(addresses)} house numbers with street and town.",
            help="Take an extract with more addresses.",
        )
    reps = {"North": NORTH, "South": SOUTH}
    rows = customer_rows(addresses, country=region.country or "LI", reps=reps, count=count)
    return as_csv(rows), len(rows)


def import_customers(api: Api, content: bytes) -> dict[str, Any]:
    """Upload the list, look at the dry run, apply it; gives the counts."""
    run = api.call("POST", "/api/v1/imports", file=("customers.csv", content))
    path = f"/api/v1/imports/{run['id']}"
    api.post(f"{path}/mapping", {"mapping": run["mapping"], "mode": "both"})
    checked = api.wait(path, lambda one: one["state"] in ("checked", "failed"))
    if checked["state"] == "failed":
        raise StepFailed(f"The dry run failed: {checked['message']}")
    problems = api.get(f"{path}/rows?problems=true")["items"]
    api.post(f"{path}/apply")
    done = api.wait(path, lambda one: one["state"] in ("done", "failed"))
    if done["state"] == "failed":
        raise StepFailed(f"The import failed: {done['message']}")
    return {"rows": run["row_count"], "counts": done["counts"], "problems": len(problems)}


def pins(session: Session) -> Counter[str]:
    """How many sites stand in each state of their pin."""
    return Counter(session.scalars(select(Site.pin_state).where(Site.deleted_at.is_(None))))


def grades(session: Session) -> dict[str, int]:
    """How many sites have each grade."""
    return dict(Counter(grade or "none" for grade in session.scalars(select(Site.grade))))


def plan_week(api: Api, rep_ids: list[UUID], first: date, *, seconds: float | None = None) -> dict[str, Any]:
    """Ask for a plan, wait until the worker has made it, publish it; gives the plan."""
    body: dict[str, Any] = {"rep_ids": rep_ids, "first_day": first, "days": DAYS, "seed": 1}
    body |= {"seconds": seconds} if seconds else {"steps": PLAN_STEPS}
    plan = api.post("/api/v1/plans", body)
    path = f"/api/v1/plans/{plan['id']}"
    ready = api.wait(path, lambda one: one["state"] in ("ready", "failed"), seconds=300)
    if ready["state"] == "failed":
        raise StepFailed(f"The plan failed: {ready['error']} {ready['error_help'] or ''}")
    api.post(f"{path}/publish")
    found: dict[str, Any] = api.get(path)
    return found


@dataclass(frozen=True)
class Exported:
    """What an export wrote."""

    folders: list[Path]
    files: int


def export_days(first: date, days: int, folder: Path | None = None) -> Exported:
    """Write one set of files per rep for some days, and hold every file against its hash in the manifest."""
    span = Span.of(first, days)
    with transaction() as session:
        folders = exporting.write(session, span, folder) if reps_of(session, span) else []
    return Exported(folders, sum(checked_manifest(one) for one in folders))


def checked_manifest(folder: Path) -> int:
    """How many files the manifest of a folder names; refuses a missing or different file."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for entry in manifest["files"]:
        content = (folder / entry["name"]).read_bytes()
        if hashlib.sha256(content).hexdigest() != entry["sha256"]:
            raise StepFailed(f"{folder / entry['name']} is not what its manifest says.")
    return len(manifest["files"])


def today() -> date:
    """The company's day."""
    return clock.today(settings().zone)


def accounts_of(session: Session) -> int:
    """How many accounts there are."""
    return len(session.scalars(select(Account.id).where(Account.deleted_at.is_(None))).all())
