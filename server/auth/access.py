"""Who asks, and what they may see: every route declares `requires("object:action")` or `public`."""

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from sqlalchemy import select
from sqlalchemy.orm import Session

from server.auth import idempotency, sessions, tokens, veil
from server.auth.models import Role, User
from server.auth.rights import rights_and_teams, rights_of
from server.auth.roles import OBJECTS, FieldRight, Level, levels_of
from server.kit.database import Db
from server.kit.errors import Forbidden, NotSignedIn
from server.records.service import Actor, acting


@dataclass(frozen=True)
class Scope:
    """A person's rights at this moment: decides rows in lists, maps, tiles, exports and on phones alike."""

    user_id: UUID
    name: str
    role: Role
    team_ids: frozenset[UUID]
    levels: Mapping[str, Level]
    source: str
    """`web`, `api`, `sync` or `cli`."""
    zone: str | None = None
    language: str | None = None
    device_id: UUID | None = None
    csrf: str = ""
    """For pages: the token that forms send back."""
    role_name: str = ""
    """The role as people call it; a company may have varieties of its own."""
    fields: Mapping[str, FieldRight] = field(default_factory=dict)
    """What is less than the record's own right, by `object.field`."""
    viewer: str = ""
    """The name of the person who looks through this one's eyes, and may change nothing; empty: nobody does."""

    def sees(self, kind: str, name: str) -> bool:
        """Whether a field of a kind of record is seen, searched, filtered by, exported and sent to a phone."""
        return self.fields.get(f"{kind}.{name}") is not FieldRight.HIDDEN

    def changes(self, kind: str, name: str) -> bool:
        """Whether a field may be written by whoever may write the record."""
        return f"{kind}.{name}" not in self.fields

    def hidden(self, kind: str) -> frozenset[str]:
        """The names of what is hidden of a kind of record: in tables, on the wire, in filters, sorts and files."""
        return veil.hidden_names(self.fields, kind) if self.fields else frozenset()

    def asks(self, kind: str, name: str) -> bool:
        """Whether there is a field of that name for this reader, e.g. to filter or sort by."""
        return name not in self.hidden(kind)

    def askable[T](self, kind: str, named: Mapping[str, T]) -> dict[str, T]:
        """What is left of things by their field's name for this reader: sort keys, filter fields, columns."""
        hidden = self.hidden(kind)
        return {name: thing for name, thing in named.items() if name not in hidden}

    def may_change(self, kind: str, names: Iterable[str]) -> bool:
        """Whether all fields that go by these names may be written."""
        return all(self.changes(kind, field) for field in veil.fields_of(kind, names))

    def need_changes(self, kind: str, names: Iterable[str]) -> None:
        """Refuse a change of fields that the role keeps somebody from; names them."""
        kept = sorted(field for field in veil.fields_of(kind, names) if not self.changes(kind, field))
        if kept:
            raise Forbidden(
                f"Your role ({self.role_name}) may not change {', '.join(kept)}.", help="Ask an admin.", field=kept[0]
            )

    def need_sees(self, kind: str, name: str) -> None:
        """Refuse what would tell a hidden field all the same."""
        if not self.sees(kind, name):
            raise Forbidden(f"Your role ({self.role_name}) may not see {name}.", help="Ask an admin.", field=name)

    def level(self, permission: str) -> Level:
        """Whose rows a permission reaches."""
        return self.levels.get(permission, Level.NONE)

    def may(self, permission: str) -> bool:
        """Whether the permission is granted at all."""
        return self.level(permission) > Level.NONE

    def need(self, permission: str) -> None:
        """Refuse when the permission is not granted."""
        if not self.may(permission):
            raise Forbidden(
                f"Your role ({self.role_name or self.role}) may not do this.",
                help="Ask an admin for the right.",
                permission=permission,
            )

    @cached_property
    def reach(self) -> tuple[Hashable, ...]:
        """All that decides what is read: who has the same reads the same, so a statement may be kept under it."""
        rights = frozenset(self.levels.items()), frozenset(self.fields.items())
        return (self.user_id, self.role, self.team_ids, *rights, self.zone)

    @property
    def actor(self) -> Actor:
        """Who writes, for the history."""
        return Actor(user_id=self.user_id, source=self.source, device_id=self.device_id)


def scope_of(
    session: Session,
    user: User,
    *,
    source: str,
    device_id: UUID | None = None,
    csrf: str = "",
    only: frozenset[str] | None = None,
) -> Scope:
    """The scope of a user, read from the tables now; `only` narrows it to a token's permissions."""
    rights, teams = rights_and_teams(session, user)
    levels = dict(rights.levels)
    if only is not None:
        levels = {permission: level for permission, level in levels.items() if permission in only}
    return Scope(
        user_id=user.id,
        name=user.name,
        role=Role(user.role),
        role_name=rights.name,
        fields=rights.fields,
        team_ids=teams,
        levels=levels,
        source=source,
        zone=user.zone,
        language=user.language,
        device_id=device_id,
        csrf=csrf,
    )


def leading(session: Session, permission: str) -> Iterator[Scope]:
    """The managers and admins who have a permission, for what a job or a service tells them."""
    here = User.role.in_((Role.MANAGER, Role.ADMIN)) & User.active & User.deleted_at.is_(None)
    for one in session.scalars(select(User).where(here).order_by(User.id)).all():
        scope = scope_of(session, one, source="job")
        if scope.may(permission):
            yield scope


def need_all_rights(session: Session, scope: Scope) -> None:
    """Refuse a key that has only some of its owner's rights: it does not change its owner."""
    if scope.source == "api":
        whole = rights_of(session, session.get_one(User, scope.user_id)).levels
        if len(scope.levels) < len(whole):
            raise Forbidden("A key with some rights only does not change its owner.", help="Sign in to do this.")


def system_scope() -> Scope:
    """The scope of commands and jobs that act for nobody in particular: everything."""
    return Scope(
        user_id=UUID(int=0),
        name="Waymark",
        role=Role.ADMIN,
        team_ids=frozenset(),
        levels=levels_of(Role.ADMIN),
        source="job",
    )


def signed_in(request: Request, session: Session) -> Scope:
    """Who asks: by bearer token (programs and phones) or by cookie (browsers)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        user, device_id, only = tokens.owner(session, token.strip())
        return scope_of(session, user, source="sync" if device_id else "api", device_id=device_id, only=only)
    cookie = request.cookies.get(sessions.COOKIE)
    if cookie:
        web_session, user = sessions.resume(session, cookie)
        seen = sessions.viewed(session, web_session)
        if seen is None:
            return scope_of(session, user, source="web", csrf=web_session.csrf)
        return replace(scope_of(session, seen, source="web", csrf=web_session.csrf), viewer=user.name)
    raise NotSignedIn("You are not signed in.", help="Sign in, or send an API token as “Authorization: Bearer …”.")


async def form_csrf(request: Request) -> str:
    """The CSRF token that an unsafe request brings along, in its header or its form; a page that refuses the form finds
    it in `request.state.sent`.
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or "authorization" in request.headers:
        return ""
    token = request.headers.get("x-csrf-token", "")
    kind = request.headers.get("content-type", "")
    if not token and kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        request.state.sent = await request.form()
        token = str(request.state.sent.get("_csrf", ""))
    return token


BEARER = HTTPBearer(
    scheme_name="bearer",
    description="An API token, sent as `Authorization: Bearer …`; made with `POST /api/v1/api-tokens`.",
    auto_error=False,
)
"""Said in the API's description; who asks is found by `signed_in`."""


class Requires:
    """A route's access requirement."""

    def __init__(self, permission: str, *, also_viewing: bool = False) -> None:
        name, _, action = permission.partition(":")
        if action not in OBJECTS.get(name, ()):
            raise ValueError(f"unknown permission {permission}")
        self.permission = permission
        self.also_viewing = also_viewing

    def __call__(
        self, request: Request, session: Db, csrf: str = Depends(form_csrf), _: object = Depends(BEARER)
    ) -> Scope:
        """The scope of the person who asks; refuses strangers, forged forms and missing rights."""
        scope = signed_in(request, session)
        if scope.source == "web":
            sessions.check_origin(request, expected=scope.csrf, received=csrf)
            if scope.viewer and not self.also_viewing and request.method not in sessions.SAFE_METHODS:
                raise Forbidden(
                    f"You look through the eyes of {scope.name}; nothing can be changed this way.",
                    help="Stop viewing as somebody else first.",
                )
        scope.need(self.permission)
        veil.draw(scope.fields, session, reads_only=request.method in sessions.SAFE_METHODS)
        acting(session, scope.actor)
        idempotency.claim(request, session, scope.user_id)
        return scope


class Public:
    """Marks a route that anybody may call, with the reason why."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def __call__(self) -> None:
        """Let everybody in."""


def requires(permission: str, *, also_viewing: bool = False) -> Any:
    """Declare what a route requires: `scope: Annotated[Scope, requires("accounts:read")]`.

    Who looks through somebody else's eyes changes nothing, but for the routes that end that.
    """
    return Depends(Requires(permission, also_viewing=also_viewing))


def public(reason: str) -> Any:
    """Declare a route open: `dependencies=[public("health check")]`."""
    return Depends(Public(reason))
