"""A whole Earnest of its own, as a person starts it, and the ways to hurt it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import redis

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90.0
START_PATIENCE_SECONDS = 180.0  # a first start migrates, on processors that run other tests
BACK_WITHIN_SECONDS = 10.0  # the web, once its database is
TAKEN_AWAY = {"DATABASE_URL", "REDIS_URL", "EARNEST_DATA", "EARNEST_WEB_POOL", "EARNEST_PROCESS"}


class Stuck(AssertionError):
    """What was waited for did not happen; the message ends with the logs."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the web server."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Stack:
    """One `up` in a data folder of its own. It may be killed whole and started again."""

    folder: Path
    process: "subprocess.Popen[str] | None" = None
    address: str = ""
    said: list[str] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)

    # --- life ---------------------------------------------------------------------------------

    def start(self) -> None:
        """Start `up` on the folder, whatever it finds there, and wait for its address."""
        command = [sys.executable, "-m", "marketplace.local", "--no-sample", "--port", "0"]
        self.process = subprocess.Popen(
            [*command, "--data", str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=ROOT,
            env=clean_environment(),
        )
        ready = threading.Event()
        threading.Thread(target=self._listen, args=(self.process, ready), daemon=True).start()
        if not ready.wait(START_PATIENCE_SECONDS) or not self.address:
            raise Stuck(self.story("up did not come up"))

    def _listen(self, process: "subprocess.Popen[str]", ready: threading.Event) -> None:
        assert process.stdout
        self.address = ""
        for line in process.stdout:
            self.said.append(line)
            if found := re.search(r"Earnest is at (\S+)", line):
                self.address = found[1]
                ready.set()
        ready.set()

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(PATIENCE_SECONDS)

    def story(self, what: str) -> str:
        """What went wrong, with what everybody said last."""
        logs = sorted((self.folder / "log").glob("*.log"))
        tails = [f"--- {log.name}\n{log.read_text(errors='replace')[-3000:]}" for log in logs]
        return "\n".join([what, "".join(self.said[-30:]), *tails])

    # --- who is who ---------------------------------------------------------------------------

    def pid(self, name: str) -> int:
        """The process of a service, which leads its own process group."""
        children = json.loads((self.folder / "processes.json").read_text())
        return int(children[name][0])

    def people(self, *names: str) -> None:
        """Members of the cast, with an API key each."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.faults.people", *names],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=clean_environment() | self.urls | {"EARNEST_DEVELOPMENT": "1"},
        )
        assert done.returncode == 0, done.stderr
        self.secrets = json.loads(done.stdout)

    @property
    def urls(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "instance.json").read_text())
        settings = "marketplace.settings"
        return {**found, "DJANGO_SETTINGS_MODULE": settings, "EARNEST_DATA": str(self.folder)}

    # --- hurting it ---------------------------------------------------------------------------

    def kill(self, name: str) -> int:
        """SIGKILL to a service and everything in its process group; the leader's pid."""
        pid = self.pid(name)
        os.killpg(pid, signal.SIGKILL)
        return pid

    @contextmanager
    def outage(self, name: str) -> Iterator[None]:
        """Kill a service and keep it down for the length of a block: its supervisor sleeps."""
        assert self.process
        self.process.send_signal(signal.SIGSTOP)
        try:
            self.kill(name)
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def kill_children(self, name: str) -> list[int]:
        """SIGKILL to the children of a service, not to the service itself."""
        pid = self.pid(name)
        children = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        for child in children:
            os.kill(child, signal.SIGKILL)
        return children

    def kill_everything(self) -> None:
        """SIGKILL to the supervisor and to every service with its group, as a power cut would."""
        assert self.process
        groups = json.loads((self.folder / "processes.json").read_text())
        self.process.kill()
        for pid, _ in groups.values():
            with suppress(ProcessLookupError):
                os.killpg(int(pid), signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def forget_messages(self) -> None:
        """FLUSHALL, as soon as Valkey answers again."""

        def flush() -> bool:
            with suppress(redis.RedisError), redis.Redis.from_url(self.urls["REDIS_URL"]) as line:
                return bool(line.flushall())
            return False

        self.wait("Valkey to be back", flush)

    # --- asking it ----------------------------------------------------------------------------

    def ask(
        self, who: str, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> Answer:
        """One request to the API as alice or bob (or "" for nobody)."""
        headers = {"Content-Type": "application/json"}
        if who:
            headers["Authorization"] = f"Bearer {self.secrets[who]}"
        if key:
            headers["Idempotency-Key"] = key
        data = None if body is None else json.dumps(body).encode()
        url = self.address + (path if path.startswith("/") else f"/api/v1/{path}")
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as found:
                return Answer(found.status, dict(found.headers), found.read())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, dict(refused.headers), refused.read())

    def get(self, who: str, path: str) -> Any:
        """What is there, asked again while the answer is 503."""
        answers: list[Answer] = []

        def once() -> bool:
            answers.append(self.ask(who, "GET", path))
            return answers[-1].status != 503

        self.wait(f"{path} to be answered", once, seconds=BACK_WITHIN_SECONDS)
        assert answers[-1].status == 200, (path, answers[-1])
        return answers[-1].json

    def post(self, who: str, path: str, body: Any = None) -> Any:
        """A POST that must succeed at once, with a fresh key."""
        answer = self.ask(who, "POST", path, {} if body is None else body, key=uuid4().hex)
        assert answer.status == 201, (path, answer)
        return answer.json

    def insist(self, who: str, path: str, body: Any = None) -> Any:
        """A POST repeated under one key until it is acknowledged, as a careful program does."""
        key, answers = uuid4().hex, []

        def once() -> bool:
            with suppress(OSError, HTTPException):
                answers.append(self.ask(who, "POST", path, {} if body is None else body, key=key))
                assert answers[-1].status in (201, 409, 502, 503), answers[-1]
                return answers[-1].status == 201
            return False

        self.wait(f"{path} to be acknowledged", once)
        return answers[-1].json

    @contextmanager
    def database(self) -> "Iterator[psycopg.Connection[Any]]":
        with psycopg.connect(self.urls["DATABASE_URL"], autocommit=True) as connection:
            yield connection

    def rows(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """The answer to one question in SQL; none while the database is away."""
        try:
            with self.database() as connection:
                return connection.execute(question.encode(), values).fetchall()
        except psycopg.OperationalError:
            return []

    def wait(
        self, what: str, happened: Callable[[], object], *, seconds: float = PATIENCE_SECONDS
    ) -> float:
        """Wait until it happened; how many seconds that took. Raises `Stuck`."""
        began = time.monotonic()
        while not happened():
            if time.monotonic() - began > seconds:
                raise Stuck(self.story(f"waited {seconds:.0f} s for {what}"))
            time.sleep(0.05)
        return time.monotonic() - began


def clean_environment() -> dict[str, str]:
    """This environment without what would lead the stack to the servers of the test run."""
    return {name: value for name, value in os.environ.items() if name not in TAKEN_AWAY}
