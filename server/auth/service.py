"""The rules of people: creating them, their passwords, signing in, teams, switching off."""

import re
from datetime import time
from functools import lru_cache
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from geoalchemy2 import WKTElement
from sqlalchemy import delete, func, select, true, update
from sqlalchemy.orm import Session

from server.auth import sessions
from server.auth.models import (
    AccessRole,
    AuthEvent,
    Device,
    DeviceState,
    DeviceToken,
    RepProfile,
    Role,
    Team,
    TeamMember,
    User,
)
from server.auth.queries import recent_failures, user_by_login
from server.kit import clock
from server.kit.database import transaction
from server.kit.errors import Conflict, Invalid, NotFound, NotSignedIn, TooManyRequests
from server.kit.locks import one_at_a_time
from server.kit.settings import settings
from server.mail.addresses import address

MIN_PASSWORD = 10
MAX_FAILURES = 10
LANGUAGES = ("en", "de")
"""What the pages are written in."""
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{1,99}")


class LoginTaken(Conflict):
    """Two people cannot share a login."""

    code = "login_taken"


class WrongPassword(NotSignedIn):
    """Login and password do not fit."""

    code = "wrong_password"


@lru_cache(maxsize=1)
def hasher() -> PasswordHasher:
    """Argon2id with the second recommended option of RFC 9106 (64 MiB, three passes)."""
    return PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


def check_password_rules(password: str) -> None:
    """Refuse passwords that are too short or endless."""
    if len(password) < MIN_PASSWORD:
        raise Invalid(
            f"The password is shorter than {MIN_PASSWORD} characters.", help="Three words make one.", field="password"
        )
    if len(password) > 500:
        raise Invalid("The password is longer than 500 characters.", field="password")


def checked_login(login: str) -> str:
    """The login in lower case; refuses spaces and odd characters."""
    login = login.strip().lower()
    if not LOGIN.fullmatch(login):
        raise Invalid(
            f"“{login}” cannot be a login.",
            help="Letters, digits and . _ @ + - are fine, at least two of them.",
            field="login",
        )
    return login


def checked_zone(zone: str | None) -> str | None:
    """The time zone; refuses names that IANA does not know."""
    if zone and zone not in available_timezones():
        raise Invalid(f"There is no time zone “{zone}”.", help="Use an IANA name such as Europe/Zurich.", field="zone")
    return zone or None


def checked_language(language: str | None) -> str | None:
    """The language; refuses one that Waymark does not speak."""
    if language and language not in LANGUAGES:
        raise Invalid(
            f"Waymark does not speak “{language}”.", help="One of: " + ", ".join(LANGUAGES) + ".", field="language"
        )
    return language or None


def checked_email(session: Session, email: str | None, user_id: UUID | None = None) -> str | None:
    """The mail address of a person; refuses what is none, and one that somebody else has."""
    if not email or not email.strip():
        return None
    found = address(email, field="email")
    # Whoever saves the same address at the same moment waits here, and then sees that it is taken.
    one_at_a_time(session, f"email of a person: {found.lower()}")
    same = select(User.id).where(func.lower(User.email) == found.lower(), User.deleted_at.is_(None))
    if session.scalar(same.where(User.id != user_id if user_id else true()).limit(1)) is not None:
        raise Conflict(f"Somebody else has the address “{found}”.", help="Choose another one.", field="email")
    return found


def check_contact_data(session: Session, user: User, changes: dict[str, Any]) -> None:
    """Put address, language and zone into their form; what stays as it is, is not asked about."""
    if "email" in changes and changes["email"] != user.email:
        changes["email"] = checked_email(session, changes["email"], user.id)
    if "language" in changes and changes["language"] != user.language:
        changes["language"] = checked_language(changes["language"])
    if "zone" in changes:
        changes["zone"] = checked_zone(changes["zone"])


def create_user(
    session: Session,
    *,
    login: str,
    name: str,
    role: Role,
    password: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    zone: str | None = None,
    language: str | None = None,
) -> User:
    """Let somebody in. Refuses a login that is taken and a weak password; a rep gets a working day."""
    login = checked_login(login)
    if session.scalar(select(User.id).where(User.login == login)) is not None:
        raise LoginTaken(f"The login “{login}” is taken.", help="Choose another one.", field="login")
    if not name.strip():
        raise Invalid("The name is empty.", field="name")
    if password is not None:
        check_password_rules(password)
    user = User(
        login=login,
        name=name.strip(),
        role=role.value,
        password_hash=hasher().hash(password) if password else None,
        email=checked_email(session, email),
        phone=phone or None,
        zone=checked_zone(zone),
        language=checked_language(language),
    )
    session.add(user)
    session.flush()
    if role is Role.REP:
        session.add(RepProfile(user_id=user.id))
    session.add(AuthEvent(kind="user_created", login=login, user_id=user.id))
    session.flush()
    session.refresh(user)
    return user


def change_user(session: Session, user_id: UUID, changes: dict[str, Any], actor: UUID) -> User:
    """Change name, role, contact data or the active flag. Switching off ends every session and phone at once.

    Refuses to take the last active admin away.
    """
    user = session.get(User, user_id, with_for_update=True)
    if user is None or user.deleted_at is not None:
        raise NotFound("There is no such user.")
    fit_role(session, user, changes)
    if user.role == Role.ADMIN and (changes.get("role", user.role) != Role.ADMIN or changes.get("active") is False):
        others = select(User.id).where(User.role == Role.ADMIN, User.active, User.id != user.id)
        if session.scalar(others.limit(1)) is None:
            raise Conflict("This is the last admin.", help="Make somebody else an admin first.")
    check_contact_data(session, user, changes)
    password = changes.pop("password", None)
    if password:
        check_password_rules(password)
        user.password_hash = hasher().hash(password)
        sessions.close_all(session, user.id)
    if {"role", "access_role_id"} & changes.keys():
        sessions.end_codes(session, sessions.codes_of(user.id))
    if changes.get("active", user.active) != user.active:
        user.left_on = None if changes["active"] else clock.today(settings().zone)
    for name, value in changes.items():
        setattr(user, name, value)
    if user.role == Role.REP and user.rep_profile is None:
        session.add(RepProfile(user_id=user.id))
    if changes.get("active") is False:
        shut_out(session, user.id)
    shown = sorted([*changes, *(["password"] if password else [])])
    session.add(AuthEvent(kind="user_changed", login=user.login, user_id=user.id, actor=actor, details={"f": shown}))
    session.flush()
    session.refresh(user)
    return user


def fit_role(session: Session, user: User, changes: dict[str, Any]) -> None:
    """Let role and variety fit each other: a variety brings its base along, another role ends the variety."""
    if changes.get("access_role_id"):
        variety = session.get(AccessRole, changes["access_role_id"])
        if variety is None or variety.deleted_at is not None or variety.is_ours:
            raise Invalid("There is no such role.", field="role")
        if changes.get("role", variety.base) != variety.base:
            raise Invalid(f"“{variety.name}” is a variety of {variety.base}.", field="role")
        changes["role"] = variety.base
    elif changes.get("role", user.role) != user.role or "access_role_id" in changes:
        changes["access_role_id"] = None


def shut_out(session: Session, user_id: UUID) -> None:
    """End every session and every phone's tokens of a person; what the phones still hold may come for a look."""
    sessions.close_all(session, user_id)
    devices = select(Device.id).where(Device.user_id == user_id)
    standing = Device.state.in_((DeviceState.ACTIVE, DeviceState.LOCKED))
    session.execute(
        update(Device)
        .where(Device.user_id == user_id, standing)
        .values(state=DeviceState.RETIRED.value)
        .execution_options(synchronize_session="fetch")
    )
    session.execute(
        update(DeviceToken)
        .where(DeviceToken.device_id.in_(devices), DeviceToken.revoked_at.is_(None))
        .values(revoked_at=clock.now())
        .execution_options(synchronize_session=False)
    )


def set_device_state(session: Session, device: Device, state: DeviceState, actor: UUID) -> None:
    """Lock, retire, wipe or free a phone. Refuses one that has wiped itself: it holds nothing and has no key."""
    if device.state == DeviceState.WIPED:
        raise Conflict("This phone has been wiped.", help="It is a new phone when somebody signs in on it again.")
    device.state = state
    session.add(
        AuthEvent(kind=f"device_{state}", user_id=device.user_id, actor=actor, details={"device": str(device.id)})
    )
    session.flush()


def set_working_day(session: Session, user_id: UUID, values: dict[str, Any]) -> RepProfile:
    """Set a rep's home, hours, break and limits. Refuses a shift that ends before it starts or a break outside it."""
    user = session.get(User, user_id)
    if user is None or user.role != Role.REP:
        raise NotFound("This person is not a rep.")
    profile = session.get(RepProfile, user_id) or RepProfile(user_id=user_id)
    home = values.pop("home", None)
    if home is not None:
        profile.home = WKTElement(f"POINT({home[0]} {home[1]})", srid=4326)
    if "end_point" in values:
        end = values.pop("end_point")
        profile.end_point = None if end is None else WKTElement(f"POINT({end[0]} {end[1]})", srid=4326)
    for name, value in values.items():
        setattr(profile, name, value)
    session.add(profile)
    session.flush()
    session.refresh(profile)
    check_shift(profile.shift_start, profile.shift_end, profile.break_earliest, profile.break_latest)
    if profile.break_earliest and minutes(profile.break_earliest) + profile.break_s / 60 > minutes(profile.shift_end):
        raise Invalid(
            f"A break of {profile.break_s // 60} minutes does not end before the shift does.",
            help="Shorten the break or let it begin earlier.",
            field="break_s",
        )
    return profile


def minutes(at: time) -> int:
    """Minutes since midnight."""
    return at.hour * 60 + at.minute


def check_shift(start: time, end: time, break_earliest: time | None, break_latest: time | None) -> None:
    """Refuse impossible shifts."""
    if end <= start:
        raise Invalid(
            f"The shift ends at {end:%H:%M}, before it starts at {start:%H:%M}.",
            help="Swap the two times.",
            field="shift_end",
        )
    if (break_earliest is None) != (break_latest is None):
        raise Invalid("The break needs both its earliest and its latest start.", field="break_latest")
    if break_earliest and break_latest and not start <= break_earliest <= break_latest <= end:
        raise Invalid(
            f"The break ({break_earliest:%H:%M}–{break_latest:%H:%M}) does not lie inside the shift "
            f"({start:%H:%M}–{end:%H:%M}).",
            help="Move the break or leave it out.",
            field="break_earliest",
        )


def set_team(session: Session, name: str, members: list[UUID]) -> Team:
    """Create a team or set who belongs to it."""
    if not name.strip():
        raise Invalid("The team's name is empty.", field="name")
    known = select(User.id).where(User.id.in_(members), User.deleted_at.is_(None))
    if len(set(session.scalars(known))) != len(set(members)):
        raise Invalid("Some of these people do not exist.", field="members")
    team = session.scalar(select(Team).where(Team.name == name.strip()))
    if team is None:
        team = Team(name=name.strip())
        session.add(team)
        session.flush()
    session.execute(delete(TeamMember).where(TeamMember.team_id == team.id))
    session.add_all(TeamMember(team_id=team.id, user_id=user_id) for user_id in dict.fromkeys(members))
    session.flush()
    return team


def check_sign_in(session: Session, login: str, password: str, *, address: str | None) -> User:
    """The user, if login and password fit. Refuses for a while after ten wrong passwords in fifteen minutes.

    A failure is written down in a transaction of its own, so that the refusal does not roll it back.
    """
    if recent_failures(session, login) >= MAX_FAILURES:
        raise TooManyRequests("Too many wrong passwords.", help="Wait fifteen minutes and try again.", after_s=900)
    user = user_by_login(session, login)
    if not fits(user, password) or user is None:
        with transaction() as separate:
            separate.add(AuthEvent(kind="sign_in_failed", login=login.strip().lower()[:200], address=address))
        raise WrongPassword("Login or password is wrong.", help="Check both; an admin can set a new password.")
    if user.password_hash and hasher().check_needs_rehash(user.password_hash):
        user.password_hash = hasher().hash(password)
    session.add(AuthEvent(kind="signed_in", login=user.login, user_id=user.id, address=address))
    return user


def fits(user: User | None, password: str) -> bool:
    """Whether the password is the user's; takes as long for strangers as for users."""
    known = user is not None and user.active and user.password_hash
    try:
        hasher().verify(str(user.password_hash) if user is not None and known else dummy_hash(), password)
    except (VerificationError, InvalidHashError):
        return False
    return bool(known)


@lru_cache(maxsize=1)
def dummy_hash() -> str:
    """A hash to check against when there is no such user."""
    return hasher().hash("nobody has this password")
