"""A whole plan as one archive: a folder of files for each rep, under one manifest that proves what they are."""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import IO, Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.export.tour import Span
from routing.export.types import MANIFEST
from server.auth.access import Scope
from server.kit.errors import Conflict
from server.plans import queries
from server.plans.exporting import folders, service, sheets
from server.plans.exporting.folders import Export
from server.plans.models import Plan, PlanState, Route
from server.plans.queries import RouteView
from server.plans.taking_back import Overtaken

FORMAT = "waymark-plan/1"
"""What its manifest calls itself."""
_CHUNK, _IN_MEMORY = 1 << 18, 8 << 20


class NotWrittenYet(Conflict):
    """Somebody's files of the plan are missing."""

    code = "export_not_written_yet"


class NothingToDownload(Conflict):
    """The plan has no route of anybody whose files may be seen."""

    code = "nothing_to_export"


def exports_of_plan(session: Session, scope: Scope, plan_id: UUID) -> tuple[Span, list[Export]]:
    """The files of everybody in a published plan whom somebody may see; refuses unless all are of its routes."""
    plan, seen = _standing(session, scope, plan_id), service.visible_logins(session, scope)
    span = Span.of(plan.first_day, plan.days)
    routes = [one for one in queries.plan_view(session, scope, plan_id).routes if one.rep_login in seen]
    if not routes:
        raise NothingToDownload(
            "There is nothing to download: this plan has no visits.", help="Plan again, for other days or reps."
        )
    _need_alone(session, plan, span)
    found = written_of(span, routes)
    written = {one.login for one in found}
    missing = {route.rep_login: route.rep_name for route in routes if route.rep_login not in written}
    if missing:
        raise NotWrittenYet(
            f"The files of {', '.join(missing.values())} are not written yet.",
            help=f"Ask for them with POST /api/v1/exports/{span}, or under “Files” of the plan.",
        )
    return span, found


def written_of(span: Span, routes: Sequence[RouteView]) -> list[Export]:
    """The files that were written from exactly these routes, as they stand now."""
    wanted: dict[str, dict[str, str]] = {}
    for route in routes:
        source = sheets.source_of((stop.visit_id or stop.account_id, stop.starts_at) for stop in route.stops)
        wanted.setdefault(route.rep_login, {})[route.day.isoformat()] = source
    return [one for one in folders.exports_of(span) if one.login in wanted and one.sources == wanted[one.login]]


def _standing(session: Session, scope: Scope, plan_id: UUID) -> Plan:
    """A published plan that nobody took back."""
    gone = session.get(Plan, plan_id)
    if gone is not None and gone.deleted_at and gone.published_at and queries.seen_reps(session, scope, gone):
        raise Overtaken("This plan was taken back; it has no files any more.", help="Publish another plan.")
    plan = queries.find(session, scope, plan_id)
    if plan.state != PlanState.PUBLISHED:
        raise Conflict("Files are written from published plans.", help="Publish this plan first.")
    return plan


def is_overtaken(session: Session, plan: Plan) -> bool:
    """Whether another plan has any of the days now: their files are not of this plan alone."""
    first, last = plan.first_day, plan.first_day + timedelta(days=plan.days - 1)
    reps = select(Route.rep_id).where(Route.plan_id == plan.id)
    ours = (Route.plan_id == plan.id) & Route.deleted_at.is_not(None)
    theirs = (Route.plan_id != plan.id) & Route.day.between(first, last) & Route.deleted_at.is_(None)
    taken = select(Route.id).where(Route.rep_id.in_(reps), Route.published_at.is_not(None), ours | theirs)
    return session.scalars(taken.limit(1)).first() is not None


def _need_alone(session: Session, plan: Plan, span: Span) -> None:
    if is_overtaken(session, plan):
        all_of_it = plan.id in queries.replaced(session, [plan.id])
        raise Overtaken(
            "Another plan has taken the place of this one."
            if all_of_it
            else "Another plan has taken some days of this one.",
            help=f"What stands on these days now is under /api/v1/exports/{span}; POST there writes it anew.",
        )


def revision(exports: Sequence[Export]) -> str:
    """Changes when any file of anybody changes."""
    return hashlib.sha256("".join(one.revision for one in exports).encode()).hexdigest()


def archive(span: Span, exports: Sequence[Export]) -> IO[bytes]:
    """All sets of files, each in its rep's folder, behind the manifest; the same files give the same bytes."""
    made = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 (whoever sends it closes it)
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as writer:
        folders.put(writer, MANIFEST, json.dumps(_manifest(span, exports), ensure_ascii=False, indent=1).encode())
        for one in exports:
            for name in one.names:
                folders.put(writer, f"{one.folder.name}/{name}", one.file(name).read_bytes())
    made.seek(0)
    return made


def pieces(made: IO[bytes]) -> Iterator[bytes]:
    """The archive in pieces; closed behind the last one."""
    with made:
        while piece := made.read(_CHUNK):
            yield piece


def _manifest(span: Span, exports: Sequence[Export]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "span": str(span),
        "revision": revision(exports),
        "reps": [
            {name: one.manifest[name] for name in ("login", "rep", "summary", "version", "stops")}
            | {"manifest": f"{one.folder.name}/{MANIFEST}", "sha256": one.revision}
            for one in exports
        ],
        "files": [
            {**entry, "name": f"{one.folder.name}/{entry['name']}"}
            for one in exports
            for entry in one.manifest["files"]
        ],
    }
