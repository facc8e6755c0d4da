"""The rules for phones that an admin sets; phones hear them at every hello."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from server.auth.access import Scope
from server.auth.roles import Level
from server.kit.errors import Forbidden, Invalid
from server.phones.models import PhoneRules

LOCK_DAYS = 14
"""As Waymark begins."""
LEAST_DAYS, MOST_DAYS = 1, 90


def rules(session: Session) -> PhoneRules:
    """What holds for phones; as Waymark begins when nobody has said."""
    return session.get(PhoneRules, True) or PhoneRules(one=True, lock_days=LOCK_DAYS)


def may_set(scope: Scope) -> bool:
    """Whether somebody manages the phones of the whole company, whom alone the rules are for."""
    return scope.level("devices:manage") >= Level.ALL


def set_rules(session: Session, scope: Scope, lock_days: int) -> PhoneRules:
    """Say after how many days (1 to 90) without the server phones close. Refuses others, and who manages a team's."""
    if not may_set(scope):
        raise Forbidden("These rules hold for every phone of the company.", help="Ask somebody who manages all phones.")
    if not LEAST_DAYS <= lock_days <= MOST_DAYS:
        raise Invalid(
            f"Phones cannot close after {lock_days:,} days.",
            help=f"Give {LEAST_DAYS} to {MOST_DAYS} days.",
            field="lock_days",
        )
    said = insert(PhoneRules).values(one=True, lock_days=lock_days)
    session.execute(said.on_conflict_do_update(index_elements=["one"], set_={"lock_days": lock_days}))
    session.expire_all()
    return rules(session)
