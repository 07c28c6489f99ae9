"""Ids and instants of records, from a clock that is passed in."""

import os
import time


def uuid7(unix_ns: int) -> str:
    """A UUIDv7 (RFC 9562, 5.7) of that instant: its milliseconds and 74 random bits. The bits come
    from the operating system, so two processes after a fork never draw the same ones."""
    random = int.from_bytes(os.urandom(10), "big")
    high = (random >> 68) & 0xFFF
    low = random & 0x3FFF_FFFF_FFFF_FFFF
    number = ((unix_ns // 1_000_000) & 0xFFFF_FFFF_FFFF) << 80
    number |= 0x7 << 76 | high << 64 | 0x2 << 62 | low
    digits = f"{number:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def instant(unix_ns: int) -> str:
    """RFC 3339 in UTC with microseconds."""
    seconds, rest = divmod(unix_ns, 1_000_000_000)
    when = time.gmtime(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S", when) + f".{rest // 1000:06d}Z"
