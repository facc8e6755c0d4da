"""Tours of published routes: what the files of a rep's days are written from."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from geoalchemy2.shape import to_shape
from sqlalchemy import Select, any_, func, literal, select
from sqlalchemy.orm import Session

from geo.types import LonLat
from routing.export.tour import Span, Tour, Withdrawn
from routing.export.types import Anchor, DaySheet, DayStop, LeftOut, Rest
from routing.roads import polyline
from routing.roads.types import Leg
from server.accounts.models import Account, Site
from server.activities.models import Visit
from server.auth.models import User
from server.kit.settings import settings
from server.plans.entry import entry_point, in_words
from server.plans.exporting import background, withdrawn
from server.plans.models import Route, Stop, Unplanned

MOST_LEFT_OUT = 15
"""So many of what did not fit stand on a sheet, the weightiest first."""


def reps_of(session: Session, span: Span) -> dict[UUID, str]:
    """Who has a published route on some days: ids with logins, by name."""
    return {user.id: user.login for _route, user in session.execute(_published(span))}


def tours(session: Session, span: Span, rep_id: UUID | None = None) -> list[Tour]:
    """The published routes of some days by rep, of everybody or of one."""
    statement = _published(span).where(Route.rep_id == rep_id) if rep_id else _published(span)
    by_rep: dict[UUID, list[tuple[Route, User]]] = {}
    for route, user in session.execute(statement):
        by_rep.setdefault(user.id, []).append((route, user))
    stops = _stops(session, [route.id for routes in by_rep.values() for route, _user in routes])
    gone = withdrawn.of(session, span, by_rep)
    return [
        _tour(
            session, span, [_sheet(session, route, user, stops.get(route.id, [])) for route, user in routes], gone[rep]
        )
        for rep, routes in by_rep.items()
    ]


def _tour(session: Session, span: Span, days: Sequence[DaySheet], gone: Sequence[Withdrawn]) -> Tour:
    points = [point for day in days for point in day.points]
    return Tour(
        span=span,
        days=tuple(days),
        withdrawn=tuple(gone),
        attribution=background.sources(session, points),
        background=background.around(session, points),
    )


type _StopRow = tuple[Stop, Account, Site, Visit | None]


def _published(span: Span) -> Select[Route, User]:
    return (
        select(Route, User)
        .join(User, User.id == Route.rep_id)
        .where(Route.day.between(span.first, span.last), Route.published_at.is_not(None), Route.deleted_at.is_(None))
        .order_by(User.name, User.login, Route.day)
    )


def _stops(session: Session, route_ids: Sequence[UUID]) -> Mapping[UUID, list[_StopRow]]:
    rows = session.execute(
        select(Stop, Account, Site, Visit)
        .join(Account, Account.id == func.account_surviving(Stop.account_id))
        .join(Site, Site.id == Stop.site_id)
        .outerjoin(Visit, Visit.id == Stop.visit_id)
        .where(Stop.route_id.in_(route_ids), Stop.deleted_at.is_(None))
        .order_by(Stop.route_id, Stop.position)
    )
    found: dict[UUID, list[_StopRow]] = {}
    for stop, account, site, visit in rows:
        found.setdefault(stop.route_id, []).append((stop, account, site, visit))
    return found


def _sheet(session: Session, route: Route, user: User, rows: list[_StopRow]) -> DaySheet:
    legs = [_leg(leg, line) for leg, line in zip(route.legs, route.polylines, strict=True)]
    start, end = _anchor(route.start_anchor), _anchor(route.end_anchor)
    return DaySheet(
        company=settings().company,
        rep=user.name,
        login=user.login,
        day=route.day,
        zone=route.zone,
        start=start,
        end=end,
        leaves_at=route.leaves_at,
        returns_at=route.returns_at,
        stops=tuple(_stop(row, leg) for row, leg in zip(rows, legs[:-1], strict=True)),
        last_leg=legs[-1],
        rest=Rest(route.break_starts_at, route.break_s) if route.break_starts_at and route.break_s else None,
        left_out=_left_out(session, route),
        source=source_of((stop.visit_id or account.id, stop.starts_at) for stop, account, *_rest in rows),
    )


def source_of(stops: Iterable[tuple[UUID, datetime]]) -> str:
    """A day's visits (or accounts) and hours in a few characters: other with another stop or hour, never by chance."""
    said = [f"{visit_id} {starts_at.astimezone(UTC).isoformat()}" for visit_id, starts_at in stops]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


def _stop(row: _StopRow, leg: Leg) -> DayStop:
    stop, account, site, visit = row
    return DayStop(
        visit_id=str(stop.visit_id or stop.id),
        account=account.name,
        point=entry_point(leg) or _pin(site) or polyline.decode(leg.polyline6)[-1],
        arrives_at=stop.arrives_at,
        starts_at=stop.starts_at,
        ends_at=stop.ends_at,
        leg=leg,
        account_number=account.number or "",
        account_class=account.account_class or "",
        site=site.name or "",
        address=_address(site),
        phone=account.phone or "",
        objective=(visit.objective if visit else None) or "",
        why=" ".join(filter(None, (in_words(stop.cautions), stop.why))),
        appointment=(visit.appointment if visit else None) or "",
        sequence=visit.rev if visit else 0,
    )


def _left_out(session: Session, route: Route) -> tuple[LeftOut, ...]:
    """What the plan wanted of this rep and could not fit, weightiest first; done by then counts no more."""
    rows = session.execute(
        select(Unplanned, Account, Site)
        .join(Account, Account.id == func.account_surviving(Unplanned.account_id))
        .outerjoin(Site, Site.id == Unplanned.site_id)
        .where(Unplanned.plan_id == route.plan_id, literal(route.rep_id) == any_(Unplanned.rep_ids))
        .order_by(Unplanned.mandatory.desc(), Unplanned.prize_s.desc(), Account.name, Unplanned.account_id)
        .limit(MOST_LEFT_OUT)
    )
    return tuple(
        LeftOut(
            account=account.name,
            reason=" ".join(str(reason["text"]) for reason in unplanned.reasons),
            address=_address(site) if site else "",
            point=_pin(site) if site else None,
        )
        for unplanned, account, site in rows
    )


def _leg(leg: Mapping[str, Any], line: str) -> Leg:
    return Leg(int(leg["seconds"]), int(leg["metres"]), line, bool(leg["estimated"]))


def _anchor(anchor: Mapping[str, Any]) -> Anchor:
    return Anchor(str(anchor["name"]), LonLat(float(anchor["lon"]), float(anchor["lat"])))


def _pin(site: Site) -> LonLat | None:
    if site.pin is None:
        return None
    lon, lat = to_shape(site.pin).coords[0]
    return LonLat(lon, lat)


def _address(site: Site) -> str:
    town = " ".join(filter(None, [site.postcode, site.city]))
    return ", ".join(filter(None, [site.street, town]))
