"""Files as people hand them over: one file, a compressed one, an archive of many, or a folder.

Nothing is unpacked before it is asked for, and everything is read under one cap, whatever a header
promises: a stranger's archive may name any path and any size. No path in an archive is followed.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Any

from pacts.importers import json_stream
from pacts.importers.json_stream import NotJson, SeveralValues
from pacts.importers.run import RunsMalformed

MOST_BYTES = 512 * 1024 * 1024  # of all members together, decompressed
MOST_MEMBERS = 20_000
MOST_NESTED = 3
LONGEST_LINE = 32 * 1024 * 1024
_CHUNK = 1 << 20
_HEAD = 4096
_ZIP, _EMPTY_ZIP, _ENTRY = b"PK\x03\x04", b"PK\x05\x06", b"PK\x01\x02"
_ZSTANDARD = 93  # APPNOTE.TXT 6.3.9, compression method
_PACKED: tuple[tuple[str, bytes, Callable[[Any], Any]], ...] = (
    (".xz", b"\xfd7zXZ\x00", lzma.open),
    (".gz", b"\x1f\x8b", gzip.open),
    (".bz2", b"BZh", bz2.open),
)
_ENDINGS = {".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".txt", ".xml", ".yml", ".yaml", ".eval"}
_DAMAGED = (EOFError, OSError, lzma.LZMAError, zlib.error, zipfile.BadZipFile, tarfile.TarError)
_ENCODINGS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


class _Allowance:
    """What may still be unpacked. A byte counts once, however often it is read."""

    def __init__(self, left: int = MOST_BYTES) -> None:
        self.left = left

    def take(self, size: int, name: str) -> None:
        self.left -= size
        if self.left < 0:
            raise RunsMalformed(
                f"{name}: more than {MOST_BYTES // 2**20} MB when unpacked; split the file"
            )


class Member:
    """One file: its path within what was handed over, and a way to read it."""

    def __init__(
        self,
        name: str,
        opener: Callable[[], Any],
        allowance: _Allowance | None = None,
    ) -> None:
        self.name = name
        self._opener = opener
        self._allowance = allowance or _Allowance()
        self._counted = 0
        self._head: bytes | None = None
        self._json: Any = None
        self._asked = False

    def __repr__(self) -> str:
        return f"Member({self.name!r})"

    @property
    def stem(self) -> str:
        """The name without folders and endings."""
        path = PurePosixPath(self.name)
        while path.suffix.lower() in _ENDINGS:
            path = path.with_suffix("")
        return path.name

    def open(self) -> io.BufferedReader:
        """The bytes from the beginning. What reads it raises RunsMalformed."""
        return io.BufferedReader(_Counted(self), _CHUNK)

    def head(self) -> bytes:
        """The first 4,096 bytes."""
        if self._head is None:
            with self.open() as stream:
                self._head = stream.read(_HEAD)
        return self._head

    @property
    def data(self) -> bytes:
        """All bytes at once."""
        with self.open() as stream:
            return stream.read()

    def encoding(self) -> str:
        """By its byte order mark, or UTF-8."""
        marks = (name for mark, name in _ENCODINGS.items() if self.head().startswith(mark))
        return next(marks, "utf-8")

    def start(self) -> str:
        """The first characters that are no white space, as far as the head shows them."""
        return self.head().decode(self.encoding(), errors="replace").lstrip("\ufeff \t\r\n")

    def json(self) -> Any:
        """The file as JSON without what no importer reads; NaN reads as None. RunsMalformed."""
        if not self._asked:
            try:
                with self.open() as stream:
                    self._json = json_stream.load(stream)
            except NotJson as error:
                self._json = error
            self._asked = True
        if isinstance(self._json, NotJson):
            raise RunsMalformed(f"{self.name} is not JSON: {self._json}") from self._json
        return self._json

    def is_lines(self) -> bool:
        """Whether one JSON value ends and another begins."""
        self.first()
        return isinstance(self._json, SeveralValues)

    def first(self) -> object:
        """The file as JSON, or the first line of JSON Lines; None for what is neither."""
        if self.start()[:1] not in ("{", "["):
            return None
        try:
            return self.json()
        except RunsMalformed:
            if not isinstance(self._json, SeveralValues):
                return None
        try:
            return next((row for _, row in self.lines()), None)
        except RunsMalformed:
            return None

    def broken(self) -> str:
        """What is wrong with a file that begins like JSON; "" where nothing is."""
        self.first()
        wrong = isinstance(self._json, NotJson) and not isinstance(self._json, SeveralValues)
        return f"{self.name} is not JSON: {self._json}" if wrong else ""

    def lines(self) -> Iterator[tuple[int, Any]]:
        """The file as JSON Lines, each with its number from 1. Raises RunsMalformed."""
        for number, line in enumerate(self.texts(), start=1):
            if line.strip():
                try:
                    yield number, json_stream.loads(line)
                except NotJson as error:
                    raise RunsMalformed(
                        f"{self.name}, line {number} is not JSON: {error}"
                    ) from error

    def texts(self, encoding: str = "") -> Iterator[str]:
        """The lines of a text, with their ends. Raises RunsMalformed."""
        with io.TextIOWrapper(self.open(), encoding or self.encoding(), newline="") as stream:
            try:
                while line := stream.readline(LONGEST_LINE):
                    if len(line) == LONGEST_LINE:
                        raise RunsMalformed(f"{self.name} has a line of more than 32 MB")
                    yield line
            except UnicodeError as error:
                raise RunsMalformed(f"{self.name} is not UTF-8 text") from error


class _Counted(io.RawIOBase):
    """A member while it is read: its bytes count, and damage is named."""

    def __init__(self, member: Member) -> None:
        self._member, self._passed = member, 0
        with _named(member.name):
            self._stream = member._opener()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _named(self._member.name):
            data = self._stream.read(len(buffer))
        buffer[: len(data)] = data
        self._passed += len(data)
        if self._passed > self._member._counted:
            new = self._passed - self._member._counted
            self._member._counted = self._passed
            self._member._allowance.take(new, self._member.name)
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


class _named:  # noqa: N801 - read as a word: `with _named(…)`
    """Damage found while unpacking, with the file it was found in."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RuntimeError) and "password" in str(error):
            raise RunsMalformed(f"{self._name} is encrypted") from error
        if isinstance(error, NotImplementedError):
            raise RunsMalformed(f"{self._name} is packed in a way that is not read") from error
        if isinstance(error, _DAMAGED):
            raise RunsMalformed(
                f"{self._name} cannot be unpacked: {error}; it is damaged or was cut off"
            ) from error


def members(name: str, data: bytes) -> list[Member]:
    """The files in what was handed over, sorted by path. Raises RunsMalformed."""
    allowance = _Allowance()
    return _sorted(_unpacked(Member(name, lambda: io.BytesIO(data), allowance), allowance, 0))


def members_at(path: Path) -> list[Member]:
    """The files of a file, an archive or a folder on disk, sorted by path. Raises RunsMalformed."""
    allowance = _Allowance()
    found = [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file())
    base = path.parent if path.is_file() else path
    return _sorted(
        inner
        for one in found
        for inner in _unpacked(
            Member(one.relative_to(base).as_posix(), _opener_of(one), allowance),
            allowance,
            0 if path.is_file() else 1,
        )
    )


def _opener_of(path: Path) -> Callable[[], IO[bytes]]:
    return lambda: path.open("rb")


def _sorted(found: Iterable[Member]) -> list[Member]:
    kept: list[Member] = []
    for member in found:
        if len(kept) == MOST_MEMBERS:
            raise RunsMalformed(f"more than {MOST_MEMBERS:,} files at once; split them")
        if not _is_litter(member.name):
            kept.append(member)
    return sorted(kept, key=lambda member: member.name)


def _is_litter(name: str) -> bool:
    """What systems leave in archives and folders without anybody's asking."""
    parts = PurePosixPath(name).parts
    return "__MACOSX" in parts or parts[-1:] == (".DS_Store",) or parts[-1][:2] == "._"


def _unpacked(member: Member, allowance: _Allowance, nested: int) -> Iterator[Member]:
    """The member itself, or what lies in it."""
    opened = _decompressed(member, allowance)
    head = opened.head()
    is_zip = head.startswith((_ZIP, _EMPTY_ZIP))
    if not is_zip and head[257:262] != b"ustar":
        yield opened
        return
    if nested == MOST_NESTED:
        raise RunsMalformed(f"{member.name}: archives in archives in archives; unpack one")
    with _named(member.name):
        inside = _zip(opened, allowance) if is_zip else _tar(opened, allowance)
    for inner in inside:
        if nested:
            inner.name = f"{opened.name}/{inner.name}"
        yield from _unpacked(inner, allowance, nested + 1)


def _decompressed(member: Member, allowance: _Allowance) -> Member:
    for ending, magic, opener in _PACKED:
        if member.head().startswith(magic):
            return Member(
                member.name.removesuffix(ending), _packed_opener(member, opener), allowance
            )
    return member


def _packed_opener(member: Member, opener: Callable[[Any], Any]) -> Callable[[], Any]:
    return lambda: opener(member.open())


def _spooled(member: Member) -> IO[bytes]:
    """An archive where it can be read from any place: on disk, and nameless."""
    spooled = TemporaryFile()  # noqa: SIM115 - closed with the last member that reads from it
    with member.open() as stream:
        while chunk := stream.read(_CHUNK):
            spooled.write(chunk)
    spooled.seek(0)
    return spooled


def _tar(packed: Member, allowance: _Allowance) -> list[Member]:
    archive = tarfile.open(fileobj=_spooled(packed), mode="r:")  # noqa: SIM115
    found = []
    for number, entry in enumerate(archive):
        _check_number(number)
        if entry.isreg():
            found.append(Member(entry.name, _tar_opener(archive, entry), allowance))
    return found


def _tar_opener(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Callable[[], Any]:
    return lambda: archive.extractfile(entry)


def _zip(packed: Member, allowance: _Allowance) -> list[Member]:
    spooled = _spooled(packed)
    _check_entries(spooled)
    try:
        archive = zipfile.ZipFile(spooled)
    except zipfile.BadZipFile as error:
        raise RunsMalformed(
            f"{packed.name} is damaged or was cut off: no directory at its end ({error})"
        ) from error
    entries: dict[str, zipfile.ZipInfo] = {}
    for number, entry in enumerate(archive.infolist()):
        _check_number(number)
        if entry.flag_bits & 1:
            raise RunsMalformed(f"{entry.filename} is encrypted")
        if not entry.is_dir():
            entries[entry.filename] = entry  # written twice, the later one counts
    return [
        Member(name, _zip_opener(archive, spooled, entry), allowance)
        for name, entry in entries.items()
    ]


def _check_entries(spooled: IO[bytes]) -> None:
    """Refuse a directory that would take more memory to read than it is worth."""
    entries, kept = 0, b""
    while chunk := spooled.read(_CHUNK):
        entries += (kept + chunk).count(_ENTRY)
        kept = chunk[-3:]
    spooled.seek(0)
    if entries > 2 * MOST_MEMBERS:
        _check_number(entries)


def _zip_opener(
    archive: zipfile.ZipFile, spooled: IO[bytes], entry: zipfile.ZipInfo
) -> Callable[[], Any]:
    if entry.compress_type == _ZSTANDARD:
        return lambda: _zstandard(spooled, entry)
    return lambda: archive.open(entry)


def _zstandard(spooled: IO[bytes], entry: zipfile.ZipInfo) -> Any:
    """A member packed with Zstandard, which Python's zipfile learns only in version 3.14.

    The local header has 30 bytes, then the name and the extra field (APPNOTE.TXT, 4.3.7).
    """
    import pyarrow as arrow

    spooled.seek(entry.header_offset)
    header = spooled.read(30)
    names = sum(int.from_bytes(header[at : at + 2], "little") for at in (26, 28))
    spooled.seek(entry.header_offset + 30 + names)
    packed = spooled.read(entry.compress_size)
    return arrow.input_stream(arrow.py_buffer(packed), compression="zstd")


def _check_number(number: int) -> None:
    if number >= MOST_MEMBERS:
        raise RunsMalformed(f"more than {MOST_MEMBERS:,} files in one archive; split it")
