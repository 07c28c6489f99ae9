"""A route asks the best agent that keeps its pact, and another when it does not."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now as clock
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.acting import Acting
from marketplace.incidents import handling
from marketplace.models import Incident, News, Route, RoutedCall, RouteEntry
from marketplace.routing import calling, keeping
from marketplace.routing.choosing import Candidate, choose, turn_seconds, why_first
from marketplace.routing.keeping import Listed, RouteTerms
from pacts import runner
from pacts.models import AgentVersion, Call, Engagement
from reputation.models import Evidence
from tests import cast
from tests.marketplace.api.programs import Program, program_of
from tests.marketplace.consequences.lately import critical, loopback, told
from tests.pacts.live.hired import check, hire
from tests.pacts.strangers import hangs, http, says, stranger

pytestmark = pytest.mark.django_db

Answer = Callable[[dict[str, Any]], Any]
GOOD: Answer = lambda given: {"label": "fine"}  # noqa: E731 - a row of a table
BAD: Answer = lambda given: {"label": "NO 1"}  # noqa: E731


@pytest.fixture(autouse=True)
def _loopback(settings: Any) -> Iterator[None]:
    settings.EGRESS_ALLOW_LOOPBACK = True
    runner.egress.cache_clear()
    yield
    runner.egress.cache_clear()


@dataclass
class Market:
    """alice's hires of bob's agents, each behind a real server."""

    alice: cast.Actor
    bob: cast.Actor
    stack: ExitStack

    def hired(self, name: str, answer: Answer | str, **fields: Any) -> Engagement:
        url = (
            answer
            if isinstance(answer, str)
            else self.stack.enter_context(cast.agent_service(answer))
        )
        version = cast.agent_of(self.bob, url, name=name, **fields)
        return hire(critical(), alice=self.alice, bob=self.bob, version=version)

    def route(self, *hires: Engagement, unfunded: bool = True, **terms: Any) -> Route:
        fields: dict[str, Any] = {"name": "Weather", "order": "listed"} | terms
        listed = [Listed(engagement=one.pk, unfunded=unfunded) for one in hires]
        return keeping.make_route(
            buyer=self.alice.party,
            by=self.alice.user,
            wanted=RouteTerms(listed=listed, **fields),
            now=clock(),
        )


@pytest.fixture
def market() -> Iterator[Market]:
    with ExitStack() as stack:
        yield Market(cast.alice(), cast.bob(), stack)


def ask(route: Route, seconds: float = 5.0) -> calling.Answered:
    found = Route.objects.get(pk=route.pk)
    return calling.call(route=found, input={"text": "rain?"}, egress=loopback(seconds), now=clock)


def test_the_first_of_the_list_answers_and_the_call_is_on_record_by_the_platforms_clock(
    market: Market,
) -> None:
    one, two = market.hired("One", GOOD), market.hired("Two", GOOD)
    answered = ask(market.route(one, two))
    assert answered.said.reply.output == {"label": "fine"}
    assert answered.why == "number 1 of the list"
    call = Call.objects.get()
    assert (call.stream.engagement, call.stream.independence) == (one, "platform")
    assert (call.clock, call.fault) == ("platform", "none")
    assert call.call_id == answered.routed.call_id
    check()
    assert call.observations.get().outcome == "pass"


def test_best_is_the_highest_lower_bound_and_no_evidence_comes_last() -> None:
    rows = [
        Candidate(engagement="eng_a", agent="agt_a", position=1),
        Candidate(engagement="eng_b", agent="agt_b", position=2, lower_bps=8_000),
        Candidate(engagement="eng_c", agent="agt_c", position=3, lower_bps=9_000),
        Candidate(engagement="eng_d", agent="agt_d", position=4, lower_bps=9_000),
    ]
    asked = [one.engagement for one in choose(rows, order="best").asked]
    assert asked == ["eng_c", "eng_d", "eng_b", "eng_a"]
    assert [one.position for one in choose(rows, order="listed").asked] == [1, 2, 3, 4]


@given(
    st.lists(
        st.builds(
            Candidate,
            engagement=st.text("abc", min_size=1, max_size=3),
            agent=st.just("agt_1"),
            position=st.integers(1, 10),
            active=st.booleans(),
            funded=st.booleans(),
            frozen=st.booleans(),
            suspended=st.sampled_from(["", "a control"]),
            breached=st.sampled_from([(), ("form",)]),
            resting=st.booleans(),
            lower_bps=st.none() | st.integers(0, 10_000),
        ),
        max_size=8,
    ),
    st.sampled_from(["best", "listed"]),
)
@settings(max_examples=100, deadline=None)
def test_nobody_against_whom_anything_speaks_is_ever_asked(
    rows: list[Candidate], order: Any
) -> None:
    found = choose(rows, order=order)
    assert all(not one.against for one in found.asked)
    assert all(why for _, why in found.passed)
    assert len(found.asked) + len(found.passed) == len(rows)
    rested = [one.resting for one in found.asked]
    assert rested == sorted(rested), "whoever rests is asked after all others"
    for one in found.asked:
        header = why_first(one, found, order=order, tried=0)
        assert header.isascii()
        assert "\n" not in header
        assert len(header) <= 200


def test_an_agent_that_broke_its_pact_is_passed_over_at_once_and_the_switch_is_told(
    market: Market,
) -> None:
    one, two = market.hired("One", BAD), market.hired("Two", GOOD)
    route = market.route(one, two)
    for _ in range(4):
        assert ask(route).said.entry.engagement == one
    check()
    told()
    answered = ask(route)
    assert answered.said.entry.engagement == two
    assert f"{one.pk} passed over: it broke form" in answered.why
    told()
    why = [row.read()["facts"]["why"] for row in Evidence.objects.filter(kind="route.switched")]
    assert sorted(why) == ["breached", "first"]
    assert News.objects.filter(kind="route.switched", party=market.alice.party).count() == 2
    assert not News.objects.filter(kind="route.switched", party=market.bob.party).exists()
    assert Incident.objects.get().timeline.filter(what="routed").exists()


def test_an_incident_resolved_as_fixed_lets_the_agent_back_and_replaced_does_not(
    market: Market,
) -> None:
    one, two = market.hired("One", BAD), market.hired("Two", GOOD)
    route = market.route(one, two)
    for _ in range(4):
        ask(route)
    check()
    told()
    for outcome, answers in (("replaced", two), ("fixed", one)):
        Incident.objects.update(resolved_at=None, outcome="", reason="", resolution_evidence_id="")
        handling.resolve(
            incident=Incident.objects.get(),
            acting=Acting(market.alice.user, market.alice.party, "owner"),
            outcome=outcome,
            reason="We looked at it together.",
            now=clock(),
        )
        assert ask(route).said.entry.engagement == answers


def test_whoever_is_away_or_answers_nonsense_is_followed_by_the_next(market: Market) -> None:
    away = market.hired("Away", cast.DEAD_END)
    nonsense = market.hired("Nonsense", lambda given: "not an object")
    good = market.hired("Good", GOOD)
    answered = ask(market.route(away, nonsense, good))
    assert answered.said.entry.engagement == good
    assert answered.why == "after 2 failed"
    faults = dict(Call.objects.values_list("stream__engagement", "fault"))
    assert faults == {away.pk: "agent", nonsense.pk: "agent", good.pk: "none"}


def test_an_agent_that_hangs_leaves_time_to_the_next_and_is_not_charged_for_the_routes_hurry(
    market: Market,
) -> None:
    with stranger(hangs) as server:
        slow, good = market.hired("Slow", server.url), market.hired("Good", GOOD)
        answered = ask(market.route(slow, good, deadline_ms=3_000))
        assert answered.said.entry.engagement == good
    # The route gave up before the agent's own ten seconds were over.
    assert Call.objects.get(stream__engagement=slow).fault == "platform"


def test_its_own_deadline_over_is_the_agents_fault(market: Market) -> None:
    with stranger(hangs) as server:
        slow = market.hired("Slow", server.url, deadline_ms=200)
        good = market.hired("Good", GOOD)
        assert ask(market.route(slow, good)).said.entry.engagement == good
    assert Call.objects.get(stream__engagement=slow).fault == "agent"


@given(st.floats(0.25, 60), st.floats(0.1, 60), st.integers(0, 9))
def test_a_turn_is_never_longer_than_what_is_left(left: float, own: float, others: int) -> None:
    turn = turn_seconds(left=left, own=own, others=others)
    assert 0 < turn <= min(left, own)
    assert not others or turn <= left / 2


def test_whoever_failed_three_times_in_a_row_rests_and_comes_back_by_answering(
    market: Market,
) -> None:
    away, good = market.hired("Away", cast.DEAD_END), market.hired("Good", GOOD)
    route = market.route(away, good)
    for _ in range(3):
        ask(route)
    assert ask(route).why == "number 2 of the list"
    assert RouteEntry.objects.get(engagement=away).resting_until is not None
    RouteEntry.objects.filter(engagement=away).update(resting_until=clock() - timedelta(seconds=1))
    with cast.agent_service(GOOD) as url:
        AgentVersion.objects.filter(pk="none")  # versions are frozen: the entry's own is away
        assert ask(route).said.entry.engagement == good
        assert url


def test_an_answer_that_breaks_a_critical_clause_is_held_back(market: Market) -> None:
    bad, good = market.hired("Bad", BAD), market.hired("Good", GOOD)
    answered = ask(market.route(bad, good, holds_back=True))
    assert answered.said.reply.output == {"label": "fine"}
    assert answered.routed.tries[0]["error"] == "held_back"
    assert Call.objects.count() == 2, "what was held back counts all the same"


def test_a_call_is_on_record_whatever_its_agent_says_beside_the_answer(market: Market) -> None:
    odd = b'{"output": {"label": "fine"}, "cost": {"micros": 1, "currency": "USDC"}}'
    with stranger(says(http(odd))) as server:
        one = market.hired("Odd", server.url)
        assert ask(market.route(one)).said.reply.output == {"label": "fine"}
    assert Call.objects.get().fault == "none"


def test_nobody_answers_where_nobody_may_or_can(market: Market) -> None:
    away, unfunded = market.hired("Away", cast.DEAD_END), market.hired("Good", GOOD)
    with pytest.raises(calling.NobodyAnswers, match=r"no connection|refused|took"):
        ask(market.route(away))
    with pytest.raises(calling.NobodyAnswers, match="no money is set aside"):
        ask(market.route(unfunded, unfunded=False))
    assert RoutedCall.objects.filter(engagement=None).count() == 2


def test_a_route_lists_engagements_of_its_buyer_that_are_in_force(market: Market) -> None:
    one = market.hired("One", GOOD)
    mallory = cast.mallory()
    for listed in ([], [one.pk, one.pk], ["eng_0"], [f"eng_{n}" for n in range(11)]):
        with pytest.raises(keeping.RouteRefused):
            keeping.make_route(
                buyer=market.alice.party,
                by=market.alice.user,
                wanted=RouteTerms(name="x", listed=[Listed(engagement=key) for key in listed]),
                now=clock(),
            )
    with pytest.raises(keeping.RouteRefused, match="you are the buyer"):
        keeping.make_route(
            buyer=mallory.party,
            by=mallory.user,
            wanted=RouteTerms(name="x", listed=[Listed(engagement=one.pk)]),
            now=clock(),
        )


# --- through the API ---------------------------------------------------------------------------


def calls_key(actor: cast.Actor) -> Program:
    return program_of(actor, ["calls"])


def test_a_program_calls_a_route_and_reads_in_headers_who_answered_and_why(
    market: Market,
) -> None:
    one = market.hired("One", GOOD)
    route = market.route(one)
    answer = calls_key(market.alice).post(f"routes/{route.pk}/calls", {"input": {"text": "?"}})
    assert answer.status_code == 201, answer.content
    assert answer.json()["output"] == {"label": "fine"}
    assert answer["Earnest-Agent"] == one.agent_version.agent_id
    assert answer["Earnest-Engagement"] == one.pk
    assert answer["Earnest-Why"] == "number 1 of the list"
    seen = program_of(market.alice).get(f"calls/{answer['Earnest-Call']}")
    assert seen.json()["independence"] == "platform"


def test_openais_own_client_speaks_to_a_route(market: Market, live_server: Any) -> None:
    openai = pytest.importorskip("openai")
    one = market.hired("One", lambda given: {"text": given["messages"][-1]["content"].upper()})
    route = market.route(one)
    client = openai.OpenAI(
        base_url=f"{live_server.url}/api/v1/routes/{route.pk}",
        api_key=calls_key(market.alice).secret,
        max_retries=0,
    )
    asked = [{"role": "user", "content": "rain?"}]
    said = client.chat.completions.create(model="any", messages=asked)
    assert said.choices[0].message.content == "RAIN?"
    parts = client.chat.completions.create(model="any", messages=asked, stream=True)
    text = "".join(part.choices[0].delta.content or "" for part in parts if part.choices)
    assert text == "RAIN?"


def test_a_stranger_or_a_key_of_one_engagement_calls_no_route(market: Market) -> None:
    from marketplace.keys import issue_key

    one = market.hired("One", GOOD)
    route = market.route(one)
    bound = issue_key(
        party=market.alice.party,
        user=market.alice.user,
        name="bound",
        scopes=["calls"],
        now=clock(),
        engagement=one,
    )
    body = {"input": {"text": "?"}}
    absent = calls_key(cast.mallory()).post("routes/rte_1/calls", body)
    for program in (calls_key(cast.actor("dora")), Program(bound.secret)):
        refused = program.post(f"routes/{route.pk}/calls", body)
        assert (refused.status_code, refused.content) == (404, absent.content)
    assert not Call.objects.exists()


def test_a_route_without_an_answer_says_why_agent_by_agent(market: Market) -> None:
    route = market.route(market.hired("Away", cast.DEAD_END))
    answer = calls_key(market.alice).post(
        f"routes/{route.pk}/chat/completions", {"messages": [{"role": "user", "content": "?"}]}
    )
    assert answer.status_code == 502
    assert "eng_" in json.loads(answer.content)["detail"]


def test_a_closed_route_answers_nothing(market: Market) -> None:
    route = market.route(market.hired("One", GOOD))
    program = program_of(market.alice)
    assert program.ask("DELETE", f"routes/{route.pk}").status_code == 200
    assert program.post(f"routes/{route.pk}/calls", {"input": {}}).status_code == 409


def test_a_route_is_changed_whole(market: Market) -> None:
    one, two = market.hired("One", GOOD), market.hired("Two", GOOD)
    route = market.route(one)
    wanted = {"name": "Both", "order": "best", "entries": [{"engagement": two.pk}]}
    changed = program_of(market.alice).ask("PUT", f"routes/{route.pk}", wanted)
    assert changed.status_code == 200, changed.content
    assert [entry["engagement"] for entry in changed.json()["entries"]] == [two.pk]
