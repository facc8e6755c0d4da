"""The rules of classes: what value and potential suggest each night, and what managers make of it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text, update
from sqlalchemy.orm import Session

from server.accounts import cadence
from server.accounts import service as accounts
from server.accounts.classes import queries
from server.accounts.classes.models import Basis, ClassChange, ClassRule, ClassState
from server.auth.access import Scope
from server.auth.roles import Level
from server.kit import clock
from server.kit.errors import Forbidden, Invalid, NotFound
from server.kit.settings import settings
from server.records.currencies import rounded
from server.records.values import plain

STAYS_REFUSED_DAYS = 180
"""So long a class that was refused is not suggested again, unless the account's worth changes by a fifth."""


def rule(session: Session) -> ClassRule:
    """The rule as it stands; off until an admin switches it on."""
    found = session.get(ClassRule, True)
    return found or ClassRule(
        one=True,
        is_on=False,
        basis=Basis.PERCENTILES,
        potential_share=0.3,
        a_from=Decimal(50_000),
        b_from=Decimal(15_000),
        a_share=0.15,
        b_share=0.35,
    )


def set_rule(session: Session, scope: Scope, values: Mapping[str, Any]) -> ClassRule:
    """Set the company's rule; suggestions follow at once. Only for those who may assign every account.

    Refuses lines that do not leave room for three classes.
    """
    if scope.level("accounts:assign") < Level.TEAM:
        raise Forbidden("Only managers and admins set the rule of classes.", help="Ask your manager.")
    held = session.merge(rule(session))
    for name, value in values.items():
        setattr(held, name, rounded(Decimal(value), settings().currency) if name in ("a_from", "b_from") else value)
    if not 0 <= held.potential_share <= 1:
        raise Invalid("The weight of the potential lies between 0 and 100 %.", field="potential_share")
    if not 0 < held.b_from < held.a_from:
        raise Invalid("A has to begin above B, and B above 0.", help="E.g. 50000 and 15000.", field="a_from")
    if held.a_share <= 0 or held.b_share <= 0 or held.a_share + held.b_share >= 1:
        raise Invalid("The shares of A and B leave nothing for C.", help="E.g. 15 % and 35 %.", field="a_share")
    held.changed_by, held.changed_at = scope.user_id, clock.now()
    session.flush()
    suggest(session)
    return held


# The weight of every account, its place among those of its currency, and the class that follows.
WANTED = """
    create temporary table class_wanted on commit drop as
    with weighed as (
        select id, account_class, currency, yearly_value, yearly_potential,
               round(coalesce(yearly_value, 0) * (1 - cast(:potential as numeric))
                     + coalesce(yearly_potential, 0) * cast(:potential as numeric), 2) as worth
        from account
        where deleted_at is null and merged_into is null and status <> 'former'
          and (yearly_value is not null or yearly_potential is not null)
    ),
    placed as (
        select *, cume_dist() over (partition by currency order by worth desc) as share from weighed
    )
    select *, case
        when cast(:basis as text) = 'thresholds' then
            case when worth >= cast(:a_from as numeric) then 'A'
                 when worth >= cast(:b_from as numeric) then 'B' else 'C' end
        when share <= cast(:a_share as float) then 'A'
        when share <= cast(:ab_share as float) then 'B'
        else 'C' end as new_class
    from placed
"""

OVERTAKEN = """
    update class_change c set state = 'overtaken', decided_at = now()
    where c.state = 'open' and not exists (
        select from class_wanted w where w.id = c.account_id and w.new_class = c.new_class
          and w.account_class is not distinct from c.old_class and w.worth = c.worth)
"""

SUGGEST = """
    insert into class_change
        (id, account_id, old_class, new_class, interval_days, worth, currency, basis, share, begins_at, why, state)
    select gen_random_uuid(), w.id, w.account_class, w.new_class,
           case w.new_class when 'A' then cast(:a_days as int) when 'B' then cast(:b_days as int)
           else cast(:c_days as int) end,
           w.worth, w.currency, cast(:basis as text), w.share, l.begins_at,
           case when cast(:basis as text) = 'thresholds'
                then format('Worth %s %s a year (value %s, potential %s): %s.', w.worth, w.currency,
                            coalesce(w.yearly_value::text, 'unknown'), coalesce(w.yearly_potential::text, 'unknown'),
                            case when w.new_class = 'C' then format('B begins at %s', cast(:b_from as numeric))
                                 else format('%s begins at %s', w.new_class, l.begins_at) end)
                else format('Worth %s %s a year (value %s, potential %s): among the first %s %% of the accounts in %s.',
                            w.worth, w.currency, coalesce(w.yearly_value::text, 'unknown'),
                            coalesce(w.yearly_potential::text, 'unknown'),
                            greatest(1, ceil(w.share * 100)), w.currency)
           end, 'open'
    from class_wanted w
    cross join lateral (select case w.new_class when 'A' then cast(:a_from as numeric)
                                                when 'B' then cast(:b_from as numeric) end as begins_at) l
    where w.new_class is distinct from w.account_class
      and not exists (select from class_change c where c.account_id = w.id and c.state = 'open')
      and not exists (
          select from class_change c where c.account_id = w.id and c.state = 'refused' and c.new_class = w.new_class
            and c.decided_at > now() - make_interval(days => cast(:stays as int))
            and abs(w.worth - c.worth) <= greatest(c.worth, 1) * 0.2)
"""


def suggest(session: Session) -> int:
    """Compare every account's class with what the rule says; returns how many other classes are suggested anew."""
    held = rule(session)
    session.execute(text("drop table if exists class_wanted"))
    if not held.is_on:
        session.execute(
            update(ClassChange).where(ClassChange.state == ClassState.OPEN).values(state=ClassState.OVERTAKEN)
        )
        return 0
    intervals = cadence.rules(session)
    days = {f"{name.lower()}_days": one.days for name in "ABC" if (one := intervals.of_class(name))}
    lines = {"a_from": held.a_from, "b_from": held.b_from, "basis": str(held.basis)}
    shares = {"a_share": held.a_share, "ab_share": held.a_share + held.b_share}
    session.execute(text(WANTED), lines | shares | {"potential": held.potential_share})
    session.execute(text(OVERTAKEN))
    made = session.execute(text(SUGGEST), lines | days | {"stays": STAYS_REFUSED_DAYS})
    session.expire_all()
    return int(getattr(made, "rowcount", 0))


def approve(session: Session, scope: Scope, ids: Sequence[UUID]) -> int:
    """Give accounts the classes that are suggested; returns how many. What somebody else decided first stays."""
    changes = _deciding(session, scope, ids)
    for change in changes:
        account = accounts.find(session, scope, change.account_id, "accounts:assign")
        accounts.write(session, scope, account, {"account_class": change.new_class})
        _decide(change, scope, ClassState.APPROVED)
    session.flush()
    return len(changes)


def refuse(session: Session, scope: Scope, ids: Sequence[UUID], answer: str | None) -> int:
    """Leave accounts in their class, and say why; the same class is not suggested again for half a year."""
    changes = _deciding(session, scope, ids)
    for change in changes:
        change.answer = plain(answer, 500)
        _decide(change, scope, ClassState.REFUSED)
    session.flush()
    return len(changes)


def _deciding(session: Session, scope: Scope, ids: Sequence[UUID]) -> list[ClassChange]:
    """The open suggestions among some that somebody may decide, locked in one order."""
    scope.need("accounts:assign")
    statement = queries.visible_to(scope, "accounts:assign").where(ClassChange.id.in_(list(ids)))
    found = session.scalars(statement.order_by(ClassChange.id).with_for_update()).all()
    if len(found) < len(set(ids)):
        raise NotFound("There is no such suggestion.", help="Reload the page.")
    return [one for one in found if one.state == ClassState.OPEN]


def _decide(change: ClassChange, scope: Scope, state: ClassState) -> None:
    change.state, change.decided_by, change.decided_at = state, scope.user_id, clock.now()
