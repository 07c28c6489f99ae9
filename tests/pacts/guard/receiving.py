"""A server on loopback that takes batches as the market does, and counts each call once."""

import gzip
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pacts.guard.records import batch_of, read_record


@dataclass
class Receiver:
    """What has come. `answers` are statuses (with headers) to give before any is taken."""

    address: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    batches: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    calls: dict[str, dict[str, Any]] = field(default_factory=dict)
    duplicates: int = 0
    raw: bytes = b""
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def records(self) -> list[dict[str, Any]]:
        return list(self.calls.values())

    def only(self) -> dict[str, Any]:
        assert len(self.calls) == 1
        return self.records[0]

    def take(self, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
        data = gzip.decompress(body)
        batch = json.loads(data)
        with self.lock:
            self.raw += data
            self.batches.append(batch)
            self.headers.append(headers)
            return self._count(batch)

    def _count(self, batch: dict[str, Any]) -> dict[str, Any]:
        doubled = 0
        for value in batch_of(batch)[1]:
            record = read_record(value)
            doubled += record.call_id in self.calls
            self.calls[record.call_id] = value  # type: ignore[assignment]
        self.duplicates += doubled
        return {"accepted": len(batch["calls"]) - doubled, "duplicates": doubled, "refused": []}


@contextmanager
def receiver() -> Iterator[Receiver]:
    found = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(found))
    found.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


def _handler(found: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with found.lock:
                status, extra = found.answers.pop(0) if found.answers else (200, {})
            said = found.take(body, dict(self.headers)) if status == 200 else {"code": "later"}
            data = json.dumps(said).encode()
            self.send_response(status)
            for name, value in extra.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    return Handler
