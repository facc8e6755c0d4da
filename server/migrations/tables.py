"""All tables of all rooms, for Alembic's comparison of models and schema."""

import importlib
import pkgutil
from typing import Any

import server
from server.kit.database import Base

for module in pkgutil.walk_packages(server.__path__, "server."):
    if module.name.endswith("models"):
        importlib.import_module(module.name)

metadata = Base.metadata


def ours(_object: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """Whether Alembic should compare this: not what belongs to PostGIS and procrastinate, nor hand-made partitions."""
    del reflected
    foreign = ("procrastinate_", "spatial_ref_sys", "alembic_version")
    return not (kind in ("table", "index") and name is not None and name.startswith(foreign))
