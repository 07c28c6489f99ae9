"""One line around a call: the answer is the agent's own, and the record comes behind."""

import asyncio
import inspect
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from pacts.guard import GuardMisconfigured, PactBreached, PactGuard
from tests.pacts.guard.conftest import Guards
from tests.pacts.guard.receiving import Receiver

NUMBERS = [
    {
        "key": "digits",
        "check": "regex",
        "params": {"field": "total", "pattern": "[0-9]+"},
        "severity": "critical",
    }
]


def test_a_plain_call_is_recorded_as_it_was(guards: Guards, market: Receiver) -> None:
    guard: PactGuard = guards(pact=NUMBERS)

    @guard
    def agent(question: str) -> dict[str, str]:
        """Answers."""
        return {"total": "12"}

    assert agent("how much?") == {"total": "12"}
    assert agent.__doc__ == "Answers."
    assert guard.flush(5)
    record = market.only()
    assert record["input"] == "how much?"
    assert record["output"] == {"total": "12"}
    assert record["agent_version"] == "agv_0190f3c2"
    assert record["checks"] == [
        {"clause": "digits", "check": "regex", "outcome": "pass", "reason": "matches"}
    ]
    assert market.headers[0]["Authorization"] == "Bearer ek_test"


def test_several_arguments_are_named_and_self_is_not_among_them(
    guards: Guards, market: Receiver
) -> None:
    guard: PactGuard = guards()

    class Agent:
        @guard
        def ask(self, question: str, *, depth: int = 1) -> str:
            return question * depth

    assert Agent().ask("hm", depth=2) == "hmhm"
    assert guard.flush(5)
    assert market.only()["input"] == {"question": "hm", "depth": 2}


def test_what_the_caller_changes_afterwards_does_not_change_the_record(
    guards: Guards, market: Receiver
) -> None:
    guard = guards()
    asked, answered = {"words": ["a"]}, {"said": ["b"]}

    def agent(question: dict[str, list[str]]) -> dict[str, list[str]]:
        question["words"].append("changed by the agent")
        return answered

    guard(agent)(asked)
    answered["said"].append("changed by the caller")
    assert guard.flush(5)
    assert market.only()["input"] == {"words": ["a"]}
    assert market.only()["output"] == {"said": ["b"]}


def test_an_exception_is_the_callers_to_see_and_the_agents_fault(
    guards: Guards, market: Receiver
) -> None:
    guard = guards(pact=NUMBERS)

    def agent(question: str) -> str:
        raise RuntimeError("no model for bob@firm.example")

    with pytest.raises(RuntimeError, match="bob@firm"):
        guard(agent)("x")
    assert guard.flush(5)
    record = market.only()
    assert record["fault"] == "agent"
    assert record["error"] == "RuntimeError: no model for [email]"
    assert "output" not in record
    assert record["checks"][0]["outcome"] == "fail"


def test_a_caller_that_gives_up_is_not_the_agents_fault(guards: Guards, market: Receiver) -> None:
    guard = guards()

    async def agent() -> None:
        await asyncio.sleep(60)

    async def impatient() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(guard(agent)(), 0.01)

    asyncio.run(impatient())
    assert guard.flush(5)
    assert market.only()["fault"] == "buyer"


def test_the_host_says_whose_fault_an_exception_was(guards: Guards, market: Receiver) -> None:
    guard = guards(blame=lambda error: "platform" if isinstance(error, OSError) else "agent")

    def agent() -> None:
        raise OSError("our own disk")

    with pytest.raises(OSError, match="disk"):
        guard(agent)()
    assert guard.flush(5)
    assert market.only()["fault"] == "platform"


def test_a_coroutine_stays_one(guards: Guards, market: Receiver) -> None:
    guard: PactGuard = guards()

    @guard
    async def agent(question: str) -> str:
        await asyncio.sleep(0.01)
        return question.upper()

    assert inspect.iscoroutinefunction(agent)
    assert asyncio.run(agent("hm")) == "HM"
    assert guard.flush(5)
    assert market.only()["output"] == "HM"
    assert market.only()["latency_ms"] >= 9


def test_a_stream_passes_part_by_part_and_is_recorded_whole(
    guards: Guards, market: Receiver
) -> None:
    guard: PactGuard = guards()
    made: list[str] = []

    @guard
    def agent(question: str) -> Iterator[str]:
        for word in ("one", "two", "three"):
            made.append(word)
            yield word

    stream = agent("count")
    assert next(stream) == "one"
    assert made == ["one"]
    assert list(stream) == ["two", "three"]
    assert guard.flush(5)
    record = market.only()
    assert record["output"] == ["one", "two", "three"]
    assert record["streamed"] is True
    assert record["first_output_ms"] <= record["latency_ms"]


def test_a_slow_reader_does_not_make_the_agent_slow(guards: Guards, market: Receiver) -> None:
    guard: PactGuard = guards()

    @guard
    def agent() -> Iterator[int]:
        yield from range(3)

    for _ in agent():
        time.sleep(0.05)
    assert guard.flush(5)
    assert market.only()["latency_ms"] < 50


def test_a_guarded_generator_can_be_sent_to_thrown_into_and_closed(guards: Guards) -> None:
    guard: PactGuard = guards()
    heard: list[Any] = []

    @guard
    def agent() -> Iterator[str]:
        try:
            heard.append((yield "first"))
            yield "second"
        except KeyError:
            yield "caught"
        finally:
            heard.append("closed")

    stream: Any = agent()
    assert next(stream) == "first"
    assert stream.send("hello") == "second"
    assert stream.throw(KeyError("x")) == "caught"
    stream.close()
    assert heard == ["hello", "closed"]


def test_a_stream_given_up_half_way_is_recorded_with_what_came(
    guards: Guards, market: Receiver
) -> None:
    guard: PactGuard = guards()

    @guard
    def agent() -> Iterator[int]:
        yield from range(100)

    for part in agent():
        if part == 2:
            break
    assert guard.flush(5)
    assert market.only()["fault"] == "buyer"
    assert "output" not in market.only()


def test_an_asynchronous_stream_is_recorded_too(guards: Guards, market: Receiver) -> None:
    guard: PactGuard = guards()

    @guard
    async def agent(n: int) -> AsyncIterator[int]:
        for i in range(n):
            yield i

    async def read() -> list[int]:
        return [part async for part in agent(3)]

    assert asyncio.run(read()) == [0, 1, 2]
    assert guard.flush(5)
    assert market.only()["output"] == [0, 1, 2]


@pytest.mark.parametrize("awkward", [object(), {1, 2}, float("nan"), 2**80, b"\xff", "\ud800", []])
def test_no_answer_is_too_awkward_to_pass_on_untouched(
    guards: Guards, market: Receiver, awkward: object
) -> None:
    guard = guards()
    assert guard(lambda: awkward)() is awkward
    assert guard.flush(5)
    assert "output" in market.only()


class Hostile:
    """An answer that breaks whatever looks at it."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("do not look")

    def __str__(self) -> str:
        raise RuntimeError("do not read")


def test_an_answer_that_cannot_be_looked_at_still_reaches_the_caller(
    guards: Guards, market: Receiver
) -> None:
    guard = guards(pact=NUMBERS)
    hostile = Hostile()
    assert guard(lambda: hostile)() is hostile
    assert guard.flush(5)
    assert market.only()["output"] == "an unreadable Hostile"
    assert market.only()["checks"][0]["outcome"] == "skipped"


def test_answers_that_hold_themselves_are_cut_not_followed(
    guards: Guards, market: Receiver
) -> None:
    guard = guards()
    loop: list[Any] = []
    loop.append(loop)
    assert guard(lambda: loop)() is loop
    assert guard.flush(5)
    assert market.only()["truncated"] is True


def test_sampling_keeps_the_share_it_says_and_writes_it_down(
    guards: Guards, market: Receiver
) -> None:
    guard = guards(mode="sample", sample_rate=0.25)
    agent = guard(lambda: "x")
    for _ in range(2000):
        agent()
    assert guard.flush(10)
    assert {record["sample_rate"] for record in market.records} == {0.25}
    assert 400 < len(market.records) < 600


def test_a_critical_breach_is_held_back(guards: Guards, market: Receiver) -> None:
    guard = guards(mode="block", when_undecided="open", pact=NUMBERS)
    with pytest.raises(PactBreached, match="digits") as breach:
        guard(lambda: {"total": "many"})()
    assert breach.value.checks[0].outcome == "fail"
    assert guard.flush(5)
    assert market.only()["blocked"] is True


def test_a_host_may_give_another_answer_instead(guards: Guards) -> None:
    guard = guards(
        mode="block", when_undecided="open", pact=NUMBERS, instead=lambda breach: "sorry"
    )
    assert guard(lambda: {"total": "many"})() == "sorry"
    assert guard(lambda: {"total": "7"})() == {"total": "7"}


def test_a_blocked_stream_shows_no_part_of_itself(guards: Guards) -> None:
    short = [{"key": "t", "check": "length", "params": {"unit": "characters", "most": 5}}]
    guard: PactGuard = guards(
        mode="block", when_undecided="open", pact=[short[0] | {"severity": "critical"}]
    )

    @guard
    def agent() -> Iterator[str]:
        yield "far too "
        yield "long"

    with pytest.raises(PactBreached):
        next(agent())


@pytest.mark.parametrize(("when", "passes"), [("open", True), ("closed", False)])
def test_what_nobody_could_check_passes_or_not_as_chosen(
    guards: Guards, when: str, passes: bool
) -> None:
    slow = [
        {
            "key": "p",
            "check": "json_schema",
            "severity": "critical",
            "params": {"schema": {"properties": {"day": {"format": "date"}}}},
        }
    ]
    guard = guards(mode="block", when_undecided=when, pact=slow)
    agent = guard(lambda: {"day": "2024-02-29"})
    if passes:
        assert agent() == {"day": "2024-02-29"}
    else:
        with pytest.raises(PactBreached, match="could not be checked"):
            agent()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "agent_version or engagement"),
        ({"agent_version": "agv_1", "mode": "watch"}, "observe, block or sample"),
        ({"agent_version": "agv_1", "sample_rate": 0.5}, 'mode="sample"'),
        ({"agent_version": "agv_1", "mode": "block", "pact": NUMBERS}, "when_undecided"),
        ({"agent_version": "agv_1", "base_url": "ftp://x"}, "https://host"),
        ({"agent_version": "agv_1", "pact": [{"key": "a"}]}, "needs a key, a check"),
        ({"agent_version": "agv_1", "mode": "block", "when_undecided": "open"}, "has none"),
    ],
)
def test_a_wrong_setting_is_told_at_once(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(GuardMisconfigured, match=said):
        PactGuard(**wrong)


def test_many_threads_lose_nothing(guards: Guards, market: Receiver) -> None:
    guard = guards()
    agent = guard(lambda i: i)
    threads = [threading.Thread(target=lambda: [agent(i) for i in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert guard.flush(20)
    assert len(market.calls) == 1600
    assert market.duplicates == 0


def test_a_full_queue_drops_the_newest_and_says_how_many(guards: Guards) -> None:
    guard = guards(most_pending=10, linger_seconds=0.3)
    agent = guard(lambda i: i)
    for i in range(500):
        agent(i)
    assert guard.flush(10)
    status = guard.status()
    assert status["seen"] == 500
    assert int(status["dropped"]) + int(status["kept"]) == 500
    assert int(status["dropped"]) > 0
