"""What each role may do, and on whose rows: the one table of rights.

A permission is `object:action`. The level says which rows of the object it reaches.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum

from server.auth.models import Role


class Level(IntEnum):
    """Whose rows, from few to all."""

    NONE = 0
    OWN = 1
    TEAM = 2
    TERRITORY = 3
    REGION = 4
    ALL = 5


OBJECTS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("read", "write", "assign", "delete", "import", "export", "merge"),
    "activities": ("read", "write", "import", "export"),
    "closures": ("read", "write"),
    "conflicts": ("read", "decide"),
    "contacts": ("read", "write", "import", "export"),
    "demands": ("read", "write"),
    "density": ("read", "export"),
    "devices": ("read", "manage"),
    "exports": ("read", "write"),
    "fields": ("read", "write"),
    "geocode": ("read",),
    "imports": ("read",),
    "integrations": ("read", "write"),
    "leads": ("read", "write", "assign", "import", "export"),
    "notifications": ("read",),
    "opportunities": ("read", "write", "import", "export"),
    "orders": ("read", "write", "import", "export"),
    "pins": ("place",),
    "pipelines": ("read", "write"),
    "planning": ("read", "write"),
    "plans": ("read", "write"),
    "products": ("read", "write"),
    "regions": ("read", "write"),
    "roads": ("read",),
    "segments": ("read", "write"),
    "sync": ("read", "write"),
    "territories": ("read", "write"),
    "tickets": ("read", "write", "assign", "import", "export"),
    "tracks": ("read",),
    "users": ("read", "write", "view_as"),
}
"""Every object and its actions."""

EVERYTHING = {f"{name}:{action}": Level.ALL for name, actions in OBJECTS.items() for action in actions}

FIELDS: Mapping[str, tuple[str, ...]] = {
    "account": ("account_class", "yearly_value", "yearly_potential", "phone", "email", "website", "tags", "note"),
    "contact": ("phones", "mails", "birthday", "note"),
    "lead": ("score", "expected_value", "phones", "emails", "message", "note"),
    "opportunity": ("amount", "probability", "next_step", "competitors", "reason", "note"),
    "order": ("totals", "note", "internal_note"),
    "ticket": ("requester", "rating", "tags"),
}
"""Fields that a role can be kept from, by kind of record."""


class FieldRight(StrEnum):
    """What is left of a field that somebody is kept from; a field without one is read and written as its record."""

    HIDDEN = "hidden"
    """Neither seen, searched, filtered by, exported nor sent to a phone."""
    FIXED = "fixed"
    """Seen, but not changed."""


GRANTS: Mapping[Role, Mapping[str, Level]] = {
    Role.REP: {
        "accounts:read": Level.TERRITORY,
        "accounts:write": Level.TERRITORY,
        "accounts:export": Level.TERRITORY,
        "activities:read": Level.TERRITORY,
        "activities:write": Level.TERRITORY,
        "activities:export": Level.TERRITORY,
        "closures:read": Level.OWN,
        "conflicts:read": Level.OWN,
        "conflicts:decide": Level.OWN,
        "contacts:read": Level.TERRITORY,
        "contacts:write": Level.TERRITORY,
        "contacts:export": Level.TERRITORY,
        "demands:read": Level.TERRITORY,
        "demands:write": Level.TERRITORY,
        "density:read": Level.ALL,
        "devices:read": Level.OWN,
        "exports:read": Level.OWN,
        "fields:read": Level.ALL,
        "geocode:read": Level.ALL,
        "leads:read": Level.TERRITORY,
        "leads:write": Level.TERRITORY,
        "leads:export": Level.TERRITORY,
        "notifications:read": Level.OWN,
        "opportunities:read": Level.TERRITORY,
        "opportunities:write": Level.TERRITORY,
        "opportunities:export": Level.TERRITORY,
        "orders:read": Level.TERRITORY,
        "orders:write": Level.TERRITORY,
        "orders:export": Level.TERRITORY,
        "pipelines:read": Level.ALL,
        "planning:read": Level.OWN,
        "plans:read": Level.OWN,
        "plans:write": Level.OWN,
        "products:read": Level.ALL,
        "regions:read": Level.ALL,
        "roads:read": Level.ALL,
        "segments:read": Level.OWN,
        "segments:write": Level.OWN,
        "sync:read": Level.OWN,
        "sync:write": Level.OWN,
        "territories:read": Level.ALL,
        "tickets:read": Level.TERRITORY,
        "tickets:write": Level.TERRITORY,
        "tickets:export": Level.TERRITORY,
        "tracks:read": Level.OWN,
        "users:read": Level.OWN,
    },
    Role.MANAGER: EVERYTHING
    | {
        "accounts:read": Level.TEAM,
        "accounts:write": Level.TEAM,
        "accounts:assign": Level.TEAM,
        "accounts:delete": Level.TEAM,
        "accounts:import": Level.OWN,
        "accounts:export": Level.TEAM,
        "accounts:merge": Level.TEAM,
        "activities:read": Level.TEAM,
        "activities:write": Level.TEAM,
        "activities:import": Level.OWN,
        "activities:export": Level.TEAM,
        "closures:read": Level.TEAM,
        "closures:write": Level.TEAM,
        "conflicts:read": Level.TEAM,
        "conflicts:decide": Level.TEAM,
        "contacts:read": Level.TEAM,
        "contacts:write": Level.TEAM,
        "contacts:import": Level.OWN,
        "contacts:export": Level.TEAM,
        "demands:read": Level.TEAM,
        "demands:write": Level.TEAM,
        "devices:read": Level.TEAM,
        "devices:manage": Level.TEAM,
        "exports:read": Level.TEAM,
        "exports:write": Level.TEAM,
        "fields:write": Level.NONE,
        "integrations:read": Level.NONE,
        "integrations:write": Level.NONE,
        "leads:read": Level.TEAM,
        "leads:write": Level.TEAM,
        "leads:assign": Level.TEAM,
        "leads:import": Level.OWN,
        "leads:export": Level.TEAM,
        "notifications:read": Level.OWN,
        "opportunities:read": Level.TEAM,
        "opportunities:write": Level.TEAM,
        "opportunities:import": Level.OWN,
        "opportunities:export": Level.TEAM,
        "orders:read": Level.TEAM,
        "orders:write": Level.TEAM,
        "orders:import": Level.OWN,
        "orders:export": Level.TEAM,
        "pins:place": Level.TEAM,
        "planning:read": Level.TEAM,
        "planning:write": Level.NONE,
        "plans:read": Level.TEAM,
        "plans:write": Level.TEAM,
        "regions:write": Level.NONE,
        "segments:read": Level.TEAM,
        "segments:write": Level.TEAM,
        "sync:read": Level.OWN,
        "sync:write": Level.OWN,
        "tickets:read": Level.TEAM,
        "tickets:write": Level.TEAM,
        "tickets:assign": Level.TEAM,
        "tickets:import": Level.OWN,
        "tickets:export": Level.TEAM,
        "tracks:read": Level.TEAM,
        "users:read": Level.TEAM,
        "users:view_as": Level.TEAM,
        "users:write": Level.NONE,
    },
    Role.ADMIN: EVERYTHING,
    Role.MARKETING: {
        "accounts:read": Level.ALL,
        "accounts:write": Level.ALL,
        "accounts:assign": Level.ALL,
        "accounts:import": Level.ALL,
        "accounts:export": Level.ALL,
        "activities:read": Level.ALL,
        "activities:export": Level.ALL,
        "contacts:read": Level.ALL,
        "contacts:write": Level.ALL,
        "contacts:import": Level.ALL,
        "contacts:export": Level.ALL,
        "demands:read": Level.ALL,
        "demands:write": Level.ALL,
        "density:read": Level.ALL,
        "density:export": Level.ALL,
        "fields:read": Level.ALL,
        "geocode:read": Level.ALL,
        "imports:read": Level.ALL,
        "leads:read": Level.ALL,
        "leads:write": Level.ALL,
        "leads:assign": Level.ALL,
        "leads:import": Level.ALL,
        "leads:export": Level.ALL,
        "notifications:read": Level.OWN,
        "opportunities:read": Level.ALL,
        "opportunities:export": Level.ALL,
        "orders:read": Level.ALL,
        "orders:export": Level.ALL,
        "pins:place": Level.ALL,
        "pipelines:read": Level.ALL,
        "products:read": Level.ALL,
        "regions:read": Level.ALL,
        "segments:read": Level.ALL,
        "segments:write": Level.ALL,
        "territories:read": Level.ALL,
        "tickets:read": Level.ALL,
        "tickets:export": Level.ALL,
        "users:read": Level.OWN,
    },
    Role.SUPPORT: {
        "accounts:read": Level.ALL,
        "accounts:write": Level.ALL,
        "accounts:assign": Level.ALL,
        "activities:read": Level.ALL,
        "activities:write": Level.ALL,
        "activities:import": Level.ALL,
        "activities:export": Level.ALL,
        "contacts:read": Level.ALL,
        "contacts:write": Level.ALL,
        "contacts:import": Level.ALL,
        "contacts:export": Level.ALL,
        "demands:read": Level.ALL,
        "demands:write": Level.ALL,
        "fields:read": Level.ALL,
        "geocode:read": Level.ALL,
        "imports:read": Level.ALL,
        "leads:read": Level.ALL,
        "notifications:read": Level.OWN,
        "opportunities:read": Level.ALL,
        "orders:read": Level.ALL,
        "pins:place": Level.ALL,
        "pipelines:read": Level.ALL,
        "plans:read": Level.ALL,
        "products:read": Level.ALL,
        "regions:read": Level.ALL,
        "roads:read": Level.ALL,
        "segments:read": Level.ALL,
        "segments:write": Level.ALL,
        "territories:read": Level.ALL,
        "tickets:read": Level.ALL,
        "tickets:write": Level.ALL,
        "tickets:assign": Level.ALL,
        "tickets:import": Level.ALL,
        "tickets:export": Level.ALL,
        "users:read": Level.OWN,
    },
}
"""What each role may do."""


def levels_of(role: Role, changes: Mapping[str, str] | None = None) -> dict[str, Level]:
    """The permissions of a role with their level, after what a company changed; what is not granted is missing."""
    changed = {permission: Level[level.upper()] for permission, level in (changes or {}).items()}
    return {
        permission: level
        for permission, level in (dict(GRANTS[role]) | changed).items()
        if level > Level.NONE and permission in EVERYTHING
    }
