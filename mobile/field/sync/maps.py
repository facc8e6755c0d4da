"""Map packs: fetched in pieces that survive an interruption, checked by hash, replaced as a whole."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from mobile.field.store import Store
from mobile.field.store.canonical import Json
from mobile.field.sync.api import Api, read_json
from mobile.field.sync.problems import Problem, problem
from mobile.field.sync.transport import Reply, Request, Unreachable

PIECE = 256 * 1024


def fetch(api: Api, store: Store, folder: Path) -> int:
    """Bring the maps of the regions where this user has sites; returns how many are new."""
    try:
        regions = api.call("GET", "/api/v1/regions").get("items", [])
    except Problem as error:
        if error.status in (403, 404):
            return 0
        raise
    wanted = [r for r in regions if r.get("map_pack") and _has_sites(store, r.get("bbox"))]
    folder.mkdir(parents=True, exist_ok=True)
    return sum(_bring(api, region["map_pack"], folder) for region in wanted)


def _has_sites(store: Store, bbox: list[float] | None) -> bool:
    if not bbox:
        return False
    sql = (
        "select 1 from row where e='site' and json_extract(opened(doc),'$.lon') between ? and ?"
        " and json_extract(opened(doc),'$.lat') between ? and ? limit 1"
    )
    west, south, east, north = bbox
    return store.cache.db.execute(sql, (west, east, south, north)).fetchone() is not None


def _bring(api: Api, pack: Json, folder: Path) -> bool:
    """Download one pack unless it is here; goes on where the last attempt broke off."""
    sha = str(pack["sha256"])
    whole, part = folder / f"{sha}.wmap", folder / f"{sha}.part"
    if whole.exists():
        return False
    have = part.stat().st_size if part.exists() else 0
    if have < int(pack["size"]):
        _download(api, urlsplit(str(pack["url"])).path, part, have, sha)
    if _sha256(part) != sha:
        part.unlink()
        raise Unreachable("the map that arrived is not the one the server announced; it will be fetched again")
    part.replace(whole)
    return True


def _download(api: Api, path: str, part: Path, have: int, sha: str) -> None:
    headers = api.headers() | ({"Range": f"bytes={have}-", "If-Range": f'"{sha}"'} if have else {})
    with api.transport.open(Request("GET", path, headers)) as reply:
        if reply.status == 416:
            part.unlink(missing_ok=True)
            raise Unreachable("the map on the server is another now; it will be fetched again")
        if reply.status >= 400:
            raise problem(reply.status, read_json(reply), reply.headers.get("retry-after"))
        _save(reply, part, append=reply.status == 206)


def _save(reply: Reply, part: Path, *, append: bool) -> None:
    with part.open("ab" if append else "wb") as file:
        while piece := reply.body.read(PIECE):
            file.write(piece)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
