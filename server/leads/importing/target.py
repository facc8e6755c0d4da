"""What the importer needs to know of leads: columns with their titles, keys, the rule of a row."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from server.accounts.importing.links import ACCOUNT_NAMES
from server.accounts.pins import point_of
from server.accounts.queries import home_country
from server.accounts.values import EMAIL, country_code
from server.auth.access import scope_of
from server.auth.models import User
from server.auth.roles import Level
from server.imports.models import ImportRun
from server.imports.statements import NOTHING_ODD
from server.imports.targets import Advice, Checked, Column, Problem, Progress, Severity, Written
from server.jobs import defer
from server.kit.errors import Invalid
from server.leads import placing
from server.leads.caring import care_for_new
from server.leads.importing import sql
from server.leads.models import Lead
from server.leads.queries import within_reach
from server.leads.values import ADDRESS, LEAD, phones_e164, wire

TITLES = {
    "number": "leadno leadid leadnummer nummer number id",
    "company": f"company unternehmen société azienda {ACCOUNT_NAMES}",
    "person": "person contact kontakt name ansprechpartner nom nome",
    "phone": "phone telephone telefon tel mobile natel téléphone telefono",
    "email": "email mail emailaddress emailadresse courriel",
    "website": "website web url homepage",
    "street": "street strasse address adresse rue via",
    "postcode": "zip postcode plz postalcode npa cap",
    "city": "city town ort stadt ville città place",
    "country": "country land pays paese",
    "campaign": "campaign kampagne utmcampaign source quelle",
    "message": "message nachricht comment kommentar anfrage request",
    "expected_value": "value potential potenzial umsatz revenue budget expectedvalue",
    "note": "note notes notiz notizen remark bemerkung",
    "lon": "lon lng longitude länge",
    "lat": "lat latitude breite",
}
LABELS = {"phone": "Phone", "email": "E-mail", "lon": "Longitude", "lat": "Latitude"}
RULES = {"phone": "phones", "email": "emails"}
"""The rule of a lead for each column that is called differently."""


class LeadTarget:
    """Leads for the importer."""

    kind = "leads"
    columns: tuple[Column, ...] = tuple(
        Column(
            name,
            LABELS.get(name) or LEAD[name].label,
            tuple(titles.split()),
            (lambda cell: bool(EMAIL.fullmatch(cell))) if name == "email" else None,
            ("phone", "phone_e164") if name == "phone" else ("lon", "lat") if name in ("lon", "lat") else (),
        )
        for name, titles in TITLES.items()
    )
    keys: Mapping[str, str] = {"number": "Number", "email": "E-mail", "name": "Name and town"}
    ids = 1
    money: Sequence[str] = ("expected_value",)
    needs: tuple[tuple[str, ...], ...] = (("company", "person"),)
    tables: tuple[Written, ...] = (
        Written(
            "lead",
            (*sql.WRITTEN, *placing.PIN_STATE),
            groups=(frozenset({*ADDRESS, "pin", *placing.PIN_STATE}), frozenset({"phones", "phones_e164"})),
            followers=frozenset({"pin", *placing.PIN_STATE}),
            derived=frozenset(
                {"territory_id", "owner_id", "assigned_at", "score", "points", "chance", "score_reasons"}
            ),
            quiet=frozenset({"phones_e164", *placing.PIN_STATE}),
            unique=("number",),
        ),
    )

    def check_options(self, options: Mapping[str, Any]) -> None:
        """There is nothing to choose."""

    def key_sql(self, key: str) -> str:
        """By number or mail address; rows without one by name and town."""
        return sql.KEYS[key]

    def current_sql(self) -> str:
        """The leads that rows mean."""
        return sql.CURRENT

    def refused_sql(self) -> str:
        """Rows whose number another lead has."""
        return sql.REFUSED

    def odd_sql(self) -> str:
        """Nothing looks odd beside other rows."""
        return NOTHING_ODD

    def reach(self, session: Session, run: ImportRun) -> Select[UUID] | None:
        """The leads that the importer may write."""
        user = session.get(User, run.actor) if run.actor else None
        scope = scope_of(session, user, source="import") if user else None
        if scope is None or scope.level("leads:write") >= Level.ALL:
            return None
        return select(Lead.id).where(within_reach(scope, "leads:write"))

    def places_sql(self) -> str:
        """Where the values that change are stored."""
        return sql.PLACES

    def records_sql(self) -> str:
        """All leads."""
        return sql.RECORDS

    def causes_sql(self) -> str:
        """None: nothing here is repaired or merged in one go."""
        return "select null::uuid as op_id, null::text as why, false as is_undone where false"

    def in_use_sql(self) -> str:
        """Leads that have become accounts, and those that gave a sign of interest since."""
        return sql.IN_USE

    def restored(self, session: Session, record_ids: Sequence[UUID]) -> None:
        """Put restored leads into their territories, and have pins placed that wait again."""
        placing.align(session, record_ids)
        defer(session, care_for_new, key="leads.care_for_new")

    def advice(self, session: Session, sample: Sequence[Sequence[str]], mapping: Mapping[str, str]) -> Sequence[Advice]:
        """Nothing looks exchanged."""
        del session, sample, mapping
        return ()

    def row_rule(self, session: Session, run: ImportRun) -> Callable[[Mapping[str, str]], Checked]:
        """The rule of one row."""
        del run
        home = home_country(session)
        return lambda row: checked(row, home)

    def write(self, session: Session, run: ImportRun, progress: Progress) -> None:
        """Write the rows, and have the leads looked after in the background."""
        sql.write(session, run.id, run.currency, run.actor)
        progress(run.row_count, run.row_count, {})
        defer(session, care_for_new, key="leads.care_for_new")


def checked(row: Mapping[str, str], home: str | None) -> Checked:
    """What a row means; what a field refuses is left out with a warning that says why."""
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, cell in row.items():
        if name in ("lon", "lat"):
            continue
        rule = LEAD[RULES.get(name, name)]
        try:
            value = rule.clean(cell)
        except Invalid as error:
            message = f"{rule.label}: {error.message}; left out. {error.help}".strip()
            problems.append(Problem(Severity.WARNING, name, "not_accepted", message))
            continue
        if name in RULES:
            value = next(iter(value or ()), None)
        if value not in (None, [], {}):
            found[name] = wire(name, value)
    if "phone" in found:
        dialled = phones_e164([str(found["phone"])], country_code(str(found.get("country") or "")) or home)
        found |= {"phone_e164": dialled[0]} if dialled else {}
    if row.get("lon") or row.get("lat"):
        place(row, found, problems)
    if not found.get("company") and not found.get("person"):
        problems.append(Problem(Severity.ERROR, "company", "no_name", "Company and person: both are missing."))
    return Checked(found, problems)


def place(row: Mapping[str, str], found: dict[str, Any], problems: list[Problem]) -> None:
    """The coordinates of a row; left out with a warning where they are no place on Earth."""
    try:
        point = point_of(row.get("lon", "").replace(",", "."), row.get("lat", "").replace(",", "."))
    except Invalid:
        problems.append(Problem(Severity.WARNING, "lon", "no_place", "Longitude and latitude are no place; left out."))
        return
    found |= {"lon": round(point.lon, 6), "lat": round(point.lat, 6)}


TARGET = LeadTarget()
