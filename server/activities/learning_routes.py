"""JSON API of what recorded visits teach: how long drives really take."""

from typing import Annotated

from fastapi import APIRouter

from server.activities.driving import learn_drive_times
from server.auth.access import Scope, requires
from server.jobs import defer
from server.kit.database import Db

router = APIRouter(prefix="/api/v1/roads", tags=["roads"])


@router.post("/drive-times/learn", status_code=202)
def learn(scope: Annotated[Scope, requires("regions:write")], session: Db) -> None:
    """Have drive times learned from recorded visits now instead of tonight."""
    del scope
    defer(session, learn_drive_times, key="activities.learn_drive_times")
