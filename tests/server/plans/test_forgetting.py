"""Plans do not keep pins that their provider lets nobody keep."""

from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from server.auth.models import User
from server.plans import basis, forgetting, queries
from server.plans.models import Plan

MOVED = text("update site set pin = st_translate(pin, 0.0001, 0) where account_id = :account")
BLUNTED = text(
    "update field_history h set new = to_jsonb('forgotten'::text) from site s"
    " where h.entity = 'site' and h.row_id = s.id and h.field = 'pin' and s.account_id = :account"
)


def test_what_a_plan_was_computed_from_goes_with_a_pin_that_may_not_be_kept_and_no_other_plans(
    session: Session,
    make_account: Callable[..., Any],
    people: dict[str, User],
    plan_now: Callable[..., Plan],
    monday: date,
    scope: Callable[[User], Any],
) -> None:
    rita = people["rita"]
    account = make_account("Borrowed", (9.51, 47.1), account_class="A", owner_id=rita.id)
    session.flush()
    session.execute(MOVED, {"account": account.id})
    session.expire_all()
    before = plan_now(people["mona"], [rita], monday)
    assert forgetting.forget_copies(session) == 0
    session.execute(BLUNTED, {"account": account.id})
    session.execute(MOVED, {"account": account.id})
    session.expire_all()
    after = plan_now(people["mona"], [rita], monday)
    assert forgetting.forget_copies(session) == 1
    assert basis.load(session, before.id) is None
    assert basis.load(session, after.id) is not None
    assert queries.plan_view(session, scope(people["mona"]), before.id).routes
