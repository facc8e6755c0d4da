"""The density page: the market on a map by hexagon, area, kind or as a surface."""

from collections import Counter
from typing import Annotated, Any
from unicodedata import normalize
from uuid import UUID

import h3
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.auth.access import Scope, requires
from server.density import figures, firms, outlines, queries, reach, service, surface
from server.density.counting import FINEST
from server.density.routes import Resolution
from server.density.whitespace import sees_values
from server.geocoding.source_routes import BOX, box_of
from server.kit.database import Db
from server.kit.errors import WaymarkError
from server.kit.settings import settings
from server.regions import queries as regions
from server.segments import queries as segments
from server.web.language import Language
from server.web.pages import attempt, go, language_of, render

router = APIRouter(prefix="/density", include_in_schema=False)

ReadDensity = Annotated[Scope, requires("density:read")]
BEST = 12
LISTED_RESOLUTION = min(FINEST, 8)
MOST_KINDS = 300


@router.get("")
def show_density(
    request: Request,
    scope: ReadDensity,
    session: Db,
    kind: str = "",
    figure: queries.Figure = queries.Figure.PROSPECTS,
    resolution: Resolution = None,
    box: Annotated[str | None, BOX] = None,
) -> Response:
    """The market on a map, and the hexagons that lead by a figure; of a kind, and of the map's view, if asked."""
    seen, shows, language = reach.of(session, scope), sees_values(scope), language_of(request, scope)
    figure = figure if shows or figure != queries.Figure.VALUE else queries.Figure.PROSPECTS
    size, around = resolution or LISTED_RESOLUTION, box_of(box) if box else queries.WORLD
    trades, error = None, None
    try:
        with attempt(session):
            trades = queries.trades_of(session, kind) if kind else None
    except WaymarkError as refused:
        kind, error = "", refused
    best = queries.best_cells(session, size, seen, BEST, trades, figure=figure, box=around)
    places = [h3.cell_to_latlng(h3.int_to_str(cell.cell)) for cell in best]
    near = language.places(regions.nearest_settlements(session, [LonLat(lon, lat) for lat, lon in places]))
    cells = [
        (cell, h3.int_to_str(cell.cell), lon, lat, name)
        for cell, (lat, lon), name in zip(best, places, near, strict=True)
    ]
    totals = queries.totals(session, seen, trades)
    return render(
        request,
        "density/map.html",
        scope,
        totals=totals,
        unknown_share=bool(trades) and not totals.customers and bool(totals.unknown),
        kind=kind,
        kind_word=language.firm(kind) if kind else "",
        error=error,
        cells=cells,
        figure=figure,
        resolution=resolution,
        size=size,
        box=box,
        width_km=2 * h3.average_hexagon_edge_length(size, "km"),
        currency=settings().currency,
        sources=firms.sources(session),
        layers=layers(language, values=shows),
        levels=figures.admin_levels(session),
        in_parts=any(round(float(cell.customers), 1) % 1 for cell in best),
        kinds=kinds_offered(session, language),
        bandwidths=surface.BANDWIDTHS_M,
        has_region=bool(regions.served(session)),
        sees_nothing=seen.is_nothing,
        lists=[(one.name, one.filter) for one in segments.views(session, scope, "account") if one.filter],
        words=map_words(language) | turning_words(language),
    )


def kinds_offered(session: Session, language: Language) -> list[tuple[queries.Kind, str]]:
    """The commonest kinds of firms to choose from, by their words; kinds of one word are told apart by their tags."""
    found = [(kind, language.firm(kind.kind)) for kind in queries.kinds(session)[:MOST_KINDS]]
    shared = Counter(word.casefold() for _, word in found)
    named = [(kind, word if shared[word.casefold()] == 1 else f"{word} ({kind.kind})") for kind, word in found]
    return sorted(named, key=lambda one: normalize("NFKD", one[1]).casefold())


@router.get("/kinds.json")
def show_kinds(request: Request, scope: ReadDensity, session: Db) -> Response:
    """The kinds of firms in the reader's words, by their tags: for the map's script."""
    language = language_of(request, scope)
    return JSONResponse(
        {kind.kind: language.firm(kind.kind) for kind in queries.kinds(session)},
        headers={"Cache-Control": "private, max-age=600"},
    )


@router.get("/cells/{cell}")
def show_cell(cell: str, request: Request, scope: ReadDensity, session: Db, kind: str = "") -> Response:
    """All figures of a hexagon, of a kind as the map has it, with how they come about and what can be made of it."""
    trades = queries.trades_of(session, kind) if kind else None
    found = figures.cell(session, reach.of(session, scope), cell, trades)
    return render(
        request,
        "density/cell.html",
        scope,
        cell=found,
        turned={"cell": found.cell},
        kind=kind,
        shows_values=sees_values(scope),
        currency=settings().currency,
    )


@router.get("/firms/{prospect_id}")
def show_firm(prospect_id: UUID, request: Request, scope: ReadDensity, session: Db) -> Response:
    """A fragment: one firm of open data as a card on the map, with what it is already or a way to make a lead of it."""
    return render(request, "density/firm.html", scope, firm=outlines.firm(session, scope, prospect_id))


@router.post("/refresh")
def refresh(scope: Annotated[Scope, requires("density:export")], session: Db) -> Response:
    """Count again now."""
    service.refresh(session, by_hand=True)
    return go("/density")


def layers(language: Language, *, values: bool) -> list[tuple[str, str]]:
    """What can be shown, with its name."""
    t = language.t
    found = [
        ("prospects", t("Prospects")),
        ("customers", t("Customers")),
        ("penetration", t("Penetration")),
        ("difference", t("Expected against found")),
        ("value", t("To be won, a year")),
        ("surface", t("Smooth density")),
    ]
    return [one for one in found if values or one[0] != "value"]


def map_words(language: Language) -> dict[str, Any]:
    """What the map's script says."""
    t = language.t
    return {
        "each": t("per hexagon"),
        "p_one": t("1 prospect"),
        "p_more": t("{n} prospects", n="{n}"),
        "c_one": t("1 customer"),
        "c_more": t("{n} customers", n="{n}"),
        "unknown_one": t("penetration not known: of 1 customer the kind is not known"),
        "unknown_more": t("penetration not known: of {n} customers the kind is not known", n="{n}"),
        "no_data": t("hatched: not known, no customer’s kind is known there"),
        "share": t("penetration {p} ({low} to {high})", p="{p}", low="{low}", high="{high}"),
        "most": t("at most {n}", n="{n}"),
        "fewer": t("fewer"),
        "chance": t("chance"),
        "more": t("more"),
        "spread": t("per km²; each firm is spread over {m} m (quartic kernel)", m="{m}"),
        "legend_prospects": t("Prospects"),
        "legend_customers": t("Customers"),
        "legend_penetration": t("Penetration"),
        "legend_difference": t("Customers found against expected"),
        "legend_value": f"{t('To be won, a year')}, {settings().currency}",
        "legend_surface": t("Smooth density"),
        "formula_penetration": t("customers / (prospects + customers)"),
        "formula_difference": t("in the middle: 9 of 10 times chance alone does this"),
        "formula_value": t("prospects × rate × mean value of their kind"),
    }


def turning_words(language: Language) -> dict[str, str]:
    """What is said when hexagons become leads, tasks or wanted visits, and when that is taken back."""
    t = language.t
    n = "{n}"
    return {
        "ask_leads": t("Make leads of these?"),
        "worth": t(
            "Each lead is expected to buy what customers of its kind buy a year; its hexagon counts that × their rate."
        ),
        "ask_tasks": t("Make tasks of these?"),
        "ask_visits": t("Take these into routes?"),
        "will_make": t("{n} will be made:", n=n),
        "part_of_it": t("{n} in {territory}, for {who}", n=n, territory="{territory}", who="{who}"),
        "no_territory": t("no territory"),
        "by_rules": t("whoever the rules for leads choose"),
        "by_plan": t("whoever the next plan chooses"),
        "make": t("Make them"),
        "cancel": t("Cancel"),
        "made_leads": t("{n} leads made.", n=n),
        "made_leads_one": t("1 lead made."),
        "made_leads_none": t("No lead was made."),
        "made_tasks": t("{n} tasks made.", n=n),
        "made_tasks_one": t("1 task made."),
        "made_tasks_none": t("No task was made."),
        "made_visits": t("{n} visits are wanted; the next plan takes them in.", n=n),
        "made_visits_one": t("1 visit is wanted; the next plan takes it in."),
        "made_visits_none": t("No visit was wanted."),
        "nothing_leads": t("There is no prospect here that could become a lead."),
        "nothing_tasks": t("There is nothing here to do."),
        "nothing_visits": t("No account of yours here has gone without a visit for so long."),
        "left_leads": t("{n} are leads already.", n=n),
        "left_customers": t("{n} are customers already.", n=n),
        "left_accounts": t("{n} are accounts already.", n=n),
        "left_tasks": t("{n} have an open task already.", n=n),
        "left_visits": t("{n} are wanted already.", n=n),
        "left_leads_one": t("1 is a lead already."),
        "left_customers_one": t("1 is a customer already."),
        "left_accounts_one": t("1 is an account already."),
        "left_tasks_one": t("1 has an open task already."),
        "left_visits_one": t("1 is wanted already."),
        "left_nameless": t("{n} have no name that a lead could have: {names}.", n=n, names="{names}"),
        "left_nameless_one": t("1 has no name that a lead could have: {names}.", names="{names}"),
        "left_long_name": t("{n} have a name of more than 300 letters: {names}.", n=n, names="{names}"),
        "left_long_name_one": t("1 has a name of more than 300 letters: {names}.", names="{names}"),
        "kept_one": t("1 stays, because somebody works on it."),
        "undone": t("{n} taken back.", n=n),
        "kept": t("{n} stay, because somebody works on them.", n=n),
        "undo": t("Undo"),
        "failed": t("This did not work. Try again."),
    }
