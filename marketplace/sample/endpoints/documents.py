"""What the document agents share: a document is an object or an array of finite values."""

import json
from typing import Any

# Recursive parsers in Python: hostile text of this length costs seconds, ten times it minutes.
TEXT_LIMIT = 10_000


def give(document: Any) -> dict[str, Any]:
    """The output for what a library read; anything but a JSON object or array is declined."""
    if not isinstance(document, dict | list) or not _is_json(document):
        return {"document": None, "declined": True}
    return {"document": document, "declined": False}


def _is_json(document: Any) -> bool:
    try:
        json.dumps(document, allow_nan=False)
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def cut_out(text: str) -> str:
    """What stands from the first to the last brace: drops prose and code fences around it."""
    start, end = text.find("{"), text.rfind("}")
    return text[start : end + 1] if 0 <= start < end else ""
