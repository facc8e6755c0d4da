"""Photos and files of an account in a browser: dropped, refused, looked at, walked through, deleted, brought back."""

import base64
import io
import random
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from server.accounts.models import Account
from server.activities.models import VisitState
from server.activities.service import VisitReport, record_visit
from server.auth.access import scope_of
from server.auth.models import User
from server.auth.queries import user_by_login
from server.kit import clock
from server.kit.database import transaction
from server.kit.ids import uuid7

pytestmark = pytest.mark.browser

DROP = """(box, files) => {
  const data = new DataTransfer();
  for (const [name, type, base64] of files)
    data.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], name, { type }));
  box.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def picture(seed: int) -> bytes:
    """A photo of a few coloured walls."""
    chance, image = random.Random(seed), Image.new("RGB", (1200, 900), (200, 210, 205))
    draw = ImageDraw.Draw(image)
    for _ in range(12):
        x, y = chance.randint(0, 1000), chance.randint(0, 700)
        draw.rectangle((x, y, x + 300, y + 260), fill=tuple(chance.randint(30, 220) for _ in range(3)))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def account(live_server: str) -> Any:
    """An account with a visit that somebody has signed."""
    with transaction() as session:
        account = session.scalars(select(Account).where(Account.name == "Bäckerei Amann")).one()
        rita = user_by_login(session, "rita")
        assert isinstance(rita, User)
        strokes = [[100, 300, 220, 80, 300, 300, 380, 120, 520, 280], [560, 250, 700, 180, 860, 260]]
        report = VisitReport(
            event_id=uuid7(), visit_id=uuid7(), account_id=account.id, site_id=None, rep_id=rita.id,
            state=VisitState.DONE, day=clock.now().date(), zone="Europe/Vaduz", occurred_at=clock.now(),
            signature={"name": "B. Amann", "strokes": strokes},
        )  # fmt: skip
        record_visit(session, report, scope_of(session, rita, source="web").actor)
    return account


def test_photos_are_dropped_refused_looked_at_deleted_and_brought_back(page: Any, account: Any, tmp_path: Path) -> None:
    page.goto(f"/accounts/{account.id}")
    box = page.wait_for_selector(".files")
    assert "Drop photos or files here" in box.inner_text()
    sent = [(f"door {n}.jpg", "image/jpeg", base64.b64encode(picture(n)).decode()) for n in range(3)]
    box.evaluate(DROP, [*sent, ("lies.png", "image/png", base64.b64encode(b"<html>no</html>").decode())])
    page.wait_for_selector(".files .note.bad")
    assert "“lies.png” is called a picture, but is text/plain." in page.inner_text(".files .note.bad")
    assert page.locator(".files .file-picture").count() == 3
    (tmp_path / "large.bin").write_bytes(b"x" * 40_000_000)
    page.set_input_files(".files input[type=file]", tmp_path / "large.bin")
    page.wait_for_selector("text=larger than 25 MB")
    (tmp_path / "Offer.pdf").write_bytes(b"%PDF-1.4 offer")
    page.set_input_files(".files input[type=file]", tmp_path / "Offer.pdf")
    page.wait_for_selector(".files .file-row >> text=Offer.pdf")

    page.locator(".files .file-picture").first.click()
    assert (
        page.eval_on_selector(".viewer img", "async (one) => { await one.decode(); return one.naturalWidth }") == 1200
    )
    assert "1 / 3" in page.inner_text(".viewer-says")
    page.keyboard.press("ArrowRight")
    assert "2 / 3" in page.inner_text(".viewer-says")
    page.keyboard.press("Delete")
    page.wait_for_selector("text=The file is deleted.")
    page.keyboard.press("Escape")
    assert page.locator(".files .file-picture").count() == 2
    page.click("text=Undo")
    page.wait_for_selector(".files .file-picture >> nth=2")

    page.check("input[name=kinds][value=file]", force=True)
    page.wait_for_selector("#timeline [data-kind=visit]", state="detached")
    assert "4 files" in page.inner_text("#timeline")
    assert page.locator("#timeline .file-picture").count() == 3
    page.uncheck("input[name=kinds][value=file]", force=True)
    page.click("text=signed by B. Amann")
    page.wait_for_selector("#timeline .signature polyline")
