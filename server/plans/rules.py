"""How the company plans: the rules that an admin sets."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from server.kit.errors import Invalid
from server.plans.night_models import PlanningRules

USUAL = {
    "stretches": True,
    "night_is_on": False,
    "night_hour": 20,
    "night_weekdays": [4],
    "night_days": 5,
    "night_steps": 20_000,
    "hotel_cost_s": 5_400,
}
"""As Waymark begins."""
BOUNDS = {
    "night_hour": (0, 23, "The hour"),
    "night_days": (1, 7, "The number of days"),
    "night_steps": (1, 1_000_000_000, "The number of steps"),
    "hotel_cost_s": (0, 864_000, "The cost of a hotel night"),
}


def rules(session: Session) -> PlanningRules:
    """How the company plans; as Waymark begins when nobody has said."""
    return session.get(PlanningRules, True) or PlanningRules(**USUAL)


def set_rules(session: Session, changes: Mapping[str, object]) -> PlanningRules:
    """Change the rules; what is not named stays. Refuses numbers out of bounds, and a night on without an evening."""
    for name, (least, most, label) in BOUNDS.items():
        value = changes.get(name, least)
        if not isinstance(value, int) or not least <= value <= most:
            raise Invalid(f"{label} cannot be {value}.", help=f"Give {least:,} to {most:,}.", field=name)
    found = session.get(PlanningRules, True, with_for_update=True, populate_existing=True)
    if found is None:
        found = PlanningRules(**{**USUAL, "one": True})
    if changes.get("night_is_on", found.night_is_on) and not changes.get("night_weekdays", found.night_weekdays):
        raise Invalid("No evening is chosen for the night.", help="Choose at least one.", field="night_weekdays")
    session.add(found)
    for name, value in changes.items():
        setattr(found, name, value)
    session.flush()
    return found
