"""Leads as vector tiles: one statement a tile, with the same scope, filter and search as the list."""

from typing import Any

from sqlalchemy import cast, func
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from server.auth.access import Scope
from server.kit.filtering.guard import answers_in_time
from server.kit.layers import Layer
from server.kit.tiles import Tile
from server.leads import queries
from server.leads.models import OPEN, Lead


@answers_in_time
def tile(session: Session, scope: Scope, at: Tile, *, filter: str | None = None, search: str | None = None) -> bytes:
    """The leads of a tile that somebody may see: without a filter those that are open; counted below zoom 9."""
    layer = Layer("leads", at, Lead.pin)
    leads = queries.chosen(session, scope, filter=filter, search=search)
    if not filter and not search:
        leads = leads.where(Lead.state.in_(OPEN))
    inside = layer.inside(leads)
    rows = layer.clusters(inside) if layer.is_clustered else layer.singles(inside, *told(scope.hidden("lead")))
    return layer.encoded(session, rows)


def told(hidden: frozenset[str]) -> tuple[Any, ...]:
    """What is told of each lead."""
    return (
        cast(Lead.id, Text).label("id"),
        func.coalesce(Lead.company, Lead.person).label("name"),
        Lead.state,
        *(() if "score" in hidden else (Lead.score,)),
        cast(Lead.owner_id, Text).label("owner_id"),
        Lead.grade,
        Lead.uncertainty_m,
    )
