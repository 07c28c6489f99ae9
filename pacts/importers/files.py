"""Files as people hand them over: one file, a compressed one, or an archive of many.

Everything is read under a cap, whatever its header promises: a stranger's archive may name any
path and any size. Nothing is written to disk and no path in an archive is followed.
"""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Protocol

from pacts.importers.run import RunsMalformed

MOST_BYTES = 512 * 1024 * 1024  # of all members together, decompressed
MOST_MEMBERS = 20_000
_CHUNK = 1 << 20
_ZIP = b"PK\x03\x04"
_ZSTANDARD = 93  # APPNOTE.TXT 6.3.9, compression method


@dataclass(frozen=True, slots=True)
class Member:
    """One file: its path within what was handed over, and its bytes."""

    name: str
    data: bytes

    @property
    def stem(self) -> str:
        """The name without folders and endings."""
        return PurePosixPath(self.name).name.split(".")[0]

    def json(self) -> Any:
        """The file as JSON; NaN reads as None. Raises RunsMalformed."""
        return parse(self.data, self.name)

    def lines(self) -> Iterator[tuple[int, Any]]:
        """The file as JSON Lines, each with its number from 1. Raises RunsMalformed."""
        for number, line in enumerate(self.data.splitlines(), start=1):
            if line.strip():
                yield number, parse(line, f"{self.name}, line {number}")


class Readable(Protocol):
    """What is open for reading bytes, wherever they come from."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class _Allowance:
    left: int = MOST_BYTES

    def read(self, stream: Readable, name: str) -> bytes:
        parts = []
        while chunk := stream.read(_CHUNK):
            self.left -= len(chunk)
            if self.left < 0:
                raise RunsMalformed(
                    f"{name}: more than {MOST_BYTES // 2**20} MB when unpacked; split the file"
                )
            parts.append(chunk)
        return b"".join(parts)


def parse(data: bytes, name: str) -> Any:
    """JSON from a run log. Raises RunsMalformed."""
    try:
        return json.loads(data, parse_constant=lambda _: None)
    except (ValueError, RecursionError) as error:
        raise RunsMalformed(f"{name} is not JSON: {error}") from error


def members(name: str, data: bytes) -> list[Member]:
    """The files in what was handed over, sorted by path. Raises RunsMalformed."""
    allowance = _Allowance()
    try:
        found = [
            inner
            for member in _unpack(name, data, allowance)
            for inner in _logs_inside(member, allowance)
        ]
    except (tarfile.TarError, zipfile.BadZipFile, lzma.LZMAError, EOFError, OSError) as error:
        raise RunsMalformed(f"{name} cannot be unpacked: {error}") from error
    return sorted(found, key=lambda member: member.name)


def _logs_inside(member: Member, allowance: _Allowance) -> Iterator[Member]:
    """The members of an `.eval` log that lies in an archive beside others, under its name."""
    if not (member.name.endswith(".eval") and member.data[:4] == _ZIP):
        yield member
        return
    for inner in _zip(member.data, allowance):
        yield Member(f"{member.name}/{inner.name}", inner.data)


def _unpack(name: str, data: bytes, allowance: _Allowance) -> Iterator[Member]:
    opened = _decompressed(name, data, allowance)
    inner = opened.data
    if inner[:4] == _ZIP:
        yield from _zip(inner, allowance)
    elif inner[257:262] == b"ustar":
        yield from _tar(inner, allowance)
    else:
        yield opened


def _decompressed(name: str, data: bytes, allowance: _Allowance) -> Member:
    for ending, magic, opener in (
        (".xz", b"\xfd7zXZ\x00", lzma.open),
        (".gz", b"\x1f\x8b", gzip.open),
        (".bz2", b"BZh", bz2.open),
    ):
        if data.startswith(magic):
            with opener(io.BytesIO(data), "rb") as stream:
                return Member(name.removesuffix(ending), allowance.read(stream, name))
    allowance.left -= len(data)
    return Member(name, data)


def _tar(data: bytes, allowance: _Allowance) -> Iterator[Member]:
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
        for number, entry in enumerate(archive):
            _check_number(number)
            stream = archive.extractfile(entry) if entry.isreg() else None
            if stream is not None:
                yield Member(entry.name, allowance.read(stream, entry.name))


def _zip(data: bytes, allowance: _Allowance) -> Iterator[Member]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries: Sequence[zipfile.ZipInfo] = archive.infolist()
        for number, entry in enumerate(entries):
            _check_number(number)
            if entry.is_dir():
                continue
            if entry.flag_bits & 1:
                raise RunsMalformed(f"{entry.filename} is encrypted")
            if entry.compress_type == _ZSTANDARD:
                yield Member(entry.filename, _zstandard(data, entry, allowance))
                continue
            with archive.open(entry) as stream:
                yield Member(entry.filename, allowance.read(stream, entry.filename))


def _zstandard(data: bytes, entry: zipfile.ZipInfo, allowance: _Allowance) -> bytes:
    """A member packed with Zstandard, which Python's zipfile learns only in version 3.14.

    The local header has 30 bytes, then the name and the extra field (APPNOTE.TXT, 4.3.7).
    """
    import pyarrow as arrow

    start = entry.header_offset
    names = sum(int.from_bytes(data[start + at : start + at + 2], "little") for at in (26, 28))
    packed = data[start + 30 + names : start + 30 + names + entry.compress_size]
    with arrow.input_stream(arrow.py_buffer(packed), compression="zstd") as stream:
        return allowance.read(stream, entry.filename)


def _check_number(number: int) -> None:
    if number >= MOST_MEMBERS:
        raise RunsMalformed(f"more than {MOST_MEMBERS:,} files in one archive; split it")
