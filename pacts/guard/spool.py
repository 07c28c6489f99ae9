"""Records on disk until the server has them: append-only segments that outlive the process.

One folder per process below the spool's, locked while the process lives:

    <spool>/<uuid7>/lock            held (flock) by the process that writes here
                    00000001.seg    frames: length and CRC-32 of the payload (2 × 4 bytes, little
                                    endian), then the payload, one record as JSON
                    cursor          "<segment> <offset>": everything before it is with the server

What `append` has counted is in the operating system's hands: `kill -9` does not lose it, and with
`fsync="always"` neither does a power cut. A frame that was cut off in the middle ends its segment.
A process that starts, or runs on, adopts the folders nobody holds a lock of and sends what they
still owe; since records carry ids, sending one twice counts once.
"""

import os
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pacts.guard.identifiers import uuid7

try:
    import fcntl
except ImportError:  # not a POSIX system: see `Spool`
    fcntl = None  # type: ignore[assignment]

Fsync = Literal["always", "interval", "never"]

SEGMENT_BYTES = 8 * 1024 * 1024
LONGEST_RECORD = 2 * 1024 * 1024
FSYNC_SECONDS = 1.0
_HEAD = struct.Struct("<II")


class SpoolUnusable(RuntimeError):
    """The folder cannot be written, or the system has no file locks."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are due, and where the cursor stands once the server has them."""

    lines: list[bytes]
    segment: int
    end: int


class Folder:
    """One process's segments. Only its owner writes; whoever holds the lock sends."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock
        self.segment, self.offset = self._read_cursor()
        self.torn = 0

    def segments(self) -> list[int]:
        return sorted(int(one.stem) for one in self.path.glob("*.seg"))

    def name(self, segment: int) -> Path:
        return self.path / f"{segment:08d}.seg"

    def due(self, most: int, most_bytes: int, open_segment: int | None = None) -> Batch | None:
        """The next records after the cursor; finished segments are removed on the way."""
        for segment in self.segments():
            start = self.offset if segment == self.segment else 0
            if segment < self.segment:
                self.name(segment).unlink(missing_ok=True)
                continue
            lines, end = self._read(segment, start, most, most_bytes)
            if lines:
                return Batch(lines, segment, end)
            if segment == open_segment:
                return None
            self._finish(segment, start)
        return None

    def sent(self, batch: Batch) -> None:
        """Move the cursor behind a batch, for good."""
        self.segment, self.offset = batch.segment, batch.end
        new = self.path / "cursor.new"
        new.write_text(f"{batch.segment} {batch.end}")
        new.replace(self.path / "cursor")

    def remove(self) -> None:
        """Drop a folder that owes nothing."""
        for file in self.path.iterdir():
            file.unlink(missing_ok=True)
        self.path.rmdir()
        self.release()

    def release(self) -> None:
        os.close(self._lock)

    def _finish(self, segment: int, start: int) -> None:
        if self.name(segment).stat().st_size > start:
            self.torn += 1
        self.sent(Batch([], segment + 1, 0))
        self.name(segment).unlink(missing_ok=True)

    def _read(
        self, segment: int, start: int, most: int, most_bytes: int
    ) -> tuple[list[bytes], int]:
        lines: list[bytes] = []
        size, end = 0, start
        with self.name(segment).open("rb") as file:
            file.seek(start)
            for payload, after in _frames(file.read(most_bytes + LONGEST_RECORD), start):
                if len(lines) == most or (lines and size + len(payload) > most_bytes):
                    break
                lines.append(payload)
                size, end = size + len(payload) + 1, after
        return lines, end

    def _read_cursor(self) -> tuple[int, int]:
        try:
            segment, offset = (self.path / "cursor").read_text().split()
            return int(segment), int(offset)
        except (OSError, ValueError):
            return 0, 0


def frame(payload: bytes) -> bytes:
    """A record as it stands in a segment."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def _frames(data: bytes, start: int) -> Iterator[tuple[bytes, int]]:
    """Whole frames with the offset behind each; ends at the first that is not whole."""
    place = 0
    while place + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, place)
        payload = data[place + _HEAD.size : place + _HEAD.size + length]
        if len(payload) < length or zlib.crc32(payload) != checksum:
            return
        place += _HEAD.size + length
        yield payload, start + place


class Spool:
    """This process's own folder and the ones it has adopted. Bounded: at `most_bytes` on disk of
    its own, `append` takes no more and says so. Raises SpoolUnusable."""

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        fsync: Fsync = "interval",
        most_bytes: int = 256 * 1024 * 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root, self._fsync, self._most, self._clock = Path(root), fsync, most_bytes, clock
        self._lock = threading.Lock()
        self._segment, self._size, self._synced, self._let_go = 1, 0, 0.0, False
        try:
            self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._own = self._new_folder()
            self._file = self._open()
        except OSError as error:
            raise SpoolUnusable(f"the spool {root} cannot be used: {error}") from error
        self._adopted: list[Folder] = []
        self._sending: Folder = self._own

    def append(self, lines: Sequence[bytes]) -> int:
        """Write records down; returns how many, from the first, are kept from now on."""
        with self._lock:
            fitting = self._fitting(lines)
            data = b"".join(map(frame, fitting))
            if data:
                self._write(data)
            return len(fitting)

    def due(self, most: int, most_bytes: int) -> Batch | None:
        """The next records, of orphaned folders first; None where nothing is due."""
        while self._adopted:
            self._sending = self._adopted[-1]
            batch = self._sending.due(most, most_bytes)
            if batch is not None:
                return batch
            self._own.torn += self._sending.torn
            self._adopted.pop().remove()
        self._sending = self._own
        with self._lock:
            segment = self._segment
        return self._own.due(most, most_bytes, open_segment=segment)

    def sent(self, batch: Batch) -> None:
        """The server has the batch that `due` gave last."""
        self._sending.sent(batch)

    def adopt(self) -> int:
        """Take over the folders of processes that are gone; returns how many."""
        mine = {folder.path for folder in (self._own, *self._adopted)}
        found = [self._taken(path) for path in sorted(self._root.iterdir()) if path not in mine]
        self._adopted.extend(folder for folder in found if folder)
        return len(self._adopted)

    @property
    def torn(self) -> int:
        """Segments that ended in the middle of a record."""
        return self._own.torn

    def held_bytes(self) -> int:
        """Bytes of this process that are on disk and not yet removed."""
        return sum(self._own.name(one).stat().st_size for one in self._own.segments())

    def close(self) -> None:
        """Sync, and let go: what is still owed is adopted by the next process."""
        with self._lock:
            if self._fsync != "never" and not self._let_go:
                os.fsync(self._file)
            self.abandon()

    def abandon(self) -> None:
        """Let go of the files without touching them; in the child of a fork they are the parent's.
        Once: afterwards their numbers may be anybody's."""
        if self._let_go:
            return
        self._let_go = True
        os.close(self._file)
        for folder in (self._own, *self._adopted):
            folder.release()

    def _fitting(self, lines: Sequence[bytes]) -> Sequence[bytes]:
        room = self._most - self._size
        if sum(map(len, lines)) + _HEAD.size * len(lines) > room:
            self._size = self.held_bytes()
            room = self._most - self._size
        for i, line in enumerate(lines):
            room -= len(line) + _HEAD.size
            if room < 0:
                return lines[:i]
        return lines

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self._size += len(data)
        due = self._fsync == "interval" and self._clock() - self._synced >= FSYNC_SECONDS
        if self._fsync == "always" or due:
            os.fsync(self._file)
            self._synced = self._clock()
        if os.fstat(self._file).st_size >= SEGMENT_BYTES:
            self._rotate()

    def _rotate(self) -> None:
        if self._fsync != "never":
            os.fsync(self._file)
        os.close(self._file)
        self._segment += 1
        self._file = self._open()

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_CLOEXEC", 0)
        return os.open(self._own.name(self._segment), flags, 0o600)

    def _new_folder(self) -> Folder:
        path = self._root / uuid7(time.time_ns())
        path.mkdir(mode=0o700)
        folder = self._taken(path)
        if folder is None:
            raise SpoolUnusable("this system has no file locks; pass spool=None")
        return folder

    def _taken(self, path: Path) -> Folder | None:
        """The folder, if nobody else holds its lock."""
        if fcntl is None:
            return None
        try:
            lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.stat(path / "lock").st_ino == os.fstat(lock).st_ino:
                return Folder(path, lock)
        except OSError:
            pass
        os.close(lock)
        return None


class Memory:
    """The same for a process without a disk: at most `most_bytes`, and gone with the process."""

    torn = 0

    def __init__(self, most_bytes: int) -> None:
        self._most, self._held = most_bytes, 0
        self._lines: list[bytes] = []
        self._lock = threading.Lock()

    def append(self, lines: Sequence[bytes]) -> int:
        with self._lock:
            for i, line in enumerate(lines):
                if self._held + len(line) > self._most:
                    return i
                self._lines.append(line)
                self._held += len(line)
            return len(lines)

    def due(self, most: int, most_bytes: int) -> Batch | None:
        with self._lock:
            size, taken = 0, 0
            for line in self._lines[:most]:
                size += len(line) + 1
                if taken and size > most_bytes:
                    break
                taken += 1
            return Batch(self._lines[:taken], 0, taken) if taken else None

    def sent(self, batch: Batch) -> None:
        with self._lock:
            self._held -= sum(map(len, batch.lines))
            del self._lines[: batch.end]

    def adopt(self) -> int:
        return 0

    def close(self) -> None:
        """Nothing to let go of."""

    def abandon(self) -> None:
        """Nothing that a child could touch."""
