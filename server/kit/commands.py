"""`waymark db`: the embedded database by hand."""

import typer

from server.kit import embedded
from server.kit.settings import settings

db = typer.Typer(no_args_is_help=True, help="The embedded database: start it, stop it, see where it is.")


@db.command()
def start() -> None:
    """Start the database of this home; it is created when missing and left alone when running."""
    if not _is_elsewhere():
        embedded.ensure(settings().home)
        _tell()


@db.command()
def stop() -> None:
    """Stop the database of this home."""
    if not _is_elsewhere():
        embedded.stop(settings().home)
        _tell()


@db.command()
def status() -> None:
    """Say whether the database runs, and where its files and its socket are."""
    if not _is_elsewhere():
        _tell()


def _is_elsewhere() -> bool:
    configured = settings().database_url is not None
    if configured:
        typer.echo("WAYMARK_DATABASE_URL points to another server; the embedded database is not used.")
    return configured


def _tell() -> None:
    seen = embedded.status(settings().home)
    state = f"running, process {seen.pid}" if seen.running else "stopped" if seen.version else "not created yet"
    typer.echo(f"state    {state}")
    if seen.version:
        typer.echo(f"version  PostgreSQL {seen.version}")
    typer.echo(f"files    {seen.data_dir}")
    if seen.url:
        typer.echo(f"socket   {seen.socket_dir}")
        typer.echo(f"url      {seen.url}")
