"""What is going on at an account: people, tickets, deals, next steps, orders."""

from datetime import date

from kivy.metrics import dp

from mobile.field import reads, records, rights
from mobile.field.capture import edit
from mobile.field.reached import dialled
from mobile.field.store import moments
from mobile.screens.parts import mark_icon, section, whole
from mobile.theme import TOUCH
from mobile.widgets.base import Column, Icon, Row, Text, Touchable, rule
from mobile.widgets.controls import IconButton, PushButton

ORDERS_SHOWN = 5
PEOPLE_SHOWN = 10
"""So many at once: a row costs a small phone some hundredths of a second."""


def due(ctx, account_id):
    """What is to be done at an account; an empty card is left out, but next steps can always be added."""
    files = ctx.files
    parts = (
        ("tickets", [_ticket(ctx, one) for one in records.tickets_at(files, account_id)]),
        ("tasks", [*(task_row(ctx, one) for one in records.tasks_at(files, account_id)), _add(ctx, account_id)]),
    )
    return _cards(ctx, parts)


def known(ctx, account_id):
    """Who is there, and what is sold there."""
    files, go = ctx.files, lambda: ctx.nav.go("person", account_id=account_id)
    may = rights.may_change(files.outbox, "contact")
    meet = [PushButton(ctx.words("add_person"), go, "plus", "quiet")] if may else []
    parts = (
        ("people", [*_people(ctx, account_id), *meet]),
        ("deals", [_deal(ctx, one) for one in records.deals_at(files, account_id)]),
        ("orders", [order_row(ctx, one) for one in records.orders_at(files, account_id)[:ORDERS_SHOWN]]),
    )
    return _cards(ctx, parts)


def _people(ctx, account_id):
    """Those to ask for first, and a tap for some more of them."""
    people = records.people_at(ctx.files, account_id)
    rows = [_person(ctx, account_id, one) for one in people[:PEOPLE_SHOWN]]
    if len(people) <= PEOPLE_SHOWN:
        return rows
    further = Column(spacing=8)

    def show(shown):
        further.remove_widget(further.children[0])
        for one in people[shown : shown + PEOPLE_SHOWN]:
            further.add_widget(_person(ctx, account_id, one))
            further.add_widget(rule())
        offer(shown + PEOPLE_SHOWN)

    def offer(shown):
        left = len(people) - shown
        label = ctx.words("people_more", n=left) if left > 0 else ""
        further.add_widget(PushButton(label, lambda: show(shown), "users", "quiet") if label else Column())

    offer(PEOPLE_SHOWN)
    return [*rows, further]


def _cards(ctx, parts):
    return [_lined(ctx.words(name), rows) for name, rows in parts if rows]


def _lined(title, rows):
    box = section(title)
    for index, row in enumerate(rows):
        if index:
            box.add_widget(rule())
        box.add_widget(row)
    return box


def _lines(title, below, ink="quiet"):
    lines = Column(Text(title, 16), spacing=0, pos_hint={"center_y": 0.5})
    if below:
        lines.add_widget(Text(below, 14, ink=ink))
    return lines


def _person(ctx, account_id, person):
    """A name, and the thumb's way to it; none for those who do not want to be contacted."""
    words, kept = ctx.words, person.do_not_contact
    labels = dict(ctx.files.picklist("contact_role"))
    roles = [person.title] if person.title else [words.own(labels.get(one, one)) for one in person.roles]
    below = words("do_not_contact") if kept else "  ·  ".join(roles)
    row = Row(_lines(person.name, below, "bad" if kept else "quiet"), spacing=4)
    if person.phones and not kept:
        link = dialled(person.phones[0])
        row.add_widget(IconButton("phone", lambda: ctx.nav.open_link(link), f"{words('call')}: {person.name}", "brand"))
    if person.mails and not kept:
        link = f"mailto:{person.mails[0]}"
        row.add_widget(IconButton("mail", lambda: ctx.nav.open_link(link), f"{words('mail')}: {person.name}", "brand"))
    if rights.may_change(ctx.files.outbox, "contact"):
        go = lambda: ctx.nav.go("person", account_id=account_id, contact_id=person.id)  # noqa: E731 a tap
        row.add_widget(IconButton("pencil", go, f"{words('edit')}: {person.name}"))
    if person.waits:
        row.add_widget(mark_icon("phone"))
    return row


def _ticket(ctx, ticket):
    words = ctx.words
    due, parts = reads.instant(ticket.get("solve_due_at")), []
    parts.append(words("ticket_line", number=ticket["number"], queue=ticket["queue"]))
    parts.append(words(f"ts_{ticket['state']}"))
    if due:
        parts.append(words("due", when=f"{words.day(due.astimezone(ctx.zone).date())} {words.time(due, ctx.zone)}"))
    late = due is not None and due < moments.now(ctx.files.outbox)
    parts += [words("late")] if late else []
    ink = "bad" if late or ticket["priority"] in ("high", "urgent") else "quiet"
    icon = Icon("circle_alert", 20, ink, size=(dp(22), dp(24)), pos_hint={"top": 1})
    return Row(icon, _lines(ticket["subject"], "  ·  ".join(parts), "bad" if late else "quiet"), spacing=10)


def _deal(ctx, deal):
    words = ctx.words
    worth = words.money(deal["amount"], deal["currency"]) if deal.get("amount") else ""
    step = deal.get("next_step") or ""
    if step and deal.get("next_step_on"):
        step += f" ({words.day(date.fromisoformat(deal['next_step_on']))})"
    below = "\n".join(p for p in ("  ·  ".join(p for p in (deal["stage"], worth) if p), step) if p)
    return Row(
        Icon("flag", 20, "brand", size=(dp(22), dp(24)), pos_hint={"top": 1}), _lines(deal["name"], below), spacing=10
    )


def task_row(ctx, task, with_account=False):
    """A next step: a tap opens it, another one says that it is done."""
    words, late = ctx.words, task.is_late(ctx.today, moments.now(ctx.files.outbox))
    parts = [whole(words.day(date.fromisoformat(task.due_on)))] if task.due_on else []
    if task.starts_at:
        starts = reads.instant(task.starts_at).astimezone(ctx.zone)
        parts = [whole(f"{words.day(starts.date())} {words.time(starts, ctx.zone)}")]  # of last week, or of next
    parts = [task.account, *parts] if with_account and task.account else parts
    parts += [words("late")] if late else []
    parts += [words("repeats")] if task.repeats else []
    lines = _lines(task.subject or "–", "\u00a0\u00a0·  ".join(parts), "bad" if late else "quiet")
    if task.subject:
        way = Touchable(lambda: ctx.nav.go("entry", activity_id=task.id), size_hint_y=None)
        way.label = task.subject
        lines.bind(height=lambda _lines, high: setattr(way, "height", max(dp(TOUCH), high)))
        way.add_widget(lines)
        lines = way
    row = Row(lines, spacing=8)
    row.add_widget(mark_icon("phone") if task.waits else Column(size_hint=(None, 1), width=0))
    if not task.repeats and not task.waits and task.subject:
        done = PushButton(
            words("task_done"), lambda: _finish(ctx, task), "check", "quiet", size_hint_x=None, width=dp(132)
        )
        row.add_widget(done)
    return row


def _finish(ctx, task):
    _set(ctx, task, "done")
    undo = (ctx.words("undo"), lambda: _set(ctx, task, "open"))
    ctx.nav.toast(ctx.words("task_is_done", subject=task.subject), undo=undo)


def _set(ctx, task, state):
    edit(ctx.files, "activity", task.id, {"state": state})
    ctx.nav.saved()
    ctx.nav.again()


def _add(ctx, account_id):
    go = lambda: ctx.nav.go("next_step", account_id=account_id)  # noqa: E731 a tap
    return PushButton(ctx.words("add_next_step"), go, "plus", "quiet")


def order_row(ctx, order):
    """An order or a quote: its number and what it comes to, or that it waits on this phone. A tap shows its lines."""
    words = ctx.words
    row = Touchable(
        lambda: ctx.nav.go("order", account_id=order["account_id"], order_id=order["id"]), size_hint_y=None,
        spacing=dp(10),
    )  # fmt: skip
    if order.get("state") is None:
        icon, title, below = mark_icon("phone"), f"{words('order')}  ·  {told_lines(ctx, order)}", words("order_waits")
    else:
        icon = Icon("tag", 20, "quiet", size=(dp(22), dp(24)), pos_hint={"center_y": 0.5})
        state, day = words(f"os_{order['state']}"), words.day(date.fromisoformat(order["day"]))
        comes_to = words("taxed_True", amount=words.money(order["gross"], order["currency"]))
        title = "  ·  ".join(p for p in (order.get("number") or state, comes_to) if p)
        below = "  ·  ".join(p for p in (day, state if order.get("number") else "") if p)
    row.label = title
    for part in (icon, _lines(title, below), Icon("chevron_right", 18, "quiet", size_hint=(None, 1), width=dp(18))):
        row.add_widget(part)
    row.bind(minimum_height=lambda _row, high: setattr(row, "height", max(dp(TOUCH), high)))
    return row


def told_lines(ctx, order):
    """How many lines an order has, in words."""
    return ctx.words.count("lines", "line_1", len(order.get("lines") or ()))
