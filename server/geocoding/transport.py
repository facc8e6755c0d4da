"""One question to a geocoder elsewhere is one request: limited in time and in bytes, never sent on to another server.

Geopy's own adapters ask again by themselves, follow redirects to anywhere, wait as long as letters keep coming and read
answers of any length.
"""

import json
import time
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from geopy.adapters import AdapterHTTPError, BaseSyncAdapter
from geopy.exc import GeocoderParseError, GeocoderServiceError

from server.kit.outside import NoGoodTarget, connected, within

LONGEST_S = 10.0
"""A whole question with its answer, whatever comes letter by letter."""
LONGEST_ANSWER = 1_000_000
"""Bytes; a real answer has some thousand."""


class NotUsable(GeocoderServiceError):  # type: ignore[misc]
    """What a server did that no geocoder does, in words for an admin."""


class Transport(BaseSyncAdapter):  # type: ignore[misc]
    """How geopy's geocoders reach their servers."""

    def get_json(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> Any:
        """The answer's document; raises `GeocoderParseError` when it is none, else as `get_text`."""
        text = self.get_text(url, timeout=timeout, headers=headers)
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise GeocoderParseError("not JSON") from error

    def get_text(self, url: str, *, timeout: float, headers: Mapping[str, str]) -> str:
        """The answer as text.

        Parameters
        ----------
        timeout
            Seconds for everything together.

        Raises
        ------
        NotUsable
            When nothing may be sent there, it sends us on, or says too much.
        AdapterHTTPError
            When its status is an error.
        OSError, HTTPException
            When it does not answer, or not in time.
        """
        until = time.monotonic() + timeout
        parts = urlsplit(url)
        host, is_secure = parts.hostname or "", parts.scheme == "https"
        link = HTTPConnection(host, parts.port or (443 if is_secure else 80))
        link.default_port = 443 if is_secure else 80
        try:
            link.sock = connected(host, link.port, timeout, secure=is_secure)
            with within(link.sock, max(0.1, until - time.monotonic())):
                link.request("GET", f"{parts.path or '/'}?{parts.query}", headers=dict(headers))
                answer = link.getresponse()
                body = answer.read(LONGEST_ANSWER + 1)
        except NoGoodTarget as error:
            raise NotUsable(f"{error.message} {error.help}".strip()) from error
        finally:
            link.close()
        if len(body) > LONGEST_ANSWER:
            raise NotUsable("Its answer is longer than that of any geocoder.")
        if 300 <= answer.status < 400:
            raise NotUsable("It sends us on to another address: give that one if it is right.")
        text = body.decode("utf-8", "replace")
        if answer.status >= 400:
            named = {name.lower(): value for name, value in answer.getheaders()}
            raise AdapterHTTPError(f"HTTP {answer.status}", status_code=answer.status, headers=named, text=text)
        return text
