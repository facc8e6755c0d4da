"""JSON API of the rule of classes and of what it suggests."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from server.accounts.classes import queries, service
from server.accounts.classes.models import Basis, ClassState
from server.auth.access import Scope, requires
from server.kit.database import Db
from server.kit.paging import Limit, Page

router = APIRouter(prefix="/api/v1/class-changes", tags=["accounts"])

AssignAccounts = Annotated[Scope, requires("accounts:assign")]


class RuleShape(BaseModel):
    """The company's rule of classes."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")

    is_on: bool
    basis: Basis = Field(description="thresholds: by amounts a year; percentiles: by shares of all accounts.")
    potential_share: float = Field(description="Weight of the potential, 0 to 1; the rest is value.")
    a_from: Decimal
    b_from: Decimal
    a_share: float
    b_share: float


class ChangeRead(BaseModel):
    """Another class that is suggested."""

    id: UUID
    account_id: UUID
    account_name: str
    old_class: str | None
    new_class: str
    interval_days: int = Field(description="Days between visits that go with the new class.")
    worth: Decimal
    currency: str
    why: str
    state: ClassState
    suggested_at: datetime
    decided_at: datetime | None
    answer: str | None

    @classmethod
    def of(cls, row: queries.ChangeRow) -> "ChangeRead":
        """A row of a list."""
        own = {name: getattr(row.change, name) for name in cls.model_fields if name != "account_name"}
        return cls(**own, account_name=row.account.name)


class Decision(BaseModel):
    """What becomes of some suggestions."""

    model_config = ConfigDict(extra="forbid")

    ids: list[UUID] = Field(min_length=1, max_length=1000)
    approve: bool
    answer: str | None = Field(default=None, max_length=500, description="Why they are refused.")


@router.get("")
def list_changes(
    scope: AssignAccounts, session: Db, state: ClassState = ClassState.OPEN, limit: Limit = 500
) -> Page[ChangeRead]:
    """What is suggested for accounts that you assign, the most valuable first."""
    return Page(items=[ChangeRead.of(row) for row in queries.page(session, scope, state=state, limit=limit)])


@router.post("/decide")
def decide(body: Decision, scope: AssignAccounts, session: Db) -> dict[str, Any]:
    """Approve or refuse suggestions; those that somebody decided meanwhile stay as they are."""
    if body.approve:
        return {"decided": service.approve(session, scope, body.ids)}
    return {"decided": service.refuse(session, scope, body.ids, body.answer)}


@router.get("/rule")
def get_rule(scope: AssignAccounts, session: Db) -> RuleShape:
    """The rule as it stands."""
    return RuleShape.model_validate(service.rule(session))


@router.put("/rule")
def set_rule(body: RuleShape, scope: AssignAccounts, session: Db) -> RuleShape:
    """Set the rule; suggestions follow at once."""
    return RuleShape.model_validate(service.set_rule(session, scope, body.model_dump()))
