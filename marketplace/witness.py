"""A witness: a program of its own, with its own key and its own memory, that cosigns the log.

    python -m marketplace.witness --folder DIR [--port N] [--name NAME] [--trust VKEY]...

It cosigns a head only if it continues what it cosigned before, keeps what it saw in SQLite below
DIR, and says why it declines; what a log signed and could not prove is kept too. It shares no
database, settings or secret with the platform: run it on somebody else's machine.

POST /add-checkpoint (C2SP tlog-witness); GET /<sha256 of the origin>/checkpoint: what it saw last.
"""

import argparse
import hashlib
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reputation import notes
from reputation.witnessing import Declined, Seen, judge

NAME = "witness.localhost/1"
LARGEST_BODY = 64 * 1024
TABLES = """
    CREATE TABLE IF NOT EXISTS seen (
        origin TEXT PRIMARY KEY, place TEXT UNIQUE, size INTEGER NOT NULL, root BLOB NOT NULL,
        note TEXT NOT NULL, at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE IF NOT EXISTS declined (
        at INTEGER NOT NULL, status INTEGER NOT NULL, reason TEXT NOT NULL, body BLOB NOT NULL
    ) STRICT;
"""


class Witness:
    """One witness in its folder: `key` (its secret), `logs` (whom it knows), `seen.sqlite3`."""

    def __init__(self, folder: Path, name: str = NAME) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._logs = folder / "logs"
        self._store = folder / "seen.sqlite3"
        self._lock = threading.Lock()
        self.name = name
        self._key = _key_in(folder / "key")
        with closing(sqlite3.connect(self._store)) as store:
            store.executescript(TABLES)

    @property
    def vkey(self) -> notes.Vkey:
        """The key its cosignatures verify under."""
        return notes.Vkey(self.name, notes.COSIGNATURE, self._key.public_key().public_bytes_raw())

    def trust(self, vkeys: Sequence[str]) -> None:
        """Know these logs from now on, besides those it knows."""
        known = {str(key) for key in self._known()} | {str(notes.read_vkey(key)) for key in vkeys}
        self._logs.write_text("".join(f"{key}\n" for key in sorted(known)))

    def add_checkpoint(self, body: bytes, *, seconds: int) -> str:
        """A cosignature line, remembered before it is given. Raises Declined."""
        with self._lock, closing(sqlite3.connect(self._store, isolation_level=None)) as store:
            store.execute("BEGIN IMMEDIATE")
            try:
                asked = judge(
                    body=body, logs=self._known(), seen=lambda origin: _seen(store, origin)
                )
            except Declined as error:
                if error.attested:
                    row = (seconds, error.status, str(error), body)
                    store.execute("INSERT INTO declined VALUES (?, ?, ?, ?)", row)
                store.execute("COMMIT")
                raise
            line = notes.cosign(text=asked.text, name=self.name, key=self._key, seconds=seconds)
            note = body.decode().partition("\n\n")[2] + str(line)
            head = asked.head
            store.execute(
                "INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?)",
                (head.origin, place_of(head.origin), head.size, head.root, note, seconds),
            )
            store.execute("COMMIT")
            return str(line)

    def checkpoint(self, place: str) -> str | None:
        """The last checkpoint cosigned of the log at this place, with our cosignature."""
        with closing(sqlite3.connect(self._store)) as store:
            row = store.execute("SELECT note FROM seen WHERE place = ?", (place,)).fetchone()
        return row and str(row[0])

    def _known(self) -> list[notes.Vkey]:
        lines = self._logs.read_text().splitlines() if self._logs.exists() else []
        return [notes.read_vkey(line) for line in lines if line.strip()]


def place_of(origin: str) -> str:
    """Where a witness answers for a log: the SHA-256 of its origin, in hex."""
    return hashlib.sha256(origin.encode()).hexdigest()


def _seen(store: sqlite3.Connection, origin: str) -> Seen:
    row = store.execute("SELECT size, root FROM seen WHERE origin = ?", (origin,)).fetchone()
    return Seen(row[0], row[1]) if row else Seen()


def _key_in(path: Path) -> Ed25519PrivateKey:
    if not path.exists():
        draft = path.with_suffix(".new")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(Ed25519PrivateKey.generate().private_bytes_raw())
        draft.replace(path)
    return Ed25519PrivateKey.from_private_bytes(path.read_bytes())


class Answers(BaseHTTPRequestHandler):
    """The witness over HTTP/1.1."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    witness: Witness

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            return self._answer(413, "send at most 64 KiB, with its length\n")
        body = self.rfile.read(int(length))
        if self.path != "/add-checkpoint":
            return self._answer(404, "nothing is here\n")
        try:
            line = self.witness.add_checkpoint(body, seconds=int(time.time()))
        except Declined as error:
            return self._decline(error)
        return self._answer(200, line)

    def do_GET(self) -> None:
        place, _, rest = self.path.removeprefix("/").partition("/")
        found = self.witness.checkpoint(place) if rest == "checkpoint" else None
        self._answer(200 if found else 404, found or "nothing is here\n")

    def _decline(self, error: Declined) -> None:
        self.log_message("declined %s: %s", error.status, error)
        if error.size is None:
            return self._answer(error.status, f"{error}\n")
        return self._answer(error.status, f"{error.size}\n", "text/x.tlog.size", str(error))

    def _answer(
        self, status: int, text: str, kind: str = "text/plain; charset=utf-8", reason: str = ""
    ) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if reason:
            self.send_header("Earnest-Reason", reason)
        self.end_headers()
        self.wfile.write(body)


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="witness", description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of its key and its memory")
    parser.add_argument("--port", type=int, default=8100, help="on this machine alone")
    parser.add_argument("--name", default=NAME, help="of its key, such as witness.example.org/1")
    parser.add_argument("--trust", action="append", default=[], help="a log's vkey")
    asked = parser.parse_args(arguments)
    witness = Witness(asked.folder, asked.name)
    witness.trust(asked.trust)
    handler = type("TheseAnswers", (Answers,), {"witness": witness})
    server = ThreadingHTTPServer(("127.0.0.1", asked.port), handler)

    def stop(number: int, frame: FrameType | None) -> None:
        threading.Thread(target=server.shutdown).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    sys.stdout.write(f"witness {witness.vkey} at http://127.0.0.1:{server.server_port}/\n")
    sys.stdout.flush()
    server.serve_forever()
    server.server_close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
