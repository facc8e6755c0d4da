"""Why a call has no place in what is left of a day: what, if it were otherwise, would let it in."""

from dataclasses import replace

from mobile.field import replan


def why(ahead: replan.Ahead, order: replan.Order, index: int) -> tuple[str, int | None]:
    """What keeps a call out of an order, and the appointment, by its number, if that is what does:

    `far`: there is room, the way is not worth it; `promised`: it is an appointment, and cannot be kept; `end`: the day
    ends; `kept`: another's appointment; `hours`: its opening hours; `full`: several of all these together.
    """
    call, never = ahead.calls[index], replan.NO_LIMIT
    always = replace(call, windows=((0, never),))
    open_ = replace(ahead, calls=(*ahead.calls[:index], always, *ahead.calls[index + 1 :]))
    if _fits(ahead, order, index):
        return "far", None
    if call.promised:
        return "promised", None
    if call.windows and _fits(replace(ahead, close_s=never), order, index):
        return "end", None
    for at, other in enumerate(order):
        if ahead.calls[other].promised and _fits(ahead, (*order[:at], *order[at + 1 :]), index):
            return "kept", other
    return "hours" if _fits(replace(open_, close_s=never), order, index) else "full", None


def _fits(day: replan.Ahead, order: replan.Order, index: int) -> bool:
    return replan.Route(day, order).cheapest(index, replan.NO_LIMIT, lambda: False) is not None
