"""JSON API of white space: where it is, who looks like the best customers, and what it becomes."""

import tempfile
from pathlib import Path
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from server.accounts.models import AccountClass
from server.auth.access import Scope, requires
from server.density import lookalikes, turning, undoing, whitespace
from server.density.files import WhiteFormat, write_white_space
from server.density.firms import sources
from server.density.schemas import (
    AlikeRead,
    GapRead,
    LookAlikesRead,
    PastRead,
    RefusedRead,
    ShareRead,
    TurnPreview,
    TurnRead,
    TurnWrite,
    UndoRead,
    WhiteSpaceRead,
)
from server.density.whitespace import LONGEST_DAYS, Which, Wish
from server.kit.database import Db
from server.kit.paging import Page

router = APIRouter(prefix="/api/v1/white-space", tags=["density"])

ReadDensity = Annotated[Scope, requires("density:read")]
ExportDensity = Annotated[Scope, requires("density:export")]


def wish_of(
    which: Which = Which.UNASSIGNED,
    territory_id: UUID | None = None,
    kind: Annotated[str | None, Query(max_length=100, description="`shop=bakery`, or `shop` for all shops.")] = None,
    account_class: AccountClass | None = None,
    days: Annotated[int, Query(ge=1, le=LONGEST_DAYS, description="Unworked: no visit for so long.")] = 90,
) -> Wish:
    """What is asked for."""
    return Wish(which, territory_id, kind, account_class, days)


Wanted = Annotated[Wish, Depends(wish_of)]


@router.get("")
def white_space(wish: Wanted, scope: ReadDensity, session: Db) -> WhiteSpaceRead:
    """Hexagons of white space, the best hour of work first."""
    found = whitespace.ranked(session, scope, wish)
    shows = whitespace.sees_values(scope)
    return WhiteSpaceRead(
        items=[
            GapRead(
                cell=gap.cell, lon=gap.at.lon, lat=gap.at.lat, territory_id=gap.territory_id, territory=gap.territory,
                prospects=gap.prospects, leads=gap.leads, accounts=gap.accounts, worked=gap.worked,
                kinds=list(gap.kinds),
                value=gap.value if shows else None, per_hour=gap.per_hour, rep=gap.rep, out_s=gap.out_s,
                by_road=gap.by_road, drive_h=gap.drive_h, visit_h=gap.visit_h,
            )
            for gap in found.gaps
        ],
        total=found.total,
        ranked_by="value" if found.by_value else "firms",
        has_start=found.has_start,
        sources=sources(session),
    )  # fmt: skip


@router.get("/export")
def export(wish: Wanted, scope: ExportDensity, session: Db, format: WhiteFormat = WhiteFormat.XLSX) -> Response:
    """White space as a file, with its sources."""
    name = f"white-space.{format.value}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_white_space(session, scope, wish, path, format)
        return Response(path.read_bytes(), media_type=format.media_type, headers=headers)


@router.get("/look-alikes")
def look_alikes(scope: ReadDensity, session: Db) -> LookAlikesRead:
    """Prospects most like the best customers, with the reasons."""
    found = lookalikes.look_alikes(session, scope)
    return LookAlikesRead(
        items=[
            AlikeRead(
                prospect_id=one.prospect_id, name=one.name, kind=one.kind, lon=one.at.lon, lat=one.at.lat,
                score=one.likeness.score, same_kind=one.likeness.same_kind, shared=list(one.likeness.shared),
                same_place=one.likeness.same_place, as_dense=one.likeness.as_dense, distance_m=one.distance_m,
            )
            for one in found.alike
        ],
        best=found.best,
        needed=found.needed,
    )  # fmt: skip


@router.post("/actions", status_code=201)
def turn(body: TurnWrite, scope: ReadDensity, session: Db) -> TurnRead:
    """Make leads, tasks or wanted visits of hexagons or prospects; what is there already is left out and counted."""
    action, refused = turning.turn(session, scope, body.into, body.selection())
    said = [RefusedRead.model_validate(one) for one in refused]
    return TurnRead(id=action.id, into=turning.Into(action.kind), counts=action.counts, refused=said)


@router.get("/actions")
def past(scope: ReadDensity, session: Db) -> Page[PastRead]:
    """The last 20 actions of yours, or of everybody if you see everything, and which can be taken back."""
    return Page(items=[PastRead.model_validate(one) for one in undoing.history(session, scope)], next_cursor=None)


@router.post("/actions/preview")
def preview(body: TurnWrite, scope: ReadDensity, session: Db) -> TurnPreview:
    """What an action would make, in which territory and for whom, and what is left out; nothing is written."""
    found = turning.planned(session, scope, body.into, body.selection())
    return TurnPreview(
        counts={"made": len(found.makings), **found.left},
        shares=[
            ShareRead(territory=place, who=who, count=count)
            for (place, who), count in turning.shares(session, found).items()
        ],
        examples=[one.name for one in found.makings[:5]],
        refused=[RefusedRead.model_validate(one) for one in found.refused],
    )


@router.post("/actions/{action_id}/undo")
def undo(action_id: UUID, scope: ReadDensity, session: Db) -> UndoRead:
    """Take back what an action made; what somebody has begun to work stays."""
    return UndoRead(**undoing.undo(session, scope, action_id))
