"""A small honest Stripe on loopback: real HTTP, Stripe's documented shapes, books of its own.

It holds PaymentIntents, Transfers and Refunds as docs.stripe.com/api describes them: form-encoded
requests, idempotency keys that replay the first answer (another request under one is a 400, one
still in flight a 409), typed errors, and lists by `created`, newest first, in pages. Amounts and
cards fail as Stripe's test cards do. `faults` makes the network or the service fail, one a request.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

KEY = "sk_test_of_the_fake"
DECLINES = {
    "pm_card_chargeDeclined": ("card_declined", "Your card was declined."),
    "pm_card_authenticationRequired": (
        "authentication_required",
        "This payment requires authentication.",
    ),
}
Reply = tuple[int, dict[str, Any]]


class Fake:
    """Stripe's books and its idempotency keys; one lock, as its answers are consistent."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.books: dict[str, list[dict[str, Any]]] = {
            "payment_intents": [],
            "transfers": [],
            "refunds": [],
        }
        self.keys: dict[str, tuple[Any, Reply | None]] = {}
        self.faults: list[str] = []  # drop-before, drop-after, 500-after, 429, 409, 401
        self.requests: list[str] = []
        self.balance = 10**9
        self.url = ""

    def answer(self, method: str, path: str, given: dict[str, str], key: str | None) -> Reply:
        with self.lock:
            if method == "GET":
                return self._read(path, given)
            known = self.keys.get(key or "")
            asked = (path, sorted(given.items()))
            if known and known[0] != asked:
                return problem(400, "idempotency_error", "Keys can only be used with the same.")
            if known and known[1]:
                return known[1]
            reply = self._make(path, given)
            if key:
                self.keys[key] = (asked, reply)
            return reply

    def add(self, noun: str, **content: Any) -> dict[str, Any]:
        """Something in the books, as a person at the dashboard would put it there."""
        prefix = {"payment_intents": "pi", "transfers": "tr", "refunds": "re"}[noun]
        made = {
            "id": f"{prefix}_{len(self.books[noun]) + 1:024d}",
            "object": noun.removesuffix("s"),
            "created": int(time.time()),
            "metadata": {},
            **content,
        }
        self.books[noun].append(made)
        return made

    def _make(self, path: str, given: dict[str, str]) -> Reply:
        noun = path.removeprefix("/v1/")
        metadata = {"reference": given["metadata[reference]"]}
        if int(given["amount"]) < 1:
            return problem(400, "invalid_request_error", "Invalid integer", param="amount")
        if noun == "payment_intents":
            return self._intent(given, metadata)
        if noun == "transfers":
            return self._transfer(given, metadata)
        return self._refund(given, metadata)

    def _intent(self, given: dict[str, str], metadata: dict[str, str]) -> Reply:
        card = given["payment_method"]
        common = {
            "amount": int(given["amount"]),
            "currency": given["currency"],
            "metadata": metadata,
        }
        if not card.startswith("pm_"):
            return problem(400, "invalid_request_error", f"No such PaymentMethod: '{card}'")
        if card in DECLINES:
            code, message = DECLINES[card]
            error = {"type": "card_error", "code": code, "message": message}
            made = self.add(
                "payment_intents",
                status="requires_payment_method",
                last_payment_error=error,
                **common,
            )
            return 402, {"error": {**error, "payment_intent": made}}
        status = "processing" if card == "pm_usBankAccount" else "succeeded"
        return 200, self.add("payment_intents", status=status, last_payment_error=None, **common)

    def _transfer(self, given: dict[str, str], metadata: dict[str, str]) -> Reply:
        amount = int(given["amount"])
        if not given["destination"].startswith("acct_"):
            message = f"No such destination: '{given['destination']}'"
            return problem(400, "invalid_request_error", message, code="resource_missing")
        if amount > self.balance:
            message = "You have insufficient available funds in your Stripe account."
            return problem(400, "invalid_request_error", message, code="balance_insufficient")
        self.balance -= amount
        currency = given["currency"]
        return 200, self.add(
            "transfers", amount=amount, currency=currency, reversed=False, metadata=metadata
        )

    def _refund(self, given: dict[str, str], metadata: dict[str, str]) -> Reply:
        intents = {one["id"]: one for one in self.books["payment_intents"]}
        intent = intents.get(given["payment_intent"])
        if intent is None:
            return problem(404, "invalid_request_error", "No such payment_intent")
        sent = [one for one in self.books["refunds"] if one["payment_intent"] == intent["id"]]
        if sum(one["amount"] for one in sent) + int(given["amount"]) > intent["amount"]:
            return problem(400, "invalid_request_error", "Refund amount is greater than charge")
        return 200, self.add(
            "refunds",
            amount=int(given["amount"]),
            currency=intent["currency"],
            payment_intent=intent["id"],
            status="succeeded",
            metadata=metadata,
        )

    def _read(self, path: str, given: dict[str, str]) -> Reply:
        noun, _, wanted = path.removeprefix("/v1/").partition("/")
        rows = self.books[noun]
        if wanted:
            found = [one for one in rows if one["id"] == wanted]
            return (200, found[0]) if found else problem(404, "invalid_request_error", "No such")
        since, until = int(given.get("created[gte]", 0)), int(given.get("created[lt]", 2**60))
        rows = [one for one in reversed(rows) if since <= one["created"] < until]
        if after := given.get("starting_after"):
            rows = rows[[one["id"] for one in rows].index(after) + 1 :]
        limit = min(int(given.get("limit", 10)), 2)  # small pages, so that paging is exercised
        page = {"object": "list", "url": path, "has_more": len(rows) > limit, "data": rows[:limit]}
        return 200, page


def problem(status: int, kind: str, message: str, **more: str) -> Reply:
    return status, {"error": {"type": kind, "message": message, **more}}


INJECTED: dict[str, Reply] = {
    "500-after": problem(500, "api_error", "Sorry, something went wrong on our end."),
    "429": problem(429, "invalid_request_error", "Too many requests", code="rate_limit"),
    "401": problem(401, "invalid_request_error", "Invalid API Key provided"),
    "409": problem(409, "idempotency_error", "in use", code="idempotency_key_in_use"),
}


@contextmanager
def stripe_on_loopback() -> Iterator[Fake]:
    """Runs it; `fake.url` is its address."""
    fake = Fake()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._serve("POST", self.rfile.read(int(self.headers["Content-Length"])).decode())

        def do_GET(self) -> None:
            self._serve("GET", urlsplit(self.path).query)

        def _serve(self, method: str, form: str) -> None:
            path = urlsplit(self.path).path
            fake.requests.append(f"{method} {path}")
            fault = fake.faults.pop(0) if fake.faults else ""
            if self.headers["Authorization"] != f"Bearer {KEY}":
                fault = "401"
            if fault == "drop-before":
                self.close_connection = True
                return
            reply = INJECTED.get(fault)
            if reply is None or fault.endswith("-after"):
                key = self.headers["Idempotency-Key"]
                done = fake.answer(method, path, dict(parse_qsl(form)), key)
                reply = reply or done
            if fault == "drop-after":
                self.close_connection = True
                return
            self._send(*reply)

        def _send(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Request-Id", f"req_{len(fake.requests)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
