"""Public ids: a short prefix that says what the id names, over a UUIDv7.

`evd_0190f3c2a1b27c3d8e4f5a6b7c8d9e0f`: ids sort as text in the order one process made them.
"""

import re

from uuid_utils import uuid7

ID_MAX_LENGTH = 40
ID_PATTERN = re.compile(r"[a-z]{2,7}_[0-9a-z]{1,32}")
_PREFIX = re.compile(r"[a-z]{2,7}")


class IdentifierPrefixMalformed(ValueError):
    """A prefix is two to seven lower-case ASCII letters, without the underscore."""


def new_id(prefix: str) -> str:
    """A fresh id, `<prefix>_<UUIDv7 in hex>`; greater than every earlier one of this process."""
    if not _PREFIX.fullmatch(prefix):
        raise IdentifierPrefixMalformed(f"{prefix!r} is not two to seven lower-case letters")
    return f"{prefix}_{uuid7().hex}"


def is_id(text: object) -> bool:
    """Whether a value has the shape of a public id of any kind."""
    return isinstance(text, str) and ID_PATTERN.fullmatch(text) is not None
