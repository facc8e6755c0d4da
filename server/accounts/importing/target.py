"""What the importer needs to know of accounts: columns with their titles in four languages, keys, tables."""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from geo.geocode.vocabulary import fold, words
from geo.types import BBox
from server.accounts import values
from server.accounts.duplicates.jobs import find_duplicates
from server.accounts.forgetting import wait_again
from server.accounts.importing import cells, oddities, sql
from server.accounts.importing.advice import exchanged
from server.accounts.importing.rows import Around, RowReader
from server.accounts.locating import locate_pending
from server.accounts.models import Account
from server.accounts.pins import ANSWERED, align_accounts
from server.accounts.queries import home_country, within_reach
from server.auth.access import scope_of
from server.auth.models import User
from server.auth.roles import Level
from server.fields.models import CustomField
from server.fields.queries import fields_of
from server.fields.values import shape_of
from server.geocoding.queries import mapped_countries, towns
from server.imports.models import ImportRun
from server.imports.targets import Advice, Checked, Column, Progress, Written
from server.jobs import defer
from server.kit.errors import Invalid
from server.records.editing import CUSTOM
from server.regions.queries import served

PHONE = re.compile(r"\+?[\d\s()./-]{7,25}")

LOOKS: Mapping[str, Callable[[str], object]] = {
    "email": values.EMAIL.fullmatch,
    "website": lambda cell: cell.lower().startswith(("http://", "https://", "www.")),
    "postcode": cells.POSTCODE.fullmatch,
    "coordinates": cells.pair,
    "phone": PHONE.fullmatch,
}
"""Fields that are known by their values when the title says nothing, the surest first."""


WRITES: Mapping[str, tuple[str, ...]] = {
    "phone": ("phone", "phone_e164"),
    "owner": ("owner_id",),
    "preferred_rep": ("preferred_rep_id",),
    "service_minutes": ("service_s",),
    "yearly_value": ("yearly_value", "currency"),
    "yearly_potential": ("yearly_potential", "currency"),
    "address": ("street",),
    "house_number": ("street",),
    "coordinates": ("lon", "lat"),
    "lon": ("lon", "lat"),
    "lat": ("lon", "lat"),
}
"""Columns whose values have other names."""


def columns() -> tuple[Column, ...]:
    """The fields of an account that a file may bring, from the table that ships beside this module."""
    table = tomllib.loads((resources.files("server.accounts.importing") / "columns.toml").read_text("utf-8"))
    return tuple(
        Column(
            name,
            entry["label"],
            tuple(entry["titles"].split()),
            looks(name),
            WRITES.get(name, ()),
            next(((left, frozenset(short.split())) for left, short in entry.get("behind", {}).items()), None),
        )
        for name, entry in table.items()
    )


def looks(name: str) -> Callable[[str], bool] | None:
    """The test of a value for a field, where there is one."""
    test = LOOKS.get(name)
    return None if test is None else lambda cell: bool(test(cell))


COLUMNS = columns()


TABLES: tuple[Written, ...] = (
    Written(
        "account",
        (*sql.TYPES, "tags"),
        groups=(frozenset({"yearly_value", "yearly_potential", "currency"}), frozenset({"phone", "phone_e164"})),
        derived=frozenset({"territory_id"}),
        quiet=frozenset({"phone_e164"}),
        unique=("number",),
    ),
    Written(
        "site",
        (*sql.SITE_TYPES, *ANSWERED),
        groups=(frozenset({*values.ADDRESS, *ANSWERED}),),
        followers=frozenset(ANSWERED),
        derived=frozenset({"territory_id"}),
        quiet=frozenset(ANSWERED) - {"pin"},
    ),
)
"""What an import writes of every company's accounts."""


class AccountTarget:
    """Accounts for the importer, with the fields that the company has added."""

    kind = "accounts"
    keys: Mapping[str, str] = {"number": "Number", "name": "Name and address"}
    ids = 2
    money: Sequence[str] = ("yearly_value", "yearly_potential")
    needs: tuple[tuple[str, ...], ...] = (("name",),)

    def __init__(self, own: Sequence[CustomField] = ()) -> None:
        self.own = {CUSTOM + one.key: shape_of(one) for one in own}
        self.columns = (*COLUMNS, *(Column(CUSTOM + one.key, one.label, (one.label, one.key)) for one in own))
        account, site = TABLES
        self.tables: tuple[Written, ...] = (replace(account, columns=(*account.columns, *self.own)), site)

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse a country that nobody knows."""
        country = options.get("country")
        if country and values.country_code(str(country)) is None:
            raise Invalid(
                f"Country: “{country}” is no country that is known.",
                help="Write its name, or two letters such as CH.",
                field="country",
            )

    def key_sql(self, key: str) -> str:
        """By number; rows without one, or all when so chosen, by name and address."""
        return sql.KEY_BY_NUMBER if key == "number" else sql.KEY_BY_NAME

    def current_sql(self) -> str:
        """The accounts that rows mean, with their main site."""
        return sql.CURRENT

    def refused_sql(self) -> str:
        """Rows whose number another account has."""
        return sql.REFUSED

    def odd_sql(self) -> str:
        """Likely doubles, countries that hardly any other row has, coordinates in another country."""
        return oddities.ODD

    def reach(self, session: Session, run: ImportRun) -> Select[UUID] | None:
        """The accounts that the importer may write; the command line may write all."""
        user = session.get(User, run.actor) if run.actor else None
        scope = scope_of(session, user, source="import") if user else None
        if scope is None or scope.level("accounts:write") >= Level.ALL:
            return None
        return select(Account.id).where(within_reach(scope, "accounts:write"))

    def places_sql(self) -> str:
        """The account and its main site."""
        return sql.PLACES

    def records_sql(self) -> str:
        """Accounts with their sites."""
        return sql.RECORDS

    def causes_sql(self) -> str:
        """Bulk repairs of the review desk, and merges."""
        return (
            "select id as op_id, 'repaired' as why, undone_at is not null as is_undone from repair_run"
            " union all select id, 'merged', undone_at is not null from account_merge"
        )

    def in_use_sql(self) -> str:
        """Accounts into which others were merged, and those: they come back with the undo of the merge."""
        return sql.IN_USE

    def restored(self, session: Session, record_ids: Sequence[UUID]) -> None:
        """Put restored accounts into their territories, and have pins placed that wait again or were forgotten."""
        wait_again(session, record_ids)
        align_accounts(session, record_ids)
        defer(session, locate_pending, key="accounts.locate_pending")

    def advice(self, session: Session, sample: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> Sequence[Advice]:
        """Postcode and city, or latitude and longitude, that look exchanged."""
        maps = tuple(BBox(*region.bbox) for region in served(session) if region.bbox)
        return exchanged(sample, mapping, maps)

    def row_rule(self, session: Session, run: ImportRun) -> Callable[[Mapping[str, str]], Checked]:
        """The rule of one row, knowing the people of the company and the file's defaults."""
        people: dict[str, UUID] = {}
        for user in session.scalars(select(User).where(User.deleted_at.is_(None))):
            for name in (user.name, user.login, user.email):
                if name:
                    people[" ".join(words(fold(name)))] = user.id
        known = towns(session)
        around = Around(
            people=people,
            country=values.country(run.options.get("country")),
            dialled_in=home_country(session),
            maps=tuple(BBox(*region.bbox) for region in served(session) if region.bbox),
            own=self.own,
            asked=frozenset(run.mapping.values()),
            mapped=frozenset(region.country for region in served(session) if region.country),
            towns=frozenset(" ".join(words(fold(town))) for town, _ in known if town),
            indexed=mapped_countries(session),
            edges=frozenset((" ".join(words(fold(town))), country.upper()) for town, country in known if country),
        )
        return lambda row: RowReader(row, around).read()

    def write(self, session: Session, run: ImportRun, progress: Progress) -> None:
        """Write the rows and have new addresses placed in the background."""
        sql.write(session, run.id, run.currency, lambda done, counts: progress(done, run.row_count, counts))
        defer(session, locate_pending, key="accounts.locate_pending")
        defer(session, find_duplicates, key="accounts.find_duplicates")


TARGET = AccountTarget()
"""Without the fields of the company's own; for what does not depend on them."""


def target(session: Session) -> AccountTarget:
    """Accounts with the fields that the company has added."""
    return AccountTarget(fields_of(session, "account"))
