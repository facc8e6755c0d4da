"""The command `waymark`. Every command brings the database and its schema up to date first."""

import errno
import logging
import os
import socket
import sys
from typing import Annotated

import typer
import uvicorn
from sqlalchemy.exc import OperationalError

from server import migrations
from server.accounts import commands as account_commands
from server.atlas import commands as atlas_commands
from server.auth import commands as auth_commands
from server.demo.commands import StartedHere, demo
from server.density import commands as density_commands
from server.geocoding import commands as geocoding_commands
from server.kit import commands as kit_commands
from server.kit import embedded
from server.kit.database import engine, transaction
from server.kit.errors import Unavailable, WaymarkError
from server.kit.settings import settings
from server.plans.commands import plan_file
from server.plans.exporting.commands import export
from server.roads import commands as roads_commands
from server.sync import commands as sync_commands
from server.sync import epochs

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    help="Waymark: a geographic and mobile field-sales CRM.",
)
app.add_typer(kit_commands.db, name="db")
app.add_typer(auth_commands.users, name="user")
app.add_typer(atlas_commands.regions, name="region")
app.add_typer(geocoding_commands.addresses, name="addresses")
app.command("geocode")(geocoding_commands.geocode)
app.add_typer(density_commands.density, name="density")
app.command("import")(account_commands.import_accounts)
app.add_typer(account_commands.duplicates, name="duplicates")
app.add_typer(roads_commands.roads, name="roads")
app.add_typer(sync_commands.sync, name="sync")
app.command()(export)
app.command()(plan_file)
app.command()(demo)

WITHOUT_DATABASE = ("db", "plan-file", "roads")
"""Commands that need no database, or manage it themselves."""


@app.callback()
def prepare(context: typer.Context) -> None:
    """Start the embedded database and bring its schema up to date, whatever the command."""
    if context.invoked_subcommand not in WITHOUT_DATABASE and "--help" not in sys.argv:
        own = settings().database_url is None and not embedded.status(settings().home).running
        context.obj = StartedHere(database=own)
        migrations.upgrade(engine())


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port to listen on.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Server processes.")] = 1,
) -> None:
    """Serve the web application."""
    address, number = host or settings().host, settings().port if port is None else port
    check_free(address, number)
    with transaction() as session:
        epochs.guard(session)
    uvicorn.run(
        "server.app:create_app",
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
