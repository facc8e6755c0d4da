"""Handing one mail to an SMTP server, step by step, so that a failure says whether the mail may have left."""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from server.kit.outside import NoGoodTarget, connected, within

TIMEOUT_S = 30
LONGEST_S = 600
"""Handing over takes no longer, however slowly the server talks; less than after which a worker is held for lost."""


class NotHandedOver(Exception):
    """The mail did not leave."""

    def __init__(self, words: str, *, is_final: bool) -> None:
        super().__init__(words)
        self.is_final = is_final
        """Trying again would end the same way."""


class MaybeHandedOver(Exception):
    """The content was on its way when the connection broke: the server may have taken it."""


@dataclass(frozen=True)
class Server:
    """Where mail goes."""

    host: str
    port: int
    security: str
    """`tls`, `starttls` or `none`."""
    username: str = ""
    password: str = ""


def hand_over(
    server: Server, sender: str, to: Sequence[str], content: bytes, before_data: Callable[[], None]
) -> dict[str, str]:
    """Hand a mail over; returns the recipients that the server refused while it took others.

    Parameters
    ----------
    before_data
        Called just before the content goes out: from then on a broken connection leaves it unsure.
    """
    try:
        smtp = _connection(server)
        assert smtp.sock is not None
        try:
            with within(smtp.sock, LONGEST_S):
                refused = _recipients(smtp, sender, to)
                before_data()
                _content(smtp, content)
            _part(smtp)
            return refused
        finally:
            smtp.close()
    except (MaybeHandedOver, NotHandedOver):
        raise
    except ssl.SSLError as error:
        raise NotHandedOver(
            f"{server.host} does not prove who it is: {error.reason or error}.", is_final=False
        ) from error
    except smtplib.SMTPAuthenticationError as error:
        words = f"{server.host} does not accept the user name and password ({_words(error.smtp_error)})."
        raise NotHandedOver(words, is_final=error.smtp_code >= 500) from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotHandedOver(f"{server.host} does not offer what is asked for: {error}.", is_final=True) from error
    except smtplib.SMTPResponseException as error:
        words = f"{server.host} answers {error.smtp_code} {_words(error.smtp_error)}."
        raise NotHandedOver(words, is_final=error.smtp_code >= 500) from error
    except NoGoodTarget as error:
        raise NotHandedOver(f"{error.message} {error.help}".strip(), is_final=False) from error
    except (OSError, smtplib.SMTPException) as error:
        words = f"{server.host}:{server.port} does not answer ({getattr(error, 'strerror', None) or error})."
        raise NotHandedOver(words, is_final=False) from error


class _Checked(smtplib.SMTP):
    """Connects to the address that was checked, not to what a second look-up says."""

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connected(host, port, timeout)


class _CheckedTls(smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return connected(host, port, timeout, secure=True)


def _connection(server: Server) -> smtplib.SMTP:
    if server.security == "tls":
        smtp: smtplib.SMTP = _CheckedTls(server.host, server.port, timeout=TIMEOUT_S)
    else:
        smtp = _Checked(server.host, server.port, timeout=TIMEOUT_S)
    if server.security == "starttls":
        smtp.starttls(context=ssl.create_default_context())
    smtp.ehlo_or_helo_if_needed()
    if server.username:
        smtp.login(server.username, server.password)
    return smtp


def _recipients(smtp: smtplib.SMTP, sender: str, to: Sequence[str]) -> dict[str, str]:
    code, answer = smtp.mail(sender)
    if code != 250:
        raise NotHandedOver(f"The server refuses the sender {sender}: {code} {_words(answer)}.", is_final=code >= 500)
    refused: dict[str, str] = {}
    codes = []
    for address in to:
        code, answer = smtp.rcpt(address)
        if code not in (250, 251):
            refused[address] = f"{code} {_words(answer)}"
            codes.append(code)
    if len(refused) == len(to):
        words = "; ".join(f"{address}: {why}" for address, why in refused.items())
        raise NotHandedOver(f"The server refuses every recipient ({words}).", is_final=min(codes) >= 500)
    return refused


def _content(smtp: smtplib.SMTP, content: bytes) -> None:
    try:
        code, answer = smtp.data(content)
    except smtplib.SMTPDataError as error:
        words = f"The server does not want the mail: {error.smtp_code} {_words(error.smtp_error)}."
        raise NotHandedOver(words, is_final=error.smtp_code >= 500) from error
    except smtplib.SMTPResponseException as error:
        raise MaybeHandedOver(
            f"The server's answer to the mail cannot be read ({_words(error.smtp_error)})."
        ) from error
    except (OSError, smtplib.SMTPServerDisconnected) as error:
        raise MaybeHandedOver(f"The connection broke while the mail was handed over ({error}).") from error
    if code < 200:
        raise MaybeHandedOver(f"The server's answer to the mail cannot be read ({_words(answer)}).")
    if code >= 300:
        raise NotHandedOver(f"The server does not take the mail: {code} {_words(answer)}.", is_final=code >= 500)


def _part(smtp: smtplib.SMTP) -> None:
    """Say goodbye; the mail has arrived, whatever comes back."""
    with contextlib.suppress(OSError, smtplib.SMTPException):
        smtp.quit()


def _words(answer: bytes | str) -> str:
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    return " ".join(text.split()).rstrip(".")
