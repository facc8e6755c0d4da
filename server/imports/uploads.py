"""A file that somebody sends: refused before it is read when it is too large."""

import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, NamedTuple

from fastapi import Depends, Request
from starlette.datastructures import UploadFile

from server.imports.errors import FileTooLarge
from server.kit.errors import BadRequest
from server.kit.settings import settings

FORM_OVERHEAD = 100_000


class Upload(NamedTuple):
    """A received file, on disk while the request lasts."""

    path: Path
    name: str
    options: dict[str, str]
    """The other fields of the form."""


def check_size(request: Request) -> None:
    """Refuse a body that is larger than the settings allow, without reading it."""
    length = request.headers.get("content-length", "")
    if not length.isdigit():
        raise BadRequest("The upload does not say how large it is.", help="Send a Content-Length.")
    if int(length) > settings().max_upload_mb * 1_000_000 + FORM_OVERHEAD:
        raise FileTooLarge(
            f"The file is larger than {settings().max_upload_mb:,} MB.",
            help="Split it, or raise WAYMARK_MAX_UPLOAD_MB.",
        )


async def received(request: Request) -> AsyncIterator[Upload]:
    """The file of a multipart form with a field `file`."""
    form = await request.form()
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise BadRequest("There is no file.", help="Send a multipart form with a field “file”.")
    name = re.sub(r"[\x00-\x1f\x7f]", "", Path((file.filename or "file").replace("\\", "/")).name) or "file"
    with tempfile.NamedTemporaryFile(prefix="waymark-upload-") as copy:
        shutil.copyfileobj(file.file, copy)
        copy.flush()
        texts = {key: value for key, value in form.items() if isinstance(value, str)}
        yield Upload(Path(copy.name), name, texts)


SizeChecked = Depends(check_size)
"""First dependency of a route that takes a file."""

Received = Annotated[Upload, Depends(received)]
"""A handler's file: `def handler(upload: Received)`, on a route with `dependencies=[SizeChecked]`."""
