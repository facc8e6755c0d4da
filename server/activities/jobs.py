"""Background work of activities: see `healing` and `driving`."""

from server.activities.driving import learn_drive_times, learn_every_night
from server.activities.healing import heal_pin

__all__ = ["heal_pin", "learn_drive_times", "learn_every_night"]
