"""`waymark region`: list regions; adding and removing one is put together in `server.atlas`."""

import time
from pathlib import Path

import typer

from server.kit.database import transaction
from server.regions import downloading, queries
from server.regions.building import Steps

regions = typer.Typer(no_args_is_help=True, help="Regions: OpenStreetMap extracts that everything else is built from.")


@regions.command("list")
def list_regions() -> None:
    """Show all regions with what they hold and from when."""
    with transaction() as session:
        found = queries.all_regions(session)
        if not found:
            typer.echo("No region yet. Add one: waymark region add FILE.osm.pbf")
        for region in found:
            counts = ", ".join(f"{count:,} {name}" for name, count in _counts(region.counts))
            state = region.state if region.ready_at else f"{region.state} ({region.stage})"
            typer.echo(f"{region.name:<24} {state:<8} {region.data_date or ''!s:<10}  {counts}")
            typer.echo(f"{'':<24} {region.licence}, {'; '.join(region.attribution)}")


def find_extract(file_or_name: str, steps: Steps) -> tuple[Path, str | None]:
    """The extract that somebody means: a file as it is, else a name from the extract server; and where it came from."""
    path = Path(file_or_name).expanduser()
    if path.exists() or path.suffix or path.is_absolute():
        return path, None
    offer = downloading.find(file_or_name)
    return downloading.download(offer, lambda done, total: steps(f"downloading {offer.key}", done, total)), offer.url


class StepBars:
    """One progress bar on stderr per step of a long work; a plain line where stderr is no terminal."""

    def __init__(self, *, with_time: bool = False) -> None:
        self._with_time = with_time
        self._stamp = ""
        self._step = ""
        self._percent = -1
        self._bar = typer.get_text_stream("stderr")

    def __call__(self, step: str, done: int, total: int) -> None:
        """Show how far a step is."""
        percent = 100 if total <= 0 else min(100, 100 * done // total)
        if step != self._step:
            self.close()
            self._step, self._percent = step, -1
            self._stamp = time.strftime("%H:%M:%S ") if self._with_time else ""
            if not self._bar.isatty():
                typer.echo(f"{self._stamp}{step} …", err=True)
        if percent != self._percent and self._bar.isatty():
            self._percent = percent
            typer.echo(f"\r{self._stamp}{step:<28} [{'█' * (percent // 4):<25}] {percent:3d} %", err=True, nl=False)

    def close(self) -> None:
        """End the current bar's line."""
        if self._step and self._bar.isatty():
            typer.echo("", err=True)
        self._step = ""


def _counts(counts: dict[str, int]) -> list[tuple[str, int]]:
    labels = {"region_address": "house numbers", "prospect": "prospects", "basemap_feature": "map features"}
    return [(label, counts[table]) for table, label in labels.items() if table in counts]
