"""`waymark geocode` and `waymark addresses`."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from geo.geocode.names import country_code
from geo.geocode.types import AddressQuery
from server.geocoding import files, queries, service
from server.geocoding.errors import BadFile
from server.kit.database import transaction

addresses = typer.Typer(no_args_is_help=True, help="Address files beside the regions: CSV with OpenAddresses' columns.")

_REPORT_EVERY = 10_000


def geocode(
    source: Annotated[
        Path, typer.Argument(metavar="IN.csv", help="Any of: id,name,street,postcode,city,country,query.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.csv", help="Written only when everything went well.")],
) -> None:
    """Find the addresses of a list."""
    if not target.parent.is_dir():
        raise BadFile(f"{target}: there is no folder {target.parent}.")
    with transaction() as session, files.table(source, files.QUESTION_COLUMNS) as rows, files.written(target) as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(files.RESULT_COLUMNS)
        ids: list[str] = []

        def asked() -> Iterator[AddressQuery]:
            for identity, query in files.questions(rows):
                ids.append(identity)
                yield query

        count = confident = 0
        for answer in service.stream(session, asked()):
            writer.writerow(files.result(ids[count], answer))
            count += 1
            confident += answer.is_confident
            if count % _REPORT_EVERY == 0:
                typer.echo(f"{count:,} rows …", err=True)
        credits = queries.attributions(session)
    typer.echo(f"{count:,} rows, {confident:,} of them confident: {target}", err=True)
    typer.echo("Sources: " + "; ".join(credits), err=True)


@addresses.command("add")
def add(
    file: Annotated[Path, typer.Argument(help="CSV, packed with gzip or not: LON,LAT,NUMBER,STREET,CITY,POSTCODE,ID.")],
    country: Annotated[str, typer.Option(help="Country of the addresses, by code or name.")],
    name: Annotated[str, typer.Option(help="A file of the same name is replaced.")],
    source: Annotated[str, typer.Option(help="Who is to be credited.")],
    licence: Annotated[str, typer.Option(help="Licence of the data.")] = "",
) -> None:
    """Add an address file to the index."""
    code = country_code(country)
    if not code:
        raise BadFile(f"“{country}” is not a country.", help="Give a two-letter code, for example US.")
    columns = ("lon", "lat", "number", "street")
    with transaction() as session, files.table(file, columns, required=columns) as rows:
        added = service.add_addresses(
            session, files.addresses(file, rows, code), name=name, country=code, origin=source, licence=licence,
            fingerprint=files.sha256_of(file),
        )  # fmt: skip
        typer.echo(f"{name}: {added.addresses:,} addresses on {added.streets:,} streets.")


@addresses.command("list")
def list_files() -> None:
    """Show the address files."""
    with transaction() as session:
        found = queries.files(session)
        if not found:
            typer.echo("No address file yet.")
        for source in found:
            typer.echo(
                f"{source.name:<24} {source.country}  {source.addresses:>10,} addresses  {source.attribution[0]}"
            )


@addresses.command("remove")
def remove(name: str) -> None:
    """Take an address file out of the index."""
    with transaction() as session:
        service.remove_addresses(session, name)
    typer.echo(f"Address file {name} is removed.")
