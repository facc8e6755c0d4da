"""A CalDAV server (RFC 4791), spoken to over connections that were checked."""

import base64
import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.etree.ElementTree import Element, ParseError, fromstring
from xml.sax.saxutils import escape

from server.kit.errors import Invalid, Unavailable
from server.kit.outside import connected, within

TIMEOUT_S, LONGEST_S = 20, 120
LARGEST = 50_000_000
DAV, CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"
SPACES = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
AT_ONCE = 50


class CalendarTrouble(Unavailable):
    """The calendar's server does not do what is asked."""

    code = "calendar_trouble"


class Changed(Exception):
    """The object is not as it was when it was read last."""


class TokenGone(CalendarTrouble):
    """The server does not remember since when, or does not take the question at all."""


@dataclass(frozen=True)
class Calendar:
    """A calendar that the server offers."""

    url: str
    name: str


@dataclass(frozen=True)
class Object:
    """One calendar object."""

    href: str
    etag: str
    raw: bytes


@dataclass(frozen=True)
class Changes:
    """What changed since a token: present etags by href, and what is gone."""

    etags: dict[str, str]
    gone: frozenset[str]
    token: str | None
    is_all: bool
    """Everything there is; what is not named is gone."""


class Client:
    """One person's access to one server."""

    def __init__(self, url: str, username: str, password: str) -> None:
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise Invalid(f"“{url}” is not the address of a calendar server.",
                          help="For example: https://cloud.example.com/dav/", field="url")  # fmt: skip
        self.url, self.host, self.secure = url.strip(), str(parts.hostname), parts.scheme == "https"
        try:
            self.port = parts.port or (443 if self.secure else 80)
        except ValueError as error:
            raise Invalid(f"“{url}” has no port that exists.", field="url") from error
        pair = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.auth = f"Basic {pair}"
        self.link: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Hang up."""
        if self.link is not None:
            self.link.close()
            self.link = None

    def calendars(self) -> list[Calendar]:
        """What calendars the person has there: at the address itself, or found from it."""
        seen: dict[str, Calendar] = {}
        for start in self._homes():
            for href, found in self._multi("PROPFIND", start, _props("d:displayname", "d:resourcetype"), depth="1"):
                kind = found.find(f".//{DAV}resourcetype")
                if kind is not None and kind.find(f"{CAL}calendar") is not None:
                    name = found.findtext(f".//{DAV}displayname") or unquote(href.rstrip("/").rpartition("/")[2])
                    seen[href] = Calendar(urljoin(self.url, href), name)
        return list(seen.values())

    def _homes(self) -> list[str]:
        path = urlsplit(self.url).path or "/"
        asked = _props("d:current-user-principal", "c:calendar-home-set")
        homes, principals = [path], []
        for _, found in self._multi("PROPFIND", path, asked, depth="0"):
            homes += [one.text or "" for one in found.iterfind(f".//{CAL}calendar-home-set/{DAV}href")]
            principals += [one.text or "" for one in found.iterfind(f".//{DAV}current-user-principal/{DAV}href")]
        for principal in filter(None, principals):
            for _, found in self._multi("PROPFIND", principal, asked, depth="0"):
                homes += [one.text or "" for one in found.iterfind(f".//{CAL}calendar-home-set/{DAV}href")]
        return list(dict.fromkeys(filter(None, homes)))

    def changes(self, token: str | None) -> Changes:
        """What changed since a token; without one, or without the server knowing of such things, everything."""
        path = urlsplit(self.url).path
        if token is None:
            return self._everything(path)
        body = (
            f"<d:sync-collection {SPACES}><d:sync-token>{escape(token)}</d:sync-token>"
            "<d:sync-level>1</d:sync-level><d:prop><d:getetag/></d:prop></d:sync-collection>"
        )
        try:
            status, _, content = self._ask("REPORT", path, body.encode(), {"Depth": "1"})
        except TokenGone:
            return self._everything(path)
        if status != 207:
            return self._everything(path)
        tree = _tree(content)
        etags, gone = {}, set()
        for href, found in _responses(tree):
            if found.findtext(f"{DAV}status", "").split()[1:2] == ["404"]:
                gone.add(href)
            elif (etag := found.findtext(f".//{DAV}getetag")) and not href.endswith("/"):
                etags[href] = etag
        return Changes(etags, frozenset(gone), tree.findtext(f"{DAV}sync-token"), is_all=False)

    def _everything(self, path: str) -> Changes:
        token = None
        for _, found in self._multi("PROPFIND", path, _props("d:sync-token"), depth="0"):
            token = found.findtext(f".//{DAV}sync-token") or token
        etags = {
            href: etag
            for href, found in self._multi("PROPFIND", path, _props("d:getetag"), depth="1")
            if (etag := found.findtext(f".//{DAV}getetag")) and href.rstrip("/") != unquote(path).rstrip("/")
        }
        return Changes(etags, frozenset(), token, is_all=True)

    def read(self, hrefs: list[str]) -> Iterator[Object]:
        """Some objects as they are now; those that are gone are left out."""
        for begin in range(0, len(hrefs), AT_ONCE):
            wanted = "".join(f"<d:href>{escape(quote(href))}</d:href>" for href in hrefs[begin : begin + AT_ONCE])
            body = (
                f"<c:calendar-multiget {SPACES}><d:prop><d:getetag/><c:calendar-data/></d:prop>{wanted}"
                "</c:calendar-multiget>"
            )
            for href, found in self._multi("REPORT", urlsplit(self.url).path, body, depth="1"):
                etag, raw = found.findtext(f".//{DAV}getetag"), found.findtext(f".//{CAL}calendar-data")
                if etag and raw:
                    yield Object(href, etag, raw.replace("\r\n", "\n").replace("\n", "\r\n").encode())

    def put(self, href: str, raw: bytes, *, etag: str | None) -> str | None:
        """Write an object that is as it was, or new; returns its etag, if the server says it.

        Raises
        ------
        Changed
            When somebody else was faster.
        """
        guard = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        kind = {"Content-Type": "text/calendar; charset=utf-8"}
        status, headers, _ = self._ask("PUT", quote(href), raw, kind | guard)
        if status not in (200, 201, 204):
            raise CalendarTrouble(f"{self.host} does not take an event (it answers {status}).")
        return headers.get("etag")

    def delete(self, href: str, *, etag: str) -> None:
        """Delete an object that is as it was; one that is gone already is fine."""
        status, _, _ = self._ask("DELETE", quote(href), b"", {"If-Match": etag})
        if status not in (200, 202, 204, 404, 410):
            raise CalendarTrouble(f"{self.host} does not delete an event (it answers {status}).")

    def _multi(self, method: str, path: str, body: str, *, depth: str) -> Iterator[tuple[str, Element]]:
        status, _, content = self._ask(method, path, body.encode(), {"Depth": depth})
        if status != 207:
            raise CalendarTrouble(
                f"{self.host}{path} is no calendar (it answers {status}).", help="Check the address.", field="url"
            )
        yield from _responses(_tree(content))

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        sent = {"Authorization": self.auth, "Content-Type": "application/xml; charset=utf-8", **headers}
        try:
            if self.link is None:
                self.link = http.client.HTTPConnection(self.host, self.port, timeout=TIMEOUT_S)
                self.link.sock = connected(self.host, self.port, TIMEOUT_S, secure=self.secure)
            with within(self.link.sock, LONGEST_S):
                self.link.request(method, quote(path, safe="/%:=&?~#+!$,;'@()*[]"), body, sent)
                answer = self.link.getresponse()
                content = answer.read(LARGEST)
        except ssl.SSLError as error:
            self.close()
            raise CalendarTrouble(f"{self.host} does not prove who it is: {error.reason or error}.") from error
        except Invalid as error:
            self.close()
            raise CalendarTrouble(error.message, help=error.help, field="url") from error
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise CalendarTrouble(f"{self.host}:{self.port} does not answer ({error}).", field="url") from error
        if answer.will_close:
            self.close()
        if answer.status in (401, 403) and method == "PROPFIND":
            raise CalendarTrouble(f"{self.host} does not accept the user name and password.", field="password")
        if answer.status == 412:
            raise Changed
        if method == "REPORT" and answer.status in (400, 403, 409, 507):
            raise TokenGone(f"{self.host} does not give its events (it answers {answer.status}).")
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, content


def _props(*names: str) -> str:
    return f"<d:propfind {SPACES}><d:prop>{''.join(f'<{name}/>' for name in names)}</d:prop></d:propfind>"


def _tree(content: bytes) -> Element:
    """The answer's XML. Declarations of a document type are refused: entities could blow it up."""
    if b"<!DOCTYPE" in content[:2000] or b"<!ENTITY" in content:
        raise CalendarTrouble("The calendar server's answer declares entities.")
    try:
        return fromstring(content)  # noqa: S314 (no entities, see above)
    except ParseError as error:
        raise CalendarTrouble("The calendar server's answer is no XML.") from error


def _responses(tree: Element) -> Iterator[tuple[str, Element]]:
    for found in tree.iterfind(f"{DAV}response"):
        href = urlsplit(found.findtext(f"{DAV}href", "")).path
        if href:
            yield unquote(href), found
