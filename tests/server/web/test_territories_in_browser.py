"""The territories' page in a browser: drawn, split, merged, balanced, compared, applied and undone."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from geo.balance import cutting
from server.balance import service
from server.balance.jobs import compute
from server.kit import clock
from server.kit.database import transaction
from server.kit.settings import settings
from server.territories.models import Territory, TerritoryChange, TerritoryMember
from server.web.language import Language

pytestmark = pytest.mark.browser


def names() -> list[str]:
    with transaction() as session:
        rows = session.scalars(select(Territory.name).where(Territory.deleted_at.is_(None)).order_by(Territory.name))
        return list(rows)


def click_map(page: Any, *spots: tuple[float, float], twice: bool = False) -> None:
    """Click places on the map, given as shares of its width and height; the last one twice when that ends a line."""
    frame = page.locator("#territory-map canvas").bounding_box()
    for number, (x, y) in enumerate(spots, 1):
        at = frame["x"] + frame["width"] * x, frame["y"] + frame["height"] * y
        page.mouse.move(*at, steps=3)
        page.mouse.click(*at)
        if twice and number == len(spots):
            page.mouse.click(*at)


def open_page(page: Any, path: str = "/territories") -> None:
    page.goto(path)
    page.wait_for_selector("#territory-map[data-idle=true][data-tools=true]")


def save(page: Any) -> None:
    page.wait_for_selector("#edit-panel[data-state=looked]")
    with page.expect_navigation():
        page.click("#edit-panel [data-save]")
    page.wait_for_selector(".note.good")
    page.wait_for_selector("#territory-map[data-idle=true][data-tools=true]")


def test_a_manager_draws_splits_merges_and_undoes(page: Any) -> None:
    open_page(page)
    page.click("[data-tool=create]")
    click_map(page, (0.6, 0.2), (0.9, 0.2), (0.9, 0.8), (0.6, 0.8), (0.6, 0.2))
    page.wait_for_selector("#edit-panel [data-waits]", state="visible")
    assert page.inner_text("#edit-panel [data-waits]") == "Give it a name: then it can be saved."
    page.fill("#e-name", "East")
    page.wait_for_selector("#edit-panel tbody tr:nth-child(2)")
    assert "East (new)" in page.inner_text("#edit-panel tbody")
    assert page.is_hidden("#edit-panel [data-waits]")
    save(page)
    assert names() == ["East", "West"]
    assert "Nobody works East yet" in page.inner_text("[data-idle]")
    page.click("[data-idle] [data-staff]")
    assert page.inner_text("#edit-panel h2") == "Who works here: East"
    page.click("#edit-panel [data-cancel]")

    page.check("section:has(h2:text-is('West')) [data-choose]")
    page.click("[data-tool=split]")
    page.fill("#e-name", "South")
    page.check("#e-people input >> nth=0")
    click_map(page, (0.02, 0.5), (0.98, 0.5), twice=True)
    save(page)
    assert names() == ["East", "South", "West"]
    assert "South" not in page.inner_text("[data-idle]")  # West has had nobody from the beginning
    with transaction() as session:
        assert len(session.scalars(select(TerritoryMember).join(Territory).where(Territory.name == "South")).all()) == 1

    page.check("section:has(h2:text-is('West')) [data-choose]")
    page.check("section:has(h2:text-is('South')) [data-choose]")
    page.click("[data-tool=merge]")
    save(page)
    assert len(names()) == 2

    with page.expect_navigation():
        page.click(".note.good [data-undo]")
    page.wait_for_selector("section:has(h2:text-is('South'))")
    assert names() == ["East", "South", "West"]
    page.click("details:has(.history) > summary")
    assert "undone" in page.inner_text(".history li:first-child")


def test_each_new_area_of_a_file_has_its_own_people(page: Any) -> None:
    ring = [[9.3, 47.3], [9.35, 47.3], [9.35, 47.35], [9.3, 47.35], [9.3, 47.3]]
    areas = [
        {"type": "Feature", "properties": {"name": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
        for name in ("Hill", "Dale")
    ]
    content = json.dumps({"type": "FeatureCollection", "features": areas}).encode()
    open_page(page)
    page.click("summary:has-text('From a file')")
    page.set_input_files("[data-import] [name=file]", {"name": "a.json", "mimeType": "text/plain", "buffer": content})
    page.click("[data-look]")
    page.wait_for_selector("#edit-panel[data-state=looked]")
    assert "the ground of a file changes hands at once" in page.inner_text("#edit-panel")
    page.uncheck("#e-same")
    page.check("[data-area=Dale] input >> nth=0")
    page.wait_for_selector("#e-people", state="hidden")
    save(page)
    with transaction() as session:
        worked = session.scalars(select(Territory.name).join(TerritoryMember).where(Territory.name != "West")).all()
    assert list(worked) == ["Dale"]


def test_a_manager_renames_recolours_and_undoes_it(page: Any) -> None:
    open_page(page)
    page.click("[data-rename]")
    assert page.input_value("#e-name") == "West"
    page.fill("#e-name", "Far West")
    page.fill("#e-colour", "#cc79a7")
    assert page.is_disabled("#e-parent option:text-is('West')")
    save(page)
    assert names() == ["Far West"]
    assert "name, colour and region of Far West" in page.inner_text(".note.good")
    with transaction() as session:
        assert session.scalars(select(Territory.colour)).one() == "#CC79A7"
    with page.expect_navigation():
        page.click(".note.good [data-undo]")
    assert names() == ["West"]


def test_whoever_was_second_is_led_to_the_present_state_and_days_are_told_in_one_way(page: Any) -> None:
    open_page(page)
    page.click("[data-rename]")
    page.fill("#e-name", "Far West")
    page.wait_for_selector("#edit-panel[data-state=looked]")
    with transaction() as session:
        row = session.scalars(select(Territory)).one()
        service.change(session, row.id, {"name": "North-West"})
    page.click("#edit-panel [data-save]")
    page.wait_for_selector("#edit-panel [data-present]", state="visible")
    assert "are from before that" in page.inner_text("#edit-panel [data-refused]")
    assert page.get_attribute(".territory-page", "data-outdated") == ""
    with page.expect_navigation():
        page.click("#edit-panel [data-present]")
    page.wait_for_selector("#territory-map[data-idle=true][data-tools=true]")
    assert page.inner_text(".territory:target h2") == "North-West"
    assert "Your version came too late and is kept." in page.inner_text("[data-late]")
    page.click("[data-late] [data-again]")
    page.wait_for_selector("#edit-panel[data-state=looked]")
    assert page.is_hidden("#edit-panel [data-present]")
    save(page)
    assert names() == ["Far West"]

    page.check("section:has(h2:text-is('Far West')) [data-choose]")
    page.click("[data-tool=delete]")
    day = clock.today(settings().zone) + timedelta(days=7)
    page.fill("#e-from", day.isoformat())
    page.wait_for_selector(f"[data-sum]:has-text('{Language('en').day(day)}')")
    with page.expect_navigation():
        page.click("#edit-panel [data-save]")
    page.wait_for_selector(f"[data-waiting]:has-text('{Language('en').day(day)}')")


def test_a_manager_balances_compares_adjusts_applies_and_undoes(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cutting, "MOST", 300)  # small areas; thousands take a minute
    open_page(page)
    page.check("section:has(h2:text-is('West')) [data-choose]")
    page.click("[data-tool=split]")
    page.fill("#e-name", "South")
    click_map(page, (0.02, 0.8), (0.98, 0.8), twice=True)
    save(page)

    page.click("a[href='/territories/balance']")
    with page.expect_navigation():
        page.click("form[action='/territories/balance'] button.primary")
    assert "Waiting" in page.inner_text("main")
    compute(run_id=page.url.rsplit("/", 1)[1])
    page.wait_for_selector("[data-scenario=compact]")
    page.wait_for_selector("#balance-map[data-idle=true]")
    assert page.is_visible("#balance-map .legend ul")
    page.click("[data-scenario=even] [data-show]")
    assert page.get_attribute("[data-scenario=even]", "aria-current") == "true"
    page.wait_for_function("document.querySelector('#balance-map').dataset.shown === 'even'")

    page.click("[data-scenario=compact] [data-moves]")
    page.wait_for_selector("#balance-map[data-shown=compact]")  # what one is about to apply is what one sees
    day = (clock.today(settings().zone) + timedelta(days=9)).isoformat()
    page.fill("[data-scenario=compact] [name=apply_on]", day)
    with page.expect_navigation():
        page.click("[data-scenario=compact] [data-apply]")
    page.wait_for_selector("#balance-map[data-shown=compact]")
    balance = page.url
    open_page(page)
    assert "“Compact”" in page.inner_text("[data-waiting-balance]")
    with page.expect_navigation():
        page.click("[data-waiting-balance] .bare")
    assert page.url == balance
    page.wait_for_selector("#balance-map[data-idle=true]")

    page.click("[data-scenario=even] [data-moves]")
    page.wait_for_selector("[data-scenario=even] [data-moved] li")
    assert "West" in page.inner_text("[data-scenario=even] [data-moved]")
    assert page.inner_text("[data-scenario=even] [data-apply]") == "Apply now"
    with page.expect_navigation():
        page.click("[data-scenario=even] [data-apply]")
    page.wait_for_selector("[data-scenario=even] [data-undo]")
    page.click("[data-scenario=compact] [data-moves]")
    page.wait_for_selector("[data-scenario=compact] [data-moved] .note.bad")
    assert page.is_hidden("[data-scenario=compact] [data-apply]"), "nothing is offered that is refused"
    assert page.is_hidden("[data-scenario=compact] [name=apply_on]")
    with page.expect_navigation():
        page.click("[data-scenario=even] [data-undo]")
    with transaction() as session:
        undone = session.scalars(select(TerritoryChange).where(TerritoryChange.kind == "balance")).one()
        assert undone.state == "undone"
    page.set_viewport_size({"width": 360, "height": 740})
    page.reload()
    page.wait_for_selector("#balance-map[data-idle=true]")
    assert page.is_hidden("#balance-map .legend ul"), "on a phone it would lie over the ground"
    page.click("#balance-map .legend summary")
    assert page.is_visible("#balance-map .legend ul")
