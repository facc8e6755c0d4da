"""A mail as bytes becomes a mail that people can read: any encoding, any breakage."""

import email
import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.message import Message
from email.policy import compat32
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from html import unescape
from html.parser import HTMLParser

from charset_normalizer import from_bytes

from server.kit import clock
from server.mail.received import Part, Received

LONGEST_TEXT = 500_000
MOST_PARTS = 100
MOST_DEPTH = 20
_ID = re.compile(r"<([^<>\s]+)>")


def parse(raw: bytes) -> Received:
    """Read a mail. Never fails: what cannot be read is left out, and the bytes are kept elsewhere."""
    message = email.message_from_bytes(raw, policy=compat32)
    texts: list[str] = []
    pages: list[str] = []
    parts: list[Part] = []
    _walk(message, texts, pages, parts, depth=0)
    body = "\n\n".join(filter(None, texts)) or "\n\n".join(plain(page) for page in pages)
    name, address = parseaddr(_header(message, "From"))
    given = _ID.findall(_raw(message, "Message-ID"))
    return Received(
        message_id=given[0] if given else f"{hashlib.sha256(raw).hexdigest()[:40]}@no-id",
        references=_references(message),
        sender=address.strip().lower(),
        sender_name=" ".join(name.split()),
        to=tuple(_recipients(message)),
        subject=" ".join(_header(message, "Subject").split())[:1000],
        text=clean(body),
        sent_at=_sent(message),
        is_automatic=is_automatic(message),
        parts=tuple(parts),
    )


def _walk(part: Message, texts: list[str], pages: list[str], parts: list[Part], *, depth: int) -> None:
    if depth > MOST_DEPTH or len(parts) >= MOST_PARTS:
        return
    kind = part.get_content_type()
    if kind == "message/rfc822":
        parts.append(Part(_filename(part) or "message.eml", kind, _inner(part)))
        return
    if part.is_multipart():
        for one in part.get_payload():
            if isinstance(one, Message):
                _walk(one, texts, pages, parts, depth=depth + 1)
        return
    content = part.get_payload(decode=True)
    found = content if isinstance(content, bytes) else b""
    attached = part.get_content_disposition() == "attachment" or _filename(part)
    if kind == "text/plain" and not attached:
        texts.append(decoded(found, part.get_content_charset()))
    elif kind == "text/html" and not attached:
        pages.append(decoded(found, part.get_content_charset()))
    elif found or attached:
        parts.append(Part(_filename(part) or _usual_name(kind, len(parts)), kind, found))


def _inner(part: Message) -> bytes:
    payload = part.get_payload()
    inner = payload[0] if isinstance(payload, list) and payload else payload
    return inner.as_bytes() if isinstance(inner, Message) else str(inner or "").encode("utf-8", "replace")


def _usual_name(kind: str, number: int) -> str:
    return "invitation.ics" if kind == "text/calendar" else f"file-{number + 1}"


def _filename(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except (LookupError, ValueError, TypeError):
        return ""
    name = _words(name).replace("\\", "/").rpartition("/")[2]
    return "".join(char for char in " ".join(name.split()) if char.isprintable())[:200]


def decoded(content: bytes, charset: str | None) -> str:
    """Text in whatever encoding it says, or seems to have when it says a wrong one."""
    for name in filter(None, (charset, "utf-8")):
        try:
            return content.decode(name)
        except (LookupError, ValueError):
            continue
    best = from_bytes(content[:200_000]).best()
    return content.decode(best.encoding if best else "latin-1", "replace")


def clean(text: str) -> str:
    """Text with plain line ends and without what no column holds."""
    found = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in found if char in "\n\t" or (char >= " " and not "\ud800" <= char <= "\udfff"))
    return re.sub(r"\n{3,}", "\n\n", kept).strip()[:LONGEST_TEXT]


class _Plain(HTMLParser):
    """What of a page is read aloud."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("script", "style", "head", "title"):
            self.hidden += 1
        elif tag in ("br", "p", "div", "tr", "li", "h1", "h2", "h3", "h4", "blockquote"):
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head", "title"):
            self.hidden = max(0, self.hidden - 1)
        elif tag in ("p", "div", "tr", "h1", "h2", "h3", "h4"):
            self.words.append("\n")
        elif tag == "td":
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.words.append(" ".join(data.split()) + (" " if data[-1:].isspace() else ""))


def plain(page: str) -> str:
    """The text of a page in HTML."""
    reader = _Plain()
    try:
        reader.feed(page)
        reader.close()
    except (AssertionError, ValueError):
        return unescape(re.sub(r"<[^>]*>", " ", page))
    lines = (" ".join(line.split()) for line in "".join(reader.words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _raw(message: Message, name: str) -> str:
    try:
        return str(message.get(name) or "")
    except (ValueError, LookupError, TypeError):
        return ""


def _header(message: Message, name: str) -> str:
    return _words(_raw(message, name))


def _words(value: str) -> str:
    try:
        found = str(make_header(decode_header(value)))
    except (ValueError, LookupError, TypeError):
        found = value
    return clean(found.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _references(message: Message) -> tuple[str, ...]:
    found = [*_ID.findall(_raw(message, "References")), *_ID.findall(_raw(message, "In-Reply-To"))]
    return tuple(dict.fromkeys(reversed(list(dict.fromkeys(reversed(found))))))[-50:]


def _recipients(message: Message) -> Iterable[str]:
    names = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
    values = [str(value) for name in names for value in message.get_all(name, [])]
    return dict.fromkeys(address.strip().lower() for _, address in getaddresses(values) if "@" in address)


def _sent(message: Message) -> datetime:
    now = clock.now()
    try:
        at = parsedate_to_datetime(_raw(message, "Date"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return now
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    try:
        at = at.astimezone(UTC).replace(microsecond=0)
    except (OverflowError, ValueError):
        return now
    return at if at.year >= 1980 and at <= now else now


def is_automatic(message: Message) -> bool:
    """Whether a machine has sent it: nothing may be sent in answer."""
    if _raw(message, "Auto-Submitted").split(";")[0].strip().lower() not in ("", "no"):
        return True
    if _raw(message, "Precedence").strip().lower() in ("bulk", "list", "junk", "auto_reply"):
        return True
    if any(message.get(name) for name in ("List-Id", "List-Unsubscribe", "X-Autoreply", "X-Auto-Response-Suppress")):
        return True
    if _raw(message, "Return-Path").strip() == "<>" or message.get_content_type() == "multipart/report":
        return True
    local = parseaddr(_raw(message, "From"))[1].partition("@")[0].lower()
    return local in ("", "mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply")
