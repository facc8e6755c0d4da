"""The mailed map in a real browser without a network: it draws, it can be switched, it asks nobody."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Request, sync_playwright
from sqlalchemy.orm import Session

from geo.types import LonLat
from server.accounts.models import Site
from server.auth.access import system_scope
from server.density import offline, service, snapshot, snapshot_white
from server.density.firms import Firm
from server.density.whitespace import Wish, ranked
from server.regions.models import Region

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
COLOURS = """
() => {
    const canvas = document.querySelector('canvas.leaflet-zoom-animated');
    const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 3]) seen.add(pixels.slice(i, i + 3).join());
    return seen.size;
}
"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.skipif(not (offline.VENDOR / "leaflet.js").exists(), reason="needs the browser libraries"),
]


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_draws_everything_without_a_network(
    session: Session, region: Region, customer: Callable[..., Site], tmp_path: Path, width: int
) -> None:
    customer("<b>Bold & Sons</b>", LonLat(-6.0, 46.0))
    service.refresh(session)
    page_file = tmp_path / "density.html"
    page_file.write_bytes(snapshot.render(session, system_scope()))
    asked: list[str] = []
    said: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": width, "height": 800}, offline=True).new_page()
        page.on("request", note)
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(page_file.as_uri())
        page.wait_for_selector(".leaflet-tooltip.place")
        assert page.evaluate(COLOURS) > 20
        assert "Port Meridian" in page.inner_text(".leaflet-tooltip-pane")
        assert "Made-up data" in page.inner_text(".sources")
        assert page.locator(".leaflet-control-scale").is_visible()
        page.locator(".leaflet-control-layers").hover()
        page.get_by_text("Prospects per hexagon").nth(0).click()
        browser.close()
    assert asked == [page_file.as_uri()]
    assert said == []


OVERLAID = """
() => {
    const boxes = ['.box.title', '.box.legend', '.box.sources', '.leaflet-control-scale'].map(
        (one) => [one, document.querySelector(one).getBoundingClientRect()]);
    const meet = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
    return boxes.flatMap(([one, a], at) =>
        boxes.slice(at + 1).filter(([, b]) => meet(a, b)).map(([other]) => `${one} ${other}`));
}
"""


@pytest.mark.parametrize("size", [(1440, 900), (360, 740)])
def test_nothing_lies_over_the_list_of_white_space_which_has_a_legend(
    session: Session, region: Region, tmp_path: Path, size: tuple[int, int]
) -> None:
    service.refresh(session)
    wish = Wish()
    page_file = tmp_path / "white.html"
    page_file.write_bytes(snapshot_white.render(session, system_scope(), wish, ranked(session, system_scope(), wish)))
    text = page_file.read_text()
    assert set(re.findall(r"https?://([\w.]+)", text)) <= {"www.w3.org"}, "no library says where it comes from"
    assert "0 leads" not in text
    assert "1 prospects" not in text
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True).new_page()
        page.goto(page_file.as_uri())
        page.wait_for_selector(".leaflet-control-scale")
        assert page.evaluate(OVERLAID) == []
        assert page.locator(".legend i").count() >= 1
        page.locator(".rows tr").last.scroll_into_view_if_needed()
        page.get_by_text("counted 20").scroll_into_view_if_needed()
        map_box = page.locator(".folium-map").bounding_box()
        assert map_box is not None
        assert map_box["height"] > 400
        browser.close()


def test_many_firms_are_drawn_as_clusters(
    session: Session, region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.refresh(session)
    many = [Firm(str(n), f"Firm {n}", "shop=bakery", LonLat(-6 + n / 4e5, 46 + n % 50 / 1e3)) for n in range(2500)]
    monkeypatch.setattr(snapshot, "prospects", lambda *_: many)
    page_file = tmp_path / "density.html"
    page_file.write_bytes(snapshot.render(session, system_scope()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        page.goto(page_file.as_uri())
        page.wait_for_selector(".marker-cluster")
        counts = page.locator(".marker-cluster").all_inner_texts()
        browser.close()
    assert sum(map(int, counts)) > 1000
