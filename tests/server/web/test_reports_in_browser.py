"""Reports in a real browser: from a number to its list and its map, a chart as a picture."""

from pathlib import Path
from typing import Any

from PIL import Image


def test_a_number_opens_its_list_and_its_map_and_a_chart_is_kept_as_a_picture(page: Any, tmp_path: Path) -> None:
    page.goto("/reports?by=class")
    page.click('[data-measure="coverage"]')
    page.wait_for_selector("#groups")
    names = []
    for button in page.locator("[data-png]").all():
        with page.expect_download() as kept:
            button.click()
        names.append(kept.value.suggested_filename)
        kept.value.save_as(tmp_path / names[-1])
    assert [name.rpartition("-20")[0] for name in names] == ["coverage-class", "coverage-trend"]
    with Image.open(tmp_path / names[0]) as picture:
        assert picture.size[0] == 1920
        head = picture.convert("RGB").crop((0, 0, 1920, 100))
        assert len(head.getcolors(10_000_000) or []) > 5, "what it shows and of when stands above it"
        assert len(picture.convert("RGB").getcolors(10_000_000) or []) > 20, "bars and words, not an empty sheet"
    page.click("#groups a:has-text('0.0 %')")
    page.wait_for_url("**/reports/rows?of=accounts_visited&**")
    page.go_back()
    page.click("#groups a[title='On the map']")
    page.wait_for_url("**/?filter=**")
