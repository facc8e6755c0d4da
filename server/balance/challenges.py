"""Challenges: the field contests an account's territory; its effect in hours is told; small ones decide themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from geoalchemy2 import Geography
from sqlalchemy import cast, func, select, text
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts import service as account_service
from server.accounts.models import Account, Site
from server.auth.access import Scope, leading
from server.auth.models import User
from server.balance.models import ChallengeRule, ChallengeState, TerritoryChallenge
from server.balance.moves import NOTHING, sums
from server.balance.workload import WORK
from server.kit import clock
from server.kit.errors import Conflict, Invalid, NotFound
from server.notifications.kinds import About
from server.notifications.service import notify
from server.territories import queries as territories
from server.territories.models import Territory

HOURS = text(f"with {WORK} select hours::float8 from work where account_id = :id")  # noqa: S608 -- our own constants


def contest(session: Session, scope: Scope, account_id: UUID, to_id: UUID, reason: str) -> TerritoryChallenge:
    """Contest an account's territory with a reason; the rule decides small ones at once. Refuses a second open one."""
    account = account_service.find(session, scope, account_id, "accounts:write")
    to = session.get(Territory, to_id)
    if to is None or to.deleted_at is not None:
        raise NotFound("There is no such territory.", field="to_id")
    if account.territory_id == to_id:
        raise Conflict(f"“{account.name}” is in that territory already.", field="to_id")
    if not reason.strip():
        raise Invalid("Say why: who decides was not there.", field="reason")
    open_one = select(TerritoryChallenge.id).where(
        TerritoryChallenge.account_id == account_id, TerritoryChallenge.state == ChallengeState.OPEN
    )
    if session.scalars(open_one).first() is not None:
        raise Conflict(f"The territory of “{account.name}” is contested already.", help="Wait for the decision.")
    made = TerritoryChallenge(
        account_id=account_id,
        from_id=account.territory_id,
        to_id=to_id,
        reason=reason.strip(),
        effect=effect(session, account, to_id),
        made_by=scope.user_id,
    )
    session.add(made)
    session.flush()
    verdict = ruled(rule(session), made.effect)
    if verdict is not None:
        settle(session, made, accepts=verdict, by=None, answer="")
    else:
        gaps = {"who": scope.name, "account": account.name, "to": to.name}
        tell(session, made, deciders(session, account_id), CONTESTED, gaps, by=scope.user_id)
    return made


CONTESTED = "{who} contests the territory of {account}: it belongs in {to}"
DECIDED = {
    True: "{account} belongs in {to} from now on: what you contested is accepted",
    False: "{account} stays where it is: what you contested is refused",
}


def tell(
    session: Session,
    made: TerritoryChallenge,
    people: Iterable[UUID],
    sentence: str,
    gaps: dict[str, str],
    *,
    by: UUID | None,
) -> None:
    """Tell people of a challenge."""
    link = f"/territories/challenges#challenge-{made.id}"
    notify(session, people, "challenge", sentence, link, About("account", made.account_id), gaps=gaps, by=by)


def deciders(session: Session, account_id: UUID) -> list[UUID]:
    """The managers and admins who may assign an account."""
    found = []
    for scope in leading(session, "accounts:assign"):
        reached = accounts.visible_to(scope, "accounts:assign", few=True).where(Account.id == account_id)
        if session.scalar(reached.with_only_columns(Account.id)) is not None:
            found.append(scope.user_id)
    return found


def waiting(session: Session, scope: Scope) -> int:
    """How many challenges wait for somebody's decision."""
    if not scope.may("accounts:assign"):
        return 0
    reached = accounts.visible_to(scope, "accounts:assign", few=True).where(Account.id == TerritoryChallenge.account_id)
    found = select(func.count(TerritoryChallenge.id)).where(TerritoryChallenge.state == ChallengeState.OPEN)
    return session.scalar(found.where(reached.with_only_columns(Account.id).exists())) or 0


def candidates(session: Session, account: Account) -> list[Territory]:
    """The worked territories where an account could belong, the nearest to its main site first."""
    pin = select(Site.pin).where(Site.account_id == account.id, Site.is_main, Site.deleted_at.is_(None))
    away = func.ST_Distance(cast(Territory.area, Geography), cast(pin.limit(1).scalar_subquery(), Geography))
    near = {row[0]: row[1] for row in session.execute(select(Territory.id, away))}
    others = [one for one in territories.leaves(session) if one.id != account.territory_id]
    return sorted(others, key=lambda one: (near.get(one.id) is None, near.get(one.id) or 0))


def effect(session: Session, account: Account, to_id: UUID) -> dict[str, Any]:
    """The hours a year of the account, and of both territories before and after."""
    hours = float(session.execute(HOURS, {"id": account.id}).scalar_one_or_none() or 0)
    now = sums(session)
    before = now.get(account.territory_id, NOTHING)[1] if account.territory_id else None
    return {
        "hours": hours,
        "from_before": before,
        "from_after": None if before is None else before - hours,
        "to_before": now.get(to_id, NOTHING)[1],
        "to_after": now.get(to_id, NOTHING)[1] + hours,
    }


def ruled(found: ChallengeRule | None, told: dict[str, Any]) -> bool | None:
    """What the rule says: accepted, refused, or None: a person decides."""
    if found is None or told["from_before"] is None:
        return None
    apart = abs(told["from_before"] - told["to_before"])
    evens_out = abs(told["from_after"] - told["to_after"]) < apart
    if evens_out and told["hours"] <= found.accept_h:
        return True
    return False if not evens_out and told["hours"] <= found.refuse_h else None


def decide(session: Session, scope: Scope, challenge_id: UUID, *, accepts: bool, answer: str) -> TerritoryChallenge:
    """Accept or refuse a challenge. Refuses one that is decided, and one whose account moved meanwhile."""
    found = session.get(TerritoryChallenge, challenge_id, with_for_update=True)
    if found is None:
        raise NotFound("There is no such challenge.")
    if found.state != ChallengeState.OPEN:
        raise Conflict("This challenge is decided already.")
    account_service.find(session, scope, found.account_id, "accounts:assign")
    settle(session, found, accepts=accepts, by=scope.user_id, answer=answer)
    return found


def settle(session: Session, found: TerritoryChallenge, *, accepts: bool, by: UUID | None, answer: str) -> None:
    """Write the decision; an accepted account keeps its new territory whatever the outlines say."""
    if accepts:
        account = session.get_one(Account, found.account_id)
        to = session.get(Territory, found.to_id)
        if to is None or to.deleted_at is not None or account.territory_id != found.from_id:
            raise Conflict(
                f"The territories around “{account.name}” have changed since.", help="Refuse it, or ask for a new one."
            )
        account.territory_id, account.territory_is_fixed = found.to_id, True
    found.state = ChallengeState.ACCEPTED if accepts else ChallengeState.REFUSED
    found.by_rule, found.decided_by, found.decided_at, found.answer = by is None, by, clock.now(), answer.strip()
    session.flush()
    if by is not None and found.made_by is not None:
        names = {
            "account": session.get_one(Account, found.account_id).name,
            "to": session.get_one(Territory, found.to_id).name,
        }
        tell(session, found, [found.made_by], DECIDED[accepts], names, by=by)


def rule(session: Session) -> ChallengeRule | None:
    """The rule, if there is one."""
    return session.get(ChallengeRule, 1)


def set_rule(session: Session, *, accept_h: float, refuse_h: float) -> ChallengeRule:
    """Say up to how many hours a year challenges are decided by themselves; 0: a person decides."""
    found = rule(session) or ChallengeRule(id=1)
    found.accept_h, found.refuse_h = accept_h, refuse_h
    session.add(found)
    session.flush()
    return found


@dataclass(frozen=True)
class Line:
    """A challenge with the names around it."""

    challenge: TerritoryChallenge
    account: str
    from_name: str | None
    to_name: str
    made_by: str | None
    decided_by: str | None


def seen_by(session: Session, scope: Scope) -> list[Line]:
    """The challenges of accounts that somebody sees, open ones first."""
    rows = session.execute(
        select(TerritoryChallenge, Account.name)
        .join(Account, Account.id == TerritoryChallenge.account_id)
        .where(TerritoryChallenge.account_id.in_(accounts.visible_to(scope).with_only_columns(Account.id)))
        .order_by(TerritoryChallenge.state != ChallengeState.OPEN, TerritoryChallenge.made_at.desc())
        .limit(200)
    ).all()
    areas = {row[0]: row[1] for row in session.execute(select(Territory.id, Territory.name))}
    people = {row[0]: row[1] for row in session.execute(select(User.id, User.name))}
    return [
        Line(
            one,
            name,
            areas.get(one.from_id) if one.from_id else None,
            areas.get(one.to_id, "–"),
            people.get(one.made_by) if one.made_by else None,
            people.get(one.decided_by) if one.decided_by else None,
        )
        for one, name in rows
    ]
