"""What stands beside the mailed map: the days as lists, links to navigation apps, the legend."""

import html
import re

from routing.export import look, navigation, wording
from routing.export.tour import Tour
from routing.export.types import DaySheet, DayStop
from routing.roads.types import Leg


def text(value: str) -> str:
    """A text that means the same in HTML, inside a JavaScript template literal, and to Jinja."""
    safe = html.escape(wording.printable(value))
    for character in "`$\\{}":
        safe = safe.replace(character, f"&#{ord(character)};")
    return safe


def panel(tour: Tour) -> str:
    """The rep's days as lists; a switch in front when there are several."""
    switch = ""
    if not tour.is_day:
        buttons = "".join(
            f'<button data-show="{number}">{day.day:%d.%m.}</button>' for number, day in enumerate(tour.days)
        )
        switch = f'<nav>{buttons}<button data-show="all">All</button></nav><p>{wording.summary(*tour.days)}</p>'
    sections = "".join(_section(tour, number, sheet) for number, sheet in enumerate(tour.days))
    zones = ", ".join(dict.fromkeys(day.zone for day in tour.days))
    return (
        f"<main><small>{text(tour.company)} · day plan</small><h1>{text(tour.rep)}</h1>{switch}{sections}"
        f"<footer>Version {tour.mark} · made with Waymark · times in {text(zones)}</footer></main>"
    )


def _section(tour: Tour, number: int, sheet: DaySheet) -> str:
    colour = "" if tour.is_day else f" day{number % len(look.DAYS)}"
    leave, back = wording.clock(sheet, sheet.leaves_at), wording.clock(sheet, sheet.returns_at)
    rows = [
        f'<li><b class="pin anchor">S</b><div><time>{leave}</time> Leave {text(sheet.start.name)}</div></li>',
        *(_item(sheet, position, stop, colour) for position, stop in enumerate(sheet.stops, 1)),
        f'<li>{_drive(sheet.last_leg)}<b class="pin anchor">E</b>'
        f"<div><time>{back}</time> Arrive {text(sheet.end.name)}</div></li>",
    ]
    if sheet.rest_before is not None:
        starts, words = wording.rest(sheet)
        rows.insert(1 + sheet.rest_before, f"<li><span></span><div><time>{starts}</time> {words}</div></li>")
    missed = "".join(
        f'<li><b class="pin missed"></b><div><strong>{text(item.account)}</strong>'
        f"<small>{text(item.reason)} {text(item.remedy)}</small></div></li>"
        for item in sheet.left_out
    )
    links = " · ".join(f'<a href="{text(link.url)}">{link.app} {link.part}</a>' for link in navigation.along_day(sheet))
    head = f"<p>{wording.day(sheet.day)}<br>{wording.summary(sheet)}</p>"
    return (
        f'<section data-day="{number}">{head}<ol>{"".join(rows)}</ol>'
        f"<p><small>Navigate along the stops: {links}</small></p>"
        + (f"<h2>Not planned</h2><ol>{missed}</ol>" if missed else "")
        + "</section>"
    )


def _item(sheet: DaySheet, position: int, stop: DayStop, colour: str) -> str:
    times = f"{wording.clock(sheet, stop.starts_at)} – {wording.clock(sheet, stop.ends_at)}"
    appointment = wording.APPOINTMENTS.get(stop.appointment, "")
    phone = re.sub(r"[^\d+]", "", stop.phone)
    call = f'<a href="tel:{phone}">{text(stop.phone)}</a>' if phone else ""
    quiet = [text(stop.address), call, text(stop.why)]
    return (
        f'<li data-at="{stop.point.lat:.6f},{stop.point.lon:.6f}" tabindex="0">{_drive(stop.leg)}'
        f'<b class="pin{colour}">{position}</b><div><time>{times}</time>'
        + (f' <em class="warn">{appointment}</em>' if appointment else "")
        + f"<strong>{text(wording.stop_name(stop))}</strong>"
        + (f"<span>{text(stop.objective)}</span>" if stop.objective else "")
        + "".join(f"<small>{line}</small>" for line in quiet if line)
        + f"<small>{_go(stop)}</small>"
        + "</div></li>"
    )


def _go(stop: DayStop) -> str:
    """Links that lead to a stop."""
    links = navigation.to_place(stop.point, stop.account)
    return " · ".join(f'<a href="{text(link.url)}">{link.app}</a>' for link in links)


def _drive(leg: Leg) -> str:
    css = "drive estimated" if leg.estimated else "drive"
    return f'<p class="{css}">{wording.drive(leg)}</p>'


def legend(tour: Tour) -> str:
    """What the signs on the map mean, and whom to thank."""
    entries = ['<span><b class="pin">1</b> stop</span>', '<span><b class="pin anchor">S</b> start, end</span>']
    if not all(leg.estimated for day in tour.days for leg in day.legs):
        css, drive = ("", "drive") if tour.is_day else (' class="days"', "drive, a colour per day")
        entries.append(f"<span><i{css}></i> {drive}</span>")
    if tour.estimated:
        entries.append('<span><i class="dashed"></i> estimated, straight line</span>')
    if any(missed.point for day in tour.days for missed in day.left_out):
        entries.append('<span><b class="pin missed"></b> not planned</span>')
    sources = " · ".join(text(line) for line in tour.attribution)
    return f'<aside class="legend">{"".join(entries)}</aside><aside class="sources">{sources}</aside>'
