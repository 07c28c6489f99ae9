"""Keys that callers choose so that a request repeated is a request done once."""

import re

_KEY = re.compile(r"[!-~]{1,80}")


class IdempotencyKeyMalformed(ValueError):
    """1 to 80 printable ASCII characters without spaces."""


def check_key(key: str) -> str:
    """The key itself. Raises IdempotencyKeyMalformed."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise IdempotencyKeyMalformed(
            "an idempotency key has 1 to 80 printable ASCII characters and no spaces"
        )
    return key
