"""Many phones in one process: prepared bytes over plain connections, so that the load costs little."""

import asyncio
import gzip
import json
import os
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

RETRY = (429, 503)

type Json = dict[str, Any]


@dataclass
class Tally:
    """What a run of requests was answered, and how long the answers took."""

    statuses: Counter[int] = field(default_factory=Counter)
    took_s: list[float] = field(default_factory=list)

    def percentile(self, share: float) -> float:
        """The time within which so many of the answers came."""
        return sorted(self.took_s)[min(len(self.took_s) - 1, int(share * len(self.took_s)))] if self.took_s else 0.0


@dataclass
class Line:
    """A phone's way to the server."""

    port: int
    access: str
    tally: dict[str, Tally]
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def call(self, path: str, message: Json) -> Json:
        """A message's answer; asked again for as long as the server says that it is busy."""
        body = gzip.compress(json.dumps(message).encode(), 5)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.access}\r\nAccept-Encoding: gzip\r\n"
            f"Content-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode()
        while True:
            began = time.perf_counter()
            try:
                status, headers, answer = await self.exchange(head + body)
            except (ConnectionError, asyncio.IncompleteReadError):  # it was idle for too long
                self.hang_up()
                continue
            tally = self.tally.setdefault(path, Tally())
            tally.statuses[status] += 1
            tally.took_s.append(time.perf_counter() - began)
            if status not in RETRY:
                break
            await asyncio.sleep(float(headers.get(b"retry-after", b"1")))
        if status != 200:
            raise SystemExit(f"{path} answered {status}: {answer[:300]!r}")
        packed = headers.get(b"content-encoding") == b"gzip"
        found: Json = json.loads(gzip.decompress(answer) if packed else answer)
        return found

    async def exchange(self, raw: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
        """A request's answer over the kept connection."""
        if self.streams is None:
            self.streams = await asyncio.open_connection("127.0.0.1", self.port)
        reader, writer = self.streams
        writer.write(raw)
        first, *lines = (await reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        pairs = (line.partition(b":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        return int(first.split()[1]), headers, await reader.readexactly(int(headers[b"content-length"]))

    def hang_up(self) -> None:
        """Close the connection."""
        if self.streams:
            self.streams[1].close()
            self.streams = None


@dataclass
class Caller:
    """A phone reduced to what it says."""

    line: Line
    device: str
    account: str = ""
    n: int = 0
    epoch: str = ""
    cursors: dict[int, str | None] = field(default_factory=dict)

    async def hello(self) -> None:
        """Learn the epoch and the buckets."""
        now = datetime.now(UTC).isoformat()
        said = {
            "protocol": [1], "app": "0.1.0", "schema": 1, "device": self.device, "epoch": self.epoch or None,
            "max_n": self.n, "tz": "Europe/Vaduz", "wall": now, "mono_ms": 1000, "boot": "boot", "free_mb": 1000,
            "pending": {"ops": 0, "blobs": 0, "oldest": None},
        }  # fmt: skip
        reply = await self.line.call("/sync/v1/hello", said)
        self.epoch, self.n = reply["epoch"], reply["last_n"]
        self.cursors = {bucket["id"]: self.cursors.get(bucket["id"]) for bucket in reply["buckets"]}

    async def push(self, count: int) -> None:
        """Send visits, each with a note."""
        ops = [self.visit(self.n + number) for number in range(1, count + 1)]
        reply = await self.line.call("/sync/v1/push", {"epoch": self.epoch, "ops": ops})
        refused = [one for one in reply["results"] if one["status"] != "applied"]
        if refused:
            raise SystemExit(f"A visit was not taken: {refused[0]}")
        self.n += count

    def visit(self, n: int) -> Json:
        """An op: a visit that was done."""
        day = datetime.now(UTC).date().isoformat()
        told = {
            "visit_id": str(uuid4()), "account_id": self.account, "site_id": None, "day": day, "zone": "Europe/Vaduz",
            "state": "done", "outcome": "order", "note": f"Spoke about {os.urandom(12).hex()}", "checkin": None,
        }  # fmt: skip
        return {"n": n, "op_id": str(uuid4()), "k": "create", "e": "visit_event", "id": str(uuid4()), "d": told}

    async def pull(self) -> int:
        """Read pages until there are no more; returns how many rows came."""
        rows = 0
        while True:
            shared: dict[str | None, list[int]] = {}
            for bucket, cursor in self.cursors.items():
                shared.setdefault(cursor, []).append(bucket)
            groups = [{"cursor": cursor, "buckets": ids} for cursor, ids in shared.items()]
            reply = await self.line.call("/sync/v1/pull", {"epoch": self.epoch, "groups": groups, "limit": 2000})
            for group in reply["groups"]:
                rows += len(group["rows"])
                self.cursors |= dict.fromkeys(group["buckets"], group["cursor"])
            if not reply["more"]:
                return rows
