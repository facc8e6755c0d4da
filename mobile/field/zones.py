"""In which time zone a rep's days are (the one that the server told, else that of this phone), and which day it is."""

from datetime import date
from zoneinfo import ZoneInfo

from mobile.field.store import clock, moments
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


def today(outbox: Outbox, name: str | None = None) -> date:
    """The calendar day in a zone, or in the rep's, by the server's clock where it was told."""
    return moments.now(outbox).astimezone(clock.zone(name) if name else of(outbox)).date()
