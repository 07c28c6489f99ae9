"""The samples both engines run: short texts to answer with a label, right most of the time.

Sample n asks for the label of a text; the instant agent answers at once, wrongly for every
twentieth. The three checks: the answer equals the target, contains it, matches a pattern.
"""

WRONG_EVERY = 20
LABELS = ("refund", "delivery", "invoice", "cancellation", "complaint")
PATTERN = "[a-z]+-[0-9]{5}"


def question(number: int) -> str:
    return f"Ticket {number:05d}: the customer writes about {LABELS[number % len(LABELS)]}."


def target(number: int) -> str:
    return f"{LABELS[number % len(LABELS)]}-{number:05d}"


def reply_to(text: str) -> str:
    """What the instant agent makes of a question."""
    number = int(text[7:12])
    if number % WRONG_EVERY == WRONG_EVERY - 1:
        return f"unknown-{number:05d}"
    return target(number)
