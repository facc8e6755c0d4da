"""Changes of a site's place that can be undone exactly: each keeps what was there before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from server.accounts.locating import locate_pending
from server.accounts.models import Account, Site
from server.accounts.pins import align_accounts
from server.accounts.place_models import ChangeState, SiteChange
from server.auth.models import User
from server.jobs import defer
from server.kit import clock
from server.records.service import BY_ITSELF

PLACE = (
    "street", "postcode", "city", "country", "pin", "pin_state", "grade", "uncertainty_m", "confidence",
    "geocode_reason", "provider", "region_version",
)  # fmt: skip
"""What a change of a place may touch."""

SNAPSHOT = f"jsonb_build_object({', '.join(f"'{n}', s.{n}::text" if n == 'pin' else f"'{n}', s.{n}" for n in PLACE)})"
"""The place of site `s`; the pin as hexadecimal EWKB, which loses nothing."""

CASTS = {"pin": "geometry", "uncertainty_m": "double precision", "confidence": "double precision"}
FROM_BEFORE = ", ".join(f"{n} = (c.before ->> '{n}'){f'::{CASTS[n]}' if n in CASTS else ''}" for n in PLACE)

CHANGED = f"""h.entity = 'site' and h.row_id = s.id and h.rev > c.done_rev and h.field = any(:place)
    and not {BY_ITSELF} and not exists (
        select from field_history w
        where w.entity = 'site' and w.row_id = h.row_id and w.rev > c.done_rev and w.field = any(:place)
          and (w.source = 'undo') <> (h.source = 'undo')
          and (w.op_id = h.op_id
               or exists (select from import_run r where (r.id, r.undo_op) in ((h.op_id, w.op_id), (w.op_id, h.op_id))))
    )"""  # noqa: S608 -- put together from our own constants
"""Of site `s` since change `c`: what a person, an import or check-ins did, not the geocoder in the background. What was
taken back since counts as if it had never been, as does its undo.
"""

UNDO = f"""
    with back as (
        update site s set {FROM_BEFORE}
        from site_change c
        where {{which}} and c.state = 'done' and s.id = c.site_id and s.deleted_at is null
          and c.after <> '{{{{}}}}' and not exists (select from field_history h where {CHANGED})
        returning c.id, s.account_id
    ),
    noted as (
        update site_change c set undone_at = :now,
               state = case when c.after = '{{{{}}}}' or exists (select from back where back.id = c.id)
                            then 'undone' else 'kept' end
        where {{which}} and c.state = 'done'
        returning c.id
    )
    select back.account_id from back, (select count(*) from noted) as all_noted
"""  # noqa: S608


@dataclass(frozen=True)
class Later:
    """Who has changed a place after a change of ours."""

    account_id: UUID
    account: str
    fields: tuple[str, ...]
    by: str | None
    """None: nobody who is known, or check-ins alone."""
    at: datetime
    by_checkins: bool


def snapshot(session: Session, site_id: UUID) -> dict[str, Any]:
    """A site's place as it is now."""
    session.flush()
    found: dict[str, Any] = session.execute(
        text(f"select {SNAPSHOT} from site s where s.id = :id"),  # noqa: S608
        {"id": site_id},
    ).scalar_one()
    return found


def keep(
    session: Session, change_id: UUID, site: Site, before: dict[str, Any], verb: str, base_rev: int, actor: UUID
) -> SiteChange:
    """Write down a decision that was just made of a site."""
    now = snapshot(session, site.id)
    session.refresh(site)
    change = SiteChange(
        id=change_id,
        site_id=site.id,
        verb=verb,
        before=before,
        after={name: value for name, value in now.items() if value != before[name]},
        base_rev=base_rev,
        done_rev=site.rev,
        state=ChangeState.DONE,
        actor=actor,
        done_at=clock.now(),
    )
    session.add(change)
    session.flush()
    return change


def undo(session: Session, which: str, values: dict[str, Any]) -> int:
    """Put places back exactly, but those that somebody has changed since; returns how many went back.

    `which` is a condition on `site_change c`.
    """
    session.flush()
    parameters = {**values, "now": clock.now(), "place": list(PLACE)}
    accounts = list(session.execute(text(UNDO.format(which=which)), parameters).scalars())
    align_accounts(session, sorted(set(accounts)))
    defer(session, locate_pending, key="accounts.locate_pending")
    session.expire_all()
    return len(accounts)


LATER = f"""
    select a.id, a.name, array_agg(distinct h.field) as fields, max(u.name) as by, max(h.at) as at,
           bool_or(h.source = 'checkins') as by_checkins
    from site_change c
    join site s on s.id = c.site_id
    join account a on a.id = s.account_id
    join field_history h on {CHANGED} and (c.undone_at is null or h.at < c.undone_at)
    left join app_user u on u.id = h.actor
    where {{which}} and c.state in ('done', 'kept') and c.after <> '{{{{}}}}'
    group by a.id, a.name order by a.name, a.id limit {{limit}}
"""  # noqa: S608


def changed_later(session: Session, which: str, values: dict[str, Any], limit: int = 200) -> list[Later]:
    """The places that an undo leaves alone, and who has changed them."""
    parameters = {**values, "place": list(PLACE)}
    rows = session.execute(text(LATER.format(which=which, limit=limit)), parameters)
    return [Later(row.id, row.name, tuple(row.fields), row.by, row.at, row.by_checkins) for row in rows]


def forgotten(session: Session, run_id: UUID) -> int:
    """How many former pins of a repair may not be kept any longer; an undo has these places located anew."""
    gone = SiteChange.before.has_key("forgotten") & (SiteChange.run_id == run_id)
    return session.scalar(select(func.count()).where(gone)) or 0


@dataclass(frozen=True)
class Decided:
    """A decision at the desk as a list shows it."""

    id: UUID
    site_id: UUID
    account_id: UUID
    account: str
    verb: str
    by: str | None
    at: datetime | None


def decisions(
    session: Session, sites: Sequence[UUID] = (), *, actor: UUID | None = None, limit: int = 30
) -> list[Decided]:
    """Decisions that still hold, the latest first: of some sites, or by somebody."""
    statement = (
        select(SiteChange, Account.id, Account.name, User.name)
        .join(Site, Site.id == SiteChange.site_id)
        .join(Account, Account.id == Site.account_id)
        .outerjoin(User, User.id == SiteChange.actor)
        .where(SiteChange.run_id.is_(None), SiteChange.state == ChangeState.DONE)
        .order_by(SiteChange.done_at.desc(), SiteChange.id.desc())
        .limit(limit)
    )
    if sites:
        statement = statement.where(SiteChange.site_id.in_(sites))
    if actor is not None:
        statement = statement.where(SiteChange.actor == actor)
    return [
        Decided(change.id, change.site_id, account_id, name, change.verb, by, change.done_at)
        for change, account_id, name, by in session.execute(statement)
    ]
