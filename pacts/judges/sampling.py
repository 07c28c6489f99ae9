"""The draw: which answers people read, from a seed that was committed to before. Pure.

`commitment` is what is logged beforehand; `is_drawn` decides each answer by itself from the seed
and its position in the run, so nobody can steer it by adding, dropping or re-ordering others. A
production call has no position: its own id takes that part, and the seed stays secret while calls
come in, so whoever makes up ids cannot tell which of them will be read.
"""

import hashlib

from reputation.canonical import sha256

WHOLE = 10_000


def commitment(seed: bytes) -> str:
    """`sha256:<hex>` of a 32-byte seed."""
    return sha256(b"earnest-review/1" + seed)


def is_drawn(*, seed: bytes, position: int, probability_bps: int) -> bool:
    """Whether the answer at this position is drawn: with probability bps / 10,000, to 2^-64."""
    ticket = hashlib.sha256(seed + position.to_bytes(8, "big")).digest()
    return int.from_bytes(ticket[:8], "big") * WHOLE < probability_bps * 2**64


def is_call_drawn(*, seed: bytes, call_id: bytes, draw: str, probability_bps: int) -> bool:
    """Whether the call with this id is drawn; `draw` names what for, so draws do not share luck."""
    ticket = hashlib.sha256(seed + draw.encode() + b"\n" + call_id).digest()
    return int.from_bytes(ticket[:8], "big") * WHOLE < probability_bps * 2**64
