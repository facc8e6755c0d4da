"""JSON API, tiles and files of deals."""

from collections.abc import Iterable, Iterator
from typing import IO, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy.orm import Session

from server.accounts import queries as accounts
from server.accounts.routes import Filter as OfAccounts
from server.accounts.routes import Search as OfAccountsWords
from server.auth.access import Scope, requires
from server.kit import clock
from server.kit.database import Db
from server.kit.etags import BaseRevision, tag
from server.kit.paging import Cursor, Limit, Page
from server.kit.tiles import TileAddress, tile_response
from server.opportunities import boards, bulk, exporting, line_history, moving, queries, service, tiles
from server.opportunities.fields import fields
from server.opportunities.line_schemas import LinesSavedRead
from server.opportunities.schemas import (
    BoardRead,
    BulkRead,
    BulkRefused,
    BulkWrite,
    ColumnRead,
    DealCreate,
    DealFields,
    DealListed,
    DealRead,
    FieldRead,
    LinesWrite,
    MoveWrite,
    StageRead,
    TotalRead,
)

router = APIRouter(tags=["opportunities"])

ReadDeals = Annotated[Scope, requires("opportunities:read")]
WriteDeals = Annotated[Scope, requires("opportunities:write")]
ExportDeals = Annotated[Scope, requires("opportunities:export")]

Filter = Annotated[
    str | None, Query(max_length=4000, description="In the filter language, e.g. state = open and amount > 5000.")
]
Search = Annotated[str | None, Query(alias="q", max_length=200, description="Words of the deal or its account.")]
Sort = Annotated[str, Query(description="A key such as close or amount, with - in front for the other way round.")]


class DealPage(Page[DealListed]):
    """One page of deals, with what all of them add up to."""

    sum: TotalRead


@router.get("/api/v1/opportunities")
def list_deals(
    scope: ReadDeals,
    session: Db,
    filter: Filter = None,
    search: Search = None,
    sort: Sort = "close",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> DealPage:
    """The deals you may see, page by page."""
    found = queries.page(session, scope, filter=filter, search=search, sort=sort, cursor=cursor, limit=limit)
    rows = [DealListed.of(row) for row in found.rows]
    total = TotalRead.model_validate(found.total)
    return DealPage(items=rows, next_cursor=found.next_cursor, total=total.count, sum=total)


@router.get("/api/v1/opportunities/fields")
def list_fields(scope: ReadDeals) -> Page[FieldRead]:
    """What deals can be filtered by."""
    now = clock.now()
    known = fields(now.date(), now).values()
    return Page(
        items=[FieldRead(name=one.name, kind=one.kind, label=one.label, choices=list(one.choices)) for one in known]
    )


@router.get("/api/v1/opportunities/export.{kind}")
def export(
    kind: exporting.Format, scope: ExportDeals, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The deals you may export as CSV or XLSX; no limit."""
    file = exporting.export(session, scope, kind, filter=filter, search=search)
    name = f"deals-{accounts.today_of(scope).isoformat()}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(chunks(file), media_type=exporting.MEDIA_TYPES[kind], headers=headers)


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """A file piece by piece; closed at the end."""
    with file:
        while piece := file.read(65_536):
            yield piece


@router.get("/api/v1/pipelines/{pipeline_id}/board")
def show_board(
    pipeline_id: UUID, scope: ReadDeals, session: Db, filter: Filter = None, search: Search = None, cards: Limit = 20
) -> BoardRead:
    """A pipeline as columns, each with its first deals; closed deals stay for 90 days."""
    columns = boards.board(session, scope, pipeline_id, filter=filter, search=search, cards=cards)
    return BoardRead(
        pipeline_id=pipeline_id,
        columns=[
            ColumnRead(
                stage=StageRead.model_validate(one.stage),
                total=TotalRead.model_validate(one.total),
                deals=[DealListed.of(row) for row in one.rows],
                next_cursor=one.next_cursor,
            )
            for one in columns
        ],
    )


@router.post("/api/v1/opportunities", status_code=201)
def create(body: DealCreate, scope: WriteDeals, session: Db, response: Response) -> DealRead:
    """Open a deal at an account."""
    deal = service.create(session, scope, body.new())
    response.headers["Location"] = f"/api/v1/opportunities/{deal.id}"
    return read(session, scope, deal.id, response)


def read(session: Session, scope: Scope, deal_id: UUID, response: Response, notes: Iterable[Any] = ()) -> DealRead:
    """One deal in full, with its ETag."""
    row = queries.detail(session, scope, deal_id)
    tag(response, row.deal.rev)
    return DealRead.full(row, queries.lines_of(session, [deal_id]), queries.way_of(session, deal_id), notes)


@router.post("/api/v1/opportunities/bulk")
def change_many(body: BulkWrite, scope: WriteDeals, session: Db) -> BulkRead:
    """Change or move many deals at once; one that is refused leaves the others be, and is named."""
    done = bulk.change(session, scope, body.deals, body.fields.given(), body.stage_id)
    refused = [BulkRefused(id=deal_id, message=one.message, code=one.code) for deal_id, one in done.refused]
    return BulkRead(changed=done.changed, refused=refused)


@router.get("/api/v1/opportunities/{deal_id}")
def get(deal_id: UUID, scope: ReadDeals, session: Db, response: Response) -> DealRead:
    """One deal with its lines and its way through the stages."""
    return read(session, scope, deal_id, response)


@router.patch("/api/v1/opportunities/{deal_id}")
def change(
    deal_id: UUID, body: DealFields, scope: WriteDeals, session: Db, base: BaseRevision, response: Response
) -> DealRead:
    """Change fields. An older ETag is merged field by field; 412 with both values where a field really clashes."""
    done = service.edit(session, scope, deal_id, base, body.given())
    return read(session, scope, deal_id, response, done.notes)


@router.post("/api/v1/opportunities/{deal_id}/move")
def move(
    deal_id: UUID, body: MoveWrite, scope: WriteDeals, session: Db, base: BaseRevision, response: Response
) -> DealRead:
    """Move to a stage. 422 `fields_missing` names what the stage wants; 412 `moved_meanwhile` says where it stands."""
    done = moving.move(session, scope, deal_id, body.stage_id, base, body.fields.given())
    return read(session, scope, deal_id, response, done.notes)


@router.get("/api/v1/opportunities/{deal_id}/lines/history")
def get_line_history(deal_id: UUID, scope: ReadDeals, session: Db) -> list[LinesSavedRead]:
    """What became of the deal's lines, the latest save first. 403 for whoever may not see amounts."""
    scope.need_sees("opportunity", "amount")
    found = line_history.history(session, queries.find(session, scope, deal_id))
    return [LinesSavedRead.model_validate(one) for one in found]


@router.put("/api/v1/opportunities/{deal_id}/lines")
def set_lines(
    deal_id: UUID, body: LinesWrite, scope: WriteDeals, session: Db, base: BaseRevision, response: Response
) -> DealRead:
    """Set what the deal is about; the amount is the sum of the lines."""
    lines = [line.model_dump() for line in body.lines]
    done = service.set_lines(session, scope, deal_id, base, lines, body.currency)
    return read(session, scope, deal_id, response, done.notes)


@router.delete("/api/v1/opportunities/{deal_id}", status_code=204)
def delete(deal_id: UUID, scope: WriteDeals, session: Db, base: BaseRevision) -> None:
    """Take a deal away; it can be restored. 412 when it changed after you read it."""
    service.delete(session, scope, deal_id, base)


@router.post("/api/v1/opportunities/{deal_id}/restore")
def restore(deal_id: UUID, scope: WriteDeals, session: Db, response: Response) -> DealRead:
    """Bring a deleted deal back."""
    service.restore(session, scope, deal_id)
    return read(session, scope, deal_id, response)


@router.get("/tiles/opportunities/{z}/{x}/{y}")
def deal_tile(
    tile: TileAddress, request: Request, scope: ReadDeals, session: Db, filter: Filter = None, search: Search = None
) -> Response:
    """The deals you may see as a vector tile; clusters below zoom 8."""
    return tile_response(request, tiles.tile(session, scope, tile, filter=filter, search=search))


@router.get("/tiles/opportunities/accounts/{z}/{x}/{y}")
def account_tile(
    tile: TileAddress,
    request: Request,
    scope: ReadDeals,
    session: Db,
    pipeline: Annotated[UUID, Query(description="The pipeline whose stages are told.")],
    filter: OfAccounts = None,
    search: OfAccountsWords = None,
) -> Response:
    """The accounts you may see as in `/tiles/accounts`, each with the stage of its open deal furthest along a pipeline.

    Of several open deals in the pipeline the one in the latest stage counts; without one `stage_id` is left out.
    """
    body = tiles.account_tile(session, scope, tile, pipeline, filter=filter, search=search)
    return tile_response(request, body)
