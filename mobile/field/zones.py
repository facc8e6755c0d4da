"""In which time zone a rep's days are: the one that the server told, else that of this phone."""

from zoneinfo import ZoneInfo

from mobile.field.store import clock
from mobile.field.store.outbox import Outbox

TOLD = "zone"


def heard(outbox: Outbox, name: str | None) -> None:
    """What the server said last; servers before version 0.5 say nothing."""
    if name is not None:
        outbox.meta.set(TOLD, name)


def name_of(outbox: Outbox) -> str:
    """The IANA name."""
    return outbox.meta.get(TOLD) or clock.local_zone_name()


def of(outbox: Outbox) -> ZoneInfo:
    """The zone itself."""
    return clock.zone(name_of(outbox))
