"""What a person at the terminal reads while things start."""

import sys


def say(subject: str, words: str) -> None:
    """One line: who, padded to a column, and what happened."""
    sys.stdout.write(f"{subject:<12} {words}\n" if subject else f"{words}\n")
    sys.stdout.flush()
