"""An import from the file to its undo, in a real browser."""

from pathlib import Path
from typing import Any

import geopandas
import pytest
from shapely.geometry import Point
from sqlalchemy import func, select

from server.accounts.models import Account
from server.kit.database import transaction

pytestmark = pytest.mark.browser


def living() -> int:
    with transaction() as session:
        return session.scalar(select(func.count()).where(Account.deleted_at.is_(None))) or 0


def test_a_layer_is_chosen_checked_applied_and_undone(page: Any, tmp_path: Path) -> None:
    file = tmp_path / "shops.gpkg"
    for layer in ("north", "south"):
        names = {"name": [f"{layer} {number}" for number in range(3)]}
        frame = geopandas.GeoDataFrame(
            names, geometry=[Point(9.5, 47.1 + number / 50) for number in range(3)], crs=4326
        )
        frame.to_file(file, layer=layer, driver="GPKG")
    before = living()
    page.goto("/imports")
    page.set_input_files("input[type=file]", file)
    page.check("input[name=sheet][value=south]")
    page.click("#refused button")
    page.wait_for_selector(".mapping")
    assert page.input_value("select[name=column-0]") == "lon"
    page.click("text=Dry run")
    page.wait_for_selector("text=Nothing is changed yet")
    assert living() == before
    page.click("form[action$=apply] button")
    page.wait_for_selector("text=Done: 3 new")
    assert living() == before + 3
    page.screenshot(path=tmp_path / "done.png")
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.click("text=Undo this import")
    page.wait_for_selector("text=3 are gone")
    assert living() == before


def test_columns_out_of_sight_are_counted(page: Any, tmp_path: Path) -> None:
    file = tmp_path / "wide.csv"
    titles = ["name", "city", *(f"colour {number}" for number in range(18))]
    file.write_text("\n".join([",".join(titles), "Amann,Vaduz" + ",blue" * 18, "", "Beck,Schaan" + "," * 18]))
    page.goto("/imports")
    page.set_input_files("input[type=file]", file)
    page.wait_for_selector("#further:has-text('more columns lie to the right')")
    page.screenshot(path=tmp_path / "wide.png")
    page.evaluate("document.querySelector('.table-wrap:has(.mapping)').scrollLeft = 9999")
    page.wait_for_selector("#further", state="hidden")
    page.click("text=Dry run")
    page.wait_for_selector(".warn-text:has-text('Columns left out')")
    page.screenshot(path=tmp_path / "left_out.png")
