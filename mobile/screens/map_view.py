"""The map of the day and of the territory, from the map pack on this phone."""

import math
from functools import partial

from kivy.metrics import dp
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout

from mobile.field import around, restday, tracks
from mobile.field.checkin import distance_m
from mobile.field.maps.polyline import decode
from mobile.field.maps.projection import metres_to_world, to_world
from mobile.field.store import clock
from mobile.screens.leads import LAYER_ICONS, is_late, open_somebody, told_of
from mobile.screens.parts import frame
from mobile.theme import CATEGORIES, CLASS_COLOURS
from mobile.widgets.base import Card, Column, Icon, Row, Text, Touchable, Word, paint
from mobile.widgets.controls import IconButton, Notice, PushButton
from mobile.widgets.map import MapView
from mobile.widgets.mapmarks import LATE, Pin

STOP_INKS = {"done": "good", "missed": "bad", "cancelled": "quiet"}
STOP_SIGNS = {"done": "check", "missed": "x", "cancelled": "minus"}
ONE_DOOR_M = 15.0
"""Stops that lie closer are one pin with both numbers."""
FINGER_DP, FINGER_M = 20, 80.0
"""How far around its middle a fingertip reaches, and how far off a place may be that it names."""
FIRMS_SINCE = 14
"""From which zoom on firms of open data are there."""
WHOLE = {"x": 0, "y": 0}
CLASS_SIZES = {"A": 7, "B": 6, "C": 5}
LAYER_INKS = {"prospect": CATEGORIES[4], "lead": CATEGORIES[1], "firm": "quiet"}
"""Customers have the colour of their class; firms of open data are rings."""


def build(ctx, account_id=None, layers=(), kind="", spots=()):
    """The map of the territory; where it was opened from a list, with the layers and the kind of that, at its spots."""
    day = restday.day_as_taken(ctx.files, ctx.user_id, ctx.day or ctx.today)
    content = DayMap(ctx, day, account_id, layers=layers, kind=kind, spots=spots)
    shown = ctx.day or ctx.today
    title = ctx.words("map") if shown == ctx.today else f"{ctx.words('map')}  ·  {ctx.words.day(shown)}"
    return frame(ctx, title, content, tab="map")


def zoom_buttons(ctx, view, fix):
    """Nearer, farther, and to where I am, for the thumb."""
    column = Column(spacing=8, size_hint=(None, None), width=dp(48))
    column.add_widget(IconButton("plus", lambda: view.zoom_by(1), "zoom in", line="line"))
    column.add_widget(IconButton("minus", lambda: view.zoom_by(-1), "zoom out", line="line"))
    if fix is not None:
        column.add_widget(IconButton("locate_fixed", lambda: _to_me(ctx, view), "me", line="line"))
    column.add_widget(IconButton("navigation", view.north_up, "north up", line="line"))
    corner = AnchorLayout(pos_hint=WHOLE, anchor_x="right", anchor_y="top", padding=dp(12))
    corner.add_widget(column)
    view.covers.append(column)
    return corner


def _to_me(ctx, view):
    """To where I am now, not to where I was; or the word that nobody knows."""
    fix = ctx.phone.position.fix()
    if fix is None:
        ctx.nav.toast(ctx.words("no_position"), "info")
        return
    view.fit([(fix.lon, fix.lat)])


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
    """The route with its stops, and whoever lies around them: a map with buttons for the thumb, attribution, and a card
    for what was tapped."""

    def __init__(self, ctx, day, account_id=None, layers=(), kind="", spots=(), **kwargs):
        super().__init__(**kwargs)
        self.ctx, self.day = ctx, day
        self.map = MapView(ctx.packs, self.tapped, self.held, pos_hint=WHOLE)
        self.add_widget(self.map)
        self.stops = {str(stop.number): stop for stop in day.stops if stop.lat is not None}
        self.kind, self.firms_since = kind, 0 if "firm" in layers else FIRMS_SINCE
        self.people = self._people()
        self.hidden = set(ctx.phone.settings()["hidden_layers"].split()) - set(layers)
        self.fix = ctx.phone.position.fix()
        self.driven = tracks.lines(ctx.files, ctx.day or ctx.today)
        self._show()
        self._look_at(account_id, spots)
        self.add_widget(zoom_buttons(ctx, self.map, self.fix))
        self.add_widget(attribution(ctx))
        self.panel = Column(spacing=8, size_hint_x=None, width=dp(230))
        self._add_layers()
        self.shelf = AnchorLayout(pos_hint=WHOLE, anchor_y="bottom", padding=(dp(12), dp(12), dp(12), dp(30)))
        self.add_widget(self.shelf)
        if not ctx.packs:
            self.shelf.add_widget(Notice(ctx.words("no_map_help"), "info"))
        if account_id:
            self.tapped(f"account:{account_id}")

    def _people(self):
        """Who is around the route, by id; of firms those of the chosen kind."""
        everybody = around.everybody(self.ctx.files, self.ctx.accounts())
        return {one.id: one for one in everybody if not self.kind or one.kind in ("", self.kind)}

    def came_in(self):
        """A sync has brought something: it is on the map and counted; what the rep looks at stays where it is."""
        self.day = restday.day_as_taken(self.ctx.files, self.ctx.user_id, self.ctx.day or self.ctx.today)
        self.stops = {str(stop.number): stop for stop in self.day.stops if stop.lat is not None}
        self.people = self._people()
        self._show()
        if len(self.panel.children) > 1:
            self._toggle_panel()
            self._toggle_panel()

    def _ink(self, stop):
        """The colour of a stop: what became of it, the next one, or that it is not today any more."""
        if stop.is_out:
            return "quiet"
        return STOP_INKS.get(stop.state, "accent" if stop == self.day.next_stop else "brand")

    def _show(self):
        """Everything on the map; where I drove lies below the route."""
        driven = [] if "track" in self.hidden else [(line, "track") for line in self.driven]
        self.map.show(self._pins(), driven + self._route(), self.fix)

    def _look_at(self, account_id, spots):
        chosen = self.people.get(account_id)
        if chosen is not None:
            self.map.fit([(chosen.lon, chosen.lat)])
            return
        kept, self.ctx.view = self.ctx.view, None
        if kept and not spots and kept[0] == self.day.day:
            self.map.view = kept[1]
            return
        points = (
            list(spots)
            or [*self._ends(), *((s.lon, s.lat) for s in self.stops.values())]
            or [(a.lon, a.lat) for a in self.people.values()]
        )
        if not points and self.ctx.packs:
            west, south, east, north = self.ctx.packs[0].bbox
            points = [(west, south), (east, north)]
        self.map.fit(points)

    def _pins(self):
        doors = sorted(self._doors(), key=lambda several: not any(stop.open for stop in several))  # the first on top
        pins = [self._stop_pin(several) for several in doors]
        visited = {stop.account_id for stop in self.stops.values()}
        shown = [one for one in self.people.values() if one.layer not in self.hidden and one.id not in visited]
        ends = [Pin("end:", *place, ink="ink", size=12, icon="house") for place in self._ends()]
        return pins + ends + [self._pin_of(one) for one in shown]

    def _ends(self):
        """Where the route begins and ends, once where that is the same."""
        places = [(one["lon"], one["lat"]) for one in (self.day.start, self.day.end) if one]
        return places[:1] if len(places) == 2 and distance_m(*places[0], *places[1]) <= ONE_DOOR_M else places

    def _doors(self):
        """The stops in their order, those at one door together."""
        doors = []
        for stop in self.stops.values():
            same = (one for one in doors if distance_m(one[0].lon, one[0].lat, stop.lon, stop.lat) <= ONE_DOOR_M)
            door = next(same, None)
            if door is None:
                doors.append([stop])
            else:
                door.append(stop)
        return doors

    def _stop_pin(self, several):
        """One pin for the stops at a door; it looks like the one that is still to come."""
        stop = next((one for one in several if one.open and not one.is_out), several[0])
        numbers = [str(one.number) for one in several]
        named = "·".join(numbers) if len(numbers) < 4 else f"{len(numbers)} ×"
        label = "–" if stop.is_passed else named
        return Pin(
            f"stop:{'+'.join(numbers)}", stop.lon, stop.lat, label,
            self._ink(stop),
            12 + 4 * min(2, len(numbers) - 1), uncertainty_m=stop.uncertainty_m or 0,
            sign=STOP_SIGNS.get(stop.state, ""),
        )  # fmt: skip

    def _pin_of(self, who):
        """Somebody who is not on the route: late ones in red and larger, customers by class, prospects and leads by
        their kind; firms not before one looks from near, so that customers are not lost among them."""
        ink = LAYER_INKS.get(who.layer) or CLASS_COLOURS.get(who.account_class, "quiet")
        late, is_firm = is_late(who), who.layer == "firm"
        return Pin(
            f"account:{who.id}", who.lon, who.lat, "", LATE if late else ink,
            CLASS_SIZES.get(who.account_class, 5) + 2 * late, uncertainty_m=who.uncertainty_m, gathers=True,
            is_ring=is_firm, since=self.firms_since if is_firm else 0,
        )  # fmt: skip

    # -- layers

    def _add_layers(self):
        corner = AnchorLayout(pos_hint=WHOLE, anchor_x="left", anchor_y="top", padding=dp(12))
        self.panel.add_widget(IconButton("layers", self._toggle_panel, self.ctx.words("layers"), line="line"))
        corner.add_widget(self.panel)
        self.add_widget(corner)

    def _toggle_panel(self):
        """Open or put away what the map shows; it says what the colours mean."""
        if len(self.panel.children) > 1:
            self.panel.remove_widget(self.panel.children[0])
            return
        self.panel.add_widget(self._layer_card())

    def steps_back(self):
        """Put away what lies on the map."""
        if len(self.panel.children) > 1:
            self._toggle_panel()
        elif self.shelf.children and self.ctx.packs:
            self.tapped(None)
        else:
            return False
        return True

    def _layer_card(self):
        words, card = self.ctx.words, Card(spacing=0, padding=6)
        rows = [(one, LAYER_INKS.get(one, "brand"), LAYER_ICONS[one]) for one in around.LAYERS]
        if self.driven:
            rows.append(("track", "info", "route"))
        for layer, ink, icon in rows:
            on = layer not in self.hidden
            row = Touchable(lambda name=layer: self._toggle(name), "paper", size_hint_y=None, height=dp(48))
            row.padding, row.spacing, row.label = (dp(6), 0), dp(8), words(f"layers_{layer}")
            row.add_widget(Icon("check" if on else "minus", 18, "brand" if on else "quiet", size=(dp(22), dp(24))))
            row.add_widget(Icon(icon, 18, ink, size=(dp(22), dp(24))))
            row.add_widget(Text(words(f"layers_{layer}"), 16, lines=1, pos_hint={"center_y": 0.5}))
            if layer != "track":
                count = sum(one.layer == layer for one in self.people.values())
                row.add_widget(Word(words.number(count), 14, ink="quiet"))
            card.add_widget(row)
        if self.firms_since and "firm" not in self.hidden:
            card.add_widget(Text(words("firms_nearer"), 13, ink="quiet"))
        return card

    def _toggle(self, layer):
        """Show or hide one layer; it stays so until the rep says otherwise."""
        self.hidden ^= {layer}
        self.ctx.phone.choose("hidden_layers", " ".join(sorted(self.hidden)))
        self._show()
        self._toggle_panel()
        self._toggle_panel()

    def _route(self):
        """Leg by leg: along the road where it is known, straight and dashed where it is estimated. In an order that was
        taken here a leg has a road where it is as the office planned it."""
        day, on_route = self.day, self.day.route
        places = [(a["lon"], a["lat"]) for a in (day.start,) if a]
        places += [(s.lon, s.lat) for s in on_route]
        places += [(a["lon"], a["lat"]) for a in (day.end,) if a]
        estimated = [s.estimated for s in on_route] + [day.estimated]
        if restday.is_taken(day):
            estimated = [False] * len(estimated)
        legs = day.polylines if len(day.polylines) == len(places) - 1 else ("",) * (len(places) - 1)
        return [
            (decode(leg), "guess" if guess else "route") if leg else ([here, there], "guess")
            for leg, guess, here, there in zip(legs, estimated, places, places[1:], strict=False)
        ]

    def held(self, lon, lat):
        """A long press: somebody new was met here. Where a fingertip covers a quarter of the town, one goes nearer."""
        view = self.map
        farther = math.log2(dp(FINGER_DP) / view.scale / metres_to_world(FINGER_M, lat))
        if farther > 0.01:
            view.view = (to_world(lon, lat), view.zoom + farther, view.bearing)
            self.ctx.nav.toast(self.ctx.words("hold_again"))
            return
        self._leave(lambda: self.ctx.nav.go("lead", lon=lon, lat=lat))

    def tapped(self, key):
        """Show a card for the tapped pin, or put the card away."""
        self.shelf.clear_widgets()
        kind, _, key = (key or "").partition(":")
        if kind == "stop":
            self._cards([self._told_of_stop(self.stops[one]) for one in key.split("+")])
        elif kind == "end":
            self._tell_ends()
        elif kind == "account" and key in self.people:
            who = self.people[key]
            self._cards([(who.name, told_of(self.ctx, who), "open", lambda: open_somebody(self.ctx, who))])

    def _tell_ends(self):
        """When the route begins and ends, and where."""
        words, zone = self.ctx.words, clock.zone(self.day.zone)
        ends = (("start_at", self.day.start, self.day.leaves_at), ("back_at", self.day.end, self.day.returns_at))
        card = self._card()
        for key, place, at in ends:
            if place:
                said = words(key, place=place.get("name") or "")
                card.add_widget(Text(f"{words.time(at, zone)}  {said}".strip(), 16, lines=1))

    def _told_of_stop(self, stop):
        """What the card of a stop says, and where it leads."""
        go = "visit" if stop.open else "account"
        arguments = {"account_id": stop.account_id} | ({"visit_id": stop.visit_id} if stop.open else {})
        place = ", ".join(p for p in (stop.street, stop.city) if p)
        return stop.name, place, "open", lambda: self.ctx.nav.go(go, **arguments)

    def _leave(self, go_there):
        """Go somewhere else; the map is found again as it was left."""
        self.ctx.view = (self.day.day, self.map.view)
        go_there()

    def _cards(self, several):
        """A line for each thing that was tapped."""
        card = self._card()
        for name, place, action, go_there in several:
            there = partial(self._leave, go_there)
            go = PushButton(self.ctx.words(action), there, size_hint_x=None, width=dp(112))
            words = Column(Text(name, 16, True, lines=1), Text(place, 14, ink="quiet", lines=1), spacing=0)
            card.add_widget(Row(words, go, spacing=12))

    def _card(self):
        """An empty one on the shelf."""
        card = Card(padding=12, spacing=8)
        card.size_hint_x, card.width = None, min(self.width - dp(24), dp(480)) if self.width > dp(120) else dp(388)
        self.bind(width=lambda _w, width: setattr(card, "width", min(width - dp(24), dp(480))))
        self.shelf.add_widget(card)
        return card
