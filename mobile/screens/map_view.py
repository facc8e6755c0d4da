"""The map of the day and of the territory, from the map pack on this phone."""

from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout

from mobile.field import reads
from mobile.field.maps.polyline import decode
from mobile.field.store import clock
from mobile.screens.parts import frame
from mobile.theme import CLASS_COLOURS
from mobile.widgets.base import Card, Column, Row, Text, Word, paint
from mobile.widgets.controls import IconButton, Notice, PushButton
from mobile.widgets.map import MapView, Pin

STOP_INKS = {"done": "good", "missed": "bad", "cancelled": "quiet"}
WHOLE = {"x": 0, "y": 0}
CLASS_SIZES = {"A": 7, "B": 6, "C": 5}


def build(ctx, account_id=None):
    day = reads.day(ctx.files, ctx.user_id, ctx.day or clock.today())
    content = day_map(ctx, day, territory=True, account_id=account_id)
    return frame(ctx, ctx.words("map"), content, tab="map")


def day_map(ctx, day, *, territory=False, account_id=None):
    """The route with its stops; with the territory's accounts around them if asked for."""
    return DayMap(ctx, day, territory=territory, account_id=account_id)


def zoom_buttons(ctx, view, fix):
    """Nearer, farther, and to where I am, for the thumb."""
    column = Column(spacing=8, size_hint=(None, None), width=dp(48))
    column.add_widget(IconButton("plus", lambda: view.zoom_by(1), "zoom in", line="line"))
    column.add_widget(IconButton("minus", lambda: view.zoom_by(-1), "zoom out", line="line"))
    if fix is not None:
        column.add_widget(IconButton("locate_fixed", lambda: view.fit([(fix.lon, fix.lat)]), "me", line="line"))
    column.add_widget(IconButton("navigation", view.north_up, "north up", line="line"))
    corner = AnchorLayout(pos_hint=WHOLE, anchor_x="right", anchor_y="top", padding=dp(12))
    corner.add_widget(column)
    return corner


def attribution(ctx):
    """Whose data the map shows; always on, as its licence asks."""
    texts = sorted({pack.attribution for pack in ctx.packs if pack.attribution})
    corner = AnchorLayout(pos_hint=WHOLE, anchor_x="right", anchor_y="bottom")
    label = Word("; ".join(texts), 12, ink="map_label")
    box = BoxLayout(size_hint=(None, None), size=(label.width + dp(12), dp(22)), padding=(dp(6), 0))
    paint(box, "paper", radius=4, alpha=0.8)
    box.add_widget(label)
    if texts:
        corner.add_widget(box)
    return corner


class DayMap(FloatLayout):
    """A map with buttons for the thumb, attribution, and a card for what was tapped."""

    def __init__(self, ctx, day, territory, account_id, **kwargs):
        super().__init__(**kwargs)
        self.ctx, self.day = ctx, day
        self.map = MapView(ctx.packs, self.tapped, self.held, pos_hint=WHOLE)
        self.add_widget(self.map)
        self.stops = {str(stop.position): stop for stop in day.stops if stop.lat is not None}
        self.lines_of = {line.id: line for line in ctx.accounts().search() if line.lat is not None} if territory else {}
        self.fix = ctx.phone.position.fix()
        self.map.show(self._pins(), self._route(), self.fix)
        self._look_at(account_id)
        self.add_widget(zoom_buttons(ctx, self.map, self.fix))
        self.add_widget(attribution(ctx))
        self.shelf = AnchorLayout(pos_hint=WHOLE, anchor_y="bottom", padding=(dp(12), dp(12), dp(12), dp(30)))
        self.add_widget(self.shelf)
        if not ctx.packs:
            self.shelf.add_widget(Notice(ctx.words("no_map_help"), "info"))
        if account_id:
            self.tapped(f"account:{account_id}")

    def _look_at(self, account_id):
        chosen = self.lines_of.get(account_id)
        if chosen is not None:
            self.map.fit([(chosen.lon, chosen.lat)])
            return
        points = [(s.lon, s.lat) for s in self.stops.values()] or [(a.lon, a.lat) for a in self.lines_of.values()]
        if not points and self.ctx.packs:
            west, south, east, north = self.ctx.packs[0].bbox
            points = [(west, south), (east, north)]
        self.map.fit(points)

    def _pins(self):
        pins = [
            Pin(
                f"stop:{stop.position}", stop.lon, stop.lat, str(stop.position),
                STOP_INKS.get(stop.state, "accent" if stop == self.day.next_stop else "brand"),
                uncertainty_m=stop.uncertainty_m or 0,
            )
            for stop in self.stops.values()
        ]  # fmt: skip
        visited = {stop.account_id for stop in self.stops.values()}
        return pins + [
            Pin(
                f"account:{line.id}", line.lon, line.lat, "",
                "bad" if line.overdue else CLASS_COLOURS.get(line.account_class, "quiet"),
                CLASS_SIZES.get(line.account_class, 5),
                uncertainty_m=line.uncertainty_m or 0,
                gathers=True,
            )
            for line in self.lines_of.values() if line.id not in visited
        ]  # fmt: skip

    def _route(self):
        """Leg by leg: along the road where it is known, straight and dashed where it is estimated."""
        day, on_route = self.day, [s for s in self.day.stops if s.arrives_at and s.lat is not None]
        places = [(a["lon"], a["lat"]) for a in (day.start,) if a]
        places += [(s.lon, s.lat) for s in on_route]
        places += [(a["lon"], a["lat"]) for a in (day.end,) if a]
        estimated = [s.estimated for s in on_route] + [day.estimated]
        legs = day.polylines if len(day.polylines) == len(places) - 1 else ("",) * (len(places) - 1)
        return [
            (decode(leg), guess) if leg else ([here, there], True)
            for leg, guess, here, there in zip(legs, estimated, places, places[1:], strict=False)
        ]

    def held(self, lon, lat):
        """A long press: somebody new was met here."""
        self.ctx.nav.go("lead", lon=lon, lat=lat)

    def tapped(self, key):
        """Show a card for the tapped pin, or put the card away."""
        self.shelf.clear_widgets()
        kind, _, key = (key or "").partition(":")
        if kind == "stop":
            stop = self.stops[key]
            self._card(
                stop.name,
                f"{stop.street}, {stop.city}",
                "check_in",
                "visit",
                visit_id=stop.visit_id,
                account_id=stop.account_id,
            )
        elif kind == "account" and key in self.lines_of:
            line = self.lines_of[key]
            late = self.ctx.words("overdue", n=line.overdue_days) if line.overdue else ""
            self._card(
                line.name, "  ·  ".join(p for p in (line.city, late) if p), "open_account", "account", account_id=key
            )

    def _card(self, name, place, action, screen, **target):
        go = PushButton(
            self.ctx.words(action), lambda: self.ctx.nav.go(screen, **target), size_hint_x=None, width=dp(150)
        )
        words = Column(Text(name, 16, True, lines=1), Text(place, 14, ink="quiet", lines=1), spacing=0)
        card = Card(Row(words, go, spacing=12), padding=12)
        card.size_hint_x, card.width = None, min(self.width - dp(24), dp(480)) if self.width > dp(120) else dp(388)
        self.bind(width=lambda _w, width: setattr(card, "width", min(width - dp(24), dp(480))))
        self.shelf.add_widget(card)
