"""Background work of activities: see `healing`."""

from server.activities.healing import heal_pin

__all__ = ["heal_pin"]
