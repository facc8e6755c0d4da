"""Where the packaged app begins: there this folder is the root, and is made the package `mobile` that it is here."""

import os
import sys
import types
from pathlib import Path


def adopt(folder: Path) -> None:
    """Let `mobile.x` be found in a folder of any name."""
    package = types.ModuleType("mobile")
    package.__path__ = [str(folder)]
    sys.modules["mobile"] = package


def main() -> None:
    """Open the app with its files in the app's private folder."""
    adopt(Path(__file__).resolve().parent)
    from mobile.device import android
    from mobile.screens.app import WaymarkApp

    if android.is_here():
        android.hide_from_screenshots()
    WaymarkApp(Path(os.environ.get("ANDROID_PRIVATE", str(Path.home()))) / "waymark").run()


if __name__ == "__main__":
    main()
