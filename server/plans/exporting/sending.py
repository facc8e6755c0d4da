"""What is sent to a target, and the ways that need no other program: a folder, a mail's words."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from routing.export.types import MANIFEST, MEDIA_TYPES
from server.mail.service import File
from server.plans.exporting.folders import Export


class NotDelivered(Exception):
    """A target did not get its files."""

    def __init__(self, words: str, *, is_final: bool) -> None:
        super().__init__(words)
        self.is_final = is_final
        """Trying again would end the same way."""


@dataclass(frozen=True)
class Parcel:
    """The files of one rep's days that a target wants."""

    span: str
    login: str
    files: tuple[tuple[str, bytes], ...]
    """Names and contents, the manifest last."""

    @classmethod
    def of(cls, export: Export, formats: list[str]) -> "Parcel":
        """The files of some formats; the manifest always goes along."""
        names = [name for name in export.names if name == MANIFEST or name.rpartition(".")[2] in formats]
        return cls(str(export.span), export.login, tuple((name, export.file(name).read_bytes()) for name in names))

    @property
    def attachments(self) -> list[File]:
        """As they go with a mail: without the manifest, which is for programs."""
        return [
            File(name, MEDIA_TYPES[name.rpartition(".")[2]], content)
            for name, content in self.files
            if name != MANIFEST
        ]


def put_into(folder: Path, parcel: Parcel) -> None:
    """Put the files into a folder per span and rep; each appears complete or not at all, other files stay."""
    if not folder.is_dir():
        raise NotDelivered(
            f"There is no folder {folder}; it is not made, lest a missing drive is filled.", is_final=False
        )
    place = folder / parcel.span / parcel.login
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".unfinished-", dir=place) as unfinished:
            for name, content in parcel.files:
                fresh = Path(unfinished) / name
                fresh.write_bytes(content)
                os.replace(fresh, place / name)
    except OSError as error:
        free = shutil.disk_usage(folder).free // 1_000_000 if folder.is_dir() else 0
        raise NotDelivered(
            f"{place} cannot be written: {error.strerror or error} ({free} MB free).", is_final=False
        ) from error


def words(export: Export) -> tuple[str, str]:
    """Subject and text of the mail that brings the files."""
    facts = export.manifest
    days = [str(day["day"]) for day in facts["days"]]
    period = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    lines = [
        f"Hello {facts['rep']},",
        "",
        f"your plan for {period}: {facts['summary']}.",
        f"{facts['left_out']} visits did not fit." if facts["left_out"] else "",
        "",
        "The calendar file moves the visits that your calendar knows already, and takes out those that are off.",
        f"Version {facts['version']}.",
        "",
        *facts["attribution"],
    ]
    return f"{facts['company']}: plan for {period}", "\n".join(lines) + "\n"
