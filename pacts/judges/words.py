"""What a juror said, read strictly: no verdict without a verbatim quote. Pure."""

from dataclasses import dataclass

from pacts.checks.check import clip
from pacts.checks.fields import texts_in
from pacts.judges.votes import Said
from pacts.strict_json import MalformedJson, parse_json
from reputation.canonical import JsonValue

LEAST_QUOTE = 3
LONGEST_QUOTE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A juror's word on one answer; an abstention says in `reason` why it is one."""

    said: Said
    quote: str = ""
    reason: str = ""


def read_word(text: str, *, answer: JsonValue) -> Word:
    """Read a juror's reply. Whatever is not a verdict with a quote from the answer is an
    abstention: never a pass and never a fail."""
    try:
        data = parse_json(text.encode("utf-8", "replace"))
    except MalformedJson as problem:
        return _abstains(f"the reply is not JSON: {problem}")
    if not isinstance(data, dict):
        return _abstains("the reply is not an object")
    verdict, quote, reason = data.get("verdict"), data.get("quote"), data.get("reason")
    said = reason if isinstance(reason, str) else ""
    if verdict == "abstain":
        return _abstains(said or "it abstained")
    if verdict not in ("pass", "fail"):
        return _abstains("the reply holds no verdict")
    if not isinstance(quote, str) or not quoted(quote, answer):
        return _abstains("its quote is not in the answer")
    kept = quote[:LONGEST_QUOTE]
    return Word(said="pass" if verdict == "pass" else "fail", quote=kept, reason=clip(said))


def quoted(quote: str, answer: JsonValue) -> bool:
    """Whether the quote stands letter by letter in a text of the answer, and is more than a
    letter or two unless the text itself is no longer."""
    texts = _said_by(answer)
    return any(
        quote in text and (len(quote) >= LEAST_QUOTE or quote.strip() == text.strip())
        for text in texts
        if quote.strip()
    )


def _said_by(answer: JsonValue) -> list[str]:
    return [*texts_in(answer), *_figures(answer)]


def _figures(answer: JsonValue) -> list[str]:
    """Numbers and truth values of the answer, as JSON writes them."""
    found: list[str] = []
    waiting = [answer]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, bool):
            found.append("true" if item else "false")
        elif isinstance(item, int | float):
            found.append(str(item))
    return found


def _abstains(reason: str) -> Word:
    return Word(said="abstain", reason=clip(reason))
