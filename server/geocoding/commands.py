"""`waymark geocode` and `waymark addresses`."""

import csv
from itertools import batched
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from geo.geocode.types import AddressQuery, Answer
from server.geocoding import addressfiles, files, queries, remote, service, sources
from server.geocoding.errors import BadFile
from server.geocoding.reporting import in_words
from server.kit.database import transaction

addresses = typer.Typer(no_args_is_help=True, help="Address files beside the regions: CSV with OpenAddresses' columns.")

FOLLOWS = "A running server looks again at the pins that this may concern, within five minutes."
_CHUNK = 2_000
_REPORT_EVERY = 10_000


def geocode(
    source: Annotated[
        Path, typer.Argument(metavar="IN.csv", help="Any of: id,name,street,postcode,city,country,query.")
    ],
    target: Annotated[Path, typer.Argument(metavar="OUT.csv", help="Written only when everything went well.")],
    elsewhere: Annotated[
        bool, typer.Option("--remote", help="Ask the geocoder that an admin has switched on where our own is unsure.")
    ] = False,
) -> None:
    """Find the addresses of a list; whom to credit is written beside the results, in OUT.csv.sources.txt."""
    if not target.parent.is_dir():
        raise BadFile(f"{target}: there is no folder {target.parent}.")
    ask = _Elsewhere() if elsewhere else None
    count = confident = 0
    with files.table(source, files.QUESTION_COLUMNS) as rows, files.written(target) as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(files.RESULT_COLUMNS if ask is None else (*files.RESULT_COLUMNS, "provider"))
        for chunk in batched(files.questions(rows), _CHUNK):
            with transaction() as session:
                answers = service.locate_many(session, (query for _, query in chunk))
            for (identity, query), own in zip(chunk, answers, strict=True):
                answer = own if ask is None else ask.about(query, own)
                writer.writerow(files.result(identity, answer) + ([] if ask is None else [answer.provider]))
                confident += answer.is_confident
            count += len(chunk)
            if count % _REPORT_EVERY == 0:
                typer.echo(f"{count:,} rows …", err=True)
    with transaction() as session:
        credits = queries.attributions(session)
    typer.echo(f"{count:,} rows, {confident:,} of them confident: {target}", err=True)
    typer.echo("Sources: " + "; ".join(credits), err=True)
    with files.written(target.with_name(f"{target.name}.sources.txt")) as beside:
        beside.write("".join(f"{line}\n" for line in credits))


class _Elsewhere:
    """The geocoder elsewhere, for one list: asked between transactions, until it refuses."""

    def __init__(self) -> None:
        with transaction() as session:
            if remote.active(session) is None:
                raise BadFile(
                    "No geocoder elsewhere is switched on.",
                    help="An admin does that on the page Regions, under “Geocoder elsewhere”.",
                )
        self._is_paused = False

    def about(self, query: AddressQuery, own: Answer) -> Answer:
        """The surer of our own answer and its."""
        if own.is_confident or self._is_paused:
            return own
        outcome = remote.ask(query)
        if isinstance(outcome, remote.Paused):
            self._is_paused = True
            typer.echo(f"The geocoder elsewhere is not asked any more: {outcome.why}", err=True)
            return own
        return remote.preferred(own, outcome)


@addresses.command("add")
def add(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="CSV (LON,LAT,NUMBER,STREET,CITY,POSTCODE,ID in any order) or lines of GeoJSON, packed with gzip or"
            " not; or a folder of such files.",
        ),
    ],
    country: Annotated[str, typer.Option(help="Country of the addresses, by code or name.")],
    name: Annotated[str, typer.Option(help="What to call them; addresses of the same name are replaced.")],
    source: Annotated[str, typer.Option(help="Who is to be credited.")],
    licence: Annotated[str, typer.Option(help="Licence of the data.")] = "",
    replace_all: Annotated[
        bool, typer.Option("--replace-all", help="Take a newer file also when it lacks much of the older one.")
    ] = False,
) -> None:
    """Add addresses to the index, all or nothing; a newer file replaces the older one of its name.

    One that lacks more than a third of the older one's house numbers is refused unless that is wanted. For 30 days
    the older one can be brought back. Rows that cannot be used are left out and counted. Only the pins that a change
    may concern are looked at again.
    """
    chosen = addressfiles.found(paths)
    wish = sources.Wish(name, country, source, licence, replace_all)
    with transaction() as session:
        added = sources.add(session, chosen, wish, tell=_tell)
        for line in added.tally.lines():
            typer.echo(line, err=True)
        found = added.source
        if added.is_known:
            typer.echo(f"{found.name}: these {found.addresses:,} addresses are in the index already; nothing to do.")
            return
        streets = f"{found.streets:,} street{'' if found.streets == 1 else 's'}"
        houses = f"{found.addresses:,} address{'' if found.addresses == 1 else 'es'}"
        typer.echo(f"{found.name}: {houses} on {streets}. {found.attribution[0]}")
        if found.replaces is not None:
            typer.echo(f"Since the version before: {in_words(found.changes)}.")
            typer.echo(f"For 30 days that one can be brought back: waymark addresses restore {quote(found.name)}")
    typer.echo(FOLLOWS)


@addresses.command("list")
def list_files() -> None:
    """Show the address files with their licence and date, and those that can be brought back."""
    with transaction() as session:
        found, gone = queries.files(session), queries.removed_files(session)
        if not found:
            typer.echo("No address file yet. Add one: waymark addresses add FILE.csv --country … --name … --source …")
        for one in found:
            typer.echo(
                f"{one.name:<24} {one.country}  {one.addresses:>10,} addresses  {one.streets:>7,} streets"
                f"  {one.created_at:%Y-%m-%d}  {'; '.join(one.attribution)}"
            )
        names = {one.name for one in found}
        for one in gone:
            what = "replaced" if one.name in names else "removed"
            typer.echo(
                f"{one.name:<24} {one.country}  {one.addresses:>10,} addresses"
                f"  {what} {one.removed_at:%Y-%m-%d}; waymark addresses restore"
            )


@addresses.command("remove")
def remove(name: Annotated[str, typer.Argument(help="As “waymark addresses list” names it.")]) -> None:
    """Take an address file out of the index; for 30 days it can be brought back."""
    with transaction() as session:
        sources.remove(session, name)
    typer.echo(f"Address file {name} is removed. Bring it back: waymark addresses restore {quote(name)}")
    typer.echo(FOLLOWS)


@addresses.command("restore")
def restore(name: Annotated[str, typer.Argument(help="As “waymark addresses list” names it.")]) -> None:
    """Bring an address file back that was removed or replaced; the present one of its name can then be, for 30 days."""
    with transaction() as session:
        found = sources.restore(session, sources.to_restore(session, name))
        typer.echo(f"Address file {name} is back with {found.addresses:,} addresses.")
    typer.echo(FOLLOWS)


def _tell(rows: int) -> None:
    typer.echo(f"{rows:,} rows …", err=True)
