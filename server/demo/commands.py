"""`waymark demo`: a company to look at, or the same main job as a check."""

import json
import signal
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from server.demo import check as checking
from server.demo import regions, stage
from server.demo.processes import free_port, web_server, worker
from server.demo.steps import CUSTOMERS
from server.kit import embedded
from server.kit.database import engine
from server.kit.settings import settings
from server.regions.commands import StepBars
from server.roads import graphs as roads


@dataclass(frozen=True)
class StartedHere:
    """What this command has started and therefore stops."""

    database: bool


def tell(step: str) -> None:
    """Progress goes to stderr."""
    typer.echo(f"{time.strftime('%H:%M:%S')} {step} …", err=True)


def demo(
    context: typer.Context,
    region: Annotated[Path | None, typer.Option(help="An .osm.pbf extract to stand on.")] = None,
    check: Annotated[bool, typer.Option("--check", help="Run the main job, say what it found, and stop.")] = False,
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Where exports and the phone's files go; left out: a temporary folder.")
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port of the server.")] = None,
    customers: Annotated[int, typer.Option(min=50, max=3000, help="How many customers a new company has.")] = CUSTOMERS,
) -> None:
    """Load a region and a made-up company, plan its week, and serve it until Ctrl-C."""
    for number in (signal.SIGTERM, signal.SIGHUP):  # a closed terminal stops what was started, too
        signal.signal(number, lambda *_: sys.exit(1))
    try:
        if check:
            place = (folder or Path(tempfile.mkdtemp(prefix="waymark-demo-"))).absolute()
            report = checking.run(region, place, tell, customers)
        else:
            serve(region, folder.absolute() if folder else None, settings().port if port is None else port, customers)
    finally:
        roads.stop_all()
        engine().dispose()
        if isinstance(context.obj, StartedHere) and context.obj.database:
            embedded.stop(settings().home)
            typer.echo("The database is stopped too.", err=True)
        elif settings().database_url is None:
            typer.echo("The database was running before and goes on: `waymark db stop` stops it.", err=True)
    if check:
        typer.echo(json.dumps(report, default=str))


def serve(region: Path | None, folder: Path | None, port: int, customers: int) -> None:
    """Prepare what is missing and serve it."""
    logs = settings().folder("logs")
    bars = StepBars(with_time=True)
    region_id = regions.choose(region, bars)
    bars.close()
    free = free_port(port)
    if free != port:
        typer.echo(f"Port {port} is in use by another program; port {free} is taken instead.", err=True)
    with worker(logs / "worker.log", tell), web_server(free, logs / "server.log") as address:
        first = stage.prepare(region_id, address, folder, tell, customers)
        typer.echo(stage.welcome(address, first, folder or settings().home / "exports"))
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stopping.set())
        stopping.wait()
        typer.echo("Stopping.", err=True)
