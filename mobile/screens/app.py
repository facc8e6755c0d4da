"""The Kivy app: holds the phone, shows one screen at a time, syncs beside it."""

import contextlib
import threading
from pathlib import Path
from typing import Any

from kivy.app import App
from kivy.base import ExceptionManager
from kivy.clock import Clock, mainthread
from kivy.core.window import Window
from kivy.metrics import dp

from mobile.device import machine
from mobile.field import conflicts, drafts, locking
from mobile.field.maps.pack import open_packs
from mobile.field.ports import Camera, Position
from mobile.field.sync.problems import Problem
from mobile.field.sync.run import Report
from mobile.field.sync.transport import Unreachable
from mobile.field.sync.worker import AFTER_SAVE_S, SyncWorker
from mobile.phone import Phone
from mobile.screens import (
    account,
    accounts,
    barred,
    editing,
    firms,
    gallery,
    leads,
    lock,
    map_view,
    more,
    nearby,
    order,
    parts,
    pin,
    replan,
    settings,
    sign_in,
    signing,
    steps,
    sync,
    times,
    today,
    trouble,
    unfinished,
    values,
    visit,
    week,
)
from mobile.screens.context import Context, Undo
from mobile.screens.guard import Guard
from mobile.screens.trail import Footsteps
from mobile.texts import Words
from mobile.theme import DARK, LIGHT
from mobile.widgets.bars import Stage, Toast
from mobile.widgets.base import between_touches, colour, look, register_fonts

SCREENS = {
    "today": today.build,
    "map": map_view.build,
    "accounts": accounts.build,
    "account": account.build,
    "edit_account": editing.build,
    "person": editing.build_person,
    "pin": pin.build,
    "visit": visit.build,
    "order": order.build,
    "sign": signing.build,
    "photo": gallery.build,
    "next_step": steps.build,
    "lead": leads.build_new,
    "new_account": leads.build_new_account,
    "lead_card": leads.build,
    "firm": firms.build,
    "nearby": nearby.build,
    "week": week.build,
    "entry": week.build_entry,
    "times": times.build,
    "time": times.build_offer,
    "settings": settings.build,
    "set_pin": lock.build_set,
    "sync": sync.build,
    "more": more.build,
    "unfinished": unfinished.build,
    "replan": replan.build,
}
TABS = ("today", "map", "accounts", "more")
FORMS = ("visit", "order", "edit_account", "person", "lead", "new_account", "next_step")
WIDE_DP = 840


def _is_that_form(one: tuple[str, dict[str, Any]], other: tuple[str, dict[str, Any]]) -> bool:
    """Whether two steps of a way are the same form of the same thing; what was left is not come back to behind it."""
    named = lambda step: {key: value for key, value in step[1].items() if key not in ("visit_id", "at")}  # noqa: E731
    return one[0] in FORMS and one[0] == other[0] and named(one) == named(other)


class WaymarkApp(App):
    """Navigation, the sync thread, and what the rep has chosen."""

    title = "Waymark"

    def __init__(
        self,
        folder: Path,
        *,
        server: str = "",
        position: Position | None = None,
        camera: Camera | None = None,
        syncing: bool = True,
    ) -> None:
        super().__init__()
        self.phone = Phone(folder, position, camera)
        self.server, self.syncing = server, syncing
        self.stage = Stage()
        self.trail: list[tuple[str, dict[str, Any]]] = []
        self.worker: SyncWorker | None = None
        self._asked: set[str] = set()
        self._shown: tuple[str, dict[str, Any]] | None = None
        self._left: dict[int, list[float]] = {}
        self._is_barred = False
        self.ctx = Context(self.phone, Words(), self)
        self.guard, self.footsteps, self.refusals = Guard(self), Footsteps(self), trouble.Refusals(self)
        self.files = trouble.Files(self)

    # -- life

    def build(self) -> Stage:
        register_fonts()
        ExceptionManager.add_handler(self.refusals)
        self._apply_settings()
        Window.softinput_mode = "below_target"
        Window.bind(on_keyboard=self._key, size=self._resized)
        self.ctx.wide = Window.width >= dp(WIDE_DP)
        if self.phone.home.signed_in():
            self._enter()
        else:
            self.go("sign_in")
        return self.stage

    def on_pause(self) -> bool:
        """Android takes the screen away; the app goes on where it was."""
        return True

    def on_resume(self) -> None:
        self.guard.look()
        if self.worker is not None:
            self.worker.nudge()

    def on_stop(self) -> None:
        ExceptionManager.remove_handler(self.refusals)
        Window.unbind(on_keyboard=self._key, size=self._resized)
        self._close()

    def _apply_settings(self) -> None:
        chosen = self.phone.settings()
        look.palette = DARK if chosen["appearance"] == "dark" else LIGHT
        Window.clearcolor = colour("ground")
        self.ctx.words = Words(chosen["language"], lambda: self.ctx.today)

    def _enter(self) -> None:
        """Somebody is signed in: open the files, show today (or ask for the PIN), sync beside it."""
        self.ctx.who = self.phone.home.signed_in()
        self.ctx.forget()
        self.files.open(self._entered)

    def _entered(self) -> None:
        if self.guard.closes_data():
            return
        self._open_maps()
        self.guard.start()
        self.footsteps.start()
        self.go("today")
        if self.syncing and self.worker is None:
            self.worker = SyncWorker(self._sync, self._synced, self.guard.in_use)
            self.worker.start()
        elif self.worker is not None:
            self.worker.nudge()

    def _open_maps(self) -> None:
        for pack in self.ctx.packs:
            pack.close()
        self.ctx.packs = open_packs(self.phone.home.packs) if self.phone.home.packs.exists() else []

    # -- navigation

    def go(self, screen: str, **arguments: Any) -> None:
        """Show a screen; the four places forget the way that led to them."""
        if screen == "signed_in":
            self._enter()
            return
        if self.trail and self._shown == self.trail[-1]:
            self._left[len(self.trail)] = self.stage.places()
        if screen in TABS:
            self.trail = []
        self.trail.append((screen, arguments))
        self.again()

    def instead(self, screen: str, **arguments: Any) -> None:
        """The same place with other arguments: the way back stays as it is."""
        self.trail[-1:] = [(screen, arguments)]
        self.again()

    def back(self, steps: int = 1) -> None:
        if len(self.trail) > 1:
            left = self.trail[-1]
            del self.trail[max(1, len(self.trail) - steps) :]
            self.trail = [one for one in self.trail if not _is_that_form(one, left)]  # come to by another way
        elif self.trail and self.trail[0][0] in TABS and self.trail[0][0] != "today":
            self.trail = [("today", {})]
        self.again()
        places, shown = self._left.pop(len(self.trail), []), self._shown
        put = lambda _dt: self.stage.put(places) if self._shown is shown else None  # noqa: E731 once it has its height
        Clock.schedule_once(lambda dt: Clock.schedule_once(put, 0), 0)

    def again(self) -> None:
        """Build the present screen anew from what the store says."""
        (screen, arguments), store = self.trail[-1], self.ctx.store
        if store is None and screen != "sign_in":
            return  # they are being mended; that is what is shown
        self._is_barred = store is not None and screen != "sign_in" and barred.why(self.ctx, self.guard) is not None
        if self._is_barred:
            self.stage.show(barred.build(self.ctx, barred.why(self.ctx, self.guard)))
            self._shown = None
            return
        if self.guard.asks and screen != "sign_in":
            self.stage.show(lock.build(self.ctx))
            self._shown = None
            return
        same = self._shown == (screen, arguments)
        self.stage.settle()
        places = self.stage.places() if same else []
        if screen == "sign_in":
            self.stage.show(sign_in.build(self.ctx, server=self.server, **arguments))
        elif (stranded := drafts.stranded(self.ctx.files, screen, arguments)) is not None:
            self.stage.show(unfinished.build_stranded(self.ctx, stranded))
        else:
            self.stage.show(self.ctx.shown(SCREENS[screen], **arguments))
        self._shown = (screen, arguments)
        self.stage.put(places)

    def toast(self, text: str, kind: str = "good", undo: Undo | None = None) -> None:
        Toast(text, kind, undo).show(self.stage)

    def _key(self, _window: object, key: int, *_args: object) -> bool:
        """Android's back button and Escape: what lies open goes first, other places lead to Today."""
        if key != 27 or self._shown is None:  # nothing is gone through behind the PIN
            return False
        if any(widget.steps_back() for widget in self.stage.walk() if hasattr(widget, "steps_back")):
            return True
        if len(self.trail) <= 1 and self.trail[0][0] not in TABS[1:]:
            return False
        self.back()
        return True

    def _resized(self, _window: object, size: tuple[int, int]) -> None:
        wide = size[0] >= dp(WIDE_DP)
        if wide != self.ctx.wide:
            self.ctx.wide = wide
            if self.trail and self.trail[-1][0] in (*TABS, "account", "week"):
                self.again()

    # -- what screens ask for

    def choose(self, key: str, value: str) -> None:
        """A setting; the whole look is built anew."""
        self.phone.choose(key, value)
        self._apply_settings()
        Clock.schedule_once(lambda _dt: self.again(), 0)

    def saved(self, after_s: float = AFTER_SAVE_S) -> None:
        """Something new is in the outbox: say so, and send it soon, together with what follows."""
        self._say_sync_state()
        if self.worker is not None:
            self.worker.nudge(after_s)

    def sync_now(self) -> None:
        if self.worker is not None:
            self.ctx.syncing = True
            self.worker.nudge()
            if self._is_barred or self.trail[-1][0] in (*TABS, "sync"):
                self.again()

    def fetch_pictures(self, hashes: list[str]) -> None:
        """Bring pictures beside what one looks at, each tried once until the next sync; the screen is shown anew."""
        wanted = [one for one in hashes if one not in self._asked]
        if self.worker is None or not wanted:
            return
        self._asked.update(wanted)
        threading.Thread(target=self._fetch, args=(wanted, self.trail[-1]), daemon=True).start()

    def _fetch(self, hashes: list[str], place: tuple[str, dict[str, Any]]) -> None:
        with contextlib.suppress(Unreachable, Problem, OSError):
            self.phone.fetch(hashes)
            self._fetched(place)

    @between_touches
    def _fetched(self, place: tuple[str, dict[str, Any]]) -> None:
        if self.trail and self.trail[-1] == place:
            self.again()

    def open_link(self, link: str) -> None:
        """Hand a phone number or a place to the system."""
        told = self.ctx.words("no_link", what=link.partition("?")[0])
        machine.open_link(link, mainthread(lambda: self.toast(told, "bad")))

    def unlocked(self) -> None:
        """The PIN was right: on where the rep was."""
        self.guard.start()
        self.again()

    def forget_pin(self) -> None:
        """The password instead of the PIN; until it is right nothing is shown."""
        self.trail = []
        self.go("sign_in", forgotten=True)

    def sign_out(self, **said: Any) -> None:
        """Nobody is signed in here any more; why, where that needs a word."""
        self.phone.home.sign_out()
        self.leave(**said)

    def leave(self, **said: Any) -> None:
        """Close the files and ask who is there."""
        self._close()
        self.go("sign_in", **said)

    def _close(self) -> None:
        """Nothing is open and nothing runs; a sync that is still under way ends without a word."""
        self.guard.stop()
        if self.worker is not None:
            self.worker.stop()
            self.worker = None
        self.files.close()
        self.ctx.who = None
        self.ctx.forget()
        self.trail = []

    # -- sync

    def _sync(self) -> Report:
        self._mark_syncing()
        return self.phone.sync_by_itself()

    @mainthread
    def _mark_syncing(self) -> None:
        self.ctx.syncing = True
        self._say_sync_state()

    @between_touches
    def _synced(self, report: Report) -> None:
        """A sync ended: say what went wrong, show what came in (never under the rep's fingers)."""
        self.ctx.syncing = False
        if self.worker is None or self.ctx.store is None:
            return
        if report.damaged:
            self.files.open(self.files.mended)
            return
        self._asked.clear()
        came = report.photos or report.rows or report.left or report.results or report.parked or report.maps
        changed = bool(came or report.requeued or report.decided or report.taken)
        problem = None if report.ok else self._say(report)
        if report.code == "retired":
            self._close_data()
        changed = changed or problem != self.ctx.problem
        self.ctx.problem = problem
        self.ctx.index = None if changed else self.ctx.index
        if report.code == "wipe":
            self.sign_out(note=self.ctx.words("err_wipe"))
            return
        if report.maps:
            self._open_maps()
        if report.heard:
            self.guard.look()
        is_barred = self._is_barred or report.code in locking.BARRED
        place = self.trail[-1][0] if self.trail else "sign_in"  # what is typed there is kept nowhere
        if place != "sign_in" and (is_barred or place == "sync" or (changed and place in ("today", "more"))):
            self.again()
        else:
            self._say_sync_state()
            for widget in [w for w in self.stage.walk() if changed and hasattr(w, "came_in")]:
                widget.came_in()
        if report.decided and self.ctx.store is not None:
            told = [q for q in conflicts.questions(self.ctx.store) if q.decided]
            self.toast("\n".join(values.decided(self.ctx, q) for q in told[:2]))

    def _close_data(self) -> None:
        """A retired phone shows no data any more: it goes, and what was never sent stays until the office has it."""
        if self.ctx.store is not None and self.ctx.store.cache.buckets():
            self.phone.close_data(self.ctx.store)
            self.ctx.store, self.ctx.index = self.phone.home.store(), None

    def _say_sync_state(self) -> None:
        if self.ctx.store is not None and self.ctx.sync_line is not None:
            self.ctx.sync_line.say(*parts.sync_words(self.ctx))

    def _say(self, report: Report) -> str:
        words, code = self.ctx.words, report.code or ""
        return words(f"err_{code}") if words.has(f"err_{code}") else words("err_other", code=code)
