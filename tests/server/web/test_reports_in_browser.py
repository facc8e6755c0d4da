"""Reports in a real browser: from a number to its list and its map, a chart as a picture."""

from pathlib import Path
from typing import Any

from PIL import Image


def test_a_number_opens_its_list_and_its_map_and_a_chart_is_kept_as_a_picture(page: Any, tmp_path: Path) -> None:
    page.goto("/reports?by=class")
    page.click('[data-measure="coverage"]')
    page.wait_for_selector("#groups")
    with page.expect_download() as kept:
        page.click("[data-png]")
    kept.value.save_as(tmp_path / "coverage.png")
    with Image.open(tmp_path / "coverage.png") as picture:
        assert picture.size[0] == 1920
        assert len(picture.convert("RGB").getcolors(10_000_000) or []) > 20, "bars and words, not an empty sheet"
    page.click("#groups a:has-text('0.0 %')")
    page.wait_for_url("**/accounts?filter=**")
    page.go_back()
    page.click("#groups a[title='On the map']")
    page.wait_for_url("**/?filter=**")
