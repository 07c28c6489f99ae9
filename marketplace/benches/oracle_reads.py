"""Readers over a socket: one gunicorn as the product starts it, many clients that keep alive."""

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from marketplace.benches.crowd import Act, BenchFailed, Prepare, Seat, rates_in_turns
from marketplace.local.folder import ROOT
from marketplace.local.programs import THREADS, gunicorn

SETTINGS = "marketplace.benches.oracle_settings"
READS = 20  # in one act of a client
TURN_SECONDS = 0.25
PATIENCE_SECONDS = 30.0


def connected(port: int) -> socket.socket:
    """A connection that stays and sends at once."""
    line = socket.create_connection(("127.0.0.1", port), PATIENCE_SECONDS)
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return line


@contextmanager
def server(surroundings: Mapping[str, str]) -> Iterator[int]:
    """The site on a port of its own, for the length of a block. Raises BenchFailed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [
        part
        for part in gunicorn("bench", port, "marketplace.wsgi:application")
        if part not in ("--access-logfile", "-")
    ]
    environment = {**surroundings, "EARNEST_WEB_POOL": str(THREADS)}
    process = subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _await(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(15)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as line:
                if _read(line, "/healthz") == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise BenchFailed("the web server did not come up")


@dataclass(frozen=True, slots=True)
class Reads:
    """Addresses asked in turn; `tags` asks with the ETag of the answer before."""

    paths: Sequence[str]
    tags: bool = False


def reads_per_second(
    port: int, asked: Mapping[str, Reads], *, clients: int, seconds: float
) -> list[dict[str, float]]:
    """Answers per second of each, turn by turn: `TURN_SECONDS` each until `seconds` are over."""
    return rates_in_turns(
        {name: _preparing(port, reads) for name, reads in asked.items()},
        clients=clients,
        seconds=min(seconds, TURN_SECONDS),
        turns=max(1, round(seconds / TURN_SECONDS)),
    )


def _preparing(port: int, reads: Reads) -> Prepare:
    def prepare(seat: Seat) -> Act:
        line = connected(port)
        wanted = 304 if reads.tags else 200
        asked = [(path, _tag(line, path) if reads.tags else "") for path in reads.paths]

        def act() -> int:
            for number in range(READS):
                path, tag = asked[(seat.number + number) % len(asked)]
                status = _read(line, path, tag)
                if status != wanted:
                    raise BenchFailed(f"{path} answered {status}")
            return READS

        return act

    return prepare


def _read(line: socket.socket, path: str, tag: str = "") -> int:
    return ask(line, path, **({"If_None_Match": tag} if tag else {}))[0]


def _tag(line: socket.socket, path: str) -> str:
    head = ask(line, path)[1].decode("latin-1")
    found = [row[6:] for row in head.split("\r\n") if row.lower().startswith("etag: ")]
    if not found:
        raise BenchFailed(f"{path} has no ETag")
    return found[0]


def ask(line: socket.socket, path: str, **headers: str) -> tuple[int, bytes]:
    """Status and head of one answer, its body read to the end."""
    sent = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    line.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{sent}\r\n".encode())
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(line)
    head, _, body = received.partition(b"\r\n\r\n")
    status = int(head[9:12])
    missing = _length(head) - len(body) if status == 200 else 0
    while missing > 0:
        missing -= len(_more(line))
    return status, head


def _more(line: socket.socket) -> bytes:
    found = line.recv(65_536)
    if not found:
        raise BenchFailed("the server closed the connection")
    return found


def _length(head: bytes) -> int:
    for row in head.split(b"\r\n"):
        if row.lower().startswith(b"content-length: "):
            return int(row[16:])
    raise BenchFailed("an answer does not say its length")
