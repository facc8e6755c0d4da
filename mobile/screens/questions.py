"""The form of a visit type: one question under the other, those that hang on an answer come and go."""

from itertools import groupby

from kivy.clock import Clock

from mobile.field import drafts, forms, own
from mobile.field.limits import Unfit
from mobile.field.store.overlay import CUSTOM
from mobile.screens import values
from mobile.screens.parts import fact, section
from mobile.widgets.base import Column, Text, colour
from mobile.widgets.controls import Chips, Field, Notice

TEXTS = ("text", "long_text")
KEYBOARDS = {"number": "number", "money": "number", "mail": "mail", "phone": "tel", "url": "url"}


class Questions(Column):
    """What is asked, and what was answered so far (in `typed`, by key); `on_answer` is called after each answer. What
    was chosen can be given up again with `can_clear`, unless it is required. `then` holds how answers were told when
    they were given, as drafts of visits keep it."""

    def __init__(self, ctx, questions, typed, on_answer=None, can_clear=False, then=None, **kwargs):
        super().__init__(spacing=12, **kwargs)
        self.can_clear, self.then = can_clear, then or {}
        self.ctx, self.questions, self.typed, self.on_answer = ctx, questions, typed, on_answer
        self._shown, self.labels, self.left = None, {}, {}
        for one in questions:  # what the office has made another kind of since
            if not own.holds(one, own.typed(one, typed.get(one["key"]))):
                self.left[one["key"]] = typed.pop(one["key"])
            elif one["kind"] in TEXTS and (chosen := forms.told_then(self.then, one["key"], typed.get(one["key"]))):
                typed[one["key"]] = chosen.words  # the label of a choice, where it was one
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
        label, unit = words.own(one["label"]), words.own(one.get("unit") or "")
        label += f" ({unit})" if unit and unit.casefold() not in label.casefold().split() else ""
        if one.get("required"):
            label += f"  ·  {words('required')}"
        self.labels[one["key"]] = Text(label, 14, ink="quiet")
        box = Column(self.labels[one["key"]], spacing=6)
        if one.get("help"):
            box.add_widget(Text(words.own(one["help"]), 13, ink="quiet"))
        box.add_widget(self._input(one))
        if one["key"] in self.left:
            then = forms.told_then(self.then, one["key"], self.left[one["key"]])
            said = then.words if then else own.in_words(self.ctx.words, one, self.left[one["key"]])
            box.add_widget(Notice(self.ctx.words("answer_left", value=said), "info"))
        return box

    def mark(self, questions):
        """Let those stand out that keep the visit from being saved; the others as ever. Returns the first's label."""
        wrong = [one["key"] for one in questions]
        for key, label in self.labels.items():
            label.color, label.bold = colour("bad" if key in wrong else "quiet"), key in wrong
            label.parent.is_wrong = key in wrong
        return self.labels.get(wrong[0], self) if wrong else None

    def _input(self, one):
        key, kind, held = one["key"], one["kind"], own.typed(one, self.typed.get(one["key"]))
        if kind in ("choice", "choices", "flag"):
            return Chips(self._options(one), held, lambda value: self._answer(key, value), many=kind == "choices")
        hint = self.ctx.words("day_hint") if kind == "date" else ""
        lines, keyboard = 3 if kind == "long_text" else 1, KEYBOARDS.get(kind, "text")
        field = Field("", str(held or ""), lines=lines, input_type=keyboard, hint=hint)
        field.key = key
        field.input.bind(text=lambda _field, text: self._answer(key, text))
        return Column(field, self._read_as(field), spacing=2) if kind in forms.FIGURES else field

    def _read_as(self, field):
        """How a figure is understood that another language reads otherwise."""
        words, told = self.ctx.words, Text("", 13, ink="quiet")

        def say(_field, text):
            number = forms.decimal(text, words.language) if forms.is_ambiguous(text) else None
            told.text = "" if number is None else words("read_as", number=words.number(number))

        field.input.bind(text=say)
        say(field, field.input.text)
        return told

    def _options(self, one):
        none = [(None, "–")] if self.can_clear and one["kind"] != "choices" and not one.get("required") else []
        if one["kind"] == "flag":
            return [*none, (True, self.ctx.words("yes")), (False, self.ctx.words("no"))]
        return none + [(choice["value"], self.ctx.words.own(choice["label"])) for choice in one.get("choices") or ()]

    def _answer(self, key, value):
        self.typed[key] = value
        if self.on_answer:
            self.on_answer()
        Clock.schedule_once(lambda _dt: self._show(), 0)


class Answers(Column):
    """The questions of the chosen kind of visit; and the answers that the office does not ask for any more, which go
    into the note, so that nothing is lost."""

    def __init__(self, ctx, typed, stored, kinds, kind_id, on_answer):
        super().__init__(spacing=12)
        self.ctx, self.typed, self.stored, self.on_answer = ctx, typed, stored, on_answer
        self.kinds = {kind.id: kind for kind in kinds}
        self.answers, self.over = dict(typed.value("answers", dict(stored))), Column(spacing=8)
        self.form = None
        self.ask(kind_id)

    @property
    def kind(self):
        return self.kinds.get(self.kind_id)

    def ask(self, kind_id):
        """Show the questions of a kind of visit; of one that is not offered any more, none."""
        self.answers, self.kind_id, self.form = self._given(), kind_id, None
        self.clear_widgets()
        self.add_widget(self.over)
        if self.kind is not None:
            then = self.typed.body.get(drafts.ANSWERS_SAID)
            self.form = Questions(self.ctx, self.kind.questions, self.answers, self._answered, then=then)
            self.add_widget(self.form)
        self._show_over()

    def noted(self, note):
        """A note with the answers that are not asked any more, by the kind of visit."""
        parts = [note]
        for kind, several in groupby(self._left_over(), lambda one: one.kind):
            head = self.ctx.words("answers_noted", kind=kind) if kind else self.ctx.words("answers_noted_any")
            said = (f"{one.label}{'' if one.label.endswith('?') else ':'} {one.words}" for one in several)
            parts.append("\n".join([head, *said]))
        return "\n\n".join(part for part in parts if part)

    def _given(self):
        """All answers, those too that a question of another kind does not hold any more."""
        return (self.form.left if self.form else {}) | self.answers

    def _left_over(self):
        given = {key: value for key, value in self._given().items() if value != self.stored.get(key)}
        said = self.typed.body.get(drafts.ANSWERS_SAID, {})
        over = own.left_over(self.kinds, self.kind_id, given, said)
        return [values.answer(self.ctx, key, given[key], self.typed.body) for key in over]

    def _show_over(self):
        self.over.clear_widgets()
        if over := self._left_over():
            self.over.add_widget(Notice(self.ctx.words("answers_over"), "warn"))
            for one in over:
                self.over.add_widget(fact(one.label, one.words))

    def _answered(self):
        words, said = self.ctx.words, dict(self.typed.body.get(drafts.ANSWERS_SAID, {}))
        for one in self.kind.questions:
            if (value := self.answers.get(one["key"])) is not None:
                told = own.in_words(words, one, value)
                said[one["key"]] = [value, words.own(one["label"]), told, self.kind.id, words.own(self.kind.name)]
        self.typed.keep(answers=self._given(), **{drafts.ANSWERS_SAID: said})
        self._show_over()
        self.on_answer()


class OwnFields(Column):
    """The company's own fields of a record that holds some values, under their headings. What is typed is kept under a
    name of the form's draft; what was typed and fits no field any more, beside it."""

    def __init__(self, ctx, typed, name, kind, held, **kwargs):
        super().__init__(spacing=12, **kwargs)
        self.ctx, self.typed, self.name, self.held = ctx, typed, name, held
        self.fields = own.fields_of(ctx.files, kind)
        self.shown = {one["key"]: own.shown(one, held.get(one["key"])) for one in self.fields}
        self.given = dict(self.shown)
        self.left = self._what_is_left(typed)
        typed.left[name + drafts.LEFT] = self.left
        self.parts = []
        for one in self.fields:
            self._say_what_is_held(one, held.get(one["key"]))
        for heading, several in groupby(self.fields, lambda one: one.get("section") or ""):
            asked = [own.offered(one, held.get(one["key"])) for one in several]
            self.parts.append(Questions(ctx, asked, self.given, self._answered, can_clear=True))
            title = ctx.words.own(heading) if heading else ctx.words("own_site" if name == "own_site" else "own_fields")
            if heading and name == "own_site":  # that of the account may stand beside it
                title += f"  ·  {ctx.words('field_site')}"
            self.add_widget(section(title, self.parts[-1]))

    def _what_is_left(self, typed):
        """What was typed and fits no field any more, as pairs of key and value; what fits stands in its field."""
        left, fitting, fields = [], set(), {one["key"]: one for one in self.fields}
        for key, value in (*typed.value(self.name, {}).items(), *typed.value(self.name + drafts.LEFT, [])):
            if key in fields and key not in fitting and own.holds(fields[key], value):
                self.given[key] = value
                fitting.add(key)
            elif value not in own.NOTHING and [key, value] not in left:
                left.append([key, value])
        return left

    def _say_what_is_held(self, one, value):
        """A stored value of a kind that the field had before is not shown by it."""
        shown, words = self.shown[one["key"]], self.ctx.words
        if value not in own.NOTHING and (shown in own.NOTHING or not own.holds(one, shown)):
            said = own.in_words(words, one, value)
            self.add_widget(Notice(words("held_over", field=words.own(one["label"]), value=said), "info"))
            if self.given[one["key"]] == shown:
                del self.given[one["key"]]

    def _answered(self):
        changed = {key: value for key, value in self.given.items() if value != self.shown.get(key)}
        words, fields = self.ctx.words, {one["key"]: one for one in self.fields}
        said = {
            key: [value, words.own(fields[key]["label"]), own.in_words(words, fields[key], value)]
            for key, value in changed.items()
            if value not in own.NOTHING
        }
        said = self.typed.body.get(self.name + drafts.SAID, {}) | said
        self.typed.keep(
            **{self.name: changed, self.name + drafts.LEFT: self.left, self.name + drafts.SAID: said},
        )

    def changes(self):
        """What was changed, as it is sent; raises Unfit for what does not fit, and lets that stand out."""
        wrong = set()
        try:
            return own.changes(self.fields, self.held, self.given, self.ctx.words.own, self.ctx.words.language)
        except Unfit as unfit:
            wrong = {one.field for one in unfit.faults}
            raise
        finally:
            for part in self.parts:
                part.mark([one for one in part.questions if CUSTOM + one["key"] in wrong])
