"""The form of a visit type: one question under the other, those that hang on an answer come and go."""

from kivy.clock import Clock

from mobile.field import forms
from mobile.widgets.base import Column, Text, colour
from mobile.widgets.controls import Chips, Field

KEYBOARDS = {"number": "number", "money": "number", "mail": "mail", "phone": "tel", "url": "url"}


class Questions(Column):
    """What is asked, and what was answered so far (in `typed`, by key); `on_answer` is called after each answer."""

    def __init__(self, ctx, questions, typed, on_answer=None, **kwargs):
        super().__init__(spacing=12, **kwargs)
        self.ctx, self.questions, self.typed, self.on_answer = ctx, questions, typed, on_answer
        self._shown, self.labels = None, {}
        self._show()

    def _show(self):
        """Build the form anew when other questions are asked than before."""
        asked = forms.asked(self.questions, self.typed)
        keys = [one["key"] for one in asked]
        if keys == self._shown:
            return
        self._shown, self.labels = keys, {}
        self.clear_widgets()
        for one in asked:
            self.add_widget(self._question(one))

    def _question(self, one):
        words = self.ctx.words
        label = words.own(one["label"]) + (f" ({words.own(one['unit'])})" if one.get("unit") else "")
        if one.get("required"):
            label += f"  ·  {words('required')}"
        self.labels[one["key"]] = Text(label, 14, ink="quiet")
        box = Column(self.labels[one["key"]], spacing=6)
        if one.get("help"):
            box.add_widget(Text(words.own(one["help"]), 13, ink="quiet"))
        box.add_widget(self._input(one))
        return box

    def mark(self, questions):
        """Let those stand out that keep the visit from being saved; the others as ever. Returns the first's label."""
        wrong = [one["key"] for one in questions]
        for key, label in self.labels.items():
            label.color, label.bold = colour("bad" if key in wrong else "quiet"), key in wrong
        return self.labels.get(wrong[0], self) if wrong else None

    def _input(self, one):
        key, kind, held = one["key"], one["kind"], self.typed.get(one["key"])
        if kind in ("choice", "choices", "flag"):
            return Chips(self._options(one), held, lambda value: self._answer(key, value), many=kind == "choices")
        field = Field(
            "", str(held or ""), lines=3 if kind == "long_text" else 1, input_type=KEYBOARDS.get(kind, "text")
        )
        field.key = key
        field.input.bind(text=lambda _field, text: self._answer(key, text))
        return field

    def _options(self, one):
        if one["kind"] == "flag":
            return [(True, self.ctx.words("yes")), (False, self.ctx.words("no"))]
        return [(choice["value"], self.ctx.words.own(choice["label"])) for choice in one.get("choices") or ()]

    def _answer(self, key, value):
        self.typed[key] = value
        if self.on_answer:
            self.on_answer()
        Clock.schedule_once(lambda _dt: self._show(), 0)
