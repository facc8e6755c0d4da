"""The white-space page: ground that is nobody's, ground where nobody goes, and prospects like the best customers."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Request, Response
from shapely.geometry import mapping
from sqlalchemy.orm import Session

from geo.density import cell_outline
from server.accounts.models import AccountClass
from server.auth.access import Scope, requires
from server.density import firms, lookalikes, queries, reach, undoing, whitespace
from server.density.whitespace import LONGEST_DAYS, Gap, Ranked, Which, Wish
from server.kit.database import Db
from server.kit.errors import Invalid, WaymarkError
from server.kit.settings import settings
from server.regions import queries as regions
from server.territories import queries as territories
from server.web.density import kinds_offered, turning_words
from server.web.language import Language
from server.web.pages import attempt, language_of, render

router = APIRouter(prefix="/white-space", include_in_schema=False)

ReadDensity = Annotated[Scope, requires("density:read")]
TABS = ("unassigned", "unworked", "alike")
CLASSES = 6
"""Colours of the map's ramp."""


def wish_of(tab: str, territory_id: str, kind: str, account_class: str, days: str) -> Wish:
    """What the form asks for. Refuses what is no number of days, no class and no territory, in words."""
    if days and (not days.isdecimal() or len(days) > 9 or not 1 <= int(days) <= LONGEST_DAYS):
        raise Invalid(f"“{days[:20]}” is no number of days.", help=f"Write 1 to {LONGEST_DAYS}.", field="days")
    if account_class and account_class not in list(AccountClass):
        raise Invalid(f"There is no class “{account_class[:20]}”.", help="One of: A, B, C.", field="account_class")
    try:
        place = UUID(territory_id) if territory_id else None
    except ValueError as error:
        raise Invalid("There is no such territory.", help="Choose one of the list.", field="territory_id") from error
    return Wish(
        which=Which.UNWORKED if tab == "unworked" else Which.UNASSIGNED,
        territory_id=place,
        kind=kind or None,
        account_class=AccountClass(account_class) if account_class else None,
        days=int(days or 90),
    )


@router.get("")
def show_white_space(
    request: Request,
    scope: ReadDensity,
    session: Db,
    which: str = "",
    territory_id: str = "",
    kind: str = "",
    account_class: str = "",
    days: str = "",
    cell: str = "",
) -> Response:
    """The ranked list beside the map; where none is asked for, the first one in which there is something."""
    language, seen, known = language_of(request, scope), reach.of(session, scope), territories.active(session)
    tab, wish, found, alike, error = which if which in TABS else TABS[0], Wish(), None, None, None
    try:
        with attempt(session):
            if tab == "alike":
                alike = lookalikes.look_alikes(session, scope)
            else:
                wish = wish_of(tab, territory_id, kind, account_class, days)
                found = whitespace.ranked(session, scope, wish)
            if which not in TABS and found is not None and not found.gaps:
                other = wish_of(TABS[1], territory_id, kind, account_class, days)
                if (elsewhere := whitespace.ranked(session, scope, other)).gaps:
                    tab, wish, found = TABS[1], other, elsewhere
    except WaymarkError as refused:
        error = refused
    gaps = found.gaps if found else []
    return render(
        request,
        "density/white.html",
        scope,
        tab=tab, wish=wish, found=found, alike=alike, error=error, chosen_cell=cell, sees_nothing=seen.is_nothing,
        territories=[one for one in known if seen.sees(one.id)], kinds=kinds_offered(session, language),
        counted=queries.totals(session, seen).refreshed_at, sources=firms.sources(session),
        has_region=bool(regions.served(session)), currency=settings().currency,
        places=near_places(session, language, gaps), marked=marked(found, alike), past=undoing.history(session, scope),
        query=urlencode(asked(wish)), asked=asked(wish),
        why=lambda gap: reasons_of_gap(language, gap, wish, by_value=found is not None and found.by_value),
        reasons=lambda one: reasons(language, one),
        words=turning_words(language) | {
            "chosen": language.t("{n} chosen", n="{n}"),
            "choose": language.t("Choose hexagons to do something with several at once."),
        },
    )  # fmt: skip


def asked(wish: Wish) -> dict[str, Any]:
    """The same question to the API: of the list, of files, and of what becomes of it."""
    given = {
        "which": wish.which.value, "kind": wish.kind,
        "territory_id": str(wish.territory_id) if wish.territory_id else None,
        "account_class": wish.account_class, "days": wish.days,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def near_places(session: Session, language: Language, gaps: list[Gap]) -> dict[str, str]:
    """Where each hexagon is by its nearest settlement; empty where no region is."""
    names = language.places(regions.nearest_settlements(session, [gap.at for gap in gaps]))
    return {gap.cell: name for gap, name in zip(gaps, names, strict=True)}


def marked(found: Ranked | None, alike: lookalikes.Found | None) -> dict[str, Any]:
    """What the map shows: ranked hexagons, or look-alikes as points."""
    features: list[dict[str, Any]] = []
    if found:
        for rank, gap in enumerate(found.gaps, 1):
            known = {"key": gap.cell, "rank": rank, "level": found.level(rank, CLASSES)}
            features.append(feature(mapping(cell_outline(gap.cell)), known))
    for one in alike.alike if alike else ():
        point = {"type": "Point", "coordinates": list(one.at)}
        features.append(feature(point, {"key": str(one.prospect_id), "rank": 0}))
    return {"type": "FeatureCollection", "features": features}


def feature(geometry: Any, properties: dict[str, Any]) -> dict[str, Any]:
    """One GeoJSON feature."""
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def reasons_of_gap(language: Language, gap: Gap, wish: Wish, *, by_value: bool) -> list[str]:
    """Why a hexagon stands where it does, in words."""
    t, number = language.t, language.number
    found = []
    if gap.prospects:
        kinds = ", ".join(f"{language.firm(kind)} {count}" for kind, count in gap.kinds)
        firms = t("1 prospect") if gap.prospects == 1 else t("{n} prospects", n=number(gap.prospects))
        found.append(firms + (f" ({kinds})" if kinds else ""))
    if gap.accounts == 1:
        found.append(t("1 account without a visit for {days} days", days=wish.days))
    elif gap.accounts:
        found.append(t("{n} accounts without a visit for {days} days", n=number(gap.accounts), days=wish.days))
    if gap.leads:
        found.append(t("1 lead") if gap.leads == 1 else t("{n} leads", n=number(gap.leads)))
    if by_value:
        found.append(t("{value} a year", value=language.money(gap.value, settings().currency)))
    if gap.out_s is not None and gap.drive_h is not None:
        away = {"n": round(gap.out_s / 60), "name": gap.rep or ""}
        way = (
            t("{n} min from {name} by road", **away)
            if gap.by_road
            else t("{n} min from {name}, estimated by distance × 1.35", **away)
        )
        hours = {"drive": number(gap.drive_h, 1), "visits": number(gap.visit_h, 1)}
        found += [way, t("{drive} h of driving, {visits} h of visits", **hours)]
    if wish.which is Which.UNASSIGNED:
        found.append(
            t("in “{name}”, which nobody works", name=gap.territory) if gap.territory else t("in no territory")
        )
    elif gap.territory:
        found.append(gap.territory)
    return found


def reasons(language: Language, one: lookalikes.Alike) -> list[str]:
    """Two or three reasons for which a prospect is like the best customers."""
    t, like = language.t, one.likeness
    found = []
    if like.same_kind >= 1.2:
        found.append(
            t("its kind is {n} times as common among the best as elsewhere", n=language.number(like.same_kind, 1))
        )
    else:
        found.append(t("of a kind that the best have"))
    if like.shared:
        found.append(t("neighbours as theirs: {kinds}", kinds=", ".join(map(language.firm, like.shared[:2]))))
    if one.distance_m < lookalikes.NEAR_M:
        found.append(t("{d} from one of them", d=language.distance(one.distance_m)))
    if like.same_place and len(found) < 3:
        found.append(t("in the same kind of place"))
    if like.as_dense and len(found) < 3:
        found.append(t("surroundings as dense as theirs"))
    return found[:3]
