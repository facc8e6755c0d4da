"""JSON API of the rules for phones."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server.auth.access import Scope, requires
from server.kit.database import Db
from server.phones import rules

router = APIRouter(prefix="/api/v1/phones", tags=["devices"])

ReadDevices = Annotated[Scope, requires("devices:read")]
ManageDevices = Annotated[Scope, requires("devices:manage")]


class PhoneRulesWrite(BaseModel):
    """What holds for every phone of the company."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"lock_days": 14, "records_tracks": False, "tracks_days": 30, "max_rows": 150000}]
        },
    )

    lock_days: int = Field(
        strict=True,
        description="So many days without the server close what a phone shows, until its rep signs in; 1 to 90. "
        "What was not sent stays on the phone all the same.",
    )
    records_tracks: bool | None = Field(
        default=None,
        strict=True,
        description="Whether phones record the way that their reps drive: in their working hours, never on days off, "
        "and not while the rep has paused it. Off at first. Absent: as it is.",
    )
    tracks_days: int | None = Field(
        default=None,
        strict=True,
        description="After so many days a recorded way is deleted; 1 to 365. Absent: as it is.",
    )
    max_rows: int | None = Field(
        default=None,
        strict=True,
        description="So many rows a phone is given at most; 1,000 to 5,000,000, at first 150,000. Whole areas beyond "
        "are left out, the phone's own accounts never. Absent: as it is.",
    )


class PhoneRulesRead(PhoneRulesWrite):
    """The same as it stands."""

    model_config = ConfigDict(from_attributes=True)

    records_tracks: bool
    tracks_days: int
    max_rows: int


@router.get("/rules")
def get_rules(scope: ReadDevices, session: Db) -> PhoneRulesRead:
    """The rules for phones."""
    del scope
    return PhoneRulesRead.model_validate(rules.rules(session))


@router.put("/rules")
def put_rules(body: PhoneRulesWrite, scope: ManageDevices, session: Db) -> PhoneRulesRead:
    """Set the rules; each phone hears them with its next sync. 403 for whoever manages a team's phones only."""
    said = rules.set_rules(
        session,
        scope,
        body.lock_days,
        records_tracks=body.records_tracks,
        tracks_days=body.tracks_days,
        max_rows=body.max_rows,
    )
    return PhoneRulesRead.model_validate(said)
