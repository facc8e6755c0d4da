"""Sign-in: the server, the login, the password."""

import threading

from kivy.clock import mainthread
from kivy.graphics import Color, Mesh
from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.widget import Widget

from mobile.device.machine import device_name
from mobile.field import locking
from mobile.field.sync.problems import Problem, SignInNeeded
from mobile.field.sync.transport import BadAddress, Unreachable
from mobile.widgets.base import Card, Column, Scroller, Text, colour, gap, paint
from mobile.widgets.controls import Field, Notice, PushButton


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
    """Asks who uses this phone; the only screen that needs the server."""

    def __init__(self, ctx, server="", note=None, forgotten=False, **kwargs):
        super().__init__(anchor_y="center", **kwargs)
        paint(self, "ground")
        self.ctx, self.forgotten = ctx, forgotten
        known = ctx.phone.home.signed_in()
        self.server = Field(ctx.words("server"), server or (known.server if known else ""), input_type="url")
        self.login = Field(ctx.words("login"), known.login if known else "")
        self.password = Field(ctx.words("password"), secret=True, on_enter=self.submit)
        self.notes = Column()
        self.button = PushButton(ctx.words("sign_in"), self.submit)
        card = Card(self.server, self.login, self.password, self.notes, self.button, spacing=14)
        title = Text("Waymark", 28, True, align="center")
        tagline = Text(ctx.words("tagline"), 14, ink="quiet", align="center")
        page = Scroller(gap(16), Mark(), title, tagline, gap(8), card, spacing=4)
        page.size_hint_x, page.width = None, min(dp(440), self.width or dp(440))
        self.bind(width=lambda _w, width: setattr(page, "width", min(dp(440), width)))
        page.column.bind(height=lambda _c, h: setattr(page, "height", min(h, self.height)))
        self.bind(height=lambda _w, h: setattr(page, "height", min(page.column.height, h)))
        page.size_hint_y = None
        self.add_widget(page)
        if note is not None:
            self.say(note, "warn")

    def say(self, text, kind="info"):
        self.notes.clear_widgets()
        if text:
            self.notes.add_widget(Notice(text, kind))

    def submit(self):
        """Try in a thread, so that the screen keeps answering."""
        if not (self.server.value and self.login.value and self.password.input.text):
            return
        self.say(self.ctx.words("signing_in"))
        self.button.disabled = True
        values = self.server.value, self.login.value, self.password.input.text
        threading.Thread(target=self._try, args=values, daemon=True).start()

    def _try(self, server, login, password):
        try:
            self.ctx.phone.sign_in(server, login, password, device_name())
        except SignInNeeded:
            self._failed("err_login_wrong")
        except Unreachable:
            self._failed("err_unreachable")
        except BadAddress:
            self._failed("err_address")
        except Problem as problem:
            self._failed("err_other", code=problem.code)
        else:
            self._done()

    @mainthread
    def _failed(self, key, **values):
        self.button.disabled = False
        self.say(self.ctx.words(key, **values), "bad")

    @mainthread
    def _done(self):
        who = self.ctx.phone.home.signed_in()
        if self.forgotten and who is not None:
            locking.remove_pin(self.ctx.phone.secrets, who.user_id)
        self.ctx.nav.go("signed_in")


def build(ctx, **arguments):
    return SignIn(ctx, **arguments)
