"""All tables of all rooms, for Alembic's comparison of models and schema."""

import importlib
import pkgutil
from typing import Any

import server
from server.kit.database import Base

for room in pkgutil.iter_modules(server.__path__):
    if room.ispkg and importlib.util.find_spec(f"server.{room.name}.models"):
        importlib.import_module(f"server.{room.name}.models")

metadata = Base.metadata


def ours(_object: Any, name: str | None, kind: str, reflected: bool, _compare_to: Any) -> bool:
    """Whether Alembic should compare this: not what belongs to PostGIS and procrastinate, nor hand-made partitions."""
    del reflected
    foreign = ("procrastinate_", "spatial_ref_sys", "alembic_version")
    return not (kind in ("table", "index") and name is not None and name.startswith(foreign))
