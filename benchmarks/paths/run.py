"""What it costs to find who answers a path, with signposts before the rooms and without, in one run.

    .venv/bin/python benchmarks/paths/run.py

Processor time of the first search, which prepares the routes it looks at, and of the ones after it.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from fastapi import FastAPI
from starlette.routing import Match

from server import app as application

PATHS = ("/", "/pipeline", "/api/v1/accounts", "/api/v1/tickets", "/static/x.js", "/nowhere")
ROUNDS = 50


def search_ms(app: FastAPI, path: str) -> float:
    """Ask the rooms one after the other until one answers."""
    scope = {"type": "http", "method": "GET", "path": path, "root_path": "", "headers": []}
    start = time.process_time()
    next((route for route in app.routes if route.matches(scope)[0] is Match.FULL), None)
    return 1000 * (time.process_time() - start)


def main() -> None:
    """Both ways, path by path."""
    with_signposts = application.create_app()
    application.Signposted = lambda room: room  # type: ignore[assignment, misc]
    without = application.create_app()
    print("path                  first ms: without   with    later ms: without   with   ratio")
    for path in PATHS:
        first = [search_ms(app, path) for app in (without, with_signposts)]
        later = [sum(search_ms(app, path) for _ in range(ROUNDS)) / ROUNDS for app in (without, with_signposts)]
        print(
            f"{path:20} {first[0]:18.1f} {first[1]:6.1f} {later[0]:18.2f} {later[1]:6.2f} {later[0] / later[1]:6.0f}x"
        )


if __name__ == "__main__":
    main()
