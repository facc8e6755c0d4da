"""A real SFTP server on this machine, with a folder of its own."""

import os
import socket
import threading
from pathlib import Path
from typing import Any

import paramiko


class _Door(paramiko.ServerInterface):
    """Lets in whoever knows the password."""

    def __init__(self, password: str, is_silent: bool) -> None:
        self.password, self.is_silent = password, is_silent

    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if password == self.password else paramiko.AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_subsystem_request(self, channel: Any, name: str) -> bool:
        return self.is_silent or super().check_channel_subsystem_request(channel, name)


class _Handle(paramiko.SFTPHandle):
    def stat(self) -> Any:
        return paramiko.SFTPAttributes.from_stat(os.fstat(self.writefile.fileno()))  # type: ignore[attr-defined]


class _Files(paramiko.SFTPServerInterface):
    root = Path()

    def _path(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def stat(self, path: str) -> Any:
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    def mkdir(self, path: str, attr: Any) -> int:
        self._path(path).mkdir()
        return paramiko.SFTP_OK

    def open(self, path: str, flags: int, attr: Any) -> Any:
        handle = _Handle(flags)
        handle.writefile = self._path(path).open("wb")  # type: ignore[attr-defined]
        return handle

    def posix_rename(self, old: str, new: str) -> int:
        self._path(old).replace(self._path(new))
        return paramiko.SFTP_OK


class SftpPeer:
    """The server: `port`, `folder`, `password`, its key and a way to get another one; `is_silent` after sign-in."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.password, self.is_silent = folder, "open sesame", False
        self.key: paramiko.PKey = paramiko.ECDSAKey.generate()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._transports: list[paramiko.Transport] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def set_up_anew(self) -> None:
        """From now on with another key."""
        self.key = paramiko.ECDSAKey.generate()

    def stop(self) -> None:
        """Serve nobody any more."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(20)
        for transport in self._transports:
            transport.close()

    def _serve(self) -> None:
        files = type("Files", (_Files,), {"root": self.folder})
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            transport.add_server_key(self.key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
            self._transports.append(transport)
            try:
                transport.start_server(server=_Door(self.password, self.is_silent))
            except (paramiko.SSHException, EOFError, OSError):  # a client may hang up in the middle
                transport.close()
