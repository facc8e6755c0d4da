"""`waymark roads`: the road processes of this machine."""

import typer

from routing.roads import osrm_build
from server.roads import graphs

roads = typer.Typer(no_args_is_help=True, help="The road processes: see them, stop them. They start when needed.")


@roads.command()
def status() -> None:
    """List the road graphs of this home and the processes that serve them."""
    known = graphs.processes()
    for process in known:
        running = process.running()
        graph = osrm_build.current(process.root)
        state = f"running, process {running.pid}, port {running.port}" if running else "stopped; starts when needed"
        typer.echo(f"{process.root.name}\t{graph.key if graph else 'no graph'}\t{state}")
    if not known:
        typer.echo("No road graphs yet. `waymark region add FILE.osm.pbf` builds one.")


@roads.command()
def stop() -> None:
    """Stop the road processes of this home on this machine."""
    typer.echo(f"Stopped: {graphs.stop_all()}")
