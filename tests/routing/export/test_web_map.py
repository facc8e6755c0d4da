"""The mailed map carries everything, fetches nothing, and does not run what people wrote."""

import os
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from routing.export import web_map
from routing.export.tour import Tour
from routing.export.types import DaySheet
from routing.export.web_map import Assets
from tests.routing.export.conftest import tour_of, week

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class _Assets(HTMLParser):
    """What a browser would fetch for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = ("src", "srcset", "poster", "data", "background") + (("href",) if tag == "link" else ())
        self.found += [value for name, value in attributes if name in names and value]


def test_nothing_is_fetched_from_anywhere(tour: Tour, assets: Assets) -> None:
    page = web_map.render(tour, assets).decode()
    parser = _Assets()
    parser.feed(page)
    assert parser.found == []
    assert not re.search(r"url\((?!data:|#)", page)
    assert "@import" not in page
    assert "sourceMappingURL" not in page
    assert "Content-Security-Policy" in page


def test_texts_of_people_stay_texts(tour: Tour, assets: Assets) -> None:
    page = web_map.render(tour, assets).decode()
    assert "</script>`" not in page
    assert "${alert" not in page
    assert "49}" not in page
    assert "&lt;/script&gt;&#96;&#36;&#123;alert(1)&#125;&#96;&#123;&#123;7*7&#125;&#125;" in page


def test_sources_scale_legend_and_estimates_are_on_the_page(tour: Tour, assets: Assets) -> None:
    page = web_map.render(tour, assets).decode()
    for part in ("© OpenStreetMap contributors", "estimated, straight line", "L.control.scale", '"estimated":true'):
        assert part in page


def test_without_estimates_the_legend_does_not_speak_of_them(sheet: DaySheet, assets: Assets) -> None:
    known = replace(sheet.stops[2], leg=replace(sheet.stops[2].leg, estimated=False))
    page = web_map.render(tour_of(replace(sheet, stops=(*sheet.stops[:2], known))), assets).decode()
    assert "estimated, straight line" not in page


def test_a_missing_library_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"leaflet\.css"):
        Assets.of(tmp_path)


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_real_browser_draws_the_map_without_an_error(tour: Tour, assets: Assets, tmp_path: Path) -> None:
    page = tmp_path / "day.html"
    page.write_bytes(web_map.render(tour, assets))
    command = [str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--virtual-time-budget=3000"]
    shown = subprocess.run(
        [*command, "--dump-dom", page.as_uri()], capture_output=True, text=True, timeout=60, env={**os.environ}
    )
    assert "CONSOLE" not in shown.stderr
    assert shown.stdout.count("leaflet-marker-icon") >= 5
    assert "leaflet-control-scale-line" in shown.stdout


def test_several_days_have_a_switch_and_one_day_has_none(tour: Tour, assets: Assets) -> None:
    assert 'data-show="' not in web_map.render(tour, assets).decode().split("<script>")[0]
    page = web_map.render(week(), assets).decode()
    assert page.count('<section data-day="') == 2
    assert page.count('<button data-show="') == 3
