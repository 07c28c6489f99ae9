"""An agent that takes its time: a real HTTP service whose calls can be counted and watched."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class SlowAgent:
    """Doubles numbers, `seconds` after it was asked. `calls` counts each call id, retries too."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.control_token = ""
        self.url = ""
        self.calls: Counter[str] = Counter()
        self._lock = threading.Lock()

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        with self._lock:
            self.calls[asked["call_id"]] += 1
        time.sleep(self.seconds)
        return {"output": {"answer": asked["input"]["number"] * 2}}

    def calls_of(self, evaluation: str) -> Counter[str]:
        """The calls of one evaluation: how often each trial was asked for."""
        with self._lock:
            return Counter({k: n for k, n in self.calls.items() if k.startswith(f"{evaluation}.")})


@contextmanager
def slow_agent(seconds: float) -> Iterator[SlowAgent]:
    """The agent on a free loopback port, for the length of a block."""
    agent = SlowAgent(seconds)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # headers and body are two writes

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._reply(json.dumps(agent.answer(body)).encode(), "application/json")

        def do_GET(self) -> None:
            self._reply(agent.control_token.encode(), "text/plain")

        def _reply(self, body: bytes, content_type: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Keep the test's output clean."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: Any) -> None:
            """A caller that was killed hangs up; nothing is wrong with us."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    agent.url = f"http://127.0.0.1:{server.server_port}/run"
    try:
        yield agent
    finally:
        server.shutdown()
        server.server_close()
