"""Everything the app says, in English and German, and how it writes numbers, times and distances."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from mobile import daytexts, locktexts, phototexts, pintexts, plantexts, signtexts, tracktexts, tradetexts, worktexts
from mobile.field.forms import MONTHS
from mobile.reasons import brief, english, german

LANGUAGES = {"en": "English", "de": "Deutsch"}

EN = {
    "today": "Today",
    "map": "Map",
    "accounts": "Accounts",
    "more": "More",
    "sign_in": "Sign in",
    "server": "Server address",
    "login": "Login",
    "password": "Password",
    "signing_in": "Signing in and fetching your territory …",
    "tagline": "Your territory, also without a network.",
    "stops": "{n} stops",
    "stop_1": "1 stop",
    "next_stop": "Next stop",
    "navigate": "Navigate",
    "check_in": "Check in",
    "finish": "Finish visit",
    "call": "Call",
    "drive": "{time} drive · {distance}",
    "drive_short": "{time} drive",
    "start_at": "Leave {place}",
    "back_at": "Back at {place}",
    "estimated": "estimated",
    "all_on_server": "All on server",
    "on_phone": "{n} on phone",
    "needs_you": "{n} need you",
    "needs_you_1": "1 needs you",
    "mark_phone": "On phone",
    "mark_server": "On server",
    "mark_attention": "Needs you",
    "syncing": "Syncing …",
    "search": "Name, town, person or phone",
    "no_matches": "No account matches “{text}”.",
    "no_accounts": "No accounts on this phone yet. They come with the next sync.",
    "count_accounts": "{n} accounts",
    "count_accounts_1": "1 account",
    "facts": "Facts",
    "sites": "Sites",
    "timeline": "Timeline",
    "no_timeline": "Nothing has happened here yet.",
    "log_visit": "Log a visit",
    "edit": "Edit",
    "save": "Save",
    "phone": "Phone",
    "email": "E-mail",
    "website": "Website",
    "note": "Note",
    "owner": "Owner",
    "class": "Class",
    "number": "Number",
    "interval": "Call interval",
    "days": "{n} days",
    "day_1": "1 day",
    "opening_hours": "Opening hours",
    "leaving": "No longer in your territory; kept until your work is sent.",
    "not_here": "This account is not on this phone any more.",
    "outcome": "Outcome",
    "save_visit": "Save visit",
    "missed": "Missed",
    "note_hint": "What was said, what comes next",
    "saved": "Saved on this phone. It is sent by itself as soon as it can be.",
    "checked_in": "Checked in",
    "checkin_help": "Records where you are, to confirm the visit.",
    "v_verified": "{distance} from the pin: verified",
    "v_out_of_range": "{distance} from the pin: outside {radius}. It is saved and flagged.",
    "v_low_accuracy": "The position is too coarse to verify. It is saved as it is.",
    "v_unverifiable": "No position available. The visit is saved without one.",
    "v_suspected_mock": "A simulated position, {distance} from the pin ({radius} would do): the office sees “suspicious"
    " GPS”.",
    "choose_outcome": "Choose an outcome first.",
    "sync": "Sync",
    "sync_now": "Sync now",
    "last_sync": "Last sync {when}",
    "never_synced": "Not synced yet",
    "not_yet_sent": "Not yet sent: {n} (oldest {when})",
    "nothing_waiting": "Everything you saved is on the server.",
    "show_more": "{n} more",
    "attention": "Needs you",
    "why_queued": "Waits for a network.",
    "why_soon": "Goes with the next sync.",
    "why_sent": "Sent; the server's answer is awaited.",
    "why_deferred": "The server keeps it until an earlier entry is settled.",
    "why_stuck": "The server could not take it: {reason} It stays here.",
    "why_rejected": "The server refused it: {reason}",
    "why_conflict": "{field}: you wrote “{mine}”, the office “{server}”.",
    "take_mine": "Take mine",
    "keep_theirs": "Keep the office's",
    "delete_it": "Delete it",
    "keep_it": "Keep it",
    "try_again": "Try again",
    "understood": "Understood",
    "all_understood": "All understood",
    "unsaved": "Nothing was saved: the phone's storage does not take it now. Free some space and save again.",
    "unopened": (
        "What is on this phone cannot be opened now; nothing of it is lost. Free some space, close other apps, and try"
        " again."
    ),
    "unreadable": "{n} entries cannot be read any more. All others go on; what is left of these goes to the server.",
    "unreadable_1": "1 entry cannot be read any more. All others go on; what is left of it goes to the server.",
    "verifying": "The server was restored; what you see is being checked.",
    "kind_visit_event": "Visit {state}",
    "kind_account": "Change of the account",
    "kind_site": "Change of the site",
    "data": "On this phone",
    "no_map_help": "The map of your territory comes with the next sync.",
    "appearance": "Appearance",
    "light": "Light",
    "dark": "Dark",
    "language": "Language",
    "sign_out": "Sign out",
    "sign_out_blocked_1": "1 entry is not sent yet. Sync first, then sign out.",
    "sign_out_blocked": "{n} entries are not sent yet. Sync first, then sign out.",
    "sign_in_again": "Sign in again to send your work; nothing is lost.",
    "offline_title": "Works without a network",
    "open_account": "Open account",
    "err_unreachable": "The server does not answer. Your work is safe on this phone.",
    "err_unreachable_here": "The server does not answer. Is the address right, and is there a network?",
    "err_login_required": "Please sign in again. Your work is safe on this phone.",
    "err_login_wrong": "The login or the password is wrong.",
    "err_login_retired": "The login or the password is wrong, or the office has switched this person off. In that case"
    " only the office can help.",
    "err_device_forked": "Another copy of this phone is in use. Please sign in again; nothing is lost.",
    "err_device_locked": "This phone is locked by the office.",
    "err_retired": "This phone is retired by the office.",
    "err_not_allowed": "Your role may not send any more. Your work waits at the server for your manager.",
    "err_wipe": "The office has wiped this phone.",
    "err_storage_low": "The phone's storage is almost full. Your visits are sent; free some space to receive changes.",
    "err_busy": "The server is busy. The app tries again by itself.",
    "err_other": "Sync did not finish ({code}). The app tries again by itself.",
    "err_address": "This is not the address of a server. Write for example https://waymark.example",
    "no_link": "This machine cannot open {what}.",
    "copied": "Copied: {what}",
    "unplanned": "unplanned",
    "overdue": "{n} days overdue",
    "overdue_1": "1 day overdue",
}

DE = {
    "today": "Heute",
    "map": "Karte",
    "accounts": "Konten",
    "more": "Mehr",
    "sign_in": "Anmelden",
    "server": "Adresse des Servers",
    "login": "Anmeldename",
    "password": "Passwort",
    "signing_in": "Anmeldung, Ihr Gebiet wird geholt …",
    "tagline": "Ihr Gebiet, auch ohne Netz.",
    "stops": "{n} Stopps",
    "stop_1": "1 Stopp",
    "next_stop": "Nächster Stopp",
    "navigate": "Navigieren",
    "check_in": "Einchecken",
    "finish": "Besuch abschliessen",
    "call": "Anrufen",
    "drive": "{time} Fahrt · {distance}",
    "drive_short": "{time} Fahrt",
    "start_at": "Abfahrt {place}",
    "back_at": "Zurück: {place}",
    "estimated": "geschätzt",
    "all_on_server": "Alles auf dem Server",
    "on_phone": "{n} auf dem Telefon",
    "needs_you": "{n} brauchen Sie",
    "needs_you_1": "1 braucht Sie",
    "mark_phone": "Telefon",
    "mark_server": "Server",
    "mark_attention": "Braucht Sie",
    "syncing": "Abgleich läuft …",
    "search": "Name, Ort, Person, Telefon",
    "no_matches": "Kein Konto passt zu «{text}».",
    "no_accounts": "Noch keine Konten auf diesem Telefon. Sie kommen mit dem nächsten Abgleich.",
    "count_accounts": "{n} Konten",
    "count_accounts_1": "1 Konto",
    "facts": "Angaben",
    "sites": "Standorte",
    "timeline": "Verlauf",
    "no_timeline": "Hier ist noch nichts geschehen.",
    "log_visit": "Besuch erfassen",
    "edit": "Ändern",
    "save": "Speichern",
    "phone": "Telefon",
    "email": "E-Mail",
    "website": "Website",
    "note": "Notiz",
    "owner": "Betreut von",
    "class": "Klasse",
    "number": "Nummer",
    "interval": "Besuch alle",
    "days": "{n} Tage",
    "day_1": "1 Tag",
    "opening_hours": "Öffnungszeiten",
    "leaving": "Nicht mehr in Ihrem Gebiet; bleibt, bis Ihre Arbeit gesendet ist.",
    "not_here": "Dieses Konto ist nicht mehr auf diesem Telefon.",
    "outcome": "Ergebnis",
    "save_visit": "Speichern",
    "missed": "Verpasst",
    "note_hint": "Was besprochen wurde, was folgt",
    "saved": "Auf diesem Telefon gespeichert. Wird von selbst gesendet, sobald es geht.",
    "checked_in": "Eingecheckt",
    "checkin_help": "Hält fest, wo Sie sind, und bestätigt so den Besuch.",
    "v_verified": "{distance} vom Punkt: bestätigt",
    "v_out_of_range": "{distance} vom Punkt: ausserhalb von {radius}. Wird gespeichert und vermerkt.",
    "v_low_accuracy": "Die Position ist zu ungenau zum Bestätigen. Sie wird so gespeichert.",
    "v_unverifiable": "Keine Position verfügbar. Der Besuch wird ohne gespeichert.",
    "v_suspected_mock": "Eine simulierte Position, {distance} vom Punkt (bis {radius} genügt): das Büro sieht «GPS "
    "verdächtig».",
    "choose_outcome": "Bitte zuerst ein Ergebnis wählen.",
    "sync": "Abgleich",
    "sync_now": "Jetzt abgleichen",
    "last_sync": "Letzter Abgleich {when}",
    "never_synced": "Noch nie abgeglichen",
    "not_yet_sent": "Noch nicht gesendet: {n} (ältester {when})",
    "nothing_waiting": "Alles, was Sie gespeichert haben, ist auf dem Server.",
    "show_more": "{n} weitere",
    "attention": "Braucht Sie",
    "why_queued": "Wartet auf ein Netz.",
    "why_soon": "Geht mit dem nächsten Abgleich.",
    "why_sent": "Gesendet; die Antwort des Servers steht aus.",
    "why_deferred": "Der Server hält es zurück, bis ein früherer Eintrag geklärt ist.",
    "why_stuck": "Der Server konnte es nicht annehmen: {reason} Es bleibt hier.",
    "why_rejected": "Der Server hat es abgelehnt: {reason}",
    "why_conflict": "{field}: Sie schrieben «{mine}», das Büro «{server}».",
    "take_mine": "Meins nehmen",
    "keep_theirs": "Wert des Büros",
    "delete_it": "Löschen",
    "keep_it": "Behalten",
    "try_again": "Erneut versuchen",
    "understood": "Verstanden",
    "all_understood": "Alles verstanden",
    "unsaved": (
        "Es wurde nichts gespeichert: Der Speicher des Telefons nimmt es jetzt nicht. Bitte Platz schaffen und nochmals"
        " speichern."
    ),
    "unopened": (
        "Was auf diesem Telefon liegt, lässt sich jetzt nicht öffnen; verloren ist nichts. Bitte Platz schaffen, andere"
        " Apps schliessen und es nochmals versuchen."
    ),
    "unreadable": (
        "{n} Einträge sind nicht mehr lesbar. Alle anderen gehen weiter; was von ihnen übrig ist, geht an den Server."
    ),
    "unreadable_1": (
        "1 Eintrag ist nicht mehr lesbar. Alle anderen gehen weiter; was von ihm übrig ist, geht an den Server."
    ),
    "verifying": "Der Server wurde wiederhergestellt; die Anzeige wird geprüft.",
    "kind_visit_event": "Besuch {state}",
    "kind_account": "Änderung am Konto",
    "kind_site": "Änderung am Standort",
    "data": "Auf diesem Telefon",
    "no_map_help": "Die Karte Ihres Gebiets kommt mit dem nächsten Abgleich.",
    "appearance": "Darstellung",
    "light": "Hell",
    "dark": "Dunkel",
    "language": "Sprache",
    "sign_out": "Abmelden",
    "sign_out_blocked_1": "1 Eintrag ist noch nicht gesendet. Erst abgleichen, dann abmelden.",
    "sign_out_blocked": "{n} Einträge sind noch nicht gesendet. Erst abgleichen, dann abmelden.",
    "sign_in_again": "Bitte neu anmelden, um Ihre Arbeit zu senden; nichts ist verloren.",
    "offline_title": "Geht ohne Netz",
    "open_account": "Konto öffnen",
    "err_unreachable": "Der Server antwortet nicht. Ihre Arbeit ist sicher auf diesem Telefon.",
    "err_unreachable_here": "Der Server antwortet nicht. Stimmt die Adresse, und gibt es ein Netz?",
    "err_login_required": "Bitte neu anmelden. Ihre Arbeit ist sicher auf diesem Telefon.",
    "err_login_wrong": "Anmeldename oder Passwort ist falsch.",
    "err_login_retired": "Anmeldename oder Passwort ist falsch, oder das Büro hat diese Person abgeschaltet. Dann hilft"
    " nur das Büro weiter.",
    "err_device_forked": "Eine Kopie dieses Telefons ist in Gebrauch. Bitte neu anmelden; nichts ist verloren.",
    "err_device_locked": "Dieses Telefon ist vom Büro gesperrt.",
    "err_retired": "Dieses Telefon ist vom Büro ausgemustert.",
    "err_not_allowed": "Ihre Rolle darf nicht mehr senden. Ihre Arbeit wartet auf dem Server auf Ihre Leitung.",
    "err_wipe": "Das Büro hat dieses Telefon gelöscht.",
    "err_storage_low": "Der Speicher ist fast voll. Ihre Besuche sind gesendet; schaffen Sie Platz für Änderungen.",
    "err_busy": "Der Server ist ausgelastet. Die App versucht es von selbst wieder.",
    "err_other": "Der Abgleich wurde nicht fertig ({code}). Die App versucht es von selbst wieder.",
    "err_address": "Das ist keine Adresse eines Servers. Zum Beispiel: https://waymark.example",
    "no_link": "Dieses Gerät kann {what} nicht öffnen.",
    "copied": "Kopiert: {what}",
    "unplanned": "ungeplant",
    "overdue": "{n} Tage überfällig",
    "overdue_1": "1 Tag überfällig",
}

EN |= pintexts.EN | worktexts.EN | plantexts.EN | phototexts.EN | daytexts.EN | locktexts.EN | signtexts.EN
EN |= tracktexts.EN | english.TEXTS
DE |= pintexts.DE | worktexts.DE | plantexts.DE | phototexts.DE | daytexts.DE | locktexts.DE | signtexts.DE
DE |= tracktexts.DE | german.TEXTS
CATALOGUES = {"en": EN, "de": DE}
WEEKDAYS = {"en": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"], "de": ["Mo", "Di", "Mi", "Do", "Fr", "Sa", "So"]}


class Words:
    """One language: texts, and how values are written in it."""

    def __init__(self, language: str = "en", today: Callable[[], date] | None = None) -> None:
        """`today` says the rep's day: days of other years are told with their year."""
        self._today = today
        self.language = language if language in CATALOGUES else "en"
        self._texts = CATALOGUES[self.language]

    def __call__(self, key: str, **values: object) -> str:
        told = {name: one if name == "reason" else brief(one) for name, one in values.items()}
        return self._texts[key].format(**told)

    def has(self, key: str) -> bool:
        return key in self._texts

    def own(self, text: str) -> str:
        """A word that a template of a trade brought, in this language; a company's own words stay."""
        return tradetexts.DE.get(text, text) if self.language == "de" else text

    def outcome(self, value: object, label: str) -> str:
        """What an outcome is called: one of those that Waymark begins with, in this language; else as its label is."""
        return self(f"vo_{value}") if label == EN.get(f"vo_{value}") else label

    def count(self, key: str, singular: str, n: int) -> str:
        return self(singular) if n == 1 else self(key, n=self.number(n))

    def number(self, n: float) -> str:
        """ "1,284.5" or "1.284,5"."""
        return f"{n:,}" if self.language == "en" else f"{n:,}".translate(str.maketrans(",.", ".,"))

    def decimal(self, value: float) -> str:
        text = f"{value:.1f}"
        return text if self.language == "en" else text.replace(".", ",")

    def money(self, amount: object, currency: str) -> str:
        """ "4.50 CHF", never through a float."""
        value = amount if isinstance(amount, Decimal) else Decimal(str(amount))
        if round(value, 2) == value and int(value.as_tuple().exponent) < -2:
            value = round(value, 2)  # totals come with the digits of the finest currency
        text = f"{value:,f}"
        if self.language == "de":
            text = text.replace(",", " ").replace(".", ",").replace(" ", ".")
        return f"{text} {currency}"

    def time(self, instant: datetime | None, zone: ZoneInfo) -> str:
        return "" if instant is None else f"{instant.astimezone(zone):%H:%M}"

    def day(self, day: date) -> str:
        """ "Thu 26 Nov"; with its year where that is not today's."""
        dot = "." if self.language == "de" else ""
        year = f" {day.year}" if self._today is not None and day.year != self._today().year else ""
        return f"{WEEKDAYS[self.language][day.weekday()]} {day.day}{dot} {MONTHS[self.language][day.month - 1]}{year}"

    def day_text(self, text: str | None) -> str:
        """A day as it travels, in words; empty when there is none."""
        return self.day(date.fromisoformat(text)) if text else ""

    def week(self, monday: date) -> str:
        """ "23 - 29 Nov"."""
        sunday, dot = monday + timedelta(days=6), "." if self.language == "de" else ""
        months = MONTHS[self.language]
        first = f"{monday.day}{dot}" + ("" if monday.month == sunday.month else f" {months[monday.month - 1]}")
        return f"{first} – {sunday.day}{dot} {months[sunday.month - 1]}"

    def moment(self, instant: datetime, zone: ZoneInfo) -> str:
        """ "Thu 10:40", always with the day; "Thu 20 Nov 10:40" where that is more than six days ago."""
        local = instant.astimezone(zone)
        if self._today is not None and (self._today() - local.date()).days > 6:
            return f"{self.day(local.date())} {local:%H:%M}"
        return f"{WEEKDAYS[self.language][local.weekday()]} {local:%H:%M}"

    def duration(self, seconds: float) -> str:
        """ "2 h 15 min"."""
        hours, minutes = divmod(round(seconds / 60), 60)
        return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min"

    def distance(self, metres: float) -> str:
        """ "640 m", "1.4 km", "138 km"."""
        if metres < 1000:
            return f"{round(metres)} m"
        return f"{self.decimal(metres / 1000)} km" if metres < 100_000 else f"{round(metres / 1000)} km"

    def fine_size(self, n_bytes: int) -> str:
        """ "0.3 MB", "41 MB"."""
        megabytes = n_bytes / 1_000_000
        if megabytes < 0.05:
            return f"< {self.decimal(0.1)} MB"
        return f"{self.decimal(megabytes)} MB" if megabytes < 10 else f"{round(megabytes)} MB"
