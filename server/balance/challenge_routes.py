"""JSON API of challenges: contest an account's territory, decide, and the rule for small ones."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server.auth.access import Scope, requires
from server.balance import challenges
from server.balance.models import TerritoryChallenge
from server.kit.database import Db
from server.kit.paging import Page

router = APIRouter(prefix="/api/v1", tags=["territories"])

ReadTerritories = Annotated[Scope, requires("territories:read")]
WriteAccounts = Annotated[Scope, requires("accounts:write")]
AssignAccounts = Annotated[Scope, requires("accounts:assign")]
WriteTerritories = Annotated[Scope, requires("territories:write")]


class ChallengeWrite(BaseModel):
    """What is contested."""

    model_config = ConfigDict(extra="forbid")

    account_id: UUID
    to_id: UUID = Field(description="The territory that should have it.")
    reason: str = Field(max_length=1000)


class DecisionWrite(BaseModel):
    """What a manager says."""

    model_config = ConfigDict(extra="forbid")

    accepts: bool
    answer: str = Field(default="", max_length=1000)


class RuleWrite(BaseModel):
    """Up to how many hours a year challenges are decided by themselves; 0: never."""

    model_config = ConfigDict(extra="forbid")

    accept_h: float = Field(ge=0, le=1000, description="Accepted when it evens the two territories out.")
    refuse_h: float = Field(ge=0, le=1000, description="Refused when it makes them less even.")


class ChallengeRead(BaseModel):
    """A challenge; hours are a year's."""

    id: UUID
    account_id: UUID
    from_id: UUID | None
    to_id: UUID
    reason: str
    effect: dict[str, Any]
    state: str
    by_rule: bool
    answer: str
    made_by: UUID | None
    made_at: datetime
    decided_by: UUID | None
    decided_at: datetime | None


def challenge_read(row: TerritoryChallenge) -> ChallengeRead:
    """A challenge as it goes over the wire."""
    return ChallengeRead.model_validate(row, from_attributes=True)


@router.get("/territory-challenges")
def list_challenges(scope: ReadTerritories, session: Db) -> Page[ChallengeRead]:
    """The challenges of accounts that you see, open ones first."""
    return Page(items=[challenge_read(line.challenge) for line in challenges.seen_by(session, scope)])


@router.post("/territory-challenges", status_code=201)
def contest(body: ChallengeWrite, scope: WriteAccounts, session: Db) -> ChallengeRead:
    """Contest the territory of an account; the rule may decide at once."""
    made = challenges.contest(session, scope, body.account_id, body.to_id, body.reason)
    session.refresh(made)
    return challenge_read(made)


@router.post("/territory-challenges/{challenge_id}/decision")
def decide(challenge_id: UUID, body: DecisionWrite, scope: AssignAccounts, session: Db) -> ChallengeRead:
    """Accept or refuse a challenge; an accepted account is assigned by hand from then on."""
    return challenge_read(challenges.decide(session, scope, challenge_id, accepts=body.accepts, answer=body.answer))


@router.get("/challenge-rule")
def show_rule(scope: ReadTerritories, session: Db) -> RuleWrite:
    """The rule for small challenges."""
    found = challenges.rule(session)
    return RuleWrite(accept_h=found.accept_h if found else 0, refuse_h=found.refuse_h if found else 0)


@router.put("/challenge-rule")
def set_rule(body: RuleWrite, scope: WriteTerritories, session: Db) -> RuleWrite:
    """Change the rule for small challenges."""
    challenges.set_rule(session, accept_h=body.accept_h, refuse_h=body.refuse_h)
    return body
