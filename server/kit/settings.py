"""Every setting of the server. Each is an environment variable `WAYMARK_<NAME>`; nothing else configures Waymark."""

from functools import lru_cache
from pathlib import Path
from zoneinfo import available_timezones

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from server.kit.errors import Invalid


class Settings(BaseSettings):
    """The server's settings with their defaults; the description of each is its documentation."""

    model_config = SettingsConfigDict(env_prefix="WAYMARK_", extra="ignore")

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("waymark"),
        description="Folder of all state: database cluster, graphs, map packs, attachments, exports.",
    )
    database_url: str | None = Field(
        default=None,
        description="PostgreSQL server to use instead of the embedded one, e.g. postgresql://user:password@host/waymark.",
    )
    sync_reads_per_minute: float = Field(
        default=30, ge=1, description="Pages that one phone may read a minute for long; twice as many may come at once."
    )
    database_pool: int = Field(default=10, ge=1, le=200, description="Database connections that one process may hold.")
    list_timeout_s: float = Field(
        default=10, ge=0.1, le=600, description="Seconds after which a list whose filter searches too much is stopped."
    )
    export_timeout_s: float = Field(
        default=300, ge=0.1, le=36_000, description="The same for an export and for the count of a segment."
    )
    mail_plus_addresses: bool = Field(
        default=False,
        description="Letters ask for answers at name+tag@..., so that an answer without headers finds its letter; the"
        " mail server of the mailbox must take such addresses.",
    )
    host: str = Field(default="127.0.0.1", description="Address the web server listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port the web server listens on.")
    public_url: str | None = Field(
        default=None, description="Address under which people reach the server, e.g. https://waymark.example.com."
    )
    secure_cookies: bool | None = Field(
        default=None, description="Send cookies over HTTPS only. Default: yes when the public URL is https."
    )
    session_days: int = Field(default=14, ge=1, le=90, description="Days after which an unused web session ends.")
    company: str = Field(default="Waymark", description="Name of the company, shown on pages and exports.")
    currency: str = Field(
        default="EUR", min_length=3, max_length=3, description="Currency of amounts that do not name one (ISO 4217)."
    )
    zone: str = Field(default="Europe/Vaduz", description="IANA time zone of people who have not set their own.")
    language: str = Field(default="en", description="Language of pages for people who have not chosen one.")
    export_hour: int = Field(
        default=18, ge=0, le=23, description="Hour of the evening export, in the company's time zone."
    )
    export_days: str = Field(
        default="0,1,2,3,4,5,6", description="Weekdays on whose evening tomorrow is exported (0 = Monday), with commas."
    )
    extract_server: str = Field(
        default="https://download.geofabrik.de",
        description="Where an extract that is named, not given as a file, is downloaded from.",
    )
    remote_geocoder_key: SecretStr | None = Field(
        default=None,
        description="Key of the geocoder elsewhere that an admin has switched on, if it wants one; never shown.",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="Seals stored passwords of other servers; equal on every machine. Default: secret.key in the home.",
    )
    private_targets: bool = Field(
        default=True,
        description="Whether mail, SFTP, webhooks, roads and geocoders may be at private addresses; admins name them.",
    )
    max_upload_mb: int = Field(default=200, ge=1, description="Largest file that may be uploaded, in megabytes.")
    max_file_mb: int = Field(
        default=25, ge=1, le=1000, description="Largest file that a note, visit, ticket or mail may have, in megabytes."
    )
    bin_days: int = Field(
        default=90, ge=1, le=3650, description="Days after which what was deleted is removed from the bin for good."
    )
    max_unpacked_mb: int = Field(
        default=1000, ge=1, description="Largest size to which an uploaded file may unpack, in megabytes."
    )

    @field_validator("database_url")
    @classmethod
    def _postgres(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("postgresql://", "postgres://", "postgresql+psycopg://")):
            raise ValueError("give the address of a PostgreSQL server: postgresql://user:password@host/database")
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"there is no time zone “{value}”; give an IANA name such as Europe/Zurich")
        return value

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @property
    def cookies_are_secure(self) -> bool:
        """Whether cookies are sent over HTTPS only."""
        if self.secure_cookies is not None:
            return self.secure_cookies
        return (self.public_url or "").startswith("https://")

    def folder(self, *parts: str) -> Path:
        """A folder under the home, made when missing."""
        path = self.home.joinpath(*parts)
        path.mkdir(parents=True, exist_ok=True)
        return path


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process, read from the environment once. Names what cannot be a setting."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"WAYMARK_{one['loc'][0]!s}".upper() + f": {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors()
        )
        raise Invalid(f"{wrong}.", help="Correct the variable, or unset it for the default.") from error
