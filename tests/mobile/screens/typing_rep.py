"""A rep who types into a visit and does not save it: a process of its own, to be killed."""

import json
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


def _fields(screen):
    from mobile.widgets.controls import Chips, Field

    return [w.input.text for w in screen.widgets(Field)], [w.chosen for w in screen.widgets(Chips)]


def _type(screen, n, text):
    from mobile.widgets.controls import Field

    screen.widgets(Field)[n].input.text = text


def _order(screen):
    screen.tap("one more Milch 1 l")
    screen.tap("one more Käse")
    _type(screen, 2, "1,2,3")  # no quantity at all, and kept as it is


def _lead(screen):
    _type(screen, 0, "Kiosk am See")
    _type(screen, 1, "Rita")


def _new_account(screen):
    _type(screen, 0, "Alpenkiosk")
    _type(screen, 3, "Triesen")
    screen.tap("Customer")
    screen.tap("B")


def _edit(screen):
    screen.tap("morning") if screen.shows("morning") else None
    for n, text in enumerate(("Bäckerei N.", "+423 1", "a@b.example", "b.example", "Ring twice", "bread, new")):
        _type(screen, n, text)
    _type(screen, 6, "Mo-Fr 07:00-12:00")


def _pin(screen):
    from mobile.screens.pin import PinMap

    (pin,) = screen.widgets(PinMap)
    x, y = pin.lonlat_px(*pin.at)
    screen.drag((x, y), (x + 40, y + 25))
    _type(screen, 0, "Behind the yard")


FORMS = [
    ("Order: Müller GmbH", "order", {"account_id": uid(1001)}, _order),
    ("Next step: Müller GmbH", "next_step", {"account_id": uid(1001)},
     lambda screen: (_type(screen, 0, "Bring samples"), screen.tap("Tomorrow"))),
    ("New lead: Kiosk am See", "lead", {"lon": 9.54, "lat": 47.15}, _lead),
    ("New account: Alpenkiosk", "new_account", {}, _new_account),
    ("Change of the account: Müller GmbH", "edit_account", {"account_id": uid(1001)}, _edit),
    ("Add a person: Müller GmbH", "person", {"account_id": uid(1001)}, lambda screen: _type(screen, 0, "Zita")),
    ("Change the person: Anna Näscher", "person", {"account_id": uid(1001), "contact_id": uid(6001)},
     lambda screen: _type(screen, 1, "Näscher-Frei")),
    ("Proposed pin: Müller GmbH", "pin", {"site_id": uid(2001)}, _pin),
    ("Make it a lead: Bäckerei am Bach", "firm", {"firm_id": uid(7001)}, lambda screen: _type(screen, 0, "Bread?")),
    ("Next step: Call the printer", "entry", {"activity_id": uid(6403)},
     lambda screen: _type(screen, 0, "Call the printer in Chur")),
    ("Visit: Bäckerei Näscher", "visit", {"account_id": uid(1002)}, lambda screen: _type(screen, 0, "Nobody there?")),
]  # fmt: skip
"""Every form but that of a planned visit: how it is told of, how it is opened, and what a rep does in it."""


def type_into_every_form(folder: Path) -> None:
    """Each is left for the next; says what stands in it, for who looks after the kill."""
    from mobile.field import rights
    from mobile.screens.app import WaymarkApp

    screen = Screen(WaymarkApp(folder, position=Nearby(), syncing=False))
    screen.app.ctx.store.outbox.meta.set(rights.CLOSED, "[]")
    for name, form, arguments, rep in FORMS:
        screen.app.go(form, **arguments)
        screen.frames()
        rep(screen)
        screen.frames()
        sys.stdout.write(json.dumps([name, _fields(screen)]) + "\n")


if __name__ == "__main__":
    {"visits": type_into_two_visits, "forms": type_into_every_form}[sys.argv[2]](Path(sys.argv[1]))
    sys.stdout.write("typed\n")
    sys.stdout.flush()
    sys.stdin.read()
