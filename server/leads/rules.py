"""What people decide about leads: who gets which, what earns points, how many one rep works at once."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from server.auth.access import Scope, system_scope
from server.auth.models import Team, User
from server.auth.roles import Level
from server.jobs import defer
from server.kit import clock
from server.kit.errors import Forbidden, Invalid, NotFound
from server.kit.filtering import parse
from server.leads import queries
from server.leads.models import Lead
from server.leads.rule_models import LeadPoints, LeadPolicy, LeadRule
from server.territories.models import Territory

MOST_RULES = 100


def need_manager(scope: Scope) -> None:
    """Refuse those who hand out nobody's leads but their own."""
    if scope.level("leads:assign") < Level.TEAM:
        raise Forbidden("Only managers decide who gets which leads.", help="Ask your manager.")


def need_admin(scope: Scope) -> None:
    """Refuse those who do not see every lead."""
    if scope.level("leads:assign") < Level.ALL:
        raise Forbidden("Only admins decide what earns points.", help="Ask an admin.")


def assignment_rules(session: Session) -> Sequence[LeadRule]:
    """The rules in their order."""
    statement = select(LeadRule).where(LeadRule.deleted_at.is_(None))
    return session.scalars(statement.order_by(LeadRule.position, LeadRule.id)).all()


def save_rule(session: Session, scope: Scope, wish: Mapping[str, Any], rule_id: UUID | None = None) -> LeadRule:
    """Add a rule at the end, or change one. Refuses a condition that cannot be read and a target that is not there."""
    need_manager(scope)
    name = str(wish.get("name") or "").strip()
    if not name:
        raise Invalid("Name: is missing.", help="The reason of an assignment names the rule.", field="name")
    condition, target = str(wish.get("condition") or "").strip(), str(wish.get("target"))
    check_condition(session, condition)
    target_id = None if target == "covering" else UUID(str(wish["target_id"])) if wish.get("target_id") else None
    check_target(session, target, target_id)
    rule = found(session, LeadRule, rule_id) if rule_id else LeadRule(position=1 + last_position(session))
    rule.name, rule.condition, rule.target, rule.target_id = name[:200], condition, target, target_id
    rule.is_on = bool(wish.get("is_on", True))
    session.add(rule)
    session.flush()
    session.refresh(rule)
    return rule


def last_position(session: Session) -> int:
    """The place of the last rule."""
    held = session.scalar(select(func.count()).where(LeadRule.deleted_at.is_(None))) or 0
    if held >= MOST_RULES:
        raise Invalid(f"{held} rules are too many.", help="Join some of them with “or”.")
    return session.scalar(select(func.max(LeadRule.position)).where(LeadRule.deleted_at.is_(None))) or 0


def check_condition(session: Session, condition: str) -> None:
    """Refuse a condition that cannot be read; says where."""
    if condition:
        with session.no_autoflush:
            parse(condition)
            session.scalar(select(Lead.id).where(on_today(session, condition)).limit(1))


def on_today(session: Session, condition: str) -> Any:
    """A condition as SQL."""
    return queries.condition(session, system_scope(), condition)


def check_target(session: Session, target: str, target_id: UUID | None) -> None:
    """Refuse a target that is not there."""
    tables: Mapping[str, Any] = {"territory": Territory, "team": Team, "person": User}
    if target == "covering":
        return
    if target not in tables:
        raise Invalid("The rule names nobody.", help="One of: covering, territory, team, person.", field="target")
    row = session.get(tables[target], target_id) if target_id else None
    if row is None or row.deleted_at is not None:
        raise Invalid(f"The {target} is missing.", help=f"Choose a {target}.", field="target_id")


def move_rule(session: Session, scope: Scope, rule_id: UUID, by: int) -> None:
    """Move a rule up or down by some places."""
    need_manager(scope)
    rules = list(assignment_rules(session))
    rule = found(session, LeadRule, rule_id)
    at = rules.index(rule)
    rules.insert(max(0, min(len(rules) - 1, at + by)), rules.pop(at))
    for position, one in enumerate(rules, 1):
        if one.position != position:
            one.position = position
    session.flush()


def remove_rule(session: Session, scope: Scope, rule_id: UUID) -> None:
    """Take a rule away; the reasons that name it stay."""
    need_manager(scope)
    found(session, LeadRule, rule_id).deleted_at = clock.now()
    session.flush()


def save_points(session: Session, scope: Scope, wish: Mapping[str, Any], rule_id: UUID | None = None) -> LeadPoints:
    """Add a rule for points, or change one; open leads are scored anew in the background."""
    need_admin(scope)
    sentence, condition = str(wish.get("sentence") or "").strip(), str(wish.get("condition") or "").strip()
    if not sentence or not condition:
        raise Invalid(
            "The rule needs a sentence and a condition.",
            help="For example “Has a phone number” and phone is not empty.",
            field="condition" if sentence else "sentence",
        )
    try:
        points = int(str(wish.get("points")))
    except ValueError as error:
        raise Invalid("Points: not a whole number.", help="From -100 to 100.", field="points") from error
    if not -100 <= points <= 100 or points == 0:
        raise Invalid(f"Points: {points} cannot be.", help="From -100 to 100, but not 0.", field="points")
    check_condition(session, condition)
    rule = found(session, LeadPoints, rule_id) if rule_id else LeadPoints()
    rule.sentence, rule.condition, rule.points = sentence[:200], condition, points
    rule.is_on = bool(wish.get("is_on", True))
    session.add(rule)
    session.flush()
    session.refresh(rule)
    ask_for_scores(session)
    return rule


def remove_points(session: Session, scope: Scope, rule_id: UUID) -> None:
    """Take a rule for points away."""
    need_admin(scope)
    found(session, LeadPoints, rule_id).deleted_at = clock.now()
    session.flush()
    ask_for_scores(session)


def ask_for_scores(session: Session) -> None:
    """Have the open leads scored anew in the background."""
    from server.leads.jobs import score_again

    defer(session, score_again, key="leads.score_again")


def found[T: (LeadRule, LeadPoints)](session: Session, table: type[T], rule_id: UUID) -> T:
    """The rule of that id."""
    rule = session.get(table, rule_id)
    if rule is None or rule.deleted_at is not None:
        raise NotFound("There is no such rule.")
    return rule


def policy(session: Session) -> LeadPolicy:
    """How many leads a rep works at once."""
    return session.get(LeadPolicy, True) or LeadPolicy(one=True, most_open=30)


def set_policy(session: Session, scope: Scope, most_open: int) -> LeadPolicy:
    """Say how many leads a rep works at once."""
    need_manager(scope)
    if not 1 <= most_open <= 10_000:
        raise Invalid(f"{most_open} open leads cannot be.", help="From 1 to 10,000.", field="most_open")
    held = session.merge(policy(session))
    held.most_open, held.changed_by = most_open, scope.user_id
    session.flush()
    return held
