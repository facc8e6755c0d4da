"""`waymark roads`: the roads of this machine."""

from typing import Annotated

import typer
from sqlalchemy import select

from routing.roads import osrm_build
from server.kit.database import transaction
from server.kit.errors import NotFound
from server.regions.models import Region, State
from server.roads import graphs, joining, servers
from server.roads.models import JoinState

roads = typer.Typer(no_args_is_help=True, help="Roads: see, build and join graphs, stop processes, ask a server.")


@roads.command()
def status() -> None:
    """List the road graphs of this home and the processes that serve them."""
    known = graphs.processes()
    for process in known:
        running = process.running()
        graph = osrm_build.current(process.root)
        damage = osrm_build.damage(process.root / "current")
        state = f"running, process {running.pid}, port {running.port}" if running else "stopped; starts when needed"
        shown = graph.key if graph else f"damaged: {damage}" if damage else "no graph"
        typer.echo(f"{process.root.name}\t{shown}\t{state}")
    if not known:
        typer.echo("No road graphs yet. `waymark region add FILE.osm.pbf` builds one.")


@roads.command()
def stop() -> None:
    """Stop the road processes of this home on this machine."""
    typer.echo(f"Stopped: {graphs.stop_all()}")


@roads.command()
def build(name: Annotated[str, typer.Argument(help="The region's name.")]) -> None:
    """Build and contract a region's graph on this machine, after damage or on another machine."""
    with transaction() as session:
        region = session.scalars(select(Region).where(Region.name == name, Region.state == State.READY)).first()
        if region is None:
            raise NotFound(f"There is no region “{name}” in service.", help="See “waymark region list”.")
        graphs.build_graph(session, region, threads=2, progress=lambda step: typer.echo(f"{step} …", err=True))
    typer.echo("contract …", err=True)
    found = graphs.contract(region)
    with transaction() as session:
        graphs.note_contraction(session, region, found)
    typer.echo(found.trouble or f"{name}: {found.graph.key if found.graph else 'no graph'}")


@roads.command()
def join(names: Annotated[list[str], typer.Argument(help="Names of regions that touch.")]) -> None:
    """Join the roads of regions into one graph, so that drives cross from one into the other."""
    with transaction() as session:
        row = joining.ask_for(session, names)
        regions = joining.regions_of(session, row)
    found = joining.build(row, regions)
    with transaction() as session:
        joining.note(session, row.key, found)
    typer.echo(found.trouble or f"{row.key}: {JoinState.READY} after {found.seconds:.0f} s")
    if found.graph is None:
        raise typer.Exit(1)


@roads.command()
def server(
    kind: Annotated[str, typer.Argument(help="osrm or valhalla.")],
    url: Annotated[str | None, typer.Argument(help="Its address, e.g. http://roads.example.com:5000.")] = None,
    profile: Annotated[str, typer.Option(help="What it calls a car, if not as usual.")] = "",
    first: Annotated[bool, typer.Option("--first", help="Ask it first, also where there are own roads.")] = False,
    timeout: Annotated[float, typer.Option(help="Seconds to wait for an answer.")] = 10.0,
    table_points: Annotated[int, typer.Option(help="Points that it takes in one table.")] = 0,
    off: Annotated[bool, typer.Option("--off", help="Ask it no more.")] = False,
) -> None:
    """Ask a road server elsewhere where our own roads do not reach, or ask it no more."""
    servers.kind_of(kind)
    with transaction() as session:
        if off or url is None:
            servers.switch_off(session)
            typer.echo("No road server elsewhere is asked.")
            return
        wish = servers.Wish(url, profile, first, timeout, table_points)
        row = servers.switch_on(session, kind, wish)
        typer.echo(
            f"{servers.kind_of(kind).name} at {row.url} is asked {'first' if first else 'where no own roads are'}."
        )
