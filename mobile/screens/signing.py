"""The customer signs with a finger."""

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

from mobile.field import drafts
from mobile.screens.parts import frame
from mobile.widgets.base import Column, Row, Text
from mobile.widgets.controls import Field, Notice, PushButton
from mobile.widgets.ink import InkPad


class Signing(BoxLayout):
    """A name and the pad; both go into the draft of the visit."""

    def __init__(self, ctx, visit_id, **kwargs):
        super().__init__(orientation="vertical", padding=dp(16), spacing=dp(12), **kwargs)
        self.ctx, self.visit_id = ctx, visit_id
        draft, visit = drafts.at_visit(ctx.files, visit_id, None), ctx.files.cache.doc("visit", visit_id) or {}
        self.draft = draft.body if draft else {"account_id": visit.get("account_id"), "planned": True}
        held = self.draft.get("signature")
        words = ctx.words
        self.name = Field(words("sign_name"), held["name"] if held else "")
        self.pad = InkPad(*((held["strokes"], held["box"]) if held else ()), size_hint_y=None, height=dp(230))
        self.warning = Column()
        self.add_widget(self.name)
        self.add_widget(Text(words("sign_here"), 14, ink="quiet"))
        self.add_widget(self.pad)
        self.add_widget(self.warning)
        clear = PushButton(words("clear"), self.pad.clear, "x", "quiet")
        self.add_widget(Row(clear, PushButton(words("take_over"), self.take, "check"), spacing=10, height=48))
        self.add_widget(BoxLayout())

    def take(self):
        """Keep it with the visit; asks for what is missing."""
        if not self.name.value or not self.pad.strokes:
            self.warning.clear_widgets()
            self.warning.add_widget(Notice(self.ctx.words("sign_missing"), "warn"))
            return
        signed = {"name": self.name.value, "strokes": self.pad.strokes, "box": list(self.pad.box)}
        drafts.keep(self.ctx.files, self.visit_id, self.draft | {"signature": signed}, for_good=True)
        self.ctx.nav.back()


def build(ctx, visit_id):
    return frame(ctx, ctx.words("signature"), Signing(ctx, visit_id), back=True)
