"""A rep who types into a visit and does not save it: a process of its own, to be killed."""

import sys
from pathlib import Path

from mobile.device.desktop import FolderCamera
from tests.mobile.conftest import uid
from tests.mobile.window import Nearby, Screen


def type_into_two_visits(folder: Path) -> None:
    """One visit is planned; the other one nobody planned, and has a photo."""
    from mobile.screens.app import WaymarkApp
    from mobile.screens.visit import VisitForm
    from mobile.widgets.ink import InkPad

    camera = FolderCamera(folder.parent / "lens")
    screen = Screen(WaymarkApp(folder, position=Nearby(), camera=camera, syncing=False))
    screen.tap("Check in")
    screen.tap("order")
    screen.tap("Shelf visit")
    screen.tap("full")
    screen.tap("Have it signed")
    (pad,) = screen.widgets(InkPad)
    screen.drag((pad.x + 20, pad.y + 20), (pad.x + 120, pad.y + 60))
    pad.parent.name.input.text = "Anna Näscher"
    screen.tap("Done")
    (form,) = screen.widgets(VisitForm)
    form.note.input.text = "Wants an offer"
    form.step.subject.input.text = "Send the offer"
    screen.app.go("visit", account_id=uid(1002))
    screen.frames()
    screen.tap("Take a photo")
    (form,) = screen.widgets(VisitForm)
    form.note.input.text = "Nobody planned this"


if __name__ == "__main__":
    type_into_two_visits(Path(sys.argv[1]))
    sys.stdout.write("typed\n")
    sys.stdout.flush()
    sys.stdin.read()
