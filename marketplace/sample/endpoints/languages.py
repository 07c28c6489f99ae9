"""What the language agents share: how a language is answered."""

from typing import Any


def give(code: str | None) -> dict[str, Any]:
    """The output for a library's own language code, `None` when it names none."""
    return {"language": code, "declined": code is None}


def strip_controls(text: str) -> str:
    """`text` with control characters as spaces: pasted text holds some, and CLD2 refuses them."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
