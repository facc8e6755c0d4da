"""A whole plan as one archive: a folder of files for each rep, under one manifest that proves what they are."""

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO, Any
from uuid import UUID

from sqlalchemy.orm import Session

from routing.export.tour import Span
from routing.export.types import MANIFEST
from server.auth.access import Scope
from server.kit.errors import Conflict
from server.plans import queries
from server.plans.exporting import folders, service
from server.plans.exporting.folders import Export
from server.plans.models import PlanState

FORMAT = "waymark-plan/1"
"""What its manifest calls itself."""
_CHUNK, _IN_MEMORY = 1 << 18, 8 << 20


class NotWrittenYet(Conflict):
    """Somebody's files of the plan are missing."""

    code = "export_not_written_yet"


def exports_of_plan(session: Session, scope: Scope, plan_id: UUID) -> tuple[Span, list[Export]]:
    """The files of everybody in a published plan whom somebody may see; refuses while anybody's are missing."""
    plan = queries.find(session, scope, plan_id)
    if plan.state != PlanState.PUBLISHED:
        raise Conflict("Files are written from published plans.", help="Publish this plan first.")
    span, seen = Span.of(plan.first_day, plan.days), service.visible_logins(session, scope)
    routes = queries.plan_view(session, scope, plan_id).routes
    names = {route.rep_login: route.rep_name for route in routes if route.rep_login in seen}
    found = [one for one in folders.exports_of(span) if one.login in names]
    missing = [name for login, name in names.items() if login not in {one.login for one in found}]
    if missing or not found:
        names_of_missing, path = ", ".join(missing) or "this plan", f"/api/v1/exports/{span}"
        raise NotWrittenYet(
            f"The files of {names_of_missing} are not written yet.",
            help=f"Ask for them with POST {path}, or under “Files” of the plan.",
        )
    return span, found


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
