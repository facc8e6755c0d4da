"""The rules of sites: adding and editing them, setting pins by hand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts import editing, queries
from server.accounts.editing import Outcome
from server.accounts.locating import locate_account
from server.accounts.models import Account, PinState, Site
from server.accounts.pins import (
    BY_PEOPLE,
    PIN_FIELDS,
    align_accounts,
    follow_main_site,
    point_of,
    reset_pin,
    set_by_hand,
    withdraw_proposals,
    wkt,
)
from server.accounts.place_models import Origin
from server.accounts.values import ADDRESS, SITE, cleaned, country_code
from server.auth.access import Scope
from server.fields import service as custom
from server.jobs import defer
from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound
from server.records.editing import CUSTOM
from server.records.merging import Delta
from server.records.models import FORGOTTEN
from server.records.queries import values_at
from server.records.service import Actor

COUNTRY_EXAMPLE = "Write its name or its two letters, such as Liechtenstein or LI."


def new_site(session: Session, given: dict[str, Any]) -> Site:
    """A site as somebody describes it; with `lon` and `lat` its pin is set by hand, else it waits for the geocoder."""
    lon, lat = given.pop("lon", None), given.pop("lat", None)
    own = {name.removeprefix(CUSTOM): given.pop(name) for name in [*given] if name.startswith(CUSTOM)}
    values = {name: cleaned(SITE, name, value) for name, value in given.items()}
    values["custom"] = custom.checked(session, "site", own)
    site = Site(**{name: value for name, value in values.items() if value is not None})
    if lon is not None or lat is not None:
        set_by_hand(site, point_of(lon, lat))
    else:
        reset_pin(site)
    return site


def add_sites(session: Session, account: Account, sites: Sequence[Site]) -> None:
    """Give an account its sites; the first becomes the main one when there is none."""
    if not sites:
        return
    has_main = session.scalar(
        select(Site.id).where(Site.account_id == account.id, Site.is_main, Site.deleted_at.is_(None))
    )
    for place, site in enumerate(sites):
        site.account_id = account.id
        site.is_main = not has_main and place == 0
    session.add_all(sites)
    session.flush()
    align_accounts(session, [account.id])
    ask_for_pins(session, sites)


def ask_for_pins(session: Session, sites: Iterable[Site]) -> None:
    """Have sites without a pin placed in the background."""
    for account_id in {site.account_id for site in sites if site.pin_state == PinState.PENDING}:
        defer(session, locate_account, key=f"locate:{account_id}", account_id=str(account_id))


def create_site(session: Session, scope: Scope, account_id: UUID, given: Mapping[str, Any]) -> Site:
    """Add a site to an account."""
    account = session.scalar(queries.visible_to(scope, "accounts:write").where(Account.id == account_id))
    if account is None:
        raise NotFound("There is no such account.", id=str(account_id))
    need_place(Site(), {"country": given.get("country")})
    site = new_site(session, dict(given))
    add_sites(session, account, [site])
    session.refresh(site)
    return site


def edit_site(session: Session, scope: Scope, site_id: UUID, base_rev: int, changes: Mapping[str, Any]) -> Outcome:
    """Change fields of a site that the editor saw at `base_rev`; clashes as in `service.edit`.

    A new address sends the pin back to the geocoder, unless a person has set it.
    """
    site = find_site(session, scope, site_id)
    editor = editing.editor(session, site)
    merge = editor.merged(site, base_rev, editor.deltas_since(session, site, base_rev, changes))
    if merge.clashes:
        raise editing.changed_meanwhile(site.name or site.street or "the site", site.rev, merge.clashes)
    write_site(session, site, editor.written(site, merge.apply))
    return Outcome(site.rev, frozenset(merge.apply), merge.same)


def patch_site(
    session: Session,
    scope: Scope,
    site_id: UUID,
    base_rev: int,
    deltas: Mapping[str, Delta],
    actor: Actor,
    own: Collection[str] = (),
) -> Outcome:
    """Merge an edit of a site that was made without a network; see `service.patch`."""
    site = session.get(Site, site_id, with_for_update=True, populate_existing=True)
    if site is None:
        raise NotFound("There is no such site.", id=str(site_id))
    reach = select(Account.id).where(Account.id == site.account_id, queries.within_reach(scope, "accounts:write"))
    editor = editing.editor(session, site)
    merge = editor.merged(site, base_rev, deltas, in_scope=session.scalar(reach) is not None, own=own)
    write_site(session, site, editor.written(site, merge.apply))
    conflicts = editing.kept(session, site, merge, actor)
    return Outcome(site.rev, frozenset(merge.apply), merge.same, merge.clashes, conflicts)


def write_site(session: Session, site: Site, values: Mapping[str, Any]) -> None:
    """Write checked values of a site."""
    if not values:
        return
    need_place(site, values)
    for name, value in values.items():
        setattr(site, name, 1800 if name == "service_s" and value is None else value)
    moved = any(name in values for name in ADDRESS)
    if moved and site.grade not in BY_PEOPLE:
        reset_pin(site)
    session.flush()
    if moved:
        align_accounts(session, [site.account_id])
        ask_for_pins(session, [site])
    session.refresh(site)


def need_place(site: Site, values: Mapping[str, Any]) -> None:
    """Refuse an edit that leaves nothing to find a site by, and a country that nobody knows.

    Where people have set the pin an address may go; what was stored before the rule stays until somebody changes it.
    """
    country = values.get("country")
    if country and country != site.country and country_code(country) is None:
        raise Invalid(f"Country: “{country}” is not known.", help=COUNTRY_EXAMPLE, field="country")
    held = {name: getattr(site, name) for name in ADDRESS if name != "country"}
    if site.grade not in BY_PEOPLE and any(held.values()) and not any((held | dict(values)).get(name) for name in held):
        raise Invalid(
            "The site would have no address.",
            help="Write its street or its town, so that it can be found on the map.",
            field="street",
        )


def place_by_hand(session: Session, scope: Scope, site_id: UUID, point: LonLat, base_rev: int | None = None) -> Site:
    """Set a pin where a person says; no machine and no import moves it afterwards. Refuses an older revision.

    Reps propose a pin instead: see `accounts.proposals`.
    """
    site = find_site(session, scope, site_id)
    need_right_to_place(session, scope, site)
    if base_rev is not None:
        editing.require_revision(site.name or site.street or "the site", site.id, site.rev, base_rev)
    set_by_hand(site, point)
    withdraw_proposals(session, site.id, origin=Origin.CHECKINS)
    align_accounts(session, [site.account_id])
    if not queries.seen_of(session, scope, [site.account_id]):
        raise Forbidden("The account would leave your area with its pin.", help="Ask an admin to move it.")
    session.refresh(site)
    return site


def locate_again(session: Session, scope: Scope, site_id: UUID) -> Site:
    """Forget a pin and ask the geocoder again; one set by a person only for those who may place it themselves."""
    site = find_site(session, scope, site_id)
    if site.grade in BY_PEOPLE:
        need_right_to_place(session, scope, site)
    reset_pin(site)
    session.flush()
    align_accounts(session, [site.account_id])
    ask_for_pins(session, [site])
    session.refresh(site)
    return site


def put_pin_back(session: Session, scope: Scope, site_id: UUID, rev: int) -> Site:
    """Undo: the pin is again what it was at an earlier revision of the site, with its grade and reason."""
    site = find_site(session, scope, site_id)
    need_right_to_place(session, scope, site)
    if not 1 <= rev <= site.rev:
        raise Invalid(f"The site has no revision {rev}.", help=f"It stands at {site.rev}.", field="rev")
    now: dict[str, Any] = {name: getattr(site, name) for name in PIN_FIELDS}
    then: dict[str, Any] = {**values_at(session, "site", site.id, rev, PIN_FIELDS, now)}
    if then["pin"] == FORGOTTEN:
        raise Invalid("This pin may not be kept any longer.", help="Ask the geocoder again, or place it.", field="rev")
    if isinstance(then["pin"], dict):  # history keeps GeoJSON
        then["pin"] = wkt(LonLat(*then["pin"]["coordinates"]))
    for name, value in then.items():
        setattr(site, name, value)
    session.flush()
    align_accounts(session, [site.account_id])
    ask_for_pins(session, [site])
    session.refresh(site)
    return site


def may_place(session: Session, scope: Scope, site: Site) -> bool:
    """Whether somebody may set the pin of a site themselves."""
    if not scope.may("pins:place"):
        return False
    reach = queries.visible_to(scope, "pins:place").where(Account.id == site.account_id)
    return session.scalar(reach.with_only_columns(Account.id)) is not None


def need_right_to_place(session: Session, scope: Scope, site: Site) -> None:
    """Refuse those whose pins are proposals."""
    if not may_place(session, scope, site):
        raise Forbidden(
            "You may propose a better pin; a manager places it.",
            help=f"Send it to /api/v1/sites/{site.id}/pin-proposals.",
            permission="pins:place",
        )


def make_main(session: Session, scope: Scope, site_id: UUID) -> Site:
    """Make a site the main one of its account."""
    site = find_site(session, scope, site_id)
    session.execute(
        update(Site).where(Site.account_id == site.account_id, Site.is_main, Site.id != site.id).values(is_main=False)
    )
    site.is_main = True
    session.flush()
    follow_main_site(session, [site.account_id])
    session.refresh(site)
    return site


def delete_site(session: Session, scope: Scope, site_id: UUID, base_rev: int) -> None:
    """Take a site away. Refuses an older revision, and the main site while there are others."""
    site = find_site(session, scope, site_id)
    editing.require_revision(site.name or site.street or "the site", site.id, site.rev, base_rev)
    others = select(Site.id).where(Site.account_id == site.account_id, Site.id != site.id, Site.deleted_at.is_(None))
    if site.is_main and session.scalars(others).first() is not None:
        raise Conflict("This is the main site.", help="Make another site the main one first.")
    site.deleted_at = clock.now()
    session.flush()
    follow_main_site(session, [site.account_id])


def find_site(session: Session, scope: Scope, site_id: UUID, permission: str = "accounts:write") -> Site:
    """The site, locked for a change, when the permission reaches its account."""
    accounts = queries.visible_to(scope, permission).with_only_columns(Account.id)
    statement = select(Site).where(Site.id == site_id, Site.deleted_at.is_(None), Site.account_id.in_(accounts))
    locked = statement.with_for_update(of=Site).execution_options(populate_existing=True)
    site = session.scalars(locked).one_or_none()
    if site is None:
        raise NotFound("There is no such site.", id=str(site_id))
    return site
