"""The rules of rights: what each role may do, the company's own varieties of roles, who looks through whose eyes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, func, inspect, or_, select
from sqlalchemy.orm import Session

from server.auth.models import AccessRole, AuthEvent, Role, TeamMember, User, WebSession
from server.auth.queries import visible_users
from server.auth.roles import EVERYTHING, FIELDS, GRANTS, FieldRight, Level, levels_of
from server.kit import clock
from server.kit.errors import Conflict, Forbidden, Invalid, NotFound


@dataclass(frozen=True)
class Rights:
    """What somebody may do."""

    levels: Mapping[str, Level]
    fields: Mapping[str, FieldRight]
    """By `object.field`, where less is allowed than the record itself."""
    name: str
    """Of the role, as people call it."""


ROLES = (
    select(
        func.json_agg(
            func.json_build_object(
                "own", AccessRole.id == User.access_role_id, "name", AccessRole.name, "grants", AccessRole.grants,
                "fields", AccessRole.fields,
            )
        )
    )
    .where(
        AccessRole.deleted_at.is_(None),
        or_(AccessRole.id == User.access_role_id, and_(AccessRole.is_ours, AccessRole.base == User.role)),
    )
    .correlate(User)
    .scalar_subquery()
)  # fmt: skip
"""The role of a user as the company changed it, and the variety of it that they were given."""
TEAMS = (
    select(func.array_agg(TeamMember.team_id)).where(TeamMember.user_id == User.id).correlate(User).scalar_subquery()
)
"""The teams a user belongs to."""
OF_USER = select(ROLES, TEAMS).where(User.id == bindparam("user"))


def rights_of(session: Session, user: User) -> Rights:
    """The rights of a user: those of their role, as the company changed it, or of the variety they were given."""
    return rights_and_teams(session, user)[0]


def rights_and_teams(session: Session, user: User) -> tuple[Rights, frozenset[UUID]]:
    """The rights of a user, and the teams they belong to."""
    roles, teams = session.execute(OF_USER, {"user": user.id}).one()
    return rights_told(Role(user.role), roles), frozenset(teams or ())


def rights_told(base: Role, roles: Sequence[Mapping[str, Any]] | None) -> Rights:
    """The rights by what `ROLES` tells; a variety that somebody was given goes before what became of their role."""
    told = sorted(roles or (), key=lambda one: not one["own"])
    return rights_by(base, told[0]["name"], told[0]["grants"], told[0]["fields"]) if told else rights_by(base)


def rights_by(
    base: Role, name: str = "", grants: Mapping[str, str] | None = None, fields: Mapping[str, str] | None = None
) -> Rights:
    """The rights of a role, or of what the company made of it."""
    there = {f"{kind}.{field}" for kind, known in FIELDS.items() for field in known} if fields else set()
    kept = {place: FieldRight(right) for place, right in (fields or {}).items() if place in there}
    return Rights(levels_of(base, grants or {}), kept, name or base.value)


def roles(session: Session) -> list[AccessRole]:
    """Every role: ours in their order, changed or not, then the company's own by name."""
    rows = session.scalars(
        select(AccessRole).where(AccessRole.deleted_at.is_(None)).order_by(func.lower(AccessRole.name))
    ).all()
    changed = {row.base: row for row in rows if row.is_ours}
    ours = [changed.get(role.value) or unchanged(role) for role in Role]
    return [*ours, *(row for row in rows if not row.is_ours)]


def is_stored(role: AccessRole) -> bool:
    """Whether anything was changed of a role of ours; a variety always is."""
    return inspect(role).persistent


def unchanged(role: Role) -> AccessRole:
    """A role of ours that nobody has changed, as a row that is not stored."""
    return AccessRole(name=role.value, base=role.value, is_ours=True, grants={}, fields={})


def role_of(session: Session, key: str) -> AccessRole:
    """A role by the key of one of ours or by the id of a variety."""
    if key in {role.value for role in Role}:
        rows = select(AccessRole).where(AccessRole.deleted_at.is_(None), AccessRole.is_ours, AccessRole.base == key)
        return session.scalars(rows).one_or_none() or unchanged(Role(key))
    try:
        found = session.get(AccessRole, UUID(key))
    except ValueError:
        found = None
    if found is None or found.deleted_at is not None:
        raise NotFound("There is no such role.")
    return found


def add_role(session: Session, name: str, base: Role, actor: UUID) -> AccessRole:
    """Make a variety of a role, with its rights to begin with. Refuses a name that is taken or empty."""
    name = named(session, name, None)
    role = AccessRole(name=name, base=base.value)
    session.add(role)
    session.add(AuthEvent(kind="role_added", actor=actor, details={"name": name, "base": base.value}))
    session.flush()
    return role


def named(session: Session, name: str, role_id: UUID | None) -> str:
    """A name for a role that no other one has."""
    name = " ".join(name.split())
    if not 1 <= len(name) <= 60:
        raise Invalid("A role needs a name of up to 60 characters.", field="name")
    same = select(AccessRole.id).where(func.lower(AccessRole.name) == name.lower(), AccessRole.deleted_at.is_(None))
    if name.lower() in {role.value for role in Role} or any(key != role_id for key in session.scalars(same)):
        raise Conflict(f"There is a role “{name}” already.", help="Choose another name.", field="name")
    return name


def change_role(
    session: Session, key: str, *, levels: Mapping[str, str], fields: Mapping[str, str], actor: UUID, name: str = ""
) -> AccessRole:
    """Set a role's rights; what equals its base is not stored.

    Refuses to change the admin, so that somebody can always set rights right again, and a right that does not exist.
    """
    role = role_of(session, key)
    base = Role(role.base)
    if role.is_ours and base is Role.ADMIN:
        raise Conflict(
            "The role admin stays as it is, so that somebody can mend the rights.", help="Make a variety of it."
        )
    for permission, level in levels.items():
        if permission not in EVERYTHING or level.upper() not in Level.__members__:
            raise Invalid(f"There is no right “{permission}: {level}”.", field=permission)
    for place, right in fields.items():
        kind, _, field = place.partition(".")
        if field not in FIELDS.get(kind, ()) or right not in [one.value for one in FieldRight]:
            raise Invalid(f"There is no right “{right}” on the field “{place}”.", field=place)
    if not is_stored(role):
        session.add(role)
    elif not role.is_ours and name:
        role.name = named(session, name, role.id)
    own = {permission: Level[level.upper()] for permission, level in levels.items()}
    role.grants = {
        permission: level.name.lower()
        for permission, level in sorted(own.items())
        if level != GRANTS[base].get(permission, Level.NONE)
    }
    role.fields = dict(sorted(fields.items()))
    session.add(AuthEvent(kind="role_changed", actor=actor, details={"name": role.name}))
    session.flush()
    return role


def remove_role(session: Session, key: str, actor: UUID) -> None:
    """Take a variety away, or what was changed of a role of ours. Refuses while people have it, and names them."""
    role = role_of(session, key)
    if not is_stored(role):
        return
    holders = select(User.name).where(User.access_role_id == role.id, User.deleted_at.is_(None)).order_by(User.name)
    names = list(session.scalars(holders.limit(6)))
    if names:
        listed = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        raise Conflict(f"People still have this role: {listed}.", help="Give them another role first.")
    role.deleted_at = clock.now()
    session.add(AuthEvent(kind="role_removed", actor=actor, details={"name": role.name}))
    session.flush()


def look_through(
    session: Session, web: WebSession, viewer: User, rights: Rights, user_id: UUID, team_ids: frozenset[UUID]
) -> User:
    """Let a browser see what somebody else sees, changing nothing, until `look_through_own`.

    Refuses people whom the viewer may not view as, and whoever may do more than the viewer.
    """
    level = rights.levels.get("users:view_as", Level.NONE)
    target = None
    if level > Level.NONE:
        people = visible_users(viewer.id, team_ids, level).where(User.id == user_id, User.active)
        target = session.scalars(people).one_or_none()
    if target is None or target.id == viewer.id:
        raise NotFound("There is nobody whom you may view as.")
    theirs = rights_of(session, target).levels
    mine = rights.levels
    if any(name not in mine or mine[name] < level == Level.ALL for name, level in theirs.items()):
        raise Forbidden(f"{target.name} may see more than you.", help="Ask an admin.")
    web.viewing_id = target.id
    session.add(AuthEvent(kind="view_as", login=target.login, user_id=target.id, actor=viewer.id))
    session.flush()
    return target


def look_through_own(session: Session, web: WebSession) -> None:
    """See with one's own eyes again."""
    web.viewing_id = None
    session.flush()
