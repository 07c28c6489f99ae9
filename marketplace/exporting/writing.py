"""A zip written as it grows: JSON Lines and inert CSV, each file's digest kept for the manifest."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from settlement import spreadsheets

PIECE = 1_000_000  # bytes handed on at once


class Sink(io.RawIOBase):
    """Takes bytes as a file that cannot be sought in; hands them on in pieces."""

    def __init__(self, keep: Callable[[bytes], None]) -> None:
        super().__init__()
        self._keep = keep
        self._held = bytearray()
        self.size = 0
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        taken = bytes(data)
        self.digest.update(taken)
        self.size += len(taken)
        self._held += taken
        while len(self._held) >= PIECE:
            self._keep(bytes(self._held[:PIECE]))
            del self._held[:PIECE]
        return len(taken)

    def finish(self) -> None:
        """Hand on what is left."""
        if self._held:
            self._keep(bytes(self._held))
            self._held.clear()


class Writer:
    """Files of one archive. `manifest` grows with each: name, bytes, SHA-256, rows."""

    def __init__(self, sink: Sink, *, at: datetime) -> None:
        self._zip = zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED)
        self._at = at.timetuple()[:6]
        self.manifest: list[dict[str, Any]] = []

    @contextmanager
    def _file(self, name: str) -> Iterator["_File"]:
        info = zipfile.ZipInfo(name, self._at)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self._zip.open(info, "w", force_zip64=True) as inner:
            made = _File(inner)
            yield made
        row = {"name": name, "bytes": made.size, "sha256": made.digest.hexdigest()}
        self.manifest.append(row | ({"rows": made.rows} if made.rows is not None else {}))

    def text(self, name: str, content: str | bytes) -> None:
        """One whole file."""
        with self._file(name) as file:
            file.add(content if isinstance(content, bytes) else content.encode())

    def lines(self, name: str, lines: Iterable[str]) -> None:
        """A file from lines that end themselves."""
        with self._file(name) as file:
            for line in lines:
                file.add(line.encode())

    def rows(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        """`name`.jsonl; returns how many rows it holds."""
        with self._file(f"{name}.jsonl") as file:
            file.rows = 0
            for row in rows:
                file.add(json.dumps(row, default=plain, ensure_ascii=False).encode() + b"\n")
                file.rows += 1
            return file.rows

    def sheet(self, name: str, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
        """`name`.csv, which no spreadsheet reads as a formula."""
        with self._file(f"{name}.csv") as file:
            cells = ([_cell(row[one]) for one in columns] for row in rows)
            for line in spreadsheets.lines([tuple(columns)]):
                file.add(line.encode())
            for line in spreadsheets.lines(cells):
                file.add(line.encode())

    def close(self) -> None:
        """Write the manifest last, and end the zip."""
        listed = {"format": "earnest-archive/1", "files": list(self.manifest)}
        self.text("manifest.json", json.dumps(listed, indent=1) + "\n")
        self._zip.close()


class _File:
    """One file while it is written."""

    def __init__(self, inner: IO[bytes]) -> None:
        self._inner = inner
        self.size = 0
        self.rows: int | None = None
        self.digest = hashlib.sha256()

    def add(self, data: bytes) -> None:
        self._inner.write(data)
        self.size += len(data)
        self.digest.update(data)


def plain(value: Any) -> Any:
    """What JSON has no word for: times in ISO 8601, decimals and ids as text, bytes in hex."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _cell(value: Any) -> spreadsheets.Cell:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal | str):
        return value
    if isinstance(value, dict | list):
        return json.dumps(value, default=plain, ensure_ascii=False)
    return str(plain(value))
