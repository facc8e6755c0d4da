"""The command `waymark`. Every command brings the database and its schema up to date first."""

import errno
import logging
import os
import socket
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from sqlalchemy.exc import OperationalError
from typer.core import TyperGroup

from server import migrations
from server.kit import embedded
from server.kit.database import engine, transaction
from server.kit.errors import Unavailable, WaymarkError
from server.kit.settings import settings

ROOMS = {
    "db": "server.kit.commands:db",
    "user": "server.auth.commands:users",
    "region": "server.atlas.commands:regions",
    "addresses": "server.geocoding.commands:addresses",
    "geocode": "server.geocoding.commands:geocode",
    "density": "server.density.commands:density",
    "import": "server.exchange.commands:imports",
    "duplicates": "server.accounts.commands:duplicates",
    "roads": "server.roads.commands:roads",
    "sync": "server.sync.commands:sync",
    "export": "server.plans.exporting.commands:export",
    "plan-file": "server.plans.commands:plan_file",
    "plans": "server.plans.night.commands:plans",
    "planner": "server.plans.commands:planner",
    "demo": "server.demo.commands:demo",
}
"""Each command and where it lives. A room is imported when its command is called: all of them take seconds."""


class Rooms(TyperGroup):
    """The commands, each brought in from its room when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        del ctx
        return [*ROOMS, *(name for name in self.commands if name not in ROOMS)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A command by its name."""
        if cmd_name in ROOMS and cmd_name not in self.commands:
            self.commands[cmd_name] = fetched(cmd_name)
        return super().get_command(ctx, cmd_name)


def fetched(name: str) -> Any:
    """A command from its room."""
    module, _, attribute = ROOMS[name].partition(":")
    found = getattr(import_module(module), attribute)
    around = typer.Typer()
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return typer.main.get_group(around).commands[name]


app = typer.Typer(
    cls=Rooms,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Waymark: a geographic and mobile field-sales CRM.",
)

WITHOUT_DATABASE = ("db", "plan-file", "planner", "roads")
"""Commands that need no database, or manage it themselves."""


@app.callback()
def prepare(context: typer.Context) -> None:
    """Start the embedded database and bring its schema up to date, whatever the command."""
    if context.invoked_subcommand not in WITHOUT_DATABASE and "--help" not in sys.argv:
        own = settings().database_url is None and not embedded.status(settings().home).running
        if context.invoked_subcommand == "demo":
            from server.demo.commands import StartedHere

            context.obj = StartedHere(database=own)
        migrations.upgrade(engine())


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
) -> None:
    """Serve the web application."""
    import uvicorn

    from server.sync.pulling import epochs

    address, number = host or settings().host, settings().port if port is None else port
    check_free(address, number)
    with transaction() as session:
        epochs.guard(session)
    uvicorn.run(
        "server.app:served",
        factory=True,
        host=address,
        port=number,
        workers=workers,
        proxy_headers=True,
        log_level="warning",
    )


def check_free(host: str, port: int) -> None:
    """Refuse an address that cannot be listened on, before anything is started."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = "in use by another program" if error.errno == errno.EADDRINUSE else f"not to be had ({error.strerror})"
        raise Unavailable(
            f"{host}:{port} is {reason}.", help="Choose another one with --port or WAYMARK_PORT."
        ) from error


@app.command()
def worker(
    concurrency: Annotated[int, typer.Option(min=1, max=64, help="Jobs at a time.")] = 1,
    once: Annotated[bool, typer.Option(help="Stop when no job is waiting.")] = False,
) -> None:
    """Run background jobs."""
    from server import worker as process

    process.run(concurrency=concurrency, wait=not once)


def main() -> None:
    """Run the command; an error that a person can mend is one line, not a traceback."""
    logging.basicConfig(level=os.environ.get("WAYMARK_LOG", "WARNING"), format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except WaymarkError as error:
        typer.echo(f"waymark: {sentences(error.message, error.help)}", err=True)
        sys.exit(2)
    except OperationalError as error:
        why = str(error.orig).strip().splitlines()
        typer.echo(f"waymark: The database does not answer: {why[0] if why else error}", err=True)
        sys.exit(2)


def sentences(message: str, help: str) -> str:
    """What is wrong and the way out on one line, whichever way a room punctuates."""
    stop = "" if message.endswith((".", "!", "?", ":")) or not help else "."
    return f"{message}{stop} {help[:1].upper()}{help[1:]}".strip()


if __name__ == "__main__":
    main()
