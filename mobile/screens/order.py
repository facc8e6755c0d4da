"""Taking an order without network: find products, tap plus or type how much, save. Prices are the customer's own."""

from decimal import Decimal

from kivy.metrics import dp
from kivy.uix.boxlayout import BoxLayout

from mobile.field import forms, reads, taking
from mobile.field.catalogue import Catalogue, line_amount, minor_unit
from mobile.field.taking import Line, draft_order
from mobile.screens import work
from mobile.screens.parts import foot_of, frame, section
from mobile.screens.unfinished import Typed
from mobile.widgets.base import Column, Row, Scroller, Text, readable, rule
from mobile.widgets.controls import Field, IconButton, Notice, PushButton

MOST_SHOWN = 40
MOST_OF_ONE = Decimal(999_999)
MIDDLE = {"center_y": 0.5}


class OrderPad(BoxLayout):
    """The catalogue above, what it comes to below."""

    def __init__(self, ctx, account_id, **kwargs):
        super().__init__(orientation="vertical", **kwargs)
        self.ctx, self.account_id = ctx, account_id
        self.catalogue = Catalogue(ctx.files, account_id)
        account = ctx.files.cache.doc("account", account_id) or {}
        self.typed = Typed(ctx, ("order",), {"account_id": account_id}, account.get("name"))
        self.unread, kept = dict(self.typed.value("unread", {})), self.typed.value("chosen", {})
        least = {one.id: one.least for one in self.catalogue.products}
        typed = {key: Decimal(much) for key, (much, _) in kept.items() if key in least}
        priced = lambda key, much: self.catalogue.price(key, max(much, least[key])) is not None  # noqa: E731 a question
        self.chosen = {key: much for key, much in typed.items() if priced(key, much)}
        self.gone = {key: one for key, one in kept.items() if key not in self.chosen}
        self.field = Field("", "", hint=ctx.words("find_product"))
        self.field.input.bind(text=lambda _f, text: self.find(text))
        name = Text(ctx.words("order_for", name=account.get("name") or ""), 16, True, lines=1)
        taxed = self.catalogue.all_gross
        tax = (
            None
            if taxed is None or not self.catalogue.products
            else Text(ctx.words("prices_gross" if taxed else "prices_net"), 13, ink="quiet")
        )
        self.add_widget(readable(Column(name, tax, self.field, spacing=6, padding=(16, 10, 16, 4))))
        names = ", ".join(f"{called} × {much}" for much, called in self.gone.values())
        gone = Notice(ctx.words("not_sold", names=names), "warn") if names else None
        self.kept = Column(self.typed.told(), gone)
        self.list = Scroller(spacing=8, padding=(16, 6, 16, 16))
        self.add_widget(self.list)
        self.total, self.warning = Text("", 16, True), Column()
        save = PushButton(ctx.words("save_order"), self.save, "check", height=dp(54))
        self.add_widget(foot_of(self.warning, self.total, save))
        self.find("")

    def find(self, text):
        """Show what fits, what was chosen first."""
        self.found = sorted(self.catalogue.find(text), key=lambda one: one.id not in self.chosen)
        words, kinds = self.ctx.words, {one.category for one in self.found}
        others = [one.category or words("no_category") if len(kinds) > 1 else "" for one in self.found]
        first = sum(one.id in self.chosen for one in self.found)
        self.heads = [words("order_chosen") if first and any(others) else ""] * first + others[first:]
        self._show(text)

    def _show(self, text):
        """The rows in the order in which they were found: nothing moves under the thumb."""
        found, column, self.rows, self.told, head = self.found, self.list.column, {}, {}, ""
        column.clear_widgets()
        column.add_widget(self.kept)
        if not found:
            key = "no_products" if text.strip() else "no_catalogue"
            column.add_widget(Text(self.ctx.words(key, text=text.strip()), 16, ink="quiet"))
        for index, product in enumerate(found[:MOST_SHOWN]):
            if self.heads[index] != head:
                head = self.heads[index]
                column.add_widget(Text(head, 14, True, "quiet"))
            elif index:
                column.add_widget(rule())
            self.rows[product.id] = self._row(product)
            column.add_widget(self.rows[product.id])
        self._say_total()

    def _row(self, product):
        words = self.ctx.words
        much, price = self.chosen.get(product.id, Decimal(0)), self._price(product)
        told = self.told[product.id] = Text(self._told(product), 14, ink="quiet" if price is not None else "warn")
        lines = Column(Text(product.name, 16, bool(much), lines=2), told, spacing=0, pos_hint=MIDDLE)
        row = Row(lines, spacing=4)
        if product.id in self.chosen:
            row.add_widget(self._step("minus", product, -1, words("take_less", name=product.name)))
            row.add_widget(self._quantity(product, much))
        if price is not None:
            row.add_widget(self._step("plus", product, 1, words("add_more", name=product.name)))
        return row

    def _price(self, product):
        """What one of so many costs; None where it has no price."""
        return self.catalogue.price(product.id, max(self.chosen.get(product.id, Decimal(0)), product.least))

    def _told(self, product):
        """Number and price of a product, as much of it as is chosen."""
        words, price, below = self.ctx.words, self._price(product), self.ctx.words("no_price")
        if price is not None:
            each = words.money(_short(price, self.catalogue.currency), self.catalogue.currency)
            below = words("per_unit", price=each, unit=_unit(words, product.unit))
            if self.catalogue.all_gross is None:
                much = max(self.chosen.get(product.id, Decimal(0)), product.least)
                below = words(f"taxed_{self.catalogue.is_gross(product.id, much)}", amount=below)
        between = "\n" if product.id in self.chosen else "  ·  "  # what is chosen leaves less room beside it
        return between.join((product.number, below))

    def _step(self, icon, product, steps, label):
        return IconButton(icon, lambda: self.change(product, steps), label, "brand", pos_hint=MIDDLE)

    def _quantity(self, product, much):
        """How much, to be typed over."""
        text = self.unread.get(product.id, f"{much.normalize():f}")
        field = Field("", text, on_enter=lambda: self.settle() or self._again(), input_type="number",
                      size_hint_x=None, width=dp(76))  # fmt: skip
        field.pos_hint, field.product = MIDDLE, product
        field.input.bind(text=lambda _field, typed: self.type(product, typed))
        return field

    def type(self, product, text):
        """Take what is typed as it is; whether it can be ordered is looked at when it is done."""
        much = forms.decimal(text, self.ctx.words.language) if text.strip() else Decimal(0)
        self.unread.pop(product.id, None)
        if much is None or not 0 <= much <= MOST_OF_ONE:
            self.unread[product.id] = text
        else:
            self.chosen[product.id] = much
            self.told[product.id].text = self._told(product)
        self.warning.clear_widgets()
        self._keep()
        self._say_total()

    def _keep(self):
        """What is chosen, and what is typed for how much, with the names: a catalogue changes."""
        called = {one.id: one.name for one in self.catalogue.products}
        chosen = {
            key: [f"{much.normalize():f}", called[key]]
            for key, much in self.chosen.items()
            if much or key in self.unread
        }
        self.typed.keep(chosen=self.gone | chosen, unread=dict(self.unread))

    def settle(self):
        """Make every quantity one that can be ordered, and say which were not; the products of which there is something
        to say."""
        words, said, wrong = self.ctx.words, [], []
        for product in self.catalogue.products:
            much = self.chosen.get(product.id)
            if product.id in self.unread:
                wrong.append(product.id)
                text = self.unread[product.id]
                is_much = (forms.decimal(text, words.language) or 0) > MOST_OF_ONE
                key, most = "quantity_above" if is_much else "no_quantity", words.number(int(MOST_OF_ONE))
                said.append(words(key, text=text, name=product.name, most=most))
            elif much == 0:
                del self.chosen[product.id]
            elif much is not None and (fitting := product.fitted(much)) != much:
                self.chosen[product.id] = fitting
                wrong.append(product.id)
                said.append(words("quantity_fitted", name=product.name, step=f"{product.step.normalize():f}",
                                  least=f"{product.least.normalize():f}", much=f"{fitting.normalize():f}"))  # fmt: skip
        self._keep()
        self.warning.clear_widgets()
        if said:
            self.warning.add_widget(Notice("\n".join(said), "warn"))
        return wrong

    def change(self, product, steps):
        """One step more or less; never a quantity that cannot be ordered."""
        much, typed = self.chosen.get(product.id), self.unread.pop(product.id, None)
        fits = typed is None and much is not None and product.fitted(much) == much
        if steps > 0:
            self.chosen[product.id] = much + product.step if fits else product.fitted(much or Decimal(0))
        elif much - product.step < product.least:
            del self.chosen[product.id]
        else:
            self.chosen[product.id] = much - product.step if fits else product.fitted(much) - product.step
        self._keep()
        self.warning.clear_widgets()
        self._again()

    def _again(self):
        """The rows anew, where they were."""
        place = self.list.scroll_y
        self._show(self.field.value)
        self.list.scroll_y = place

    def _drafted(self):
        known = {one.id: one for one in self.catalogue.products}
        return [
            self.catalogue.drafted(known[key], much)
            for key, much in self.chosen.items()
            if much and key not in self.unread
        ]

    def _say_total(self):
        words, drafted = self.ctx.words, self._drafted()
        total = _sums(words, self.catalogue.totals(drafted), self.catalogue.currency)
        lines = words.count("lines", "line_1", len(drafted))
        self.total.text = words("order_total", lines=lines, total=total) if drafted else ""

    def save(self):
        """The order is on this phone for good, and a draft in the office once it is sent."""
        if wrong := self.settle():
            self._again()
            if wrong[0] not in self.rows:
                self.field.input.text = ""  # what was looked for hides it; what is chosen comes first
            self.list.show_soon(self.rows.get(wrong[0], self.list.column))
            return
        drafted = self._drafted()
        if not drafted:
            self.warning.clear_widgets()
            self.warning.add_widget(Notice(self.ctx.words("order_empty"), "warn"))
            return
        lines = [_sent(one, self.catalogue.currency) for one in drafted]
        site = reads.main_site(self.ctx.files, self.account_id) or {}
        files, site_id, currency = self.ctx.files, site.get("id"), self.catalogue.currency
        self.typed.save(lambda: draft_order(files, self.account_id, site_id, currency, lines))
        self.ctx.nav.saved()
        self.ctx.nav.back()
        self.ctx.nav.toast(self.ctx.words("order_saved"))


def _unit(words, unit):
    """A unit in the rep's language where it is one of ours."""
    return words(f"unit_{unit}") if words.has(f"unit_{unit}") else unit


def _short(price, currency):
    """A price with at least the digits of its currency after the point, and no zeros behind them."""
    least = price.quantize(minor_unit(currency))
    return least if least == price else price.normalize()


def _sent(line, currency):
    """A line as it is sent: its price is the one that was shown."""
    return Line(line.product.id, None, f"{line.quantity:f}", f"{_short(line.unit_price, currency):f}")


def _sums(words, totals, currency):
    """What it comes to before tax, with tax, or both where prices are of both kinds."""
    told = (words(f"taxed_{is_gross}", amount=words.money(much, currency)) for is_gross, much in sorted(totals.items()))
    return " + ".join(told)


def build(ctx, account_id, order_id=None):
    """The form of a new order; one that is saved is read, and changed as long as nothing of it was sent."""
    if order_id is None:
        return frame(ctx, ctx.words("order"), OrderPad(ctx, account_id), back=True)
    doc = ctx.files.cache.doc("order", order_id)
    if doc is None:
        return frame(ctx, ctx.words("order"), Scroller(Notice(ctx.words("order_gone"), "warn")), back=True)
    return frame(ctx, ctx.words("order"), _sheet(ctx, account_id, doc), back=True)


def _sheet(ctx, account_id, doc):
    """An order to be read: its lines, and what it comes to."""
    words, account = ctx.words, ctx.files.cache.doc("account", account_id) or {}
    page = Scroller(Text(words("order_for", name=account.get("name") or ""), 20, True))
    add, op = page.column.add_widget, taking.changeable(ctx.files, doc["id"])
    box = section(work.told_lines(ctx, doc))
    for line in doc["lines"]:
        box.add_widget(_line(ctx, line, doc["currency"]))
    totals = {False: doc["net"], True: doc["gross"]} if doc.get("net") else _totals(ctx, account_id, doc)
    if totals:
        box.add_widget(rule())
    for is_gross, much in sorted(totals.items()):
        total = Text(words.money(much, doc["currency"]), 16, True, align="right")
        box.add_widget(Row(Text(words(f"sum_{is_gross}"), 14, ink="quiet", pos_hint={"center_y": 0.5}), total))
    add(box)
    if doc.get("note"):
        add(section(words("note"), Text(doc["note"], 16)))
    if doc.get("state") is None:
        add(Notice(words("order_unsent" if op else "order_waits_still"), "info"))
    elif doc["state"] == "draft":
        add(Notice(words("order_in_office"), "info"))
    if op is not None:
        add(PushButton(words("order_change"), lambda: _change(ctx, op), "pencil", "quiet"))
    return page


def _line(ctx, line, currency):
    """What is ordered, how much of it for how much each, and what that comes to."""
    words, product = ctx.words, ctx.files.cache.doc("product", line.get("product_id") or "") or {}
    much, price = f"{Decimal(line['quantity']).normalize():f}", line.get("unit_price")
    below = much if price is None else f"{much} × {words.money(_short(Decimal(price), currency), currency)}"
    below = words("taxed_True", amount=below) if line.get("is_gross") else below
    name = Column(Text(line.get("text") or product.get("name") or "–", 16), Text(below, 14, ink="quiet"), spacing=0)
    comes_to = "" if price is None else words.money(_amount(line, currency), currency)
    return Row(name, Text(comes_to, 16, size_hint_x=0.8, align="right", pos_hint={"top": 1}), spacing=8)


def _amount(line, currency):
    """What a line with a price comes to, as the office has it, else as it does by what stands in it."""
    return line.get("amount") or line_amount(Decimal(line["quantity"]), Decimal(line["unit_price"]), currency)


def _totals(ctx, account_id, doc):
    """What an order comes to that no office has seen, by whether prices contain the tax; empty where one is missing."""
    found, catalogue = {}, Catalogue(ctx.files, account_id)
    for line in doc["lines"]:
        if line.get("unit_price") is None:
            return {}
        is_gross = catalogue.is_gross(line.get("product_id") or "", Decimal(line["quantity"]))
        found[is_gross] = found.get(is_gross, Decimal(0)) + _amount(line, doc["currency"])
    return found


def _change(ctx, op):
    """Back into its form; what the server may have by now stays as it is."""
    arguments = taking.change_order(ctx.files, op)
    if arguments is None:
        ctx.nav.again()
        ctx.nav.toast(ctx.words("order_late"), "info")
        return
    ctx.nav.saved()
    ctx.nav.instead("order", **arguments)
    ctx.nav.toast(ctx.words("order_reopened"), "info")
