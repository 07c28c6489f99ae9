"""Names, addresses and ids leave a text by rule; what it says stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pacts.procedure.redaction import redact

NAMES = {
    "Alice Ltd": "the buyer",
    "alice": "the buyer",
    "Bob & Co": "the builder",
    "Doubler": "the agent",
    "Carol": "the adjudicator",
}


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Alice Ltd paid Bob & Co.", "[the buyer] paid [the builder]."),
        ("ALICE LTD was right", "[the buyer] was right"),
        ("write to bob@example.org now", "write to [e-mail] now"),
        ("see https://bob.example/run?id=1 there", "see [address] there"),
        ("in dsp_01a1fe5d9be5763eb86bfa5383330b2a it says", "in [id] it says"),
        ("call +49 30 1234567 or", "call [number] or"),
        ("to DE89 3704 0044 0532 0130 00 please", "to [number] please"),
        ("ask @mallory first", "ask [name] first"),
        ("The Doubler of Alice failed", "The [the agent] of [the buyer] failed"),
        ("30 of 30 tasks, 12.5 %, in 2026", "30 of 30 tasks, 12.5 %, in 2026"),
        ("malice is not a name", "malice is not a name"),
    ],
)
def test_what_names_somebody_goes_and_the_rest_stays(text: str, clean: str) -> None:
    assert redact(text, names=NAMES) == clean


@given(st.text(max_size=200))
def test_redacting_again_changes_nothing(text: str) -> None:
    once = redact(text, names=NAMES)
    assert redact(once, names=NAMES) == once


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_name_survives_wherever_it_stands_alone(before: str, after: str) -> None:
    clean = redact(f"{before} Alice Ltd {after} bob@example.org", names=NAMES)
    assert "Alice Ltd" not in clean
    assert "bob@example.org" not in clean
