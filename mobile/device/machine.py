"""The devices of the machine the app runs on: Android's, or a desktop's stand-ins."""

import threading
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mobile.device import android, desktop
from mobile.device.codes import AndroidCodes, DesktopCodes
from mobile.device.desktop import DesktopNetwork, FileSecrets, FolderSharing, NoCamera, NoPosition
from mobile.device.keys import FileKeys
from mobile.device.sharing import AndroidSharing
from mobile.field.ports import Camera, Codes, Keys, Network, Position, Secrets, Sharing


@dataclass(frozen=True)
class Devices:
    """One of each."""

    keys: Keys
    secrets: Secrets
    position: Position
    camera: Camera
    network: Network
    codes: Codes
    sharing: Sharing


def devices(folder: Path) -> Devices:
    """What this machine has."""
    if android.is_here():
        return Devices(
            android.AndroidKeys(), android.AndroidSecrets(), android.AndroidPosition(), android.AndroidCamera(folder),
            android.AndroidNetwork(), AndroidCodes(), AndroidSharing(),
        )  # fmt: skip
    files = FileKeys(folder / "keys"), FileSecrets(folder / "secrets.json")
    return Devices(*files, NoPosition(), NoCamera(), DesktopNetwork(), DesktopCodes(), FolderSharing())


def language() -> str:
    """The language in which this machine speaks to its user, as a code of two letters."""
    return android.language() if android.is_here() else desktop.language()


def open_link(link: str, failed: Callable[[], None]) -> None:
    """Hand a phone number, a mail or a place to whatever opens it here; `failed` is called, from another thread too,
    where nothing does.
    """

    def hand_over() -> None:
        if not (webbrowser.open(link) if android.is_here() else desktop.open_link(link)):
            failed()

    if android.is_here():
        hand_over()
    else:
        threading.Thread(target=hand_over, daemon=True).start()


def device_name() -> str:
    """How this machine is called in the list of devices."""
    return android.device_name() if android.is_here() else desktop.device_name()
