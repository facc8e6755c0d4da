"""The day as *Today* lays it out: stops, legs, and what was done beside the route."""

from dataclasses import replace
from datetime import datetime

import pytest

from mobile.field import reads

pytestmark = pytest.mark.window


def test_what_was_done_beside_the_route_stands_where_its_time_is(screen):
    from mobile.screens.today import _in_time

    ctx = screen.app.ctx
    first, second, third, loose = reads.day(ctx.files, ctx.user_id, ctx.today).stops[:4]
    at = lambda hour: datetime(2026, 11, 30, hour, tzinfo=ctx.zone)  # noqa: E731
    first = replace(first, state="done", done_at=at(9), arrives_at=at(8), starts_at=at(8))
    second, third = (replace(s, arrives_at=at(h), starts_at=at(h)) for s, h in ((second, 11), (third, 13)))
    loose = replace(loose, state="done", done_at=at(10), arrives_at=None, starts_at=None)
    assert loose.begins_at == at(10)
    assert _in_time([first, second, third, loose]) == [first, loose, replace(second, drive_s=None), third]
    late = replace(loose, done_at=at(15))
    assert _in_time([first, second, third, late]) == [first, second, third, late]
    waiting = replace(loose, state="planned", done_at=None)
    assert _in_time([first, second, third, waiting]) == [first, second, third, waiting]


def test_a_stop_after_one_beside_the_route_has_no_leg(screen, monkeypatch):
    from mobile.field import restday

    ctx = screen.app.ctx
    day = reads.day(ctx.files, ctx.user_id, ctx.today)
    at = lambda hour: datetime(2026, 11, 30, hour, tzinfo=ctx.zone)  # noqa: E731
    first, second, third, loose = (replace(s, drive_s=13 * 60, distance_m=None) for s in day.stops[:4])
    first, second, third = (
        replace(s, arrives_at=at(h), starts_at=at(h)) for s, h in ((first, 8), (second, 11), (third, 13))
    )
    first = replace(first, state="done", done_at=at(9))
    loose = replace(loose, state="done", done_at=at(10), arrives_at=None, starts_at=None, drive_s=None)
    legs = []
    for stops in ((first, second, third), (first, second, third, loose)):
        told = replace(day, stops=stops, returns_at=None)
        monkeypatch.setattr(restday, "day_as_taken", lambda *_args, told=told: told)
        screen.app.go("today")
        screen.frames()
        legs.append([words for words in screen.words() if words.startswith("13 min")])
    assert [len(one) for one in legs] == [4, 2], "nor has the card of the next stop"
