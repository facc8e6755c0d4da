"""Wire shapes of people, sessions, tokens and devices."""

from datetime import date, datetime, time
from typing import Annotated
from uuid import UUID

from geoalchemy2 import WKBElement, WKTElement
from geoalchemy2.shape import to_shape
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from shapely.geometry import Point

from server.auth.models import RepProfile, Role

Weekday = Annotated[int, Field(ge=0, le=6)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Latitude = Annotated[float, Field(ge=-90, le=90)]


def without_offset(value: time) -> time:
    """A time on the rep's own clock; refuses one of another zone."""
    if value.tzinfo is not None:
        raise ValueError("write the time of the rep's own zone, without an offset")
    return value


LocalTime = Annotated[time, AfterValidator(without_offset)]


class Read(BaseModel):
    """Base of what is read from tables."""

    model_config = ConfigDict(from_attributes=True)


class WorkingDay(BaseModel):
    """A rep's working day."""

    model_config = ConfigDict(extra="forbid")

    home_name: str = Field(default="Home", max_length=200)
    home: tuple[Longitude, Latitude] | None = Field(default=None, description="Longitude, latitude.")
    shift_start: LocalTime = time(8)
    shift_end: LocalTime = time(17)
    break_earliest: LocalTime | None = time(11, 30)
    break_latest: LocalTime | None = time(13, 30)
    break_s: int = Field(default=2700, ge=0, le=14400, description="Length of the break in seconds.")
    max_drive_s: int | None = Field(default=None, ge=0)
    max_visits: int | None = Field(default=None, ge=1, le=100)
    weekdays: list[Weekday] = Field(default=[0, 1, 2, 3, 4], description="Working days, 0 = Monday.")
    overtime_s: int = Field(default=0, ge=0, le=14400, description="How long after the shift's end at most.")
    overtime_cost: int = Field(default=2, ge=0, le=100, description="A second of it, in seconds of driving.")
    end_name: str | None = Field(default=None, max_length=200)
    end_point: tuple[Longitude, Latitude] | None = Field(
        default=None, description="Where the day ends: longitude, latitude. Null: where it starts."
    )
    nights_a_week: int = Field(default=0, ge=0, le=6, description="Hotel nights that the planner may use.")

    @classmethod
    def of(cls, profile: RepProfile) -> "WorkingDay":
        """The working day of a stored profile."""
        points = {name: lon_lat(getattr(profile, name)) for name in ("home", "end_point")}
        names = [name for name in cls.model_fields if name not in points]
        return cls(**points, **{name: getattr(profile, name) for name in names})


def lon_lat(stored: WKBElement | WKTElement | None) -> tuple[float, float] | None:
    """A stored point as longitude and latitude."""
    point = None if stored is None else to_shape(stored)
    return (point.x, point.y) if isinstance(point, Point) else None


class UserRead(Read):
    """A person."""

    id: UUID
    login: str
    name: str
    email: str | None
    phone: str | None
    role: Role
    access_role_id: UUID | None
    active: bool
    language: str | None
    zone: str | None
    rev: int


class UserCreate(BaseModel):
    """A new person."""

    model_config = ConfigDict(extra="forbid")

    login: str = Field(max_length=100)
    name: str = Field(max_length=200)
    role: Role
    password: str | None = Field(default=None, max_length=500)
    email: str | None = Field(default=None, max_length=200)
    phone: str | None = Field(default=None, max_length=50)
    zone: str | None = None
    language: str | None = Field(default=None, max_length=5)


class UserChange(BaseModel):
    """What changes about a person; fields left out stay."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, min_length=1, max_length=200)
    role: Role | None = None
    access_role_id: UUID | None = Field(default=None, description="A variety of the role; null: the role itself.")
    password: str | None = Field(default=None, max_length=500)
    email: str | None = Field(default=None, max_length=200)
    phone: str | None = Field(default=None, max_length=50)
    zone: str | None = None
    language: str | None = Field(default=None, max_length=5)
    active: bool | None = None


class OwnChange(BaseModel):
    """What somebody changes about themselves; fields left out stay."""

    model_config = ConfigDict(extra="forbid")

    email: str | None = Field(default=None, max_length=200)
    phone: str | None = Field(default=None, max_length=50)
    zone: str | None = None
    language: str | None = Field(default=None, max_length=5)


class RoleRead(BaseModel):
    """A role with its rights."""

    key: str = Field(description="One of ours by its name, a variety by its id.")
    name: str
    base: Role
    levels: dict[str, str] = Field(description="Whose rows, by permission: own, team, territory, region, all.")
    fields: dict[str, str] = Field(description="hidden or fixed, by object.field.")


class RoleCreate(BaseModel):
    """A variety of one of our roles, with its rights to begin with."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Junior rep", "base": "rep"}]})

    name: str = Field(max_length=60)
    base: Role


class RoleWrite(BaseModel):
    """The rights of a role; permissions left out stay as its base has them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"levels": {"accounts:export": "none"}, "fields": {"account.yearly_value": "hidden"}}]
        },
    )

    name: str = Field(default="", max_length=60)
    levels: dict[str, str] = {}
    fields: dict[str, str] = {}


class TeamWrite(BaseModel):
    """A team and its members."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=200)
    members: list[UUID]


class TeamRead(BaseModel):
    """A team."""

    id: UUID
    name: str
    members: list[UUID]


class SignIn(BaseModel):
    """Login and password."""

    login: str = Field(max_length=200)
    password: str = Field(max_length=500)


class DeviceRegister(SignIn):
    """A phone that signs in."""

    name: str = Field(max_length=100)
    platform: str = Field(max_length=50)
    public_key: str = Field(max_length=500, description="Base64 of the DER SubjectPublicKeyInfo of a P-256 key.")
    former: list[UUID] = Field(default=[], max_length=50, description="Devices that this phone was before.")


class DeviceByCode(BaseModel):
    """A phone that signs in with a code."""

    code: str = Field(max_length=50, examples=["ABCDE-23456"])
    name: str = Field(max_length=100)
    platform: str = Field(max_length=50)
    public_key: str = Field(max_length=500, description="Base64 of the DER SubjectPublicKeyInfo of a P-256 key.")
    former: list[UUID] = Field(default=[], max_length=50, description="Devices that this phone was before.")


class DeviceCodeCreate(BaseModel):
    """Whose phone is to be let in."""

    model_config = ConfigDict(extra="forbid")

    user_id: UUID | None = Field(default=None, description="Null: your own.")


class DeviceCodeRead(Read):
    """A code that waits for its phone, without the code itself."""

    id: UUID
    user_id: UUID
    made_by: UUID | None
    created_at: datetime
    expires_at: datetime


class DeviceCodeCreated(DeviceCodeRead):
    """A new code; it is shown this once."""

    code: str
    link: str = Field(description="What a picture of the code says: the server's address and the code.")


class DeviceUser(Read):
    """Who the phone belongs to."""

    id: UUID
    name: str
    login: str
    role: Role


class TokenPair(BaseModel):
    """Tokens of a phone."""

    access_token: str
    refresh_token: str
    expires_s: int


class DeviceRegistered(TokenPair):
    """Answer to a registration."""

    device_id: UUID
    user: DeviceUser
    server_name: str


class Refresh(BaseModel):
    """A refresh token, signed by the device it was given to."""

    device_id: UUID
    refresh_token: str = Field(max_length=200)
    nonce: str = Field(pattern=r"^[0-9a-f]{32}$", examples=["0" * 32])
    signature: str = Field(max_length=500)


class DeviceRead(Read):
    """A phone, as admins see it."""

    id: UUID
    user_id: UUID
    name: str
    platform: str
    state: str
    last_n: int
    app_version: str | None
    registered_at: datetime
    last_seen_at: datetime | None
    replaced_by: UUID | None = Field(description="What this phone became when its person signed in on it anew.")


class DeviceChange(BaseModel):
    """What is to become of a phone."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[str, Field(pattern="^(active|locked|retired|wipe_pending)$", examples=["locked"])]


class ApiTokenCreate(BaseModel):
    """A key for a program."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=100)
    permissions: list[str] | None = Field(default=None, description="Null: all that you may do.")
    days: int | None = Field(default=None, ge=1, le=3650, description="Null: until revoked.")
    per_minute: int | None = Field(default=None, ge=1, le=100_000, description="Requests a minute; null: no limit.")


class ApiTokenRead(Read):
    """A key, without its secret."""

    id: UUID
    name: str
    permissions: list[str] | None
    created_at: datetime
    last_used_on: date | None
    per_minute: int | None
    expires_at: datetime | None
    revoked_at: datetime | None


class ApiTokenCreated(ApiTokenRead):
    """A new key; the secret is shown this once."""

    secret: str
