"""The signature of a webhook: HMAC-SHA256 over the time and the body, so that neither can be forged nor replayed late.

The header reads `t=1796000000,v1=<hex>`. A receiver computes HMAC-SHA256 of `<t>.<body>` with the endpoint's secret,
compares in constant time, and refuses a `t` that is more than five minutes off its own clock.
"""

import hashlib
import hmac

HEADER = "Waymark-Signature"
TOLERANCE_S = 300

RECEIVER = """import hashlib, hmac, http.server, json, time
SECRET = "whsec_..."
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        parts = dict(part.split("=", 1) for part in self.headers["Waymark-Signature"].split(","))
        wanted = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
        genuine = hmac.compare_digest(wanted, parts["v1"]) and abs(time.time() - int(parts["t"])) <= 300
        self.send_response(204 if genuine else 401); self.end_headers()
        if genuine: print(self.headers["Waymark-Delivery"], json.loads(body))
http.server.HTTPServer(("", 8000), Hook).serve_forever()
"""
"""A whole receiver, as the page shows it: it answers 204 to what is genuine, and 401 to anything else."""


def signature(secret: str, at: int, body: bytes) -> str:
    """The header's value for a body sent at a moment (Unix seconds)."""
    return f"t={at},v1={_digest(secret, at, body)}"


def is_genuine(secret: str, header: str, body: bytes, now: int) -> bool:
    """Whether a header was made with the secret for this body within the last five minutes; what a receiver asks."""
    parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
    try:
        at = int(parts.get("t", ""))
    except ValueError:
        return False
    return abs(now - at) <= TOLERANCE_S and hmac.compare_digest(_digest(secret, at, body), parts.get("v1", ""))


def _digest(secret: str, at: int, body: bytes) -> str:
    return hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
