"""Which region the demonstration stands on: the one given, one that lies beside the project, a download, or made up."""

import sys
import tempfile
from pathlib import Path
from uuid import UUID

from geo.madeup import write_region
from server.atlas import service as atlas
from server.demo.processes import ROOT
from server.kit.database import transaction
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.regions import downloading, queries
from server.regions.building import Steps
from server.regions.errors import BadExtract
from server.regions.models import State

NAME = "liechtenstein"


def choose(given: Path | None, steps: Steps) -> UUID:
    """Add the demonstration's region, or take the one that is there already when none is given."""
    if given is not None:
        if not given.is_file():
            raise BadExtract(f"There is no file {given}.", help="Give the path of an .osm.pbf extract.")
        return atlas.add_region(given, steps=steps)
    with transaction() as session:
        ready = [region for region in queries.all_regions(session) if region.state == State.READY]
    if ready:
        return ready[0].id
    beside = ROOT.parent / "shared" / "data" / "osm" / f"{NAME}.osm.pbf"
    if beside.is_file():
        return atlas.add_region(beside, steps=steps)
    try:
        offer = downloading.find(NAME)
        path = downloading.download(offer, lambda done, total: steps(f"downloading {NAME}", done, total))
        return atlas.add_region(path, source=offer.url, steps=steps)
    except WaymarkError as error:
        sys.stderr.write(f"{error.message} A small made-up region is used instead.\n")
    with tempfile.TemporaryDirectory(dir=settings().folder("regions")) as folder:
        path = Path(folder) / "madeup.osm.pbf"
        write_region(path)
        return atlas.add_region(path, steps=steps)
