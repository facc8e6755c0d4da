"""The customer signs with a finger."""

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

from mobile.field import drafts
from mobile.screens.parts import frame
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Column, Row, Text
from mobile.widgets.controls import Field, Notice, PushButton
from mobile.widgets.ink import InkPad


class Signing(BoxLayout):
    """A name and the pad; both go into the draft of the visit, as `ink` until they are taken over."""

    def __init__(self, ctx, visit_id, account_id=None, **kwargs):
        super().__init__(orientation="vertical", padding=dp(16), spacing=dp(12), **kwargs)
        self.ctx, words = ctx, ctx.words
        visit = ctx.files.cache.doc("visit", visit_id) or {}
        account_id = account_id or visit.get("account_id")
        account = ctx.files.cache.doc("account", account_id) or {}
        fresh = {"account_id": account_id, "planned": bool(visit)}
        kept = drafts.at_visit(ctx.files, visit_id, None)
        arguments = {"account_id": account_id}
        self.typed = Typed(ctx, ("visit",), arguments, account.get("name"), visit=(visit_id, kept, fresh))
        held = self.typed.value("ink") or self.typed.value("signature")
        self.name = Field(words("sign_name"), held["name"] if held else "")
        self.name.input.bind(text=lambda *_args: self._keep())
        inked = (held["strokes"], held["box"]) if held else ()
        self.pad = InkPad(*inked, on_stroke=self._keep, size_hint_y=None, height=dp(230))
        self.warning = Column()
        self.add_widget(self.name)
        self.add_widget(Text(words("sign_here"), 14, ink="quiet"))
        self.add_widget(self.pad)
        clear = PushButton(words("clear"), self.pad.clear, "x", "quiet")
        self.add_widget(Row(clear, PushButton(words("take_over"), self.take, "check"), spacing=10, height=48))
        self.add_widget(self.warning)  # below the buttons: they stay where they are when it goes
        self.add_widget(BoxLayout())

    def _signed(self):
        return {"name": self.name.value, "strokes": self.pad.strokes, "box": list(self.pad.box)}

    def _keep(self):
        if self.name.value and self.pad.strokes:
            self.warning.clear_widgets()
        empty = not self.name.value and not self.pad.strokes
        self.typed.keep(ink=None if empty else self._signed())

    def take(self):
        """Keep it with the visit; asks for what is missing."""
        if not self.name.value or not self.pad.strokes:
            self.warning.clear_widgets()
            self.warning.add_widget(Notice(self.ctx.words("sign_missing"), "warn"))
            return
        self.typed.keep(ink=None, signature=self._signed(), for_good=True)
        self.ctx.nav.back()


def build(ctx, visit_id, account_id=None):
    return frame(ctx, ctx.words("signature"), Signing(ctx, visit_id, account_id), back=True)
