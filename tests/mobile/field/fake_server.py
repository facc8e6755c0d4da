"""A test double of the server: the protocol at the level of bytes, kept in a dictionary.

Not the server's code and not a substitute for the end-to-end test; it exists so that the phone can
be tried against lost messages, restores and failures that the real server does not produce on demand.
"""

import base64
import copy
import gzip
import hashlib
import io
import json
import random
import uuid
from contextlib import contextmanager
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from mobile.field.store import clock
from mobile.field.sync.transport import Reply, Request, Unreachable


class Refusal(Exception):
    def __init__(self, status, code, **extra):
        super().__init__(code)
        self.status, self.code, self.extra = status, code, extra


@dataclass
class World:
    """Everything a backup would contain."""

    devices: dict = field(default_factory=dict)
    receipts: dict = field(default_factory=dict)
    numbers: dict = field(default_factory=dict)
    rows: dict = field(default_factory=dict)
    items: dict = field(default_factory=dict)
    events: list = field(default_factory=list)
    conflicts: list = field(default_factory=list)
    tx: int = 1


def sha(op):
    body = {k: v for k, v in op.items() if k != "n"}
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


class FakeServer:
    def __init__(self):
        self.world = World()
        self.export_key = None
        self.epoch = "epoch-1"
        self.users = {"mara": {"id": str(uuid.UUID(int=7)), "name": "Mara Roy", "login": "mara", "role": "rep"}}
        self.user_id = self.users["mara"]["id"]
        self.buckets = {7: ("user", 0, 1), 412: ("territory", 1, 1)}
        self.durable_n = 0
        self.codes = {}  # login by code; none for one that was used
        self.page_rows = 2000
        self.poison = set()  # op ids that make the server fail
        self.reject = set()  # op ids that break a rule
        self.fail_next = []  # (path, Refusal)
        self.requests = []
        self.bytes_in = 0
        self.token = 0
        self.packs = {}
        self.decided = []  # conflicts that somebody in the office has decided
        self.taken = []  # refused ops that the office has had taken
        self.merged = {}  # accounts that were merged away, and into which
        self.closed = None  # what the rep may not change
        self.schema = 1
        self.barred = ""  # what the office has done to its phones: device_locked, retired
        self.quarantine = []  # ops of retired phones
        self.rescued = []  # damaged outboxes

    # -- the company's side

    def put(self, e, row_id, doc, *buckets):
        """A row changes on the server; None for doc deletes it."""
        self.world.tx += 1
        known = self.world.rows.get((e, row_id), {"r": 0, "buckets": set(), "frev": {}, "d": {}})
        rev = known["r"] + 1
        d = {"id": row_id, **(doc or known["d"])}
        frev = dict(known["frev"]) | {f: rev for f, v in d.items() if known["d"].get(f) != v}
        now = set(buckets) or known["buckets"]
        for b in known["buckets"] | now:
            state = "D" if doc is None else "P" if b in now else "R"
            self.world.items[b, e, row_id] = (state, self.world.tx)
        self.world.rows[e, row_id] = {"r": rev, "d": d, "buckets": now, "frev": frev, "gone": doc is None}

    def backup(self):
        return copy.deepcopy(self.world)

    def restore(self, world):
        self.world = copy.deepcopy(world)
        self.epoch = f"epoch-{uuid.uuid4().hex[:8]}"

    # -- bytes in, bytes out

    @contextmanager
    def open(self, request: Request):
        self.requests.append((request.method, request.path))
        self.bytes_in += len(request.body)
        status, headers, body = self.answer(request)
        yield Reply(status, headers, io.BytesIO(body))

    def answer(self, request):
        try:
            if request.path.startswith("/packs/"):
                return self._pack(request)
            if request.path == "/sync/v1/rescue":
                self.rescued.append(gzip.decompress(request.body))
                return 204, {}, b""
            raw = gzip.decompress(request.body) if request.headers.get("Content-Encoding") == "gzip" else request.body
            message = json.loads(raw) if raw else {}
            status, reply = self._route(request, message)
        except Refusal as refusal:
            status, reply = refusal.status, {"code": refusal.code, "title": refusal.code, **refusal.extra}
        body = gzip.compress(json.dumps(reply).encode())
        return status, {"content-type": "application/json", "content-encoding": "gzip"}, body

    def _route(self, request, message):
        for i, (path, refusal) in enumerate(self.fail_next):
            if request.path == path:
                del self.fail_next[i]
                raise refusal
        if request.path == "/api/v1/devices":
            return 201, self._register(message)
        if request.path == "/api/v1/devices/by-code":
            return 201, self._register_by_code(message)
        if request.path == "/api/v1/auth/refresh":
            return 200, self._refresh(message)
        if request.path == "/sync/v1/quarantine":
            self.quarantine += message["ops"]
            return 200, {"held": len(message["ops"])}
        if request.path == "/sync/v1/wiped":
            del self.world.devices[message["device"]]
            return 204, {}
        if self.barred:
            raise Refusal(403, self.barred)
        device_id = self._device(request)
        if request.path == "/api/v1/regions":
            return 200, {"items": list(self.packs.values())}
        handler = {"/sync/v1/hello": self._hello, "/sync/v1/push": self._push, "/sync/v1/pull": self._pull}
        return 200, handler[request.path](device_id, message)

    # -- devices

    def _tokens(self, device):
        self.token += 1
        device["access"] = f"access-{self.token}"
        device["previous"], device["refresh"] = device.get("refresh"), f"refresh-{self.token}"
        return {"access_token": device["access"], "refresh_token": device["refresh"], "expires_s": 900}

    def _register(self, m):
        user = self.users.get(m["login"])
        if user is None or m["password"] != "secret":
            raise Refusal(401, "login_required", detail="login or password is wrong")
        return self._registered(user, m)

    def _register_by_code(self, m):
        if m["code"] not in self.codes:
            raise Refusal(401, "code_unknown")
        login, self.codes[m["code"]] = self.codes[m["code"]], None
        if login is None:
            raise Refusal(401, "code_used")
        return self._registered(self.users[login], m)

    def _registered(self, user, m):
        if self.barred == "wipe" and any(one in self.world.devices for one in m["former"]):
            raise Refusal(403, "wipe")
        device_id = str(uuid.uuid4())
        device = self.world.devices[device_id] = {"key": m["public_key"], "last_n": 0}
        return {"device_id": device_id, "user": user, "server_name": "Test", **self._tokens(device)}

    def _refresh(self, m):
        device = self.world.devices.get(m["device_id"])
        if device is None or m["refresh_token"] not in (device["refresh"], device["previous"]):
            raise Refusal(401, "login_required")
        if self.barred == "wipe":
            raise Refusal(403, "wipe")
        key = serialization.load_der_public_key(base64.b64decode(device["key"]))
        text = f"waymark-refresh-1\n{m['device_id']}\n{m['refresh_token']}\n{m['nonce']}"
        try:
            key.verify(base64.b64decode(m["signature"]), text.encode(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Refusal(401, "login_required") from None
        return self._tokens(device)

    def _device(self, request):
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        for device_id, device in self.world.devices.items():
            if device["access"] == token:
                return device_id
        raise Refusal(401, "token_expired")

    # -- hello and push

    def _hello(self, device_id, m):
        decided = [one for one in self.decided if one["id"] in m.get("conflicts", ())]
        taken = [one for one in self.taken if one["op_id"] in m.get("refused", ())]
        merged = {one: into for one, into in self.merged.items() if one in m.get("accounts", ())}
        return (
            ({"decided": decided} if m.get("conflicts") else {})
            | {
                "protocol": 1,
                "epoch": self.epoch,
                "last_n": self.world.devices[device_id]["last_n"],
                "durable_upto": {"n": self.durable_n},
                "server_time": clock.now().isoformat(),
                "buckets": [{"id": b, "kind": k, "prio": p, "gen": g} for b, (k, p, g) in self.buckets.items()],
                "schema": {"min": 1, "current": self.schema},
                "limits": {"ops": 100, "push_bytes": 1_048_576, "page_rows": self.page_rows, "chunk": 65536},
                "commands": [],
                "poll_s": 900,
                "jitter_s": 60,
                "a_key_of_a_later_version": True,
            }
            | ({"taken": taken} if m.get("refused") else {})
            | ({"merged": merged} if m.get("accounts") else {})
            | ({} if self.closed is None else {"closed": self.closed})
            | ({"export_key": self.export_key} if self.export_key else {})
        )

    def _push(self, device_id, m):
        self._same_epoch(m)
        world = copy.deepcopy(self.world)
        try:
            results = [self._op(device_id, op) for op in sorted(m["ops"], key=lambda op: op["n"])]
        except BaseException:
            self.world = world
            raise
        return {"last_n": self.world.devices[device_id]["last_n"], "results": results}

    def _same_epoch(self, m):
        if m["epoch"] != self.epoch:
            raise Refusal(409, "epoch_changed", epoch=self.epoch)

    def _op(self, device_id, op):
        device, n, op_id = self.world.devices[device_id], op["n"], op["op_id"]
        if op_id in self.world.receipts:
            body_sha, result = self.world.receipts[op_id]
            if body_sha != sha(op):
                raise Refusal(409, "op_id_reuse", ref=op_id)
            if n == device["last_n"] + 1:
                device["last_n"] = n
                self.world.numbers[device_id, n] = op_id
            return {**result, "n": n, "replay": True}
        if n <= device["last_n"] and self.world.numbers.get((device_id, n)) != op_id:
            raise Refusal(409, "device_forked")
        if n > device["last_n"] + 1:
            raise Refusal(409, "gap", expected=device["last_n"] + 1)
        if op_id in self.poison:
            raise Refusal(500, "internal")
        result = self._apply(op)
        self.world.receipts[op_id] = (sha(op), result)
        self.world.numbers[device_id, n] = op_id
        device["last_n"] = n
        return result

    def _apply(self, op):
        n = op["n"]
        if op["op_id"] in self.reject:
            return {"n": n, "status": "rejected", "error": {"code": "not_allowed", "msg": "no", "help": "ask"}}
        if op["e"] == "visit_event":
            return self._event(op)
        row = self.world.rows[op["e"], op["id"]]
        if row["gone"]:
            told = {"by": None, "at": None, "policy": "keep_server", "kind": "edit_after_delete"}
            met = [
                told | {"id": f"c-{f}", "field": f, "base": old, "mine": mine, "server": row["d"].get(f)}
                for f, (old, mine) in op["f"].items()
            ]
            return {"n": n, "status": "conflict", "conflicts": met}
        conflicts, new = [], dict(row["d"])
        if op["k"] == "setadd":
            new[op["field"]] = [*row["d"][op["field"]], *op["v"]]
        for f, (old, mine) in op.get("f", {}).items():
            cur = row["d"].get(f)
            if cur != mine and row["frev"].get(f, 0) > op["base_rev"] and cur != old:
                c = {
                    "id": "c1",
                    "field": f,
                    "base": old,
                    "mine": mine,
                    "server": cur,
                    "by": "M",
                    "at": None,
                    "policy": "keep_server",
                }
                conflicts.append(c)
                self.world.conflicts.append(c)
            else:
                new[f] = mine
        status = "conflict" if conflicts else "applied" if row["r"] == op.get("base_rev") else "merged"
        self.put(op["e"], op["id"], new, *row["buckets"])
        after = self.world.rows[op["e"], op["id"]]
        result = {"n": n, "status": status, "rev": after["r"], "row": after["d"]}
        return result | ({"conflicts": conflicts} if conflicts else {})

    def _event(self, op):
        d = op["d"]
        self.world.events.append(op["id"])
        row = self.world.rows.get(("visit", d["visit_id"]))
        visit = dict(row["d"]) if row else {"account_id": d["account_id"], "site_id": d["site_id"], "day": d["day"]}
        visit |= {"state": d["state"], "outcome": d["outcome"], "note": d["note"], "rep_id": self.user_id, "flags": []}
        self.put("visit", d["visit_id"], visit, *(row["buckets"] if row else {7}))
        return {"n": op["n"], "status": "applied", "rev": 1}

    # -- pull

    def _pull(self, _device_id, m):
        self._same_epoch(m)
        left, groups, more = min(m["limit"], self.page_rows), [], False
        for group in m["groups"]:
            buckets = [b for b in group["buckets"] if b in self.buckets]
            if not buckets:
                continue
            cursor = json.loads(base64.b64decode(group["cursor"])) if group["cursor"] else {"s": 0}
            until, after = cursor.get("t", self.world.tx), tuple(cursor.get("after", (0, "", "", 0)))
            found = sorted(
                (tx, e, i, b, state)
                for (b, e, i), (state, tx) in self.world.items.items()
                if b in buckets and cursor["s"] < tx <= until and (tx, e, i, b) > after
            )
            page = found[:left]
            left -= len(page)
            complete = len(page) == len(found)
            more = more or not complete
            last = list(page[-1][:4]) if page else list(after)
            new = {"s": until} if complete else {"s": cursor["s"], "t": until, "after": last}
            rows = [self._change(b, e, i, s) for _tx, e, i, b, s in page if s == "P" or cursor["s"]]
            text = base64.b64encode(json.dumps(new).encode()).decode()
            groups.append({"buckets": buckets, "cursor": text, "complete": complete, "rows": rows})
        return {"buckets_now": list(self.buckets), "more": more, "groups": groups}

    def _change(self, b, e, row_id, state):
        change = {"b": b, "e": e, "id": row_id, "o": state}
        row = self.world.rows[e, row_id]
        return change | {"r": row["r"], "d": row["d"]} if state == "P" else change

    # -- maps

    def offer_pack(self, data, bbox):
        digest = hashlib.sha256(data).hexdigest()
        self.packs[digest] = {
            "id": "r1", "name": "Testland", "state": "ready", "bbox": bbox, "data_date": "2026-01-01",
            "attribution": ["© OpenStreetMap contributors"],
            "map_pack": {"sha256": digest, "size": len(data), "url": f"/packs/{digest}"},
        }  # fmt: skip
        self.pack_bytes = data
        return digest

    def _pack(self, request):
        start = int(request.headers.get("Range", "bytes=0-")[6:].rstrip("-"))
        return (206 if start else 200), {"content-type": "application/octet-stream"}, self.pack_bytes[start:]


class FaultyTransport:
    """Loses requests and answers, and delivers copies again, by the dice of a seed."""

    def __init__(self, server, seed=0, lose_request=0.0, lose_reply=0.0, duplicate=0.0):
        self.server, self.dice = server, random.Random(seed)
        self.lose_request, self.lose_reply, self.duplicate = lose_request, lose_reply, duplicate
        self.old_copies = []
        self.script = []  # next faults by name, before the dice

    @contextmanager
    def open(self, request):
        fault = self.script.pop(0) if self.script else None
        if fault == "lose_request" or self.dice.random() < self.lose_request:
            raise Unreachable("request lost")
        if request.path == "/sync/v1/push":
            self.old_copies.append(request)
        status, headers, body = self.server.answer(request)
        if self.old_copies and self.dice.random() < self.duplicate:
            self.server.answer(self.dice.choice(self.old_copies))
        if fault == "lose_reply" or self.dice.random() < self.lose_reply:
            raise Unreachable("answer lost")
        if fault == "cut_reply":
            body = body[: len(body) // 2]
        yield Reply(status, headers, io.BytesIO(body))
