"""A proxy between phones and the server that does to HTTP what networks do: late, in slices, cut, lost, twice."""

import asyncio
import contextlib
import random
import threading
from dataclasses import dataclass, field

FAULTS = (
    "late",
    "sliced",
    "lost request",
    "reset within the request",
    "reset within the answer",
    "lost answer",
    "truncated answer",
    "twice",
)
SLOW_S = 0.02
SLICE = 90
"""Bytes of a slice."""
NO_BODY = ("HEAD",)

type Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Letter:
    """A request or an answer: its head without the empty line, and its body."""

    head: bytes
    body: bytes

    @property
    def raw(self) -> bytes:
        """As it travels."""
        return self.head + b"\r\n\r\n" + self.body

    @property
    def length(self) -> int:
        """How long its body says that it is."""
        for line in self.head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                return int(value)
        return 0

    def saying(self, name: bytes, value: bytes) -> "Letter":
        """The same with another value of a header."""
        lines = [line for line in self.head.split(b"\r\n") if not line.lower().startswith(name.lower() + b":")]
        return Letter(b"\r\n".join([*lines, name + b": " + value]), self.body)

    def cut(self) -> "Letter":
        """Half of it, which says that it is all: its gzip ends too early."""
        half = self.body[: len(self.body) // 2]
        return Letter(self.head, half).saying(b"Content-Length", str(len(half)).encode())


@dataclass
class FaultyProxy:
    """One connection, one request, at most one fault."""

    upstream: int
    """The server's port."""
    rng: random.Random = field(default_factory=random.Random)
    faulty: float = 0.0
    """How many of the requests something happens to."""
    happened: dict[str, int] = field(default_factory=lambda: dict.fromkeys(FAULTS, 0))
    port: int = 0

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._loop = asyncio.new_event_loop()
        listening = threading.Event()

        async def listen() -> None:
            server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            listening.set()

        self._loop.create_task(listen())
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        listening.wait()

    def stop(self) -> None:
        """Listen no more."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _chosen(self) -> str:
        """What happens to the next request."""
        if self.rng.random() >= self.faulty:
            return "calm"
        fault = self.rng.choice(FAULTS)
        self.happened[fault] += 1
        return fault

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a request, and its answer; whatever breaks off, both ends hear of it as a broken connection."""
        try:
            await self._carry(reader, writer, self._chosen())
        except (OSError, asyncio.IncompleteReadError):
            writer.transport.abort()
        finally:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str) -> None:
        """Carry a request with what happens to it on the way."""
        request = (await read_request(reader)).saying(b"Connection", b"close")
        if fault == "late":
            await held_up()
        if fault == "lost request":
            raise ConnectionResetError
        if fault == "reset within the request":
            await self._sent(Letter(request.head, request.body[: len(request.body) // 2]), cut=True)
            raise ConnectionResetError
        answer = await self._sent(request, sliced=fault == "sliced")
        if fault == "twice":
            answer = await self._sent(request)
        if fault == "lost answer" or not answer.head:
            raise ConnectionResetError
        if fault == "truncated answer":
            answer = answer.cut()
        if fault == "reset within the answer":
            writer.write(answer.raw[: len(answer.raw) - len(answer.body) // 2 - 1])
            await writer.drain()
            raise ConnectionResetError
        await written(writer, answer.raw, sliced=fault == "sliced")

    async def _sent(self, request: Letter, *, sliced: bool = False, cut: bool = False) -> Letter:
        """The server's answer to a request; a request that is cut has none."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            await written(writer, request.raw, sliced=sliced)
            if cut:
                writer.transport.abort()
                return Letter(b"", b"")
            raw = await reader.read(-1)
        finally:
            writer.close()
        head, found, body = raw.partition(b"\r\n\r\n")
        answer = Letter(head, body)
        without = request.head.split(b" ", 1)[0].decode() in NO_BODY
        if not found or (not without and len(body) < answer.length):
            raise ConnectionResetError
        return answer


async def held_up() -> None:
    """The network takes its time."""
    loop = asyncio.get_running_loop()
    arrives = loop.create_future()
    loop.call_later(SLOW_S, arrives.set_result, None)
    await arrives


async def read_request(reader: asyncio.StreamReader) -> Letter:
    """A whole request."""
    head = (await reader.readuntil(b"\r\n\r\n"))[:-4]
    letter = Letter(head, b"")
    return Letter(head, await reader.readexactly(letter.length))


async def written(writer: asyncio.StreamWriter, raw: bytes, *, sliced: bool = False) -> None:
    """Send bytes, all at once or in slices."""
    step = SLICE if sliced else max(1, len(raw))
    for start in range(0, len(raw), step):
        writer.write(raw[start : start + step])
        with contextlib.suppress(ConnectionResetError):
            await writer.drain()
