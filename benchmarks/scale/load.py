"""Sends a mix of requests at a fixed rate to a running server; a process of its own, on the same cores.

Called by run.py. A request's time counts from the moment at which it was due, so a server that falls behind shows it.
"""

import json
import random
import statistics
import sys
import threading
import time
from queue import SimpleQueue
from typing import Any

from running import Browser

CONNECTIONS = 24
MIX = {
    "account list, filtered": 14, "account list by API": 8, "account page": 18, "timeline": 14, "search": 14, "home": 6,
    "deal list": 5, "board": 1, "order list": 5, "ticket list": 5, "contact list": 4, "lead list": 3, "note written": 3,
}  # fmt: skip
"""Of a hundred requests."""
LISTS = (
    "", "class = A", 'class = A and city = "Vaduz"', "status = customer and value > 50000",
    "not visited since 30 days", "tag = vip", 'name contains "hotel"', "owner = rep3",
)  # fmt: skip
WORDS = ("gewerbeweg 17 vaduz", "hotel", "hotle vaduz", "info77@example.org", "K00000042", "+423 2603166", "anna deal")


def order(dice: random.Random, kind: str, ids: list[str]) -> tuple[str, str, dict[str, str]]:
    """Method, path and query or body of one request."""
    one = dice.choice(ids)
    match kind:
        case "account list, filtered":
            return "GET", "/accounts", {"filter": dice.choice(LISTS)}
        case "account list by API":
            return "GET", "/api/v1/accounts", {"filter": dice.choice(LISTS), "limit": "50"}
        case "account page":
            return "GET", f"/accounts/{one}", {}
        case "timeline":
            return "GET", f"/accounts/{one}/timeline", {}
        case "search":
            return "GET", "/search", {"q": dice.choice(WORDS)}
        case "note written":
            return "POST", "/api/v1/notes", {"account_id": one, "text": "Said on the phone"}
        case _:
            paths = {
                "home": "/", "board": "/pipeline", "deal list": "/pipeline/list", "order list": "/orders",
                "ticket list": "/tickets", "contact list": "/contacts", "lead list": "/leads",
            }  # fmt: skip
            return "GET", paths[kind], {}


class Sender(threading.Thread):
    """One connection that sends what is due."""

    def __init__(self, work: "SimpleQueue[Any]", browsers: dict[str, Browser], done: list[tuple[str, float, int]]):
        super().__init__(daemon=True)
        self.work, self.browsers, self.done = work, browsers, done

    def run(self) -> None:
        """Send until nothing more comes."""
        while (due := self.work.get()) is not None:
            at, kind, who, method, path, values = due
            status = self.browsers[who].send(method, path, values)[0]
            self.done.append((kind, (time.perf_counter() - at) * 1000, status))


def send(port: int, secrets: dict[str, str], ids: list[str], rate: float, seconds: float) -> dict[str, Any]:
    """Send the mix for a while; what was reached."""
    dice, work, done = random.Random(7), SimpleQueue(), list[tuple[str, float, int]]()
    kinds, weights = list(MIX), list(MIX.values())
    senders = [
        Sender(work, {who: Browser(port, secret) for who, secret in secrets.items()}, done) for _ in range(CONNECTIONS)
    ]
    for sender in senders:
        sender.start()
    begin = time.perf_counter() + 0.2
    for number in range(int(rate * seconds)):
        kind, at = dice.choices(kinds, weights)[0], begin + number / rate
        if (early := at - time.perf_counter()) > 0:
            time.sleep(early)
        work.put((at, kind, dice.choice(list(secrets)), *order(dice, kind, ids)))
    for _ in senders:
        work.put(None)
    for sender in senders:
        sender.join()
    took = time.perf_counter() - begin
    failed = [status for _, _, status in done if status >= 400]
    by_kind = {
        kind: round(statistics.median(times)) for kind in MIX if (times := [ms for one, ms, _ in done if one == kind])
    }
    times = sorted(ms for _, ms, _ in done)
    return {
        "asked_per_s": rate, "answered_per_s": round(len(done) / took, 1), "refused": len(failed),
        "median": round(statistics.median(times)), "p95": round(times[int(len(times) * 0.95)]),
        "p99": round(times[int(len(times) * 0.99)]), "median_by_kind": by_kind,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(send(**json.loads(sys.stdin.read()))))
