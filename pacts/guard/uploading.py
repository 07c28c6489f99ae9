"""Sending what is due: batches, gzip, retries with jitter, and doing as a busy server says.

The address is the host's own choice, so it is called as it stands; nothing is followed anywhere
else, since the standard library's client follows no redirects.
"""

import json
import logging
import random
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from pacts.guard.records import FORMAT, PATH, VERSION
from pacts.guard.spool import Batch

log = logging.getLogger("pacts.guard")

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 3600.0
ADOPT_SECONDS = 30.0
MOST_ANSWER = 4 * 1024 * 1024


class Outbox(Protocol):
    """Where records wait: on disk or in memory."""

    def append(self, lines: list[bytes]) -> int: ...
    def due(self, most: int, most_bytes: int) -> Batch | None: ...
    def sent(self, batch: Batch) -> None: ...
    def adopt(self) -> int: ...
    def close(self) -> None: ...
    def abandon(self) -> None: ...
    @property
    def torn(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said: its status (0: nothing), its wish to wait, its words."""

    status: int
    retry_after: float | None = None
    body: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""


Post = Callable[[bytes, float], Answer]


class Server:
    """The one address batches go to. Keeps its connection; not shared between threads."""

    def __init__(self, base: str, key: str) -> None:
        parts = urlsplit(base)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(f"{base!r} is no address of a server; write https://host")
        self._secure, self._host, self._port = parts.scheme == "https", parts.hostname, parts.port
        self._path = parts.path.rstrip("/") + PATH
        self._headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "User-Agent": f"earnest-guard/{VERSION}",
        }
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._connection: Any = None

    def post(self, body: bytes, seconds: float) -> Answer:
        """Send one batch; never raises."""
        fresh = self._connection is None
        answer = self._try(body, seconds)
        if answer.status == 0 and not fresh:
            answer = self._try(body, seconds)  # the server had closed the kept connection
        return answer

    def _connected(self, seconds: float) -> Any:
        import http.client  # here, in the upload's thread: it costs more than all of the guard

        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        return kind(self._host, self._port, timeout=seconds)

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _try(self, body: bytes, seconds: float) -> Answer:
        try:
            return self._exchange(body, seconds)
        except Exception as error:
            self.close()
            return Answer(0, problem=f"{type(error).__name__}: {error}")

    def _exchange(self, body: bytes, seconds: float) -> Answer:
        if self._connection is None:
            self._connection = self._connected(seconds)
        self._connection.timeout = seconds
        if self._connection.sock is not None:
            self._connection.sock.settimeout(seconds)
        self._connection.request("POST", self._path, body, self._headers)
        reply = self._connection.getresponse()
        data = reply.read(MOST_ANSWER)
        if reply.will_close or not reply.isclosed():
            self.close()
        return Answer(reply.status, _retry_after(reply.getheader("Retry-After")), _object(data))


def _retry_after(value: str | None) -> float | None:
    """Seconds to wait: a number, or a date (RFC 9110, 10.2.3)."""
    if not value:
        return None
    from email.utils import parsedate_to_datetime  # as above

    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER)


def _object(data: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


class Uploader:
    """A thread that empties an outbox. `figures` gives the guard's counts for each batch."""

    def __init__(
        self,
        outbox: Outbox,
        server: Server,
        *,
        figures: Callable[[], dict[str, int]],
        most_calls: int,
        most_bytes: int,
        seconds: float,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        self._outbox, self._server, self._figures = outbox, server, figures
        self._most, self._most_bytes, self._seconds = most_calls, most_bytes, seconds
        self._size, self._first_pause, self._failures = most_calls, first_pause, 0
        self._random = random.Random()  # noqa: S311 - pauses, not secrets
        self._wake = threading.Event()
        self._stopped = False
        self.idle = threading.Event()
        self.accepted = self.duplicates = self.refused = self.requests = 0
        self.problem = ""

    def hint(self) -> None:
        """There is something new."""
        self._wake.set()
        self.idle.clear()

    def stop(self) -> None:
        """End after the request in flight."""
        self._stopped = True
        self._wake.set()

    def run(self) -> None:
        """The thread's life."""
        adopted_at = -ADOPT_SECONDS
        while not self._stopped:
            self._wake.clear()
            try:
                if time.monotonic() - adopted_at >= ADOPT_SECONDS:
                    adopted_at = time.monotonic()
                    self._outbox.adopt()
                pause = self.step()
            except Exception as error:  # a full or vanished disk must not end the thread
                self.problem, pause = f"{type(error).__name__}: {error}", self._backoff()
            if pause is None:
                self.idle.set()
                if self._wake.is_set():  # told meanwhile; the order in `hint` makes this enough
                    self.idle.clear()
                self._wake.wait(ADOPT_SECONDS)
            elif pause > 0:
                self._sleep(pause)
        self._server.close()

    def step(self) -> float | None:
        """Send one batch. Seconds to wait before the next; None: nothing is due."""
        batch = self._outbox.due(self._size, self._most_bytes)
        if batch is None:
            return None
        self.requests += 1
        answer = self._server.post(self._body(batch), self._seconds)
        if 200 <= answer.status < 300:
            return self._delivered(batch, answer)
        return self._failed(batch, answer)

    def _body(self, batch: Batch) -> bytes:
        head = {"format": FORMAT, "guard": {"version": VERSION, **self._figures()}}
        whole = json.dumps(head)[:-1].encode() + b',"calls":[' + b",".join(batch.lines) + b"]}"
        return zlib.compress(whole, level=1, wbits=31)  # 31: with gzip's header

    def _delivered(self, batch: Batch, answer: Answer) -> float:
        self._outbox.sent(batch)
        refused = answer.body.get("refused")
        refused = refused if isinstance(refused, list) else []
        doubled = answer.body.get("duplicates")
        self.duplicates += doubled if isinstance(doubled, int) else 0
        self.refused += len(refused)
        self.accepted += len(batch.lines) - len(refused)
        if refused:
            self._say(f"the server refused {len(refused)} records, the first: {refused[0]}")
        self._failures, self._size, self.problem = 0, min(self._size * 2, self._most), ""
        return 0.0

    def _failed(self, batch: Batch, answer: Answer) -> float:
        said = answer.problem or f"HTTP {answer.status}"
        if answer.status in (400, 413, 415, 422):
            return self._divided(batch, said)
        self._say(f"calls could not be sent ({said}); they are kept and sent again")
        pause = self._backoff()
        return pause if answer.retry_after is None else max(answer.retry_after, 0.05)

    def _divided(self, batch: Batch, said: str) -> float:
        """The server will not read this batch: find the record it is about."""
        if len(batch.lines) > 1:
            self._size = max(len(batch.lines) // 2, 1)
            return 0.0
        self._outbox.sent(batch)
        self.refused += 1
        self._say(f"the server refused a record ({said})")
        return 0.0

    def _backoff(self) -> float:
        """Exponential with full jitter, from half a second to a minute."""
        ceiling = min(self._first_pause * 2**self._failures, LONGEST_PAUSE)
        self._failures = min(self._failures + 1, 16)
        return self._random.uniform(ceiling / 10, ceiling)

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._stopped and (left := until - time.monotonic()) > 0:
            self._wake.wait(left)
            self._wake.clear()

    def _say(self, problem: str) -> None:
        if problem != self.problem:
            log.warning("%s", problem)
        self.problem = problem
