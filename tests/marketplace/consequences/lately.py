"""What the workers do about production, in order and in process; receivers are real servers."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.utils.timezone import now as clock

from marketplace.hooks import delivering
from marketplace.notices import telling
from pacts.egress import Egress
from pacts.models import Engagement
from reputation import sequencer
from tests import cast
from tests.pacts.live.hired import called, hire, report, wrong


def told(now: datetime | None = None) -> int:
    """What was logged gets its place and is told."""
    while sequencer.sequence_batch(limit=1_000) == 1_000:
        continue
    return telling.tell(now=now or clock())


def critical(key: str = "form", **changes: Any) -> dict[str, Any]:
    return called(key, severity="critical", **changes)


def breach(alice: cast.Actor, engagement: Engagement, calls: int = 4) -> None:
    """Enough wrong calls in a row to show a promise broken; told."""
    report(alice, [wrong(engagement) for _ in range(calls)])
    told()


def broken_hire(alice: cast.Actor, bob: cast.Actor, **clause: Any) -> Engagement:
    engagement = hire(critical(**clause), alice=alice, bob=bob)
    breach(alice, engagement)
    return engagement


def loopback(seconds: float = 5.0) -> Egress:
    """As deliveries go out, but to loopback and with less patience."""
    policy = delivering.way_out().policy
    return Egress(replace(policy, allow_loopback=True, deadline_seconds=seconds))


def deliver(now: datetime | None = None, seconds: float = 5.0) -> int:
    return delivering.deliver_due(egress=loopback(seconds), now=now or clock())


@dataclass
class Receiver:
    """A program that is told things; `answers` decides what it says to the n-th."""

    port: int
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told"

    def said(self, place: int = -1) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.got[place][1])
        return content


Answers = Callable[[int], tuple[int, dict[str, str], bytes]]


def fine(_: int) -> tuple[int, dict[str, str], bytes]:
    return 204, {}, b""


@contextmanager
def receiver(answers: Answers = fine) -> Iterator[Receiver]:
    """A real HTTP server on loopback."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.got.append(({k.lower(): v for k, v in self.headers.items()}, body))
            status, headers, said = answers(len(found.got))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Receiver(server.server_port)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
