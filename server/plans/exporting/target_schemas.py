"""Wire shapes of targets and deliveries."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from server.plans.exporting.places import fingerprint
from server.plans.exporting.target_models import ExportDelivery, Target


class TargetWrite(BaseModel):
    """Where exports go."""

    name: str = Field(max_length=100)
    kind: Literal["mail", "folder", "sftp"]
    active: bool = True
    rep_ids: list[UUID] = []
    team_ids: list[UUID] = []
    formats: list[str] = ["ics", "pdf"]
    covers: Literal["day", "week", "both"] = "both"
    hour: int | None = Field(default=None, ge=0, le=23, description="Null: as soon as the files are written.")
    to_rep: bool = Field(default=True, description="mail: to the rep whose files they are.")
    copies: list[str] = Field(default=[], max_length=20, description="mail: further addresses.")
    folder: str = Field(default="", max_length=1000, description="folder, sftp.")
    host: str = Field(default="", max_length=255, description="sftp.")
    port: int = Field(default=22, ge=1, le=65535, description="sftp.")
    username: str = Field(default="", max_length=255, description="sftp.")
    secret: str | None = Field(
        default=None, max_length=20_000, description="sftp: password or private key; empty keeps."
    )


class TargetRead(BaseModel):
    """A target; its password is not shown."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    kind: str
    active: bool
    rep_ids: list[UUID]
    team_ids: list[UUID]
    formats: list[str]
    covers: str
    hour: int | None
    config: dict[str, Any]
    fingerprint: str
    """Of the key that is trusted; empty when none is."""
    offered: str
    """Of the key that the server has offered and nobody has trusted yet."""

    @classmethod
    def of(cls, target: Target) -> "TargetRead":
        """From the row, keys as fingerprints."""
        config = {name: value for name, value in target.config.items() if not name.endswith("_key")}
        keys = {name: target.config.get(name) or "" for name in ("host_key", "offered_key")}
        names = ("id", "name", "kind", "active", "rep_ids", "team_ids", "formats", "covers", "hour")
        return cls(
            **{name: getattr(target, name) for name in names},
            config=config,
            fingerprint=fingerprint(keys["host_key"]) if keys["host_key"] else "",
            offered=fingerprint(keys["offered_key"]) if keys["offered_key"] else "",
        )


class Trusted(BaseModel):
    """The fingerprint that somebody has compared."""

    fingerprint: str


class DeliveryRead(BaseModel):
    """One rep's files on their way to one target."""

    id: UUID
    target_id: UUID
    target: str
    login: str
    span: str
    revision: str
    state: str
    trouble: str
    attempts: int
    created_at: datetime
    next_at: datetime
    done_at: datetime | None

    @classmethod
    def of(cls, delivery: ExportDelivery) -> "DeliveryRead":
        """From the row; what goes by mail stands as its mail does."""
        there = delivery.mail or delivery
        names = ("id", "target_id", "login", "span", "revision", "created_at")
        state = ("state", "attempts", "next_at", "done_at")
        trouble = delivery.trouble if there is delivery else f"{delivery.trouble} {there.trouble}".strip()
        return cls(
            **{name: getattr(delivery, name) for name in names},
            **{name: getattr(there, name) for name in state},
            trouble=trouble,
            target=delivery.target.name,
        )
