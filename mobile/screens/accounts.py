"""Accounts: search that forgives, and a list that scrolls through thousands."""

from kivy.clock import Clock
from kivy.factory import Factory
from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.recyclegridlayout import RecycleGridLayout
from kivy.uix.recycleview import RecycleView
from kivy.uix.recycleview.views import RecycleDataViewBehavior

from mobile.field import holdings, reads
from mobile.screens.parts import class_badge, frame, mark_icon
from mobile.widgets.base import Column, Icon, Scroller, Text, Touchable, colour, margin_of, paint
from mobile.widgets.controls import Field, IconButton, PushButton

ROW = 64
TWO_DP = 840
"""From which width on the list has two columns."""


class AccountRow(RecycleDataViewBehavior, Touchable):
    """One line of the list; reused while scrolling."""

    def __init__(self, **kwargs):
        super().__init__(self._tapped, "ground", spacing=dp(10), padding=(dp(16), dp(8)), **kwargs)
        self._tap = None

    def _tapped(self):
        self._tap()

    def refresh_view_attrs(self, _view, _index, data):
        """Show another account."""
        line, self._tap = data["line"], data["tap"]
        self.label = line.name
        self._press()  # it may have been painted while the app had other colours
        self.clear_widgets()
        said = data["overdue"] or data["waits"] or data["status"]
        below = "  ·  ".join(p for p in (data["by"], line.city, said) if p)
        ink = "bad" if line.overdue else "quiet"
        words = Column(Text(line.name, 16, True, lines=1), Text(below, 14, ink=ink, lines=1), spacing=0)
        words.pos_hint = {"center_y": 0.5}
        self.add_widget(words)
        for extra in (mark_icon(data["mark"]), class_badge(line.account_class)):
            if extra is not None:
                self.add_widget(extra)
        self.add_widget(Icon("chevron_right", 18, "quiet", size_hint=(None, 1), width=dp(18)))


Factory.register("AccountRow", cls=AccountRow)


class AccountList(BoxLayout):
    """The search field and what it finds."""

    def __init__(self, ctx, text="", **kwargs):
        super().__init__(orientation="vertical", **kwargs)
        self.ctx = ctx
        self.marks = reads.marks(ctx.files)
        self.without = holdings.too_much(ctx.files.outbox)
        self.field = Field("", text, hint=ctx.words("search"))
        self.field.input.bind(text=lambda _f, text: self.find(text))
        self.count = Text("", 13, ink="quiet")
        head = Column(self.field, self.count, spacing=4, padding=(16, 10, 16, 4))
        self.add_widget(head)
        self.found = RecycleView(bar_width=dp(3), bar_color=colour("quiet", 0.5), scroll_type=["bars", "content"])
        layout = RecycleGridLayout(cols=1, default_size=(None, dp(ROW)), default_size_hint=(1, None), size_hint_y=None)
        layout.bind(minimum_height=layout.setter("height"))
        self.found.add_widget(layout)
        self.found.viewclass = "AccountRow"
        self.body = BoxLayout()
        self.add_widget(self.body)
        self.bind(width=lambda *_: self._keep_readable(head, layout))
        self.find(text)

    def _keep_readable(self, head, layout):
        """Nobody reads from one edge of a tablet to the other: there the list has two columns."""
        layout.cols = 2 if self.width >= dp(TWO_DP) else 1
        margin = margin_of(self.width / layout.cols) * layout.cols
        head.padding = (margin + dp(16), dp(10), margin + dp(16), dp(4))
        layout.padding = (margin, 0, margin, 0)

    def find(self, text):
        words, self.ctx.search = self.ctx.words, text
        index = self.ctx.accounts()
        if not index.people.is_whole:
            Clock.unschedule(self._read_people)
            Clock.schedule_interval(self._read_people, 0)
        hits = index.hits(text)
        count = words.count("count_accounts", "count_accounts_1", len(hits))
        self.count.text = count if self.without is None else f"{count}  ·  {words('too_much_here')}"
        self.found.data = [self._row(hit) for hit in hits]
        self.found.scroll_y = 1
        self.body.clear_widgets()
        self.body.add_widget(self.found if hits else self._empty(text))

    def _read_people(self, _dt):
        """Some of them before each frame, so that no key waits for all; what was typed meanwhile is asked again."""
        if self.get_root_window() is None or self.ctx.index is None:
            return False
        people = self.ctx.index.people
        people.go_on()
        if people.is_whole and self.field.input.text.strip():
            self.find(self.field.input.text)
        return not people.is_whole

    def _row(self, hit):
        line = hit.line
        status = self.ctx.words(f"st_{line.status}") if line.status in ("customer", "prospect", "former") else ""
        return {
            "line": line,
            "by": hit.by,
            "status": status,
            "overdue": self.ctx.words.count("overdue", "overdue_1", line.overdue_days) if line.overdue else "",
            "waits": self.ctx.words("not_placed_yet") if line.is_unplaced else "",
            "mark": self.marks.get(("account", line.id), ""),
            "tap": lambda: self.ctx.nav.go("account", account_id=line.id),
        }

    def _empty(self, text):
        words = self.ctx.words
        if text.strip():
            return Scroller(Text(words("no_matches", text=text.strip()), 16, ink="quiet"))
        sync = PushButton(words("sync_now"), self.ctx.nav.sync_now, "refresh_cw")
        return Scroller(Text(words("no_accounts"), 16, ink="quiet"), sync)


def build(ctx, text=None):
    content = AccountList(ctx, ctx.search if text is None else text)
    paint(content, "ground")
    new = IconButton("plus", lambda: ctx.nav.go("new_account"), ctx.words("new_account"), "brand")
    return frame(ctx, ctx.words("accounts"), content, tab="accounts", actions=(new,))
