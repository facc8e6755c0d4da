"""`python -m mobile`: the phone app in a window of this machine."""

import argparse
import os
import sys
from pathlib import Path

LOCAL = f"http://127.0.0.1:{os.environ.get('WAYMARK_PORT', '8000')}"
"""Where `make demo` serves unless told otherwise."""


def quiet() -> None:
    """Say nothing of a missing xclip or xsel: Kivy asks both for X's second clipboard, which the app does not use."""
    from kivy.logger import Logger

    Logger.addFilter(lambda record: not str(record.msg).startswith("Cutbuffer: "))


def main(argv: list[str] | None = None) -> int:
    """Open the app."""
    parser = argparse.ArgumentParser(prog="python -m mobile", description="The Waymark phone app in a window.")
    parser.add_argument("--home", type=Path, default=Path.home() / ".waymark-phone", help="the phone's folder")
    parser.add_argument("--server", default=LOCAL, help="the server's address, filled in on the sign-in screen")
    parser.add_argument("--size", default="412x732", help="the window, for example 360x640")
    parser.add_argument("--position", help="LON,LAT: a made-up position for machines without GPS, sent as such")
    parser.add_argument("--photos", type=Path, help="a folder whose pictures stand in for a camera's")
    args = parser.parse_args(argv)
    os.environ.setdefault("KIVY_NO_ARGS", "1")
    width, _, height = args.size.partition("x")

    from kivy.config import Config

    quiet()
    Config.set("graphics", "width", width)
    Config.set("graphics", "height", height)
    Config.set("graphics", "multisamples", "0")  # twice the work of every frame; the map's pictures are smooth already
    Config.set("input", "mouse", "mouse,disable_multitouch")

    from mobile.device.desktop import FolderCamera, GivenPosition
    from mobile.screens.app import WaymarkApp

    position = GivenPosition(*map(float, args.position.split(","))) if args.position else None
    camera = FolderCamera(args.photos) if args.photos else None
    WaymarkApp(args.home, server=args.server, position=position, camera=camera).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
