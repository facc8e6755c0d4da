"""What each role may do, and on whose rows: the one table of rights.

A permission is `object:action`. The level says which rows of the object it reaches.
"""

from collections.abc import Mapping
from enum import IntEnum

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
    "activities": ("read", "write"),
    "conflicts": ("read", "decide"),
    "closures": ("read", "write"),
    "demands": ("read", "write"),
    "density": ("read", "export"),
    "devices": ("read", "manage"),
    "exports": ("read", "write"),
    "geocode": ("read",),
    "integrations": ("read", "write"),
    "pins": ("place",),
    "planning": ("read", "write"),
    "plans": ("read", "write"),
    "regions": ("read", "write"),
    "roads": ("read",),
    "sync": ("read", "write"),
    "territories": ("read", "write"),
    "users": ("read", "write"),
}
"""Every object and its actions."""

EVERYTHING = {f"{name}:{action}": Level.ALL for name, actions in OBJECTS.items() for action in actions}

GRANTS: Mapping[Role, Mapping[str, Level]] = {
    Role.REP: {
        "accounts:read": Level.TERRITORY,
        "accounts:write": Level.TERRITORY,
        "accounts:export": Level.TERRITORY,
        "activities:read": Level.TERRITORY,
        "activities:write": Level.TERRITORY,
        "conflicts:read": Level.OWN,
        "conflicts:decide": Level.OWN,
        "closures:read": Level.OWN,
        "demands:read": Level.TERRITORY,
        "demands:write": Level.TERRITORY,
        "density:read": Level.ALL,
        "devices:read": Level.OWN,
        "exports:read": Level.OWN,
        "geocode:read": Level.ALL,
        "planning:read": Level.OWN,
        "plans:read": Level.OWN,
        "plans:write": Level.OWN,
        "regions:read": Level.ALL,
        "roads:read": Level.ALL,
        "sync:read": Level.OWN,
        "sync:write": Level.OWN,
        "territories:read": Level.ALL,
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
        "conflicts:read": Level.TEAM,
        "conflicts:decide": Level.TEAM,
        "closures:read": Level.TEAM,
        "closures:write": Level.TEAM,
        "demands:read": Level.TEAM,
        "demands:write": Level.TEAM,
        "devices:read": Level.TEAM,
        "devices:manage": Level.TEAM,
        "exports:read": Level.TEAM,
        "exports:write": Level.TEAM,
        "integrations:read": Level.NONE,
        "integrations:write": Level.NONE,
        "pins:place": Level.TEAM,
        "planning:read": Level.TEAM,
        "planning:write": Level.NONE,
        "plans:read": Level.TEAM,
        "plans:write": Level.TEAM,
        "regions:write": Level.NONE,
        "sync:read": Level.OWN,
        "sync:write": Level.OWN,
        "users:read": Level.TEAM,
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
        "demands:read": Level.ALL,
        "demands:write": Level.ALL,
        "density:read": Level.ALL,
        "density:export": Level.ALL,
        "geocode:read": Level.ALL,
        "pins:place": Level.ALL,
        "regions:read": Level.ALL,
        "territories:read": Level.ALL,
        "users:read": Level.OWN,
    },
    Role.SUPPORT: {
        "accounts:read": Level.ALL,
        "accounts:write": Level.ALL,
        "accounts:assign": Level.ALL,
        "activities:read": Level.ALL,
        "activities:write": Level.ALL,
        "demands:read": Level.ALL,
        "demands:write": Level.ALL,
        "geocode:read": Level.ALL,
        "pins:place": Level.ALL,
        "plans:read": Level.ALL,
        "regions:read": Level.ALL,
        "roads:read": Level.ALL,
        "territories:read": Level.ALL,
        "users:read": Level.OWN,
    },
}
"""What each role may do."""


def levels_of(role: Role) -> dict[str, Level]:
    """The permissions of a role with their level; what is not granted is missing."""
    return {permission: level for permission, level in GRANTS[role].items() if level > Level.NONE}
