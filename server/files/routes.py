"""JSON API of files: sending one. A file is read from the row that has it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from server.auth.access import Scope, requires
from server.files import service, store
from server.files.schemas import FileRead
from server.files.store import Content
from server.kit.database import Db

router = APIRouter(prefix="/api/v1/files", tags=["files"])

SendFiles = Annotated[Scope, requires("accounts:write")]
Name = Annotated[str, Query(max_length=200, description="What the file is called.")]


async def sent(request: Request, name: Name = "file", *, _scope: SendFiles) -> Content:
    """The body, written aside piece by piece; what says that it is too large is refused before it is read."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > store.limit():
        raise store.refuse(name, int(length))
    return await store.receive(name, request.stream())


@router.post("", status_code=201)
def send(scope: SendFiles, session: Db, content: Annotated[Content, Depends(sent)], name: Name = "file") -> FileRead:
    """Send a file: its bytes are the body. Name it when you save the note, visit or mail that has it."""
    return FileRead.model_validate(service.keep(session, content, name, scope.user_id))
