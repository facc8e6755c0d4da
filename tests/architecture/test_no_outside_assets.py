"""Nothing that a page shows comes from somewhere else.

The harm: a console that loads its map from a CDN is blank in a field with no network, and tells a stranger who looks
at which customer. Every script, style, picture and font is our own.
"""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from server.auth.models import User

WEB = Path(__file__).parents[2] / "server" / "web"
ASSET = re.compile(
    r"""<(?:script|img|iframe|source|video|audio|embed)[^>]+src\s*=\s*["']?(?:https?:)?//"""
    r"""|<link[^>]+href\s*=\s*["']?(?:https?:)?//|url\(\s*["']?(?:https?:)?//|@import\s+["'](?:https?:)?//"""
    r"""|<form[^>]+action\s*=\s*["']?(?:https?:)?//""",
    re.IGNORECASE,
)
PAGES = (
    "/",
    "/accounts",
    "/accounts/new",
    "/calendar",
    "/calendar?view=month",
    "/tasks",
    "/calendar/connect",
    "/inbox",
    "/integrations/mailboxes",
    "/plans",
    "/territories",
    "/density",
    "/review",
    "/review/repairs",
    "/imports",
    "/users",
    "/regions",
    "/regions/elsewhere",
    "/integrations",
    "/integrations/mail",
    "/integrations/webhooks",
    "/api/docs",
)


@pytest.mark.parametrize("path", PAGES)
def test_a_rendered_page_loads_only_our_own_files(
    client_for: Callable[[User | None], TestClient], make_user: Callable[..., User], path: str
) -> None:
    answer = client_for(make_user("ada")).get(path, headers={"accept": "text/html"})
    assert answer.status_code == 200
    assert ASSET.findall(answer.text) == []


def test_our_templates_styles_and_scripts_name_no_other_server() -> None:
    own = [
        *(WEB / "templates").rglob("*.html"),
        *(WEB / "static" / "css").glob("*.css"),
        *(WEB / "static" / "js").glob("*.js"),
    ]
    assert len(own) > 20
    found = {path.name: hits for path in own if (hits := re.findall(r"https?://[\w.]+", path.read_text("utf-8")))}
    assert found == {}


def test_an_outside_asset_would_be_found() -> None:
    assert ASSET.search('<script src="https://cdn.example/x.js"></script>')
    assert ASSET.search("<link rel='stylesheet' href='//cdn.example/x.css'>")
    assert not ASSET.search('<a href="https://customer.example">website</a>')
