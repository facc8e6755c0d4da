"""Wire shapes of exports."""

from datetime import date
from urllib.parse import quote

from pydantic import BaseModel

from routing.export.tour import Span
from server.plans.exporting.folders import Export


class ExportFileRead(BaseModel):
    """One file of an export."""

    name: str
    media_type: str
    size: int
    sha256: str
    url: str


class ExportRead(BaseModel):
    """One rep's exported days."""

    span: str
    login: str
    rep: str
    summary: str
    version: str
    revision: str
    estimated: bool
    files: list[ExportFileRead]
    zip_url: str

    @classmethod
    def of(cls, export: Export) -> "ExportRead":
        """From the manifest on disk."""
        facts = export.manifest
        base = f"/api/v1/exports/{facts['span']}/{quote(export.login)}"
        files = [ExportFileRead(**entry, url=f"{base}/files/{quote(str(entry['name']))}") for entry in facts["files"]]
        names = ("span", "login", "rep", "summary", "version", "estimated")
        return cls(
            **{name: facts[name] for name in names}, revision=export.revision, files=files, zip_url=f"{base}/zip"
        )


class ExportDaysRead(BaseModel):
    """Some days that have exports."""

    span: str
    first_day: date
    last_day: date
    reps: int

    @classmethod
    def of(cls, span: Span, reps: int) -> "ExportDaysRead":
        """With the number of reps who have files."""
        return cls(span=str(span), first_day=span.first, last_day=span.last, reps=reps)


class ExportsAsked(BaseModel):
    """How many exports will be written in the background."""

    span: str
    reps: int
