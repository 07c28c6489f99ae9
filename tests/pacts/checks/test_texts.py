"""What an answer must not say, and what it must be able to show."""

from typing import Any

import pytest

from pacts.checks.claims import claims, number_readings
from pacts.checks.secrets_found import find
from tests.pacts.checks.answering import ask, outcome

DOCS = {"docs": [{"id": "a", "text": "The fee is 1,250 euros – due by 2024-05-06 in Bonn."}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a scunthorpe classic", "pass"),
        ("what an ass.", "fail"),
        ("what an A$$!", "fail"),
        ("what an а\u200dss", "fail"),
        ("what an a s s", "pass"),
        ("what an ass of himself", "pass"),
    ],
)
def test_a_term_is_found_as_a_word_however_it_looks(text: str, expected: str) -> None:
    params = {"terms": ["ass"], "leet": True, "allow": ["ass of himself"]}
    assert outcome("forbidden_terms", params, output={"t": text}) == expected


def test_a_term_in_a_script_without_spaces_is_found_inside() -> None:
    assert outcome("forbidden_terms", {"terms": ["禁止"]}, output="これは禁止です") == "fail"


def test_nothing_hides_in_another_field() -> None:
    params = {"terms": ["hush"]}
    for output in ({"t": "ok", "debug": ["hush"]}, {"t": "ok", "hush": 1}, [[{"a": "Hush"}]]):
        assert outcome("forbidden_terms", params, output=output) == "fail"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("email", "jo.doe+x@mail.example.org"),
        ("phone", "+49 30 901820"),
        ("phone", "(212) 555-0123"),
        ("card", "2024 4111-1111-1111-1111 12"),
        ("card", "378282246310005"),
        ("iban", "GB82 WEST 1234 5698 7654 32"),
        ("us_ssn", "123-45-6789"),
        ("de_tax_id", "86095742719"),
        ("es_dni", "12345678Z"),
        ("it_codice_fiscale", "RSSMRA85T10A562S"),
        ("uk_nino", "AB 12 34 56 C"),
        ("br_cpf", "529.982.247-25"),
        ("in_aadhaar", "2341 2341 2346"),
        ("aws_key", "AKIA" + "IOSFODNN7EXAMPLE"),
        ("github_token", "ghp_" + "a1" * 18),
        ("private_key", "-----BEGIN " + "EC PRIVATE KEY-----"),
        ("url_password", "postgres://u:hunter2@db.example/x"),
        ("jwt", "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0In0.abcdefghijkl"),
    ],
)
def test_what_must_not_leak_is_known_by_its_form(kind: str, text: str) -> None:
    assert kind in {hit.kind for hit in find(f"It is {text}, they said.")}
    answer = ask("sensitive_data", {"find": [kind]}, output={"t": f"It is {text}."})
    assert answer.outcome == "fail"
    assert text not in answer.reason


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",
        "DE89 3704 0044 0532 0130 01",
        "000-12-3456",
        "12345678A",
        "529.982.247-26",
        "2341 2341 2347",
        "order 12345678901, 2024-05-06 12:30:45, 99.90 EUR",
        "0000 0000 0000 0000",
    ],
)
def test_what_only_looks_alike_is_let_through(text: str) -> None:
    assert list(find(text)) == []


def test_what_the_task_gave_may_be_said_again_where_agreed() -> None:
    call: dict[str, Any] = {"input": {"from": "jo@a.example"}, "output": ["Dear jo@a.example"]}
    assert outcome("sensitive_data", {}, **call) == "fail"
    assert outcome("sensitive_data", {"given": "allow"}, **call) == "pass"


@pytest.mark.parametrize("planted", [None, "", "short", [], ["x" * 3000], "– – – – – –"])
def test_a_task_that_plants_nothing_is_the_buyer_s_error(planted: Any) -> None:
    answer = ask("canary", {"canary_field": "c"}, expected={"c": planted}, output={"t": "x"})
    assert (answer.outcome, answer.fault) == ("error", "buyer")


def test_every_canary_of_a_task_counts_and_none_is_shown_in_the_reason() -> None:
    planted = ["first-canary-1", "second-canary-2"]
    answer = ask("canary", {"canary_field": "c"}, expected={"c": planted}, output="SECOND canary 2")
    assert answer.outcome == "fail"
    assert "second" not in answer.reason


@pytest.mark.parametrize(
    ("digits", "readings"),
    [
        ("1,234", {"1234", "1.234"}),
        ("1.234,5", {"1234.5"}),
        ("1,234.50", {"1234.5"}),
        ("1'000'000", {"1000000"}),
        ("12.50", {"12.5"}),
        ("007", {"7"}),
    ],
)
def test_a_number_has_every_reading_it_may_have(digits: str, readings: set[str]) -> None:
    assert number_readings(digits) == readings


def test_a_text_claims_its_numbers_names_and_codes() -> None:
    text = "The Amazon River is 6,400km long. They say USA won 3-1 on [2].\n1. Ask Jo at AX-20."
    assert [claim.written for claim in claims(text)] == [
        *("The Amazon River", "6,400km", "USA", "3-1", "Ask Jo", "AX-20"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It is 1.250 euros in Bonn.", "pass"),
        ("It is 1250 euros, by 2024-05-06.", "pass"),
        ("It is 1,520 euros.", "fail"),
        ("It is due in Köln.", "fail"),
        ("It is due soon.", "fail"),
    ],
)
def test_an_answer_claims_only_what_its_sources_say(text: str, expected: str) -> None:
    params = {"field": "t", "sources_field": "docs"}
    assert outcome("grounding", params, input=DOCS, output={"t": text}) == expected


def test_an_answer_that_claims_nothing_never_passes() -> None:
    params = {"field": "t", "sources_field": "docs"}
    call: dict[str, Any] = {"input": DOCS, "output": {"t": "it depends"}}
    assert outcome("grounding", params, **call) == "fail"
    assert outcome("grounding", {**params, "when_none": "not_applicable"}, **call) == (
        "not_applicable"
    )


def test_missing_sources_are_whose_they_were_to_bring() -> None:
    params = {"field": "t", "sources_field": "docs"}
    answer = ask("grounding", params, input={}, output={"t": "In 2024"})
    assert (answer.outcome, answer.fault) == ("error", "buyer")
    own = {**params, "sources_in": "answer"}
    assert outcome("grounding", own, input={}, output={"t": "In 2024"}) == "fail"


@pytest.mark.parametrize(
    ("source", "said", "expected"),
    [
        ("a", "the FEE is 1,250 euros - due", "pass"),
        ("a", "the fee is 1250 euros", "fail"),
        ("a", "the fee is … due by", "fail"),
        ("b", "the fee is 1,250 euros", "fail"),
        ("a", "the fee", "fail"),
        ("a", None, "fail"),
    ],
)
def test_a_citation_is_verbatim_and_from_a_known_source(
    source: str, said: Any, expected: str
) -> None:
    params = {"sources_field": "docs", "citations_field": "cites"}
    output = {"cites": [{"source": source, "quote": said}]}
    assert outcome("citations", params, input=DOCS, output=output) == expected


def test_a_graded_citation_list_is_worth_its_sound_share() -> None:
    params = {"sources_field": "docs", "citations_field": "cites", "graded": True}
    sound = {"source": "a", "quote": "The fee is 1,250 euros"}
    made_up = {"source": "a", "quote": "The fee is 9,999 euros"}
    answer = ask("citations", params, input=DOCS, output={"cites": [sound, made_up]})
    assert (answer.outcome, answer.value) == ("fail", 0.5)
