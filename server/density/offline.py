"""Browser libraries written into a page, so that it asks nobody for anything."""

import base64
import re
from functools import lru_cache
from pathlib import Path

import server
from server.kit.errors import Unavailable

VENDOR = Path(server.__file__).parent / "web" / "static" / "vendor"
FORBID_OUTSIDE = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">"
)
"""Tells the browser itself to load nothing from anywhere."""

_SOURCE_MAP = re.compile(r"\n?//# sourceMappingURL=\S+")
_OUTSIDE = re.compile(r"https?://(?!www\.w3\.org/)[^\s\"'<>)]*")
"""Where a library comes from, in its comments and its own link; names of XML are no addresses."""
_PICTURE = re.compile(r"url\(([^)]+)\)")


@lru_cache(maxsize=8)
def library(*names: str) -> str:
    """The script and style elements of vendored files (`leaflet.js`, `leaflet.css`), pictures inside."""
    return "\n".join(_element(name) for name in names)


def _element(name: str) -> str:
    path = VENDOR / name
    try:
        content = path.read_text()
    except FileNotFoundError as error:
        raise Unavailable(
            f"The browser library {name} is not installed.", help="Run “python -m server.web.vendor” once."
        ) from error
    content = _OUTSIDE.sub("", _SOURCE_MAP.sub("", content))
    if name.endswith(".js"):
        return f"<script>{content}</script>"
    return f"<style>{_PICTURE.sub(_inlined, content)}</style>"


def _inlined(match: re.Match[str]) -> str:
    name = match[1].strip("'\"")
    if name.startswith(("data:", "#")):
        return match[0]
    picture = base64.b64encode((VENDOR / name).read_bytes()).decode()
    return f"url(data:image/png;base64,{picture})"
