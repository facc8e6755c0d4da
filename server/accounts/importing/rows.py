"""The rule of one row of a file of accounts: every field on its own, then what belongs together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from geo.geocode.vocabulary import fold, words
from geo.types import BBox, LonLat
from server.accounts import values
from server.accounts.importing import cells, oddities
from server.accounts.importing.advice import is_city_and_postcode, is_postcode_and_street
from server.fields.values import Shape, accepted
from server.imports.targets import Checked, Problem, Severity
from server.kit import clock
from server.kit.errors import Invalid
from server.kit.settings import settings
from server.kit.spreadsheets import NOTHING, unquoted

LABELS = {
    "owner": "Owner",
    "preferred_rep": "Preferred rep",
    "interval_days": "Call interval",
    "service_minutes": "Length of a visit",
    "status": "Status",
    "yearly_value": "Yearly value",
    "yearly_potential": "Yearly potential",
    "last_visit_on": "Last visit",
}
"""How people call the fields that have rules of their own."""


@dataclass(frozen=True)
class Around:
    """What a row is read against."""

    people: Mapping[str, UUID]
    """The company's people by folded name, login and e-mail."""
    country: str | None
    """Country of rows that name none."""
    dialled_in: str | None
    """Country in which numbers without +… are dialled when nothing else says so."""
    maps: tuple[BBox, ...]
    """Where there is a map."""
    own: Mapping[str, Shape] = field(default_factory=dict)
    """The fields that the company has added, by the names of their columns."""
    asked: frozenset[str] = frozenset()
    """The fields that some column of the file brings."""
    mapped: frozenset[str] = frozenset()
    """The countries of the maps, a made-up one too."""
    towns: frozenset[str] = frozenset()
    """The towns of the maps, in plain words."""
    indexed: frozenset[str] = frozenset()
    """The countries whose addresses are known; a row of another one gets no pin."""
    edges: frozenset[tuple[str, str]] = frozenset()
    """The towns of the maps in plain words, with their countries: those behind a border too."""

    def shows(self, point: LonLat) -> bool:
        """Whether some map shows the point."""
        return any(box.contains(point) for box in self.maps)


class RowReader:
    """Reads one row: every field on its own, then what belongs together."""

    def __init__(self, row: Mapping[str, str], around: Around) -> None:
        self.around = around
        self.country = around.country
        self.values: dict[str, Any] = {}
        self.problems: list[Problem] = []
        self.row = {
            name: cell for name, cell in row.items() if not self.is_lost(name, cell) and cell.lower() not in NOTHING
        }

    def read(self) -> Checked:
        """The row's meaning."""
        self.name_and_number()
        self.place()
        self.trade()
        self.contact()
        for name in ("kind", "note", "tags", "website", "opening_hours"):
            self.simple(name, values.SITE if name == "opening_hours" else values.ACCOUNT)
        self.own()
        return Checked(self.values, self.problems)

    def own(self) -> None:
        """The company's own fields; a value that one does not take is left out, and said."""
        for name, shape in self.around.own.items():
            if (written := self.row.get(name)) is None:
                continue
            try:
                value = accepted(shape, unquoted(written))
            except Invalid as error:
                self.warn(name, "not_accepted", f"{shape.label}: {error.message}; left out. {error.help}".strip())
                continue
            if value is not None:
                self.values[name] = value

    def is_lost(self, name: str, cell: str) -> bool:
        """Whether a spreadsheet has written only that its column was too narrow, or that its formula has failed."""
        if cell[:1] != "#":
            return False
        if cells.HASHES.fullmatch(cell):
            why = "the spreadsheet's column was too narrow"
        elif cells.FAILED_FORMULA.fullmatch(cell):
            why = "the spreadsheet's formula has failed"
        else:
            return False
        self.warn(name, "eaten_by_spreadsheet", f"“{cell[:20]}”: {why}; left out.")
        return True

    def warn(self, field: str, code: str, message: str) -> None:
        """Something was left out or mended."""
        self.problems.append(Problem(Severity.WARNING, field, code, message))

    def refuse(self, field: str, code: str, message: str) -> None:
        """The row cannot be taken."""
        self.problems.append(Problem(Severity.ERROR, field, code, message))

    def simple(self, name: str, rules: Mapping[str, values.Rule], cell: str | None = None) -> None:
        """A field whose rule is that of forms; what it refuses is left out with a warning."""
        given = self.row.get(name) if cell is None else cell
        if given is None:
            return
        parts = re.split(r"[,;|]", given) if name == "tags" else given
        try:
            value = rules[name].clean(parts)
        except Invalid as error:
            self.warn(name, "not_accepted", f"{rules[name].label}: {error.message}; left out. {error.help}".strip())
            return
        if value not in (None, []):
            self.values[name] = values.wire(name, value)

    def name_and_number(self) -> None:
        """Who it is."""
        try:
            self.values["name"] = values.required(unquoted(self.row.get("name", "")))
        except Invalid as error:
            code = "not_accepted" if self.row.get("name") else "no_name"
            self.refuse("name", code, f"Name: {error.message}. {error.help}")
        number = self.row.get("number")
        if number is None:
            return
        if cells.SCIENTIFIC.fullmatch(number):
            self.refuse(
                "number",
                "eaten_by_spreadsheet",
                f"Number: a spreadsheet has rounded it to “{number}”. Format the column as text and export again.",
            )
            return
        if cells.DATE_LIKE.fullmatch(number):
            self.warn("number", "looks_like_date", f"Number: “{number}” looks like a date made by a spreadsheet.")
        self.simple("number", values.ACCOUNT, unquoted(number))

    def place(self) -> None:
        """Where it is."""
        self.simple("country", values.SITE)
        written = self.values.get("country")
        if written and written.upper() in self.around.mapped:
            self.values["country"] = written.upper()
        elif written and values.country_code(written) is None:
            self.warn("country", "unknown_country", f"Country: “{written[:60]}” is no country that is known; kept.")
        if "country" not in self.values and self.country:
            self.values["country"] = self.country
        self.postcode_and_city()
        self.street()
        self.coordinates()
        if not any(name in self.values for name in ("street", "postcode", "city", "lon")):
            self.warn("street", "no_address", "There is no address; the account gets no pin.")
        self.without_map()
        home = self.around.dialled_in
        left_out = {problem.field for problem in self.problems}
        for oddity in oddities.of_address(self.values, self.around.asked - left_out, home, self.around.towns):
            self.warn(*oddity)

    def without_map(self) -> None:
        """Say that a country has no map; its towns just behind a border may have one."""
        city = str(self.values.get("city") or "")
        country = self.unmapped(city)
        if not country or "lon" in self.values:
            return
        if plain(city) in self.around.towns:
            message = (
                f"Country: there is no map of {country}, but “{city[:60]}” is a town of the map; is the country right?"
            )
        else:
            message = f"Country: there is no map of {country}, so the row gets no pin; add a region."
        self.warn("country", "no_map", message)

    def unmapped(self, city: str) -> str | None:
        """The row's country when there is no map of it, nor of this town behind the border; None otherwise."""
        known, country = self.around.indexed, values.country_code(str(self.values.get("country") or ""))
        is_there = not known or not country or country in known or (plain(city), country) in self.around.edges
        return None if is_there else country

    def postcode_and_city(self) -> None:
        """A city that carries its postcode is taken apart; a postcode gets back the zero that a spreadsheet ate."""
        city, postcode = self.row.get("city"), self.row.get("postcode")
        for name in ("street", "address"):
            street = self.row.get(name)
            if street and postcode and is_postcode_and_street(street, postcode):
                self.row[name], postcode = postcode, street
                was, now = street[:60], self.row[name][:60]
                message = f"Street and postcode were exchanged: “{was}”, “{now}”; taken the other way round."
                self.warn("street", "swapped", message)
        if city and postcode and is_city_and_postcode(postcode, city):
            postcode, city = city, postcode
            self.warn("postcode", "swapped", "Postcode and city were exchanged; taken the other way round.")
        elif postcode and not city and not any(letter.isdigit() for letter in postcode):
            postcode, city = None, postcode
            self.warn("postcode", "swapped", f"Postcode: “{city}” is no postcode; taken as the city.")
        if city and not postcode and (match := re.match(r"((?:[A-Z]{1,3}-)?\d{4,5})\s+(\D.*)", city)):
            postcode, city = match[1], match[2]
        if postcode and cells.SCIENTIFIC.fullmatch(postcode):
            self.warn("postcode", "eaten_by_spreadsheet", f"Postcode: “{postcode}” is no postcode; left out.")
            postcode = None
        if postcode and (match := cells.DECIMALS.fullmatch(postcode)):
            self.warn("postcode", "decimals", f"Postcode: a spreadsheet made “{postcode}” of it; taken as {match[1]}.")
            postcode = match[1]
        country = str(self.values.get("country") or self.country or "")
        if postcode and cells.POINTED.fullmatch(postcode):
            bare = re.sub("[.,]", "", postcode)
            if len(bare) in cells.POSTCODE_SIGNS.get(country or str(self.around.dialled_in), ()):
                message = f"Postcode: a spreadsheet made “{postcode}” of it; taken as {bare}."
                self.warn("postcode", "decimals", message)
                postcode = bare
            else:
                self.warn("postcode", "eaten_by_spreadsheet", f"Postcode: “{postcode}” is no postcode; left out.")
                postcode = None
        digits = cells.POSTCODE_DIGITS.get(country)
        is_doubted = bool(city) and plain(str(city)) in self.around.towns and self.unmapped(str(city)) is not None
        if postcode and digits and not is_doubted and postcode.isdigit() and len(postcode) == digits - 1:
            self.warn(
                "postcode", "leading_zero", f"Postcode: {postcode} has lost its leading zero; taken as 0{postcode}."
            )
            postcode = f"0{postcode}"
        for name, value in (("city", city), ("postcode", postcode)):
            if value:
                self.simple(name, values.SITE, unquoted(value))

    def street(self) -> None:
        """Street and house number as one; an address in one line stands in for a missing street."""
        street, number = self.row.get("street") or self.row.get("address"), self.row.get("house_number")
        is_eaten = bool(street and cells.EATEN_HOUSE.fullmatch(street))
        if street and (cells.WHOLE_DATE.fullmatch(street) or (is_eaten and not number)):
            self.warn("street", "looks_like_date", f"Street: “{street}” is a date made by a spreadsheet; left out.")
            street = None
        elif street and (is_eaten or cells.HALVES.fullmatch(street)):
            message = f"Street: “{street}” may be a house number alone, or a date made by a spreadsheet; kept."
            self.warn("street", "looks_like_date", message)
        if number and cells.DATE_LIKE.fullmatch(number):
            self.warn(
                "house_number",
                "looks_like_date",
                f"House number: “{number}” is a date made by a spreadsheet; left out.",
            )
            number = None
        if number and (match := cells.DECIMALS.fullmatch(number)):
            number = match[1]
        if street and number and not re.search(rf"(?<!\w){re.escape(number)}(?!\w)", street):
            street = f"{street} {number}"
        if street:
            self.simple("street", values.SITE, unquoted(street))

    def coordinates(self) -> None:
        """The point, when the file gives one that can be."""
        lon, lat, both = (self.row.get(name) for name in ("lon", "lat", "coordinates"))
        if both and not (lon and lat):
            found = cells.pair(both)
            if found is None:
                self.warn("coordinates", "not_understood", f"Coordinates: “{both[:60]}” is not understood; left out.")
                return
            x, y = found
        elif lon and lat:
            east, north = cells.degrees(lon), cells.degrees(lat)
            if east is None or north is None:
                self.warn("lon", "not_understood", f"Coordinates: “{lon[:30]}, {lat[:30]}” are not degrees; left out.")
                return
            x, y = east, north
        else:
            return
        point = cells.point(x, y)
        if isinstance(point, str):
            code = "looks_swapped" if "swapped" in point else "outside_world"
            self.warn("lon", code, f"Coordinates: {point}; left out, the address is used.")
            return
        exchanged = LonLat(point.lat, point.lon)
        if not self.around.shows(point) and self.around.shows(exchanged):
            point = exchanged
            self.warn("lon", "swapped", "Coordinates: latitude and longitude were swapped; taken the other way round.")
        self.values |= {"lon": round(point.lon, 6), "lat": round(point.lat, 6)}

    def trade(self) -> None:
        """Class, status, owner, interval, value, length of a visit, last visit."""
        row = self.row
        if (written := row.get("account_class")) and (match := cells.CLASSES.search(written)):
            self.values["account_class"] = match[1].upper()
        elif written:
            self.warn("account_class", "unknown_class", f"Class: “{written[:60]}” is none of A, B, C; left out.")
        if written := row.get("status"):
            self.convert("status", cells.status(written), "unknown_status", "is none of prospect, customer, former")
        for source in ("owner", "preferred_rep"):
            if written := row.get(source):
                person = self.around.people.get(" ".join(words(fold(written))))
                name = str(person) if person else None
                self.convert(f"{source}_id", name, f"unknown_{source}", "is nobody here", source=source)
        if written := row.get("interval_days"):
            self.convert("interval_days", in_range(cells.days(written), 1, 3650), "not_understood", "is no interval")
        if written := row.get("service_minutes"):
            length = in_range(cells.seconds(written), 0, 86_400)
            self.convert("service_s", length, "not_understood", "is no length of time", source="service_minutes")
        self.money()
        self.last_visit()

    def convert(self, name: str, value: Any, code: str, trouble: str, source: str | None = None) -> None:
        """A field that was read by a rule of its own; None means that it was not understood."""
        if value is None:
            cell = self.row[source or name][:60]
            label = LABELS[source or name]
            self.warn(source or name, code, f"{label}: “{cell}” {trouble}; left out.")
        else:
            self.values[name] = value

    def money(self) -> None:
        """Amounts, and the currency that they or a column name."""
        self.simple("currency", values.ACCOUNT)
        for name in ("yearly_value", "yearly_potential"):
            if (written := self.row.get(name)) is None:
                continue
            found = cells.amount(written)
            if found is None or not 0 <= found[0] <= values.MAX_MONEY:
                self.refuse_amount(name, written)
                continue
            valid = self.values.setdefault("currency", found[1]) if found[1] else None
            self.values[name] = float(found[0])
            if valid != found[1]:
                message = f"{LABELS[name]}: “{written[:60]}” names {found[1]}, the row's currency is {valid}; kept."
                self.warn(name, "other_currency", message)

    def refuse_amount(self, name: str, written: str) -> None:
        """What is no amount: words tell of none and are left out, figures that nobody can be sure of are an error."""
        if not any(sign.isdigit() for sign in written):
            self.convert(name, None, "not_an_amount", "is no amount")
            return
        if len(named := cells.currencies(written)) > 1:
            both = f"{named[0]} and {named[1]}"
            message = f"{LABELS[name]}: “{written[:60]}” names {both}. Keep the currency that is meant."
            self.refuse(name, "two_currencies", message)
            return
        self.refuse(
            name,
            "not_an_amount",
            f"{LABELS[name]}: “{written[:60]}” is no amount."
            " Write one number from 0 to 999,999,999,999.99, such as 12500.00, or leave the cell empty.",
        )

    def last_visit(self) -> None:
        """The day of the last visit."""
        if (written := self.row.get("last_visit_on")) is None:
            return
        found = cells.day(written)
        if found is None or found[0] > clock.today(settings().zone) or found[0].year < 1990:
            self.convert("last_visit_on", None, "not_a_day", "is no day in the past")
            return
        self.values["last_visit_on"] = found[0].isoformat()
        if found[1]:
            self.warn("last_visit_on", "unclear_date", f"Last visit: “{written}” is read as {found[0]:%d %B %Y}.")

    def contact(self) -> None:
        """Phone and e-mail."""
        self.simple("email", values.ACCOUNT)
        if (written := self.row.get("phone")) is None:
            return
        written = unquoted(written)
        if cells.SCIENTIFIC.fullmatch(written):
            self.warn("phone", "eaten_by_spreadsheet", f"Phone: a spreadsheet has rounded it to “{written}”; left out.")
            return
        if cells.DATE_LIKE.fullmatch(written):
            self.warn("phone", "looks_like_date", f"Phone: “{written}” is a date made by a spreadsheet; left out.")
            return
        if not any(sign.isdigit() for sign in written):
            self.warn("phone", "not_accepted", f"Phone: “{written[:60]}” is no number; left out.")
            return
        written = re.sub(r"^(\d{7,15})\.0+$", r"\1", written)
        region = values.country_code(str(self.values.get("country") or self.country or ""))
        number = values.phone_e164(written, region or self.around.dialled_in)
        self.simple("phone", values.ACCOUNT, written)
        if number is not None and "phone" in self.values:
            self.values["phone_e164"] = number


def plain(town: str) -> str:
    """A town in plain words, as those of the maps are kept."""
    return " ".join(words(fold(town)))


def in_range(value: int | None, low: int, high: int) -> int | None:
    """The value, or None when it is out of range."""
    return value if value is not None and low <= value <= high else None
