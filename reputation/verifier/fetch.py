#!/usr/bin/env python3
"""Fetch a whole log, check it against its signed head, and keep it as one file.

    python3 fetch.py URL EXPORT.jsonl [--key VKEY]

URL     of the log, such as https://market.example/log/
EXPORT  the log as JSON lines: a standing is computed from it without any network
--key   the log's key as you know it from elsewhere; else what the log itself says

Needs verify.py beside it and `cryptography`. Exit 0: the entries are the ones that were signed.
Formats: C2SP tlog-tiles (entry bundles of 256, each entry after its length), RFC 6962."""

import argparse
import json
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from verify import check, read_head, sha256

METHOD = "standing-2"
WIDTH = 256


def get(url: str) -> bytes:
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - the address somebody typed
        return bytes(answer.read())


def place(bundle: int, width: int) -> str:
    """`x001/x234/067.p/3`: the number in threes, and the width of one that is not full."""
    parts = [f"{bundle % 1000:03}"]
    while bundle := bundle // 1000:
        parts.insert(0, f"x{bundle % 1000:03}")
    return "/".join(parts) + ("" if width == WIDTH else f".p/{width}")


def entries(url: str, size: int) -> Iterator[bytes]:
    for first in range(0, size, WIDTH):
        width = min(WIDTH, size - first)
        bundle = get(f"{url}tile/entries/{place(first // WIDTH, width)}")
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            yield bundle[2 : 2 + length]
            bundle = bundle[2 + length :]


def root_of(leaves: Iterator[bytes]) -> tuple[int, bytes]:
    """(How many, the RFC 6962 root over them), with one hash kept per level of the tree."""
    peaks: list[tuple[int, bytes]] = []
    count = 0
    for leaf in leaves:
        count += 1
        node, size = sha256(b"\x00", leaf), 1
        while peaks and peaks[-1][0] == size:
            node, size = sha256(b"\x01", peaks.pop()[1], node), 2 * size
        peaks.append((size, node))
    if not peaks:
        return 0, sha256()
    _, root = peaks.pop()
    while peaks:
        root = sha256(b"\x01", peaks.pop()[1], root)
    return count, root


def kept(leaves: Iterator[bytes], path: Path, size: int) -> Iterator[bytes]:
    head = {"entries": size, "format": "earnest-log/1", "method": METHOD}
    with path.open("wb") as file:
        file.write(json.dumps(head, separators=(",", ":")).encode() + b"\n")
        for leaf in leaves:
            file.write(leaf + b"\n")
            yield leaf


def fetch(url: str, path: Path, key: str | None) -> str:
    url = url.rstrip("/") + "/"
    vkeys = [key] if key else get(f"{url}keys").decode().split()
    size, root = read_head(get(f"{url}checkpoint").decode(), vkeys)
    count, found = root_of(kept(entries(url, size), path, size))
    check((count, found) == (size, root), "the entries are not the ones that were signed")
    return f"{size} entries are the ones that were signed\n"


if __name__ == "__main__":
    asked = argparse.ArgumentParser(description="Fetch a log; see the top of the file.")
    asked.add_argument("url")
    asked.add_argument("export", type=Path)
    asked.add_argument("--key")
    given = asked.parse_args()
    try:
        sys.stdout.write(fetch(given.url, given.export, given.key))
    except (ValueError, LookupError, OSError) as fault:
        sys.exit(f"refuted: {fault}")
