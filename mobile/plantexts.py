"""What the app says about the rest of a day planned anew, and about why a stop is in the plan."""

import re
from collections.abc import Callable

EN = {
    "replan": "Plan the rest anew",
    "replan_title": "The rest of the day",
    "replan_nothing": "Nothing is left to plan on this day.",
    "replan_working": "Looking for the best order …",
    "replan_over": "The day has been over since {time}: nobody is left to plan. The way home takes {drive}.",
    "replan_none": "Nobody fits into the day any more: {drive} of driving home, back at {back}.",
    "replan_same": "The present order is already the best one found.",
    "replan_sum": "Driving: {before} → {drive} · back at {back}",
    "replan_estimated": "Both counted from where you are now: the present order, then this one. Driving is estimated.",
    "replan_kept_here": "If you take it, the order is kept on this phone until the office publishes the day anew.",
    "replan_take": "Take this order",
    "replan_leave": "Leave it as it is",
    "replan_taken": "The new order is on this phone.",
    "r_same": "unchanged",
    "r_earlier": "{n} earlier",
    "r_later": "{n} later",
    "replan_missed": "Missed: {names}.",
    "replan_out": "Not today any more: {names}.",
    "replan_behind": "You are {time} behind the plan.",
    "r_out": "not today any more",
    "r_back": "today after all",
    "o_end": "no time left before the day ends at {time}",
    "o_hours": "cannot be reached in its opening hours, {hours}",
    "o_closed": "closed on this day",
    "o_promised": "the appointment at {time} cannot be kept",
    "o_kept": "the appointment at {time} with {name} leaves no room",
    "o_far": "the way there is longer than the visit is worth",
    "o_full": "no room between the others",
    "r_promised": "promised",
    "r_unplaced": "Without a place on the map, left as planned: {names}",
    "fits_no_more": "not today any more",
    "order_here": "This order was made on this phone. A new plan of the office takes its place.",
    "order_of_office": "Back to the office's order",
}

DE = {
    "replan": "Rest neu planen",
    "replan_title": "Der Rest des Tages",
    "replan_nothing": "An diesem Tag ist nichts mehr zu planen.",
    "replan_working": "Die beste Reihenfolge wird gesucht …",
    "replan_over": "Der Tag ist seit {time} vorbei: Es ist nichts mehr zu planen. Der Heimweg dauert {drive}.",
    "replan_none": "Niemand passt mehr in den Tag: {drive} Fahrt nach Hause, zurück um {back}.",
    "replan_same": "Die jetzige Reihenfolge ist schon die beste, die gefunden wurde.",
    "replan_sum": "Fahrt: {before} → {drive} · zurück um {back}",
    "replan_estimated": "Von jetzt und hier an: die jetzige Reihenfolge, dann diese. Fahrzeiten geschätzt.",
    "replan_kept_here": "Die Reihenfolge bleibt auf diesem Telefon, bis das Büro den Tag neu veröffentlicht.",
    "replan_take": "So fahren",
    "replan_leave": "So lassen",
    "replan_taken": "Die neue Reihenfolge ist auf diesem Telefon.",
    "r_same": "unverändert",
    "r_earlier": "{n} früher",
    "r_later": "{n} später",
    "replan_missed": "Verpasst: {names}.",
    "replan_out": "Heute nicht mehr: {names}.",
    "replan_behind": "Sie sind {time} hinter dem Plan.",
    "r_out": "heute nicht mehr",
    "r_back": "doch noch heute",
    "o_end": "keine Zeit mehr, bevor der Tag um {time} endet",
    "o_hours": "in den Öffnungszeiten nicht zu erreichen: {hours}",
    "o_closed": "an diesem Tag geschlossen",
    "o_promised": "der Termin um {time} ist nicht zu halten",
    "o_kept": "der Termin um {time} bei {name} lässt keinen Platz",
    "o_far": "der Weg ist länger, als der Besuch wert ist",
    "o_full": "kein Platz zwischen den anderen",
    "r_promised": "versprochen",
    "r_unplaced": "Ohne Ort auf der Karte, bleibt wie geplant: {names}",
    "fits_no_more": "heute nicht mehr",
    "order_here": "Diese Reihenfolge stammt von diesem Telefon. Ein neuer Plan des Büros ersetzt sie.",
    "order_of_office": "Zurück zur Reihenfolge des Büros",
}

MONTHS = {
    "Jan": "Januar", "Feb": "Februar", "Mar": "März", "Apr": "April", "May": "Mai", "Jun": "Juni", "Jul": "Juli",
    "Aug": "August", "Sep": "September", "Oct": "Oktober", "Nov": "November", "Dec": "Dezember",
}  # fmt: skip


def _orders_every(found: re.Match[str]) -> str:
    every, day, month, year = found.groups()
    return f"Bestellt sonst alle {every} Tage, zuletzt am {day}. {MONTHS.get(month, month)} {year}."


def _days(number: str) -> str:
    return "1 Tag" if number == "1" else f"{number} Tage"


WORTH = re.compile(
    r" The visit is worth a drive of up to [^.]+\.| For the plan it weighs as much as [^.]+\."
    r"| for a visit worth up to [^.]+ of driving(?=\.)"
)
WHY: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(rf"(?<!\w){english}"), german)
    for english, german in (
        (r"The visit is (\d+) days? overdue;", lambda found: f"Der Besuch ist {_days(found[1])} überfällig;"),
        (r"The visit is due;", "Der Besuch ist fällig;"),
        (r"(\d+) days overdue;", r"\1 Tage überfällig;"),
        (r"1 day overdue;", "1 Tag überfällig;"),
        (r"Usually orders every (\d+) days, the last time on (\d+) (\w{3}) (\d{4})\.", _orders_every),
        (r"Nobody has been there for a long time\.", "Lange war niemand mehr dort."),
        ("Due;", "Fällig;"),
        ("Fixed appointment;", "Fester Termin;"),
        (r"Must be visited;", "Muss besucht werden;"),
        (r"on the way(?=\.)", "liegt am Weg"),
        (r"((?:\d+ h )?\d+ min|\d+ h) detour", r"\1 Umweg"),
        (r"The usual rep comes\.", "Es kommt, wer sonst auch kommt."),
        (r"Another rep than the usual one comes\.", "Es kommt jemand anderes als sonst."),
        (r"The rep comes whom the customer asked for\.", "Es kommt, wen der Kunde sich gewünscht hat."),
        (
            r"Another rep comes than the one whom the customer asked for\.",
            "Es kommt jemand anders, als der Kunde sich gewünscht hat.",
        ),
    )
)
"""What the planner says of a stop comes in English (`routing.explain.Why`); what somebody wrote stays as it is."""


def why(sentences: str, language: str) -> str:
    """Why a stop is in the plan, in a language; how the planner weighs it against others is nothing for a rep."""
    sentences = WORTH.sub("", sentences)
    for english, german in WHY if language == "de" else ():
        sentences = english.sub(german, sentences)
    return sentences
