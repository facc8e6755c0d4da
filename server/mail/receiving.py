"""A mail as bytes becomes a mail that people can read: any encoding, any breakage."""

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from html import unescape

from charset_normalizer import from_bytes

from server.kit import clock
from server.mail.received import Part, Received

LONGEST_TEXT = 500_000
MOST_PARTS = 100
MOST_DEPTH = 20
MOST_BOUNDARIES = 300
"""Parts within parts of which more than the head is read."""
LONGEST_ADDRESSES = 500_000
_ID = re.compile(r"<([^<>\s]+)>")
_ADDRESS = re.compile(r"[^\s@<>,;()\"]{1,64}@[^\s@<>,;()\"]{1,190}")


def parse(raw: bytes) -> Received:
    """Read a mail. Never fails: what cannot be read is left out, and the bytes are kept elsewhere."""
    message = _opened(raw)
    texts: list[str] = []
    pages: list[str] = []
    parts: list[Part] = []
    _walk(message, texts, pages, parts, depth=0)
    body = "\n\n".join(filter(None, texts)) or "\n\n".join(plain(page) for page in pages)
    name, address = _sender(message)
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


def _opened(raw: bytes) -> Message:
    """The mail with its parts; of one that nests as nobody writes, its head."""
    parser, nests = BytesParser(policy=compat32), raw.lower().count(b"boundary=") > MOST_BOUNDARIES
    try:
        return parser.parsebytes(raw, headersonly=nests)
    except RecursionError:
        return parser.parsebytes(raw, headersonly=True)


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
    found = text[: 2 * LONGEST_TEXT].replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(char for char in found if char in "\n\t" or (char >= " " and not "\ud800" <= char <= "\udfff"))
    return re.sub(r"\n{3,}", "\n\n", kept).strip()[:LONGEST_TEXT]


_MARK = re.compile(
    r"<!--.*?(?:-->|\Z)"
    r"|<(?P<hidden>script|style|title)\b.*?(?:</(?P=hidden)\b[^<>]*>|\Z)"
    r"|<head\b.*?(?:</head\b[^<>]*>|(?=<body\b)|\Z)"
    r"|<(?P<name>/?[a-z][a-z0-9]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>"
    r"|<[!?/][^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
"""Marks of a page and what nobody reads. No part of it is tried twice: a page made to keep a parser busy does not."""
_BREAKS = frozenset("br p div tr li h1 h2 h3 h4 blockquote /p /div /tr /h1 /h2 /h3 /h4".split())


def plain(page: str) -> str:
    """The text of a page in HTML: what of it is read aloud."""
    words, end = [], 0
    for mark in _MARK.finditer(page):
        words.append(_spoken(page[end : mark.start()]))
        name, end = (mark["name"] or "").lower(), mark.end()
        words.append("\n" if name in _BREAKS else " " if name == "/td" else "")
    words.append(_spoken(page[end:]))
    lines = (" ".join(line.split()) for line in "".join(words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _spoken(text: str) -> str:
    """Text between two marks: its own line ends mean nothing."""
    return re.sub(r"\s+", " ", unescape(text))


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
    except (ValueError, LookupError, TypeError, MessageError):
        found = value
    return clean(found.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))


def _references(message: Message) -> tuple[str, ...]:
    found = [*_ID.findall(_raw(message, "References")), *_ID.findall(_raw(message, "In-Reply-To"))]
    return tuple(dict.fromkeys(reversed(list(dict.fromkeys(reversed(found))))))[-50:]


def _recipients(message: Message) -> Iterable[str]:
    names = ("To", "Cc", "Delivered-To", "X-Original-To", "Envelope-To")
    values = [str(value)[:LONGEST_ADDRESSES] for name in names for value in message.get_all(name, [])]
    try:
        found = [address for _, address in getaddresses(values)]
    except RecursionError:  # brackets within brackets
        found = _ADDRESS.findall(" ".join(values))
    return dict.fromkeys(clean(address).lower() for address in found if "@" in address)


def _sender(message: Message) -> tuple[str, str]:
    written = _header(message, "From")
    try:
        return parseaddr(written)
    except RecursionError:
        found = _ADDRESS.search(written)
        return "", found[0] if found else ""


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
    local = _sender(message)[1].partition("@")[0].lower()
    return local in ("", "mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply")
