"""Wire shapes of exports."""

from datetime import date, datetime
from urllib.parse import quote

from pydantic import BaseModel

from server.plans.exporting.folders import Export


class ExportFileRead(BaseModel):
    """One file of an export."""

    name: str
    media_type: str
    size: int
    sha256: str
    url: str


class ExportRead(BaseModel):
    """One rep's exported day."""

    day: date
    login: str
    rep: str
    summary: str
    planned_at: datetime
    estimated: bool
    files: list[ExportFileRead]
    zip_url: str

    @classmethod
    def of(cls, export: Export) -> "ExportRead":
        """From the manifest on disk."""
        facts = export.manifest
        base = f"/api/v1/exports/{facts['day']}/{quote(export.login)}"
        files = [ExportFileRead(**entry, url=f"{base}/files/{quote(str(entry['name']))}") for entry in facts["files"]]
        names = ("day", "login", "rep", "summary", "planned_at", "estimated")
        return cls(**{name: facts[name] for name in names}, files=files, zip_url=f"{base}/zip")


class ExportDayRead(BaseModel):
    """A day that has exports."""

    day: date
    reps: int


class ExportsAsked(BaseModel):
    """How many exports will be written in the background."""

    day: date
    reps: int
