"""Keys that callers choose so that a request repeated is a request done once."""

import re

_KEY = re.compile(r"[!-~]{1,80}")


class IdempotencyKeyMalformed(ValueError):
    """1 to 80 printable ASCII characters without spaces."""


def is_token(text: object) -> bool:
    """Whether this is 1 to 80 printable ASCII characters without spaces."""
    return isinstance(text, str) and _KEY.fullmatch(text) is not None


def check_key(key: str) -> str:
    """The key itself. Raises IdempotencyKeyMalformed."""
    if not is_token(key):
        raise IdempotencyKeyMalformed(
            "an idempotency key has 1 to 80 printable ASCII characters and no spaces"
        )
    return key
