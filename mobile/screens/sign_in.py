"""Sign-in: the server, and the password or a code that the office made."""

import threading

from kivy.clock import mainthread
from kivy.graphics import Color, Mesh
from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.device.machine import device_name
from mobile.field import codes, locking
from mobile.field.sync.problems import Problem, SignInNeeded
from mobile.field.sync.transport import BadAddress, Unreachable
from mobile.screens.export import offered
from mobile.texts import LANGUAGES
from mobile.widgets.base import Card, Column, Scroller, Text, colour, gap, paint
from mobile.widgets.controls import Chips, Field, Notice, PushButton

FOREIGN = ("http_403", "http_404", "http_405", "http_501")
"""How servers answer that do not know what they are asked at all; Waymark gives a code of its own."""

WIDE_DP = 440
"""So wide the form is at most."""


class Mark(Widget):
    """The waymark: a small pointed blaze of paint."""

    def __init__(self, **kwargs):
        super().__init__(size_hint=(None, None), size=(dp(40), dp(48)), pos_hint={"center_x": 0.5}, **kwargs)
        with self.canvas:
            Color(*colour("accent"))
            self._mesh = Mesh(mode="triangle_fan", indices=range(5))
        self.bind(pos=self._draw, size=self._draw)

    def _draw(self, *_args):
        x, y, w, h = self.x, self.y, self.width, self.height
        corners = [(x, y + h), (x, y + h * 0.32), (x + w / 2, y), (x + w, y + h * 0.32), (x + w, y + h)]
        self._mesh.vertices = [v for corner in corners for v in (*corner, 0, 0)]


class SignIn(AnchorLayout):
    """Asks who uses this phone, by password or by a code; the only screen that needs the server."""

    def __init__(self, ctx, server="", note=None, forgotten=False, by="password", at="", typed=None, **kwargs):
        super().__init__(anchor_y="center", **kwargs)
        paint(self, "ground")
        self.ctx, self.forgotten, self.by = ctx, forgotten, by
        known = ctx.phone.home.signed_in()
        self.server = Field(ctx.words("server"), at or server or ctx.phone.home.server, input_type="url")
        is_retired = ctx.store is not None and locking.barred(ctx.files.outbox) == "retired"
        self.retired = known.login.lower() if known and is_retired else None
        self.notes = Column()
        self.button = PushButton(ctx.words("sign_in"), self.submit)
        self.proof = self._proof({"login": known.login if known else ""} | (typed or {}))
        help_ = Text(ctx.words("code_help"), 14, ink="quiet") if by == "code" else None
        card = Card(self.server, *self.proof.values(), help_, self.notes, self.button, spacing=14)
        title = Text("Waymark", 28, True, align="center")
        tagline = Text(ctx.words("tagline"), 14, ink="quiet", align="center")
        page = Scroller(
            gap(16),
            Mark(),
            title,
            tagline,
            gap(8),
            card,
            gap(8),
            *self._other_ways(),
            *self._unsent(),
            gap(16),
            self._languages(),
            spacing=4,
            is_readable=False,
        )
        left, top, right, bottom = page.column.padding

        def narrow(_self, width):
            margin = max(0, (width - dp(WIDE_DP)) / 2)
            page.column.padding = (left + margin, top, right + margin, bottom)

        self.bind(width=narrow)
        page.column.bind(height=lambda _c, h: setattr(page, "height", min(h, self.height)))
        self.bind(height=lambda _w, h: setattr(page, "height", min(page.column.height, h)))
        page.size_hint_y = None
        self.add_widget(page)
        if note is not None:
            self.say(note, "warn")

    def _proof(self, typed):
        """What is asked for beside the server, by its name, as it was typed so far."""
        words = self.ctx.words
        if self.by == "code":
            self.code = Field(words("code"), typed.get("code", ""), hint="ABCDE-23456", on_enter=self.submit)
            return {"code": self.code}
        self.login = Field(words("login"), typed["login"])
        self.password = Field(words("password"), typed.get("password", ""), secret=True, on_enter=self.submit)
        return {"login": self.login, "password": self.password}

    def _other_ways(self):
        """Buttons to the ways that are not shown."""
        words = self.ctx.words
        scan = PushButton(words("scan_code"), self.scan, "smartphone", "quiet")
        other, key = ("password", "with_password") if self.by == "code" else ("code", "type_code")
        ways = (scan, gap(4), PushButton(words(key), lambda: self.instead(other), None, "quiet"))
        if not self.forgotten:
            return ways
        back = PushButton(words("pin_instead"), lambda: self.ctx.nav.go("today"), "chevron_left", "quiet")
        return (*ways, gap(4), back)  # which needs no server

    def _unsent(self):
        """The way out for work that waits behind this screen."""
        waiting = offered(self.ctx)
        return (gap(12), *waiting) if waiting else ()

    def _languages(self):
        """Before somebody is signed in there are no settings to choose it in."""
        return Chips(list(LANGUAGES.items()), self.ctx.words.language, self._speak)

    def _speak(self, language):
        self.instead(self.by, typed={name: field.input.text for name, field in self.proof.items()})
        self.ctx.nav.choose("language", language)

    def instead(self, by, **known):
        """The same screen, asking for something else; what was typed of the server stays."""
        known = {"at": self.server.value, "forgotten": self.forgotten} | known
        self.ctx.nav.instead("sign_in", by=by, **known)

    def steps_back(self):
        """From the code to the password, from there to the PIN where one is set."""
        if self.by == "code":
            self.instead("password")
        elif self.forgotten:
            self.ctx.nav.go("today")
        return self.by == "code" or self.forgotten

    def say(self, text, kind="info"):
        self.notes.clear_widgets()
        if text:
            self.notes.add_widget(Notice(text, kind))

    def scan(self):
        """Take a picture in a thread: on a phone the camera is another app."""
        self.say("")
        threading.Thread(target=self._scan, daemon=True).start()

    def _scan(self):
        try:
            told = self.ctx.phone.scan()
            server, code = codes.told_by(told) if told else ("", "")
        except codes.NoCode:
            self._failed("scan_foreign")
        except OSError:
            self._failed("scan_none_taken")
        else:
            if code:
                self._scanned(server, code)
            else:
                self._failed("scan_none_taken" if told is None else "scan_nothing")

    @mainthread
    def _scanned(self, server, code):
        """Show whose server it is; the rep decides whether to sign in there."""
        self.instead("code", at=server, typed={"code": code}, note=self.ctx.words("code_scanned", server=server))

    def submit(self):
        """Try in a thread, so that the screen keeps answering."""
        attempt = None if self._lacks() else self._attempt()
        if attempt is None:
            return
        self.say(self.ctx.words("signing_in"))
        self.button.disabled = True
        threading.Thread(target=self._try, args=(attempt,), daemon=True).start()

    def _lacks(self):
        """Whether something is empty that is asked for; it stands out, and is named."""
        asked = {"server": self.server, **self.proof}
        empty = [name for name, field in asked.items() if not field.input.text.strip()]
        for name, field in asked.items():
            field.mark(name in empty)
        if empty:
            self.say(self.ctx.words("sign_in_lacks", names=", ".join(map(self.ctx.words, empty))), "bad")
        return bool(empty)

    def _attempt(self):
        """What is to be tried with what was typed; None when it is no code."""
        phone, server = self.ctx.phone, self.server.value
        if self.by == "code":
            try:
                code = codes.tidy(self.code.value)
            except codes.NoCode:
                self.code.mark(True)
                self.say(self.ctx.words("err_code_typed"), "bad")
                return None
            return lambda: phone.sign_in_by_code(server, code, device_name())
        login, password = self.login.value, self.password.input.text
        return lambda: phone.sign_in(server, login, password, device_name())

    def _try(self, attempt):
        try:
            attempt()
        except SignInNeeded as problem:
            self._failed(self._why(problem.code))
        except Unreachable:
            self._failed(self._why_unreachable(), server=self.server.value)
        except BadAddress:
            self._failed("err_address", wrong=self.server)
        except Problem as problem:
            known = "err_foreign" if problem.code in FOREIGN else f"err_{problem.code}"
            self._failed(known if self.ctx.words.has(known) else "err_sign_in", code=problem.code)
        except Exception as error:  # noqa: BLE001 whatever it was, the rep is told and may try again
            self._failed("err_sign_in", code=type(error).__name__)
        else:
            self._done()

    def _why_unreachable(self):
        """What to say where nothing answers; an address without a beginning was tried with https."""
        if "//" not in self.server.value:
            return "err_unreachable_https"
        return "err_unreachable" if self.ctx.phone.holds_unsent() else "err_unreachable_here"

    def _why(self, code):
        """What to say of a password or a code that did not let the phone in."""
        if self.by == "password":
            is_theirs = self.login.value.lower() == self.retired  # what strangers are not told: who is known here
            return "err_login_retired" if is_theirs else "err_login_wrong"
        return f"err_{code}" if self.ctx.words.has(f"err_{code}") and code.startswith("code_") else "err_code_person"

    @mainthread
    def _failed(self, key, wrong=None, **values):
        self.button.disabled = False
        if wrong is not None:
            wrong.mark(True)
        self.say(self.ctx.words(key, **values), "bad")

    @mainthread
    def _done(self):
        who = self.ctx.phone.home.signed_in()
        if self.forgotten and who is not None:
            locking.remove_pin(self.ctx.phone.secrets, who.user_id)
        self.ctx.nav.go("signed_in")


def build(ctx, **arguments):
    return SignIn(ctx, **arguments)
