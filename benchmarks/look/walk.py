"""Opens every page in several widths, themes and languages, and measures what a reader would call ugly.

    .venv/bin/python benchmarks/look/walk.py --address http://127.0.0.1:8000 --login admin --password waymark-demo

Pages are found by following links, one page for each kind of address. Of each is kept: the cumulative layout shift
(PerformanceObserver, https://web.dev/articles/cls; 0.1 is the limit, 0 the aim) with what moved, how many pixels it is
wider than the window, requests that leave the server, errors of its scripts, and a picture.
"""

import argparse
import itertools
import json
import re
import shutil
from dataclasses import asdict, dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, TimeoutError, sync_playwright

HEIGHTS = {360: 740, 412: 915, 1280: 800, 3840: 2160}
LEFT_OUT = re.compile(
    r"/(api|static|tiles|sign-out|files|docs|openapi)|\.(csv|xlsx|pdf|gpkg|geojson|ics|png|html)$|/export"
)
KIND = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)\d{4}-\d\d-\d\d|(?<=/)\d+(?=/|$)")
LINK = re.compile(r'<a\b([^>]*?)\bhref="(/[^"#]*)')
SETTLES_MS = 60_000
"""A map that draws longer is noted; the machine may have other things to do."""
OBSERVE = (Path(__file__).parent / "observe.js").read_text("utf-8")
FLAGS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]


@dataclass
class Seen:
    """What one page showed in one way."""

    path: str
    way: str
    shift: float = 0.0
    moved: list[str] = field(default_factory=list)
    wider_px: int = 0
    clipped: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def is_bad(self) -> bool:
        """Whether somebody should look."""
        return bool(self.shift >= 0.01 or self.wider_px > 0 or self.clipped or self.outside or self.errors)

    def line(self) -> str:
        """What is wrong, in one line."""
        found = {name: value for name, value in asdict(self).items() if value and name not in ("path", "way")}
        return f"{self.way} {self.path}: {json.dumps(found, ensure_ascii=False)}"


def signed_in(browser: Browser, address: str, login: str, password: str, width: int, theme: str, language: str) -> Page:
    """A page of a window of its own, signed in."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS.get(width, 900)},
        color_scheme="dark" if theme == "dark" else "light",
        locale=language,
        has_touch=width < 900,
        service_workers="block",
    )
    page = context.new_page()
    page.goto(f"{address}/sign-in")
    page.fill("input[name=login]", login)
    page.fill("input[name=password]", password)
    page.click("main button, form button")
    page.wait_for_url(lambda url: "sign-in" not in url)
    page.add_init_script(OBSERVE)
    return page


def found(page: Page, address: str, most: int) -> list[str]:
    """One address of each kind, by following links from the first page."""
    kinds: dict[str, str] = {}
    waiting = ["/"]
    while waiting and len(kinds) < most:
        path = waiting.pop(0)
        kind = KIND.sub("{}", urlsplit(path).path)
        if kind in kinds or LEFT_OUT.search(path):
            continue
        answer = page.request.get(address + path)
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        kinds[kind] = path
        waiting += [unescape(link) for more, link in LINK.findall(answer.text()) if " download" not in more]
    return list(kinds.values())


def look(page: Page, address: str, path: str, way: str, folder: Path) -> Seen:
    """Open one page and measure it."""
    seen = Seen(path, way)

    def outside(request: Any) -> None:
        if not request.url.startswith((address, "data:", "blob:")):
            seen.outside.append(request.url[:200])

    def failed(error: Any) -> None:
        seen.errors.append(str(error)[:200])

    page.on("request", outside)
    page.on("pageerror", failed)
    page.goto(address + path, wait_until="load")
    try:
        if page.query_selector(".map"):
            page.wait_for_selector(".map[data-idle]", timeout=SETTLES_MS, state="attached")
        page.wait_for_load_state("networkidle", timeout=SETTLES_MS)
    except TimeoutError:
        seen.errors.append(f"did not settle in {SETTLES_MS / 1000:.0f} s")
    measured = page.evaluate("measured()")
    seen.shift = round(sum(one["value"] for one in measured["shifts"]), 4)
    seen.moved = sorted({name for one in measured["shifts"] for name in one["moved"]})
    seen.wider_px, seen.clipped = measured["wider"], measured["clipped"]
    name = re.sub(r"[^\w.-]+", "_", KIND.sub("x", path).strip("/")) or "home"
    page.screenshot(path=folder / f"{name}.{way}.png")
    page.remove_listener("request", outside)
    page.remove_listener("pageerror", failed)
    return seen


def main() -> None:
    """Walk, and say what was seen; ends with 1 when a page shifts by 0.1, is too wide, or asks outside."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--address", default="http://127.0.0.1:8000")
    asked.add_argument("--login", default="admin")
    asked.add_argument("--password", default="waymark-demo")
    asked.add_argument("--widths", type=int, nargs="*", default=list(HEIGHTS))
    asked.add_argument("--themes", nargs="*", default=["light", "dark"])
    asked.add_argument("--languages", nargs="*", default=["en", "de"])
    asked.add_argument("--paths", nargs="*", help="only these, instead of whatever links lead to")
    asked.add_argument("--most", type=int, default=150, help="pages at most")
    asked.add_argument("--folder", type=Path, default=Path("build/look"))
    wish = asked.parse_args()
    wish.folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    all_seen: list[Seen] = []
    with sync_playwright() as tool:
        browser = tool.chromium.launch(executable_path=chromium, args=FLAGS)
        paths = wish.paths
        for width, theme, language in itertools.product(wish.widths, wish.themes, wish.languages):
            page = signed_in(browser, wish.address, wish.login, wish.password, width, theme, language)
            paths = paths or found(page, wish.address, wish.most)
            way = f"{wish.login}.{width}.{theme}.{language}"
            for path in paths:
                seen = look(page, wish.address, path, way, wish.folder)
                all_seen.append(seen)
                if seen.is_bad:
                    print(seen.line(), flush=True)
            page.context.close()
            (wish.folder / f"seen.{way}.json").write_text(json.dumps([asdict(one) for one in all_seen], indent=1))
        browser.close()
    raise SystemExit(not summed_up(all_seen))


def summed_up(seen: list[Seen]) -> bool:
    """Say what was seen; whether no page shifts by 0.1, is wider than its window or asks outside."""
    worst = max(seen, key=lambda one: one.shift)
    too_wide, outside = sum(one.wider_px > 0 for one in seen), sum(bool(one.outside) for one in seen)
    print(
        f"{len(seen)} views of {len({one.path for one in seen})} pages; layout shift at most {worst.shift}"
        f" ({worst.path}, {worst.way}), {sum(one.shift > 0 for one in seen)} above 0; {too_wide} wider than the window;"
        f" {outside} ask outside; {sum(bool(one.errors) for one in seen)} with errors"
    )
    return worst.shift < 0.1 and not too_wide and not outside


if __name__ == "__main__":
    main()
