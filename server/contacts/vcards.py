"""Contacts as vCards (RFC 6350): 4.0 out, 2.1 to 4.0 in as phones write them.

One bad card does not spoil the others.
"""

import codecs
import quopri
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from server.accounts.importing.links import account_link
from server.accounts.models import Account
from server.auth.access import Scope
from server.contacts import service
from server.contacts.consent import normalised
from server.contacts.models import Contact
from server.contacts.queries import Row
from server.contacts.values import EARLIEST
from server.kit.errors import Invalid, TooLarge, WaymarkError
from server.records.values import plain

MOST_CARDS = 5000
MOST_BYTES = 50_000_000
"""Phones put the photos in: some hundred people are more than 10 MB."""
HEAD = re.compile(r'((?:[^":]|"[^"]*")*):(.*)', re.DOTALL)
"""Name with parameters, value: a colon within quotation marks parts nothing."""
NO_PLACE = {
    "PHOTO": "photo", "LOGO": "logo", "ADR": "address", "URL": "web page", "IMPP": "messenger", "NICKNAME": "nickname",
    "X-SOCIALPROFILE": "social profile", "ANNIVERSARY": "anniversary", "RELATED": "related people",
}  # fmt: skip
"""What cards say and contacts have no place for."""
LABELS = {"work": "work", "home": "home", "cell": "mobile", "fax": "fax"}

KEPT = "Do not contact"
"""The category of a card whose person wants to hear nothing: it leaves with the card, and comes in with it."""


def escaped(text: str) -> str:
    """A text as a value of a card."""
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace(",", "\\,").replace(";", "\\;")


def unescaped(text: str) -> str:
    """A value of a card as text."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], text)


def folded(line: str) -> str:
    """A line of at most 75 bytes, continued on the next ones."""
    parts: list[str] = []
    current = ""
    for sign in line:
        if len((current + sign).encode()) > (75 if not parts else 74):
            parts.append(current)
            current = ""
        current += sign
    return "\r\n ".join([*parts, current])


def written(rows: Iterable[Row]) -> str:
    """Contacts as one file of vCards 4.0."""
    return "".join(card(row) for row in rows)


def card(row: Row) -> str:
    """One contact."""
    one = row.contact
    names = [escaped(part or "") for part in (one.last_name, one.first_name, None, one.prefix, None)]
    lines = ["BEGIN:VCARD", "VERSION:4.0", f"UID:urn:uuid:{one.id}", f"FN:{escaped(one.name)}", "N:" + ";".join(names)]
    lines += [f"TITLE:{escaped(one.title)}"] if one.title else []
    lines += [f"ORG:{escaped(place.account_name)}" for place in row.places[:1]]
    lines += [f"ROLE:{escaped(role)}" for place in row.places[:1] for role in place.link.roles]
    lines += [f"TEL{typed(phone)};VALUE=text:{escaped(phone['value'])}" for phone in one.phones]
    lines += [f"EMAIL{typed(mail)}:{escaped(mail['value'])}" for mail in one.mails]
    lines += [f"LANG;PREF={place}:{code}" for place, code in enumerate(one.languages, 1)]
    lines += [f"BDAY:{one.birthday:%Y%m%d}"] if one.birthday else []
    lines += [f"NOTE:{escaped(one.note)}"] if one.note else []
    lines += [f"CATEGORIES:{KEPT}"] if one.do_not_contact else []
    lines += [f"REV:{one.updated_at:%Y%m%dT%H%M%SZ}", "END:VCARD"]
    return "\r\n".join(map(folded, lines)) + "\r\n"


def typed(entry: dict[str, str]) -> str:
    """The kind of a phone or mail, where its label is one that cards know."""
    kind = {label: kind for kind, label in LABELS.items()}.get(entry["label"].lower())
    return f";TYPE={kind}" if kind else ""


@dataclass
class Card:
    """One card of a file, as it was read."""

    place: int
    """Which one of the file, from 1."""
    values: dict[str, Any] = field(default_factory=dict)
    organisation: str | None = None
    is_firm: bool = False
    """The card of a firm: its name is not one of a person."""
    is_picture: bool = False
    """The lines that follow without a colon belong to a picture."""
    trouble: str | None = None
    left_out: list[str] = field(default_factory=list)
    """What the card says and a contact has no place for, in words, each once."""

    @property
    def name(self) -> str:
        """The name on the card."""
        return " ".join(part for part in (self.values.get("first_name"), self.values.get("last_name")) if part)


def cards(content: bytes) -> list[Card]:
    """The cards of a file, each with what is wrong with it. Refuses one of none, of too many, too large."""
    if len(content) > MOST_BYTES:
        raise TooLarge(
            f"The file is larger than {MOST_BYTES // 1_000_000} MB.", help="Leave out the photos, or split it."
        )
    text = decoded(content).replace("\0", "")
    found: list[Card] = []
    current: Card | None = None
    for line in unfolded(text):
        name = line.strip().upper()
        if name == "BEGIN:VCARD":
            current = Card(len(found) + 1)
            found.append(current)
            if len(found) > MOST_CARDS:
                raise Invalid(
                    f"More than {MOST_CARDS:,} cards are too many.", help=f"Split the file; {MOST_CARDS:,} fit at once."
                )
        elif name == "END:VCARD":
            current = None
        elif current is not None and line.strip():
            try:
                take(current, line)
            except Invalid as error:
                current.trouble = current.trouble or f"“{line[:60]}”: {error.message}."
    if not found:
        raise Invalid("The file holds no vCard.", help="It begins with BEGIN:VCARD; export the contacts as .vcf.")
    for one in found:
        finish(one)
    return found


def decoded(content: bytes) -> str:
    """The text of a file: UTF-8, UTF-16 with its mark, else as Windows writes it."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def unfolded(text: str) -> Iterator[str]:
    """Whole lines: continued ones put together, also those of quoted-printable."""
    text = re.sub(r"\r\n?|\n", "\n", text)
    text = re.sub(r"\n{3,}", "\n\n", text)  # some programs write millions of empty lines
    text = re.sub(r"\n[ \t]", "", text)
    begun: list[str] = []
    for line in text.split("\n"):
        is_quoted = bool(begun) or "QUOTED-PRINTABLE" in line.partition(":")[0].upper()
        if is_quoted and line.endswith("="):
            begun.append(line[:-1])
            continue
        yield "".join([*begun, line])
        begun = []
    if begun:
        yield "".join(begun)


def take(current: Card, line: str) -> None:
    """Read one line into a card; what it means nothing to us, such as a photo, is passed over."""
    whole = HEAD.fullmatch(line)
    if whole is None:
        if not current.is_picture:
            current.trouble = current.trouble or f"The line “{line[:60]}” has no colon."
        return
    head, value = whole.groups()
    name, *parameters = head.split(";")
    name = name.rpartition(".")[2].strip().upper()
    marks = ",".join(parameters).upper()
    current.is_picture = "BASE64" in marks or "ENCODING=B" in marks
    if "QUOTED-PRINTABLE" in marks:
        value = plainly(value, marks)
    if name == "N":
        parts = [part.strip() for part in parted(value)] + [""] * 5
        current.values |= {"last_name": parts[0] or None, "first_name": parts[1] or None, "prefix": parts[3] or None}
    elif name == "FN":
        current.values["fn"] = unescaped(value).strip()
    elif name in ("TEL", "EMAIL"):
        label = next((word for kind, word in LABELS.items() if kind.upper() in marks), "")
        bare = re.sub(r"^(tel|mailto):", "", value.strip(), flags=re.IGNORECASE).replace(";ext=", " ext. ")
        entry = {"label": label, "value": unescaped(bare).strip()}
        current.values.setdefault("phones" if name == "TEL" else "mails", []).append(entry)
    elif name == "ORG":
        current.organisation, *units = [plain(part, 300) for part in parted(value)]
        current.left_out += ["department"] if any(units) else []
    elif name == "TITLE":
        current.values["title"] = unescaped(value).strip()
    elif name == "NOTE":
        current.values["note"] = unescaped(value)
    elif name == "CATEGORIES" and KEPT.lower() in [word.strip().lower() for word in value.split(",")]:
        current.values["do_not_contact"] = True
    elif name == "LANG":
        current.values.setdefault("languages", []).append(value.strip()[:2].lower())
    elif name == "BDAY":
        current.values["birthday"] = birthday(value)
        current.left_out += [] if current.values["birthday"] else ["birthday without a year"]
    elif name == "X-ABSHOWAS":
        current.is_firm = value.strip().upper() == "COMPANY"
    elif name in NO_PLACE and value.strip(" ;") and NO_PLACE[name] not in current.left_out:
        current.left_out.append(NO_PLACE[name])


def parted(value: str) -> list[str]:
    """The parts of a value between semicolons; one behind a backslash is a letter."""
    return [unescaped(part) for part in re.findall(r"((?:\\.|[^;\\]|\\$)*)(?:;|$)", value, re.DOTALL)]


def plainly(value: str, marks: str) -> str:
    """A quoted-printable value as text, in the letters that the line names, else UTF-8 or what Windows writes."""
    content = quopri.decodestring(value.encode())
    named = re.search(r"CHARSET=\"?([\w-]+)", marks)
    with suppress(LookupError, UnicodeError):
        return content.decode(named[1] if named else "utf-8")
    return decoded(content)


def birthday(value: str) -> date | None:
    """A whole date; a birthday without a year, for which phones write 1604, says too little."""
    match = re.match(r"(\d{4})-?(\d{2})-?(\d{2})", value.strip())
    try:
        found = date(int(match[1]), int(match[2]), int(match[3])) if match else None
    except ValueError:
        return None
    return found if found is None or found.year >= EARLIEST else None


def finish(one: Card) -> None:
    """A card without a structured name takes the one that is shown."""
    shown = one.values.pop("fn", "")
    if not one.values.get("first_name") and not one.values.get("last_name"):
        first, _, last = ("", "", shown) if one.is_firm else shown.rpartition(" ")
        one.values |= {"first_name": first or None, "last_name": last or None}
        if not shown:
            one.trouble = one.trouble or "The card has no name."


@dataclass(frozen=True)
class Taken:
    """What came of a file of cards."""

    created: list[Contact]
    known: list[tuple[int, Contact]]
    """Cards whose mail address or phone somebody has already; left as they are."""
    refused: list[tuple[int, str, str]]
    """Cards that cannot be taken: place, name, why."""
    left_out: dict[UUID, list[str]]
    """By new contact: what its card says beside what was taken, in words."""
    noted: dict[UUID, str]
    """By new contact: the company that went into its note, because it is no account or several."""
    linked: dict[UUID, Account]
    """By new contact: the account that is called as its card's company is."""
    alike: dict[str, int]
    """How many accounts within reach are called as a company, where it is not one."""


def take_in(
    session: Session,
    scope: Scope,
    content: bytes,
    *,
    account_id: UUID | None = None,
    otherwise_id: UUID | None = None,
) -> Taken:
    """Take the cards of a file in: at an account when one is given, else each at the one account within reach that is
    called as its company, and those without at `otherwise_id`. Each card by itself.
    """
    taken = Taken([], [], [], {}, {}, {}, {})
    found = cards(content)
    firms = sorted({one.organisation for one in found if one.organisation}) if account_id is None else []
    named = account_link("contacts:write").find(session, scope, firms) if firms else {}
    for one in found:
        try:
            if one.trouble:
                raise Invalid(one.trouble)
            known = same(session, scope, one)
            if known is not None:
                taken.known.append((one.place, known))
                continue
            with session.begin_nested():
                alike = named.get(one.organisation or "", ())
                own_id = alike[0] if len(alike) == 1 else None
                may_note = account_id is None and own_id is None and scope.may_change("contact", ["note"])
                noted = one.organisation if may_note else None
                at = account_id or own_id or otherwise_id
                places: Sequence[service.NewPlace] = [service.NewPlace(at, {})] if at else ()
                values = one.values
                if noted:
                    values = values | {"note": "\n".join(part for part in (noted, values.get("note")) if part)}
                made = service.create(session, scope, values, places)
            taken.created.append(made)
            unsaid = ["company"] if one.organisation and not noted and own_id is None else []
            taken.left_out[made.id] = [*unsaid, *one.left_out]
            if own_id:
                taken.linked[made.id] = session.get_one(Account, own_id)
            if noted:
                taken.noted[made.id] = noted
                taken.alike[noted] = len(alike)
        except WaymarkError as error:
            taken.refused.append((one.place, one.name or "?", f"{error.message} {error.help}".strip()))
    return taken


def same(session: Session, scope: Scope, one: Card) -> Contact | None:
    """The contact that has an address of the card already."""
    entries = (*one.values.get("mails", ()), *one.values.get("phones", ()))
    addresses = [address for entry in entries if (address := normalised(session, entry["value"]))]
    found = service.of_address(session, scope, addresses) if addresses else []
    wanted = (one.name or "").casefold()
    return next((held for held in found if wanted in held.name.casefold() or held.name.casefold() in wanted), None)
