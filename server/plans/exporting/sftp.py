"""Files to another machine by SFTP: its key is pinned, each file appears complete or not at all."""

import io
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager

import paramiko

from server.kit.outside import NoGoodTarget, connected, within
from server.plans.exporting.places import Place, fingerprint
from server.plans.exporting.sending import NotDelivered, Parcel

TIMEOUT_S = 20
LONGEST_S = 600
"""Everything together takes no longer; less than after which a worker is held for lost."""


def host_key_of(host: str, port: int) -> str:
    """The key that a machine presents; somebody compares its fingerprint before it is trusted."""
    with _transport(host, port) as transport:
        return _written(transport.get_remote_server_key())


def upload(place: Place, parcel: Parcel) -> None:
    """Put a parcel's files into the place, the manifest last; files of the same name are replaced."""
    if not place.host_key:
        raise NotDelivered(f"Nobody has trusted the key of {place.host} yet.", is_final=False)
    with _transport(place.host, place.port) as transport:
        presented = _written(transport.get_remote_server_key())
        if presented != place.host_key:
            raise NotDelivered(
                f"{place.host} presents another key ({fingerprint(presented)}) than the one that is trusted"
                f" ({fingerprint(place.host_key)}): nothing was sent. If it was set up anew, trust its new key.",
                is_final=False,
            )
        _sign_in(transport, place)
        client = _client(transport, place.host)
        folder = posixpath.join(place.folder or ".", parcel.span, parcel.login)
        try:
            _make_folders(client, folder)
            for name, content in parcel.files:
                _put(client, posixpath.join(folder, name), content)
        except OSError as error:
            raise NotDelivered(f"{place.host} does not take files in {folder}: {error}.", is_final=False) from error


@contextmanager
def _transport(host: str, port: int) -> Iterator[paramiko.Transport]:
    transport = None
    try:
        connection = connected(host, port, TIMEOUT_S)
        with within(connection, LONGEST_S):
            transport = paramiko.Transport(connection)
            transport.banner_timeout = transport.auth_timeout = transport.channel_timeout = TIMEOUT_S
            transport.start_client(timeout=TIMEOUT_S)
            yield transport
    except NoGoodTarget as error:
        raise NotDelivered(f"{error.message} {error.help}".strip(), is_final=False) from error
    except (OSError, EOFError, paramiko.SSHException) as error:
        silence = "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        why = getattr(error, "strerror", None) or str(error) or silence
        raise NotDelivered(f"{host}:{port} does not answer as an SFTP server ({why}).", is_final=False) from error
    finally:
        if transport is not None:
            transport.close()


def _sign_in(transport: paramiko.Transport, place: Place) -> None:
    try:
        if place.secret.lstrip().startswith("-----BEGIN"):
            transport.auth_publickey(place.username, private_key(place.secret))
        else:
            transport.auth_password(place.username, place.secret)
    except paramiko.AuthenticationException as error:
        if not transport.is_active() or "timeout" in str(error).lower():
            raise NotDelivered(f"{place.host} stopped answering during sign-in.", is_final=False) from error
        raise NotDelivered(f"{place.host} does not let {place.username} in.", is_final=True) from error


def _client(transport: paramiko.Transport, host: str) -> paramiko.SFTPClient:
    """The files of a machine; a silent one is waited for no longer than at any other step."""
    channel = transport.open_session(timeout=TIMEOUT_S)
    channel.settimeout(TIMEOUT_S)
    try:
        channel.invoke_subsystem("sftp")
    except paramiko.SSHException as error:
        raise NotDelivered(f"{host} offers no SFTP.", is_final=transport.is_active()) from error
    return paramiko.SFTPClient(channel)


def private_key(text: str) -> paramiko.PKey:
    """A private key from its PEM text; refuses one that cannot be read or wants a passphrase."""
    for kind in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
        try:
            return kind.from_private_key(io.StringIO(text.strip() + "\n"))
        except (paramiko.SSHException, ValueError, IndexError):
            continue
    raise NotDelivered("The private key cannot be read; it must have no passphrase.", is_final=True)


def _make_folders(client: paramiko.SFTPClient, folder: str) -> None:
    so_far = "/" if folder.startswith("/") else ""
    for part in (part for part in folder.split("/") if part not in ("", ".")):
        so_far = posixpath.join(so_far, part)
        try:
            client.stat(so_far)
        except FileNotFoundError:
            client.mkdir(so_far)


def _put(client: paramiko.SFTPClient, path: str, content: bytes) -> None:
    unfinished = f"{path}.part"
    client.putfo(io.BytesIO(content), unfinished, file_size=len(content))
    try:
        client.posix_rename(unfinished, path)
    except OSError:  # servers without the extension do not rename onto a file
        if path.rpartition("/")[2] in client.listdir(posixpath.dirname(path)):
            client.remove(path)
        client.rename(unfinished, path)


def _written(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"
