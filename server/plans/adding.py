"""An account that people add to a plan by hand."""

from uuid import UUID

from geoalchemy2.shape import to_shape
from shapely.geometry import Point
from sqlalchemy import select
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import cadence
from server.accounts import queries as accounts
from server.accounts.models import Account, AccountRep, PinState, Site
from server.auth.access import Scope
from server.kit.errors import Invalid, NotFound
from server.plans.build import Blueprint
from server.plans.candidates import Candidate
from server.plans.due import worth_s

ADDED = "added/"
"""How the key of an added visit begins."""
LONG_INTERVAL = 84


def for_account(session: Session, scope: Scope, account_id: UUID, blueprint: Blueprint) -> Candidate:
    """A visit that an account wants because somebody says so. Refuses accounts without a pin, those of others, and
    those that are visited at agreed times only."""
    found = session.scalars(accounts.visible_to(scope).where(Account.id == account_id)).one_or_none()
    if found is None:
        raise NotFound("There is no such account.", field="account_id")
    site = _main_site(session, found)
    point = None if site is None or site.pin is None or site.pin_state == PinState.FAILED else to_shape(site.pin)
    if site is None or not isinstance(point, Point):
        raise Invalid(
            f"{found.name} has no pin on the map yet.", help="Place its pin, then add it.", field="account_id"
        )
    if found.by_appointment:
        raise Invalid(
            f"{found.name} is visited by appointment only: agree a time first.",
            help="Agree a time with “Find a time”; the planner keeps it.",
            field="account_id",
        )
    usual = cadence.rules(session).of(found)
    interval = usual.days if usual else LONG_INTERVAL
    overdue = 0 if found.last_visit_on is None else (blueprint.first_day - found.last_visit_on).days - interval
    return Candidate(
        key=f"{ADDED}{found.id}",
        account_id=found.id,
        name=found.name,
        site_id=site.id,
        point=LonLat(point.x, point.y),
        service_s=site.service_s,
        rep_ids=_reps(session, found, blueprint),
        prize_s=worth_s(found, overdue, interval),
        overdue_days=overdue,
        first_day=blueprint.first_day,
        opening_hours=site.opening_hours,
        country=site.country,
        grade=site.grade,
        uncertainty_m=site.uncertainty_m,
    )


def _reps(session: Session, account: Account, blueprint: Blueprint) -> frozenset[UUID]:
    """Of the plan's reps those who visit the account; when there is none, all of them."""
    planned = {shift.rep_id for shift in blueprint.shifts}
    assigned = set(session.scalars(select(AccountRep.user_id).where(AccountRep.account_id == account.id)))
    return frozenset((assigned | {account.owner_id}) & planned) or frozenset(planned)  # type: ignore[arg-type]


def _main_site(session: Session, account: Account) -> Site | None:
    statement = select(Site).where(Site.account_id == account.id, Site.deleted_at.is_(None))
    return session.scalars(statement.order_by(Site.is_main.desc(), Site.id).limit(1)).one_or_none()
