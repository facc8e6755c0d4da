"""What the importer needs to know of deals: columns, stages by name, what closing means."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Select, text
from sqlalchemy.orm import Session

from server.accounts.importing.links import (
    ACCOUNT_TITLES,
    IDENTITY,
    PERSON,
    account_link,
    amount,
    at_moment,
    on_day,
    one_of,
    own_fields,
    spelled,
)
from server.auth.access import Scope
from server.contacts.importing.links import CONTACT
from server.imports.declared import Declared, ids_by_cell
from server.imports.models import ImportRun
from server.imports.statements import BY_ID, WAYMARK_ID, Field, Key, Link
from server.imports.targets import Problem, Severity
from server.kit.settings import settings
from server.opportunities import pipelines, queries
from server.opportunities.importing import sql
from server.opportunities.models import ChoiceKind, Opportunity
from server.opportunities.values import DEAL, percent, share

CATEGORIES = spelled(commit="zugesagt", best_case="best bestcase", pipeline="offen", omitted="ausgelassen")
LISTS = {"competitors": ChoiceKind.COMPETITOR, "source": ChoiceKind.SOURCE}


def stages(session: Session, _scope: Scope | None, cells: Sequence[str]) -> Mapping[str, Sequence[UUID]]:
    """Stages by name, or by pipeline and name."""
    return ids_by_cell(session, sql.STAGES, cells)


def probability(cell: str) -> Any:
    """A share as 0.25 or 25 %."""
    written = cell.strip()
    if written.endswith("%"):
        return percent(written[:-1])
    return share(written)


def rule(name: str) -> Any:
    """The rule of forms."""
    return lambda cell: DEAL[name].clean(cell.replace(";", ",") if name == "competitors" else cell)


def known_stages(session: Session, cells: Sequence[str]) -> dict[str, str]:
    """The stages that a cell might have named: those of its pipeline when it names one, else of every one."""
    by_pipeline = {
        one.name: [stage.name for stage in queries.stages(session, one.id)] for one in queries.pipelines(session)
    } if cells else {}  # fmt: skip
    told = {}
    for cell in cells:
        said, slash, _ = cell.partition("/")
        meant = {n: s for n, s in by_pipeline.items() if slash and n.casefold() == said.strip().casefold()}
        shown = meant or by_pipeline
        known = "; ".join(f"{name}: {', '.join(stages)}" for name, stages in shown.items())
        told[cell] = f"Known stages: {', '.join(next(iter(shown.values()))) if len(shown) == 1 else known}."
    return told


STAGE = Link(
    "stage",
    "stages",
    "“Pipeline / Stage”",
    stages,
    "Write a stage as it is called in Pipeline settings.",
    known_stages,
    is_shared=True,
)


class DealTarget(Declared):
    """Deals for the importer."""

    kind = "opportunities"
    object = "opportunity"
    table = "opportunity"
    permission = "opportunities:write"
    label = "t.name"
    has_own = True
    money: Sequence[str] = ("amount",)
    fields: ClassVar[tuple[Field, ...]] = (
        IDENTITY,
        Field("number", "Number", "dealno opportunityno nummer chancennummer dealid opportunityid",
              clean=rule("number"), is_unique=True),
        Field("name", "Name", "deal opportunity title titel bezeichnung chance dealname opportunityname",
              clean=rule("name"), is_needed=True),
        Field("account", "Account", ACCOUNT_TITLES,
              "uuid", value="account_id", link=account_link("opportunities:write"), is_needed=True),
        Field("contact", "Contact", "kontakt ansprechpartner contactemail", "uuid", value="contact_id", link=CONTACT),
        Field("owner", "Owner", "besitzer verkäufer salesrep responsible", "uuid", value="owner_id", link=PERSON,
              default=sql.OWNER),
        Field("stage", "Stage", "phase stufe dealstage status", "uuid", value="stage_id", link=STAGE,
              default=sql.FIRST_STAGE),
        Field("amount", "Amount", "betrag wert value summe dealvalue", "numeric", amount,
              present=sql.AMOUNT),
        Field("currency", "Currency", "währung devise", clean=rule("currency"), default="cast(:currency as text)"),
        Field("close_on", "Expected close", "closedate abschluss abschlussdatum expectedclose", "date", on_day,
              is_needed=True),
        Field("closed_at", "Closed on", "closedon wonon loston geschlossen gewonnenam", "timestamptz", at_moment,
              is_stored=False, present=sql.CLOSED_AT),
        Field("probability", "Probability", "wahrscheinlichkeit chance%", "numeric", probability),
        Field("category", "Forecast category", "forecast prognose", clean=one_of(CATEGORIES)),
        Field("next_step", "Next step", "nextstep nächsterschritt", clean=rule("next_step"), default=sql.NEXT_STEP),
        Field("next_step_on", "Next step on", "nextstepdate nächsterschrittam", "date", on_day,
              default=sql.NEXT_STEP_ON),
        Field("competitors", "Competitors", "mitbewerber konkurrenz", "text[]", rule("competitors")),
        Field("source", "Source", "quelle leadsource herkunft", clean=rule("source")),
        Field("reason", "Reason", "lostreason winreason grund verlustgrund", clean=rule("reason")),
        Field("note", "Note", "notes notiz notizen bemerkung description", clean=rule("note")),
    )  # fmt: skip
    keys_by_name: ClassVar = {
        WAYMARK_ID: BY_ID,
        "number": Key("Number", "c.values ->> 'number'", "t.number = k.key"),
        "name": Key("Name and account", sql.NAME_KEY, sql.NAMED),
    }
    made: ClassVar = sql.MADE
    filled = ("pipeline_id", "state", "closed_at", "stage_since")
    instead: ClassVar = {"close_on": "closed_at"}
    groups = (
        frozenset({"stage_id", "pipeline_id", "state", "closed_at", "stage_since"}),
        frozenset({"amount", "currency"}),
        frozenset({"next_step", "next_step_on"}),
    )
    more = sql.FOLLOW

    def refused_sql(self) -> str:
        """Also amounts that follow from lines, and contacts who are elsewhere."""
        return super().refused_sql() + " union all " + sql.REFUSED

    def within_reach(self, scope: Scope) -> Select[UUID]:
        """The deals that somebody may change."""
        return queries.visible_to(scope, self.permission).with_only_columns(Opportunity.id)

    def around(self, session: Session, run: ImportRun) -> Mapping[str, Any]:
        """The words of the lists."""
        return {name: pipelines.choices(session, kind) for name, kind in LISTS.items()}

    def complete(self, values: dict[str, Any], problems: list[Problem], around: Any) -> None:
        """A closed deal was expected when it closed; words that are on no list are left out."""
        if "closed_at" in values and "close_on" not in values:
            at = datetime.fromisoformat(values["closed_at"]).astimezone(ZoneInfo(settings().zone))
            values["close_on"] = at.date().isoformat()
        for name, known in around.items():
            said = values.get(name) or []
            words = [said] if isinstance(said, str) else said
            unknown = [word for word in words if known and word not in known]
            if unknown:
                message = f"{DEAL[name].label}: “{unknown[0][:60]}” is not on the list; left out."
                problems.append(Problem(Severity.WARNING, name, "not_on_list", message))
                kept = [word for word in words if word not in unknown]
                values[name] = kept if isinstance(said, list) else ""
                if not kept:
                    del values[name]

    def restored(self, session: Session, record_ids: Sequence[UUID]) -> None:
        """A deal that stands in its former stage again has taken one more step."""
        session.execute(text(sql.STEPS_BACK), {"ids": list(record_ids)})


def target(session: Session) -> DealTarget:
    """Deals with the fields that the company has added."""
    return DealTarget(own_fields(session, "opportunity"))
