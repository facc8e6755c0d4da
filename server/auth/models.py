"""Tables of people, their keys and their devices."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry, WKBElement, WKTElement
from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from server.kit.database import Base
from server.kit.ids import uuid7
from server.records.models import Record


class Role(StrEnum):
    """What somebody does in the company; `server.auth.roles` says what each may do."""

    REP = "rep"
    MANAGER = "manager"
    ADMIN = "admin"
    MARKETING = "marketing"
    SUPPORT = "support"


class AccessRole(Record, Base):
    """What a role may do where that differs from `server.auth.roles`: a changed role of ours, or one of the company."""

    __tablename__ = "access_role"

    name: Mapped[str] = mapped_column(comment="As people call it; of ours the key of `Role`.")
    base: Mapped[str] = mapped_column(comment="The `Role` that it is a variety of.")
    is_ours: Mapped[bool] = mapped_column(server_default=text("false"), comment="A change of the base itself.")
    grants: Mapped[dict[str, str]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="Level by permission, where it differs from the base."
    )
    fields: Mapped[dict[str, str]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb"), comment="`hidden` or `fixed` by `object.field`."
    )

    __table_args__ = (
        CheckConstraint("base in ('rep', 'manager', 'admin', 'marketing', 'support')", name="base"),
        Index("uq_access_role_name", text("lower(name)"), unique=True, postgresql_where=text("deleted_at is null")),
    )


class User(Record, Base):
    """A person who can sign in."""

    __tablename__ = "app_user"

    login: Mapped[str] = mapped_column(unique=True, comment="Lower case.")
    name: Mapped[str]
    email: Mapped[str | None]
    phone: Mapped[str | None]
    role: Mapped[str]
    access_role_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("access_role.id"), index=True, comment="A variety of the role that the company made."
    )
    password_hash: Mapped[str | None] = mapped_column(comment="Argon2id; null while no password is set.")
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    left_on: Mapped[date | None] = mapped_column(
        comment="Switched off on this day of the company's zone; null: they are here."
    )
    language: Mapped[str | None]
    zone: Mapped[str | None] = mapped_column(comment="IANA time zone.")

    rep_profile: Mapped["RepProfile | None"] = relationship(back_populates="user", lazy="selectin")


class RepProfile(Base):
    """A rep's working day, for the planner."""

    __tablename__ = "rep_profile"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    home_name: Mapped[str] = mapped_column(server_default="Home")
    home: Mapped[WKBElement | WKTElement | None] = mapped_column(Geometry("POINT", srid=4326, spatial_index=False))
    shift_start: Mapped[time] = mapped_column(server_default=text("'08:00'"))
    shift_end: Mapped[time] = mapped_column(server_default=text("'17:00'"))
    break_earliest: Mapped[time | None] = mapped_column(server_default=text("'11:30'"), comment="Null: no break.")
    break_latest: Mapped[time | None] = mapped_column(server_default=text("'13:30'"))
    break_s: Mapped[int] = mapped_column(server_default=text("2700"))
    max_drive_s: Mapped[int | None] = mapped_column(Integer)
    max_visits: Mapped[int | None] = mapped_column(SmallInteger)
    overtime_s: Mapped[int] = mapped_column(server_default=text("0"), comment="How long after the shift's end at most.")
    overtime_cost: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("2"), comment="What a second of it costs, in seconds of driving."
    )
    end_name: Mapped[str | None] = mapped_column(comment="Where the day ends, when not where it starts.")
    end_point: Mapped[WKBElement | WKTElement | None] = mapped_column(
        Geometry("POINT", srid=4326, spatial_index=False), comment="Null: where the day starts."
    )
    nights_a_week: Mapped[int] = mapped_column(
        SmallInteger, server_default=text("0"), comment="Hotel nights that the planner may use."
    )
    weekdays: Mapped[list[int]] = mapped_column(
        ARRAY(SmallInteger), server_default=text("'{0,1,2,3,4}'"), comment="Working days, 0 = Monday."
    )

    user: Mapped[User] = relationship(back_populates="rep_profile")


class Team(Record, Base):
    """Reps and the manager who leads them."""

    __tablename__ = "team"

    name: Mapped[str] = mapped_column(unique=True)


class TeamMember(Base):
    """Who belongs to which team."""

    __tablename__ = "team_member"

    team_id: Mapped[UUID] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True, index=True)


class WebSession(Base):
    """One signed-in browser."""

    __tablename__ = "web_session"

    token_hash: Mapped[bytes] = mapped_column(primary_key=True, comment="SHA-256 of the cookie.")
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str]
    viewing_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("app_user.id", ondelete="SET NULL"), comment="Whose eyes the browser looks through."
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    user_agent: Mapped[str | None]


class ApiToken(Base):
    """A key for programs; acts with its owner's rights, or fewer."""

    __tablename__ = "api_token"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    permissions: Mapped[list[str] | None] = mapped_column(ARRAY(Text), comment="Null: all that the owner may do.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_used_on: Mapped[date | None]
    per_minute: Mapped[int | None] = mapped_column(comment="So many requests at most; null: no limit.")
    minute_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), comment="The minute that is counted.")
    minute_count: Mapped[int] = mapped_column(server_default=text("0"), comment="Requests in it.")
    expires_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class IdempotentAnswer(Base):
    """What was answered to a request with an idempotency key: the same request again gets the same answer."""

    __tablename__ = "idempotent_answer"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    route: Mapped[str] = mapped_column(comment="Method and path.")
    body_hash: Mapped[bytes] = mapped_column(comment="SHA-256 of the body and its type.")
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)
    status: Mapped[int | None] = mapped_column(SmallInteger, comment="Null: the answer has not been kept yet.")
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


class DeviceState(StrEnum):
    """What a phone may do."""

    ACTIVE = "active"
    LOCKED = "locked"
    RETIRED = "retired"
    WIPE_PENDING = "wipe_pending"
    WIPED = "wiped"


class Device(Base):
    """A phone or tablet of one user."""

    __tablename__ = "device"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("app_user.id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    platform: Mapped[str]
    public_key: Mapped[bytes] = mapped_column(comment="P-256, DER SubjectPublicKeyInfo.")
    state: Mapped[str] = mapped_column(server_default=DeviceState.ACTIVE.value)
    last_n: Mapped[int] = mapped_column(BigInteger, server_default=text("0"), comment="Number of the last op taken.")
    app_version: Mapped[str | None]
    schema_version: Mapped[int | None]
    skew_ms: Mapped[int | None] = mapped_column(BigInteger, comment="The phone's clock minus ours.")
    pending: Mapped[dict[str, Any] | None] = mapped_column(JSONB, comment="What waited on the phone at its last hello.")
    holding: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB, comment="What it was given at its last hello: rows, left_out (ids of buckets), further (how many)."
    )
    registered_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    last_seen_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_cursor_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    replaced_by: Mapped[UUID | None] = mapped_column(
        ForeignKey("device.id", ondelete="SET NULL"),
        comment="What this phone became when its person signed in on it anew.",
    )


class DeviceToken(Base):
    """One pair of access and refresh token of a device; a refresh makes the next pair."""

    __tablename__ = "device_token"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    device_id: Mapped[UUID] = mapped_column(ForeignKey("device.id", ondelete="CASCADE"), index=True)
    predecessor_id: Mapped[UUID | None]
    access_hash: Mapped[bytes] = mapped_column(unique=True)
    refresh_hash: Mapped[bytes] = mapped_column(unique=True)
    access_expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    refresh_expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    family_expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(
        DateTime(timezone=True), comment="First use; ends the predecessor."
    )
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DeviceCode(Base):
    """A code with which a phone signs in once, without a password."""

    __tablename__ = "device_code"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7)
    user_id: Mapped[UUID] = mapped_column(
        ForeignKey("app_user.id", ondelete="CASCADE"), index=True, comment="Whose phone it lets in."
    )
    made_by: Mapped[UUID | None] = mapped_column(ForeignKey("app_user.id", ondelete="SET NULL"))
    code_hash: Mapped[bytes] = mapped_column(unique=True, comment="SHA-256 of the code.")
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    revoked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AuthEvent(Base):
    """What happened to sign-ins, keys and rights; only ever appended."""

    __tablename__ = "auth_event"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.clock_timestamp())
    kind: Mapped[str]
    login: Mapped[str | None]
    user_id: Mapped[UUID | None]
    actor: Mapped[UUID | None]
    address: Mapped[str | None] = mapped_column(comment="Network address of the client.")
    details: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))

    __table_args__ = (
        Index("ix_auth_event_failed", "login", "at", postgresql_where=text("kind = 'sign_in_failed'")),
        Index("ix_auth_event_code_failed", "address", "at", postgresql_where=text("kind = 'code_failed'")),
    )
