"""The review desk: the queue of unsure pins, and one screen per account to decide them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from server.accounts import site_changes
from server.accounts.reviewing import desk as reviewing
from server.accounts.reviewing import queue as review_queue
from server.accounts.reviewing.queue import NO_TERRITORY, Wish
from server.accounts.reviewing.schemas import CardRead
from server.accounts.values import ADDRESS
from server.auth.access import Scope, requires
from server.geocoding import queries as addresses
from server.kit.database import Db
from server.web.pages import html, render

router = APIRouter(prefix="/review", include_in_schema=False)

PlacePins = Annotated[Scope, requires("pins:place")]
Short = Annotated[str | None, Query(max_length=300)]
SHOWN = 500

REASONS = {
    "ambiguous": "Several places fit",
    "checkins": "Check-ins disagree",
    "coordinates_given": "Coordinates of an import",
    "corrected": "Read kindly",
    "empty": "No address",
    "exact": "As written",
    "in_water": "In the water",
    "nearby_number": "Number not known",
    "no_address": "No address",
    "no_number": "Number missing",
    "not_found": "Not found",
    "number_out_of_range": "Number too high",
    "other_country": "Another country",
    "outside_country": "Outside its country",
    "outside_land": "Outside the map's land",
    "place_contradicts": "Postcode or city contradicts",
    "place_only": "Only the place is known",
    "poi": "Found by its name",
    "proposed": "Proposed by a rep",
    "set_by_hand": "Set by hand",
    "stacked": "Many on one point",
    "unsure": "Similar, not sure",
}
"""Why a pin is in the queue, as people say it."""

DIFFERENCES = {
    "street_same": "street as written",
    "street_other": "street reads “{v}”",
    "street_unknown": "this street is not known there",
    "number_same": "number {v} is there",
    "number_other": "the nearest number is {v}",
    "number_between": "number {v} is put between its neighbours",
    "number_beyond": "number {v} lies beyond the known ones",
    "number_unknown": "number {v} is not known there",
    "number_missing": "no number was given",
    "postcode_same": "postcode agrees",
    "postcode_other": "postcode there is {v}",
    "city_same": "place agrees",
    "city_other": "place there is {v}",
}
"""What is said about a candidate."""

LOOKS = {
    "gps_confirmed": "good",
    "manual": "good",
    "rooftop": "good",
    "interpolated": "fair",
    "street": "fair",
    "locality": "weak",
    "given": "fair",
    "placed": "fair",
    "review": "warn",
    "failed": "bad",
    "pending": "info",
}
"""How a grade looks in the bar."""


@router.get("")
def show_desk(
    request: Request, scope: PlacePins, session: Db, reason: Short = None, grade: Short = None, territory: Short = None
) -> Response:
    """The desk: the queue, filtered, and the first account of it."""
    wish = Wish(reason or None, grade or None, territory or None)
    queue = review_queue.queue(session, scope, wish, limit=SHOWN)
    names = review_queue.territory_names(session) | {NO_TERRITORY: "no territory"}
    return render(
        request,
        "review/desk.html",
        scope,
        queue=queue,
        wish=wish,
        reasons=REASONS,
        territory_names=names,
        grades=grade_bar(session, scope),
        looks=LOOKS,
        decided=[
            (str(one.id), str(one.site_id), one.account) for one in site_changes.decisions(session, actor=scope.user_id)
        ],
        has_index=bool(addresses.served(session)),
    )


def grade_bar(session: Session, scope: Scope) -> list[tuple[str, int, str]]:
    """All sites by grade: name, count, and the filter of the list that shows them."""
    found = review_queue.grades(session, scope)
    states = ("review", "failed", "pending")
    return [
        (name, count, f"pin = {name}" if name in states else f"pin = placed and grade = {name}")
        for name, count in found
    ]


@router.get("/grades")
def show_grades(request: Request, scope: PlacePins, session: Db) -> Response:
    """A fragment: the sites by grade while the geocoder is at work."""
    return render(request, "review/grades.html", scope, grades=grade_bar(session, scope), looks=LOOKS)


@router.get("/{site_id}/card")
def show_card(
    request: Request,
    site_id: UUID,
    scope: PlacePins,
    session: Db,
    street: Short = None,
    postcode: Short = None,
    city: Short = None,
    country: Short = None,
) -> Response:
    """A fragment: one account; with fields of an address, what these would give."""
    sent = {"street": street, "postcode": postcode, "city": city, "country": country}
    wished = {name: value or None for name, value in sent.items() if name in request.query_params}
    card = reviewing.card(session, scope, site_id, wished)
    changed = {name: value for name, value in wished.items() if (getattr(card.site, name) or None) != value}
    shown = {name: wished.get(name, getattr(card.site, name)) for name in ADDRESS}
    read = CardRead.of(card)
    fields = [(name, [token for token in read.tokens if token.field == name]) for name in ("name", *ADDRESS, "query")]
    text = html(
        request, "review/card.html", scope, card=card, read=read, changed=changed, shown=shown, reasons=REASONS,
        differences=DIFFERENCES, fields=[(name, tokens) for name, tokens in fields if tokens],
        attributions=addresses.attributions(session),
        data=read.model_dump(mode="json", include={"site", "options", "proposals"}) | {"address": changed},
    )  # fmt: skip
    return Response(text, media_type="text/html; charset=utf-8", headers={"Cache-Control": "no-store"})
