"""Commands `waymark plan-file` (a planning file in, a plan out) and `waymark planner`; they need no database."""

import time
from pathlib import Path
from typing import Annotated

import typer

from routing import fsr
from routing.budget import Budget
from routing.check import verify
from routing.solve import DEFAULT_ENGINE, ENGINES, load, solve
from routing.types import InvalidProblem
from server.kit.errors import Invalid

planner = typer.Typer(no_args_is_help=True, help="The planner itself.")


@planner.callback()
def together() -> None:
    """Keep the name of a command before it, though there is only one so far."""


@planner.command()
def prepare() -> None:
    """Compile the planner's search, so that the first plan need not wait for it; part of every installation."""
    from routing.engine import compiled, search

    fresh = not compiled.is_prepared()
    if fresh:
        typer.echo("Compiling the planner, once on this machine: about a minute …", err=True)
    search.prepare()
    typer.echo(f"The planner is {'compiled' if fresh else 'ready'} ({compiled.folder()}).", err=True)


def plan_file(
    source: Annotated[Path, typer.Argument(metavar="IN.json.gz", help="Problem in the fsr/1 format.")],
    target: Annotated[Path, typer.Argument(metavar="OUT.json", help="Where the plan goes.")],
    seconds: Annotated[float, typer.Option(min=0.01, help="CPU seconds of the search, one thread.")] = 10.0,
    seed: Annotated[int, typer.Option(min=0, help="Another seed takes another course; the same seed repeats it.")] = 0,
    engine: Annotated[str, typer.Option(help=f"One of: {', '.join(sorted(ENGINES))}.")] = DEFAULT_ENGINE,
) -> None:
    """Plan the visits of a file in the neutral fsr/1 format."""
    try:
        instance = fsr.read(source)
        load(engine)
        begin = time.thread_time()
        plan = solve(instance.problem, engine=engine, seed=seed, budget=Budget(seconds=seconds))
        used = time.thread_time() - begin
        fsr.write(target, instance.problem, plan, seconds=round(used, 3))
    except InvalidProblem as error:
        raise Invalid(str(error), help="The file format is described in benchmarks/planning/README.md.") from error
    except OSError as error:
        raise Invalid(f"{error.filename}: {error.strerror}.", help="Check the name and the rights.") from error
    report = verify(instance.problem, plan)
    planned = sum(len(route.stops) for route in plan.routes)
    missing = f", {len(report.missing)} mandatory visits missing" if report.missing else ""
    typer.echo(
        f"{instance.name}: {planned} of {len(instance.problem.visits)} visits on {len(plan.routes)} routes,"
        f" value {report.value.total}, {used:.2f} CPU s{missing}",
        err=True,
    )
