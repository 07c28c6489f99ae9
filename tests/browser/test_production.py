"""An agent paid by the call gets worse on purpose: its budget stops, another takes its place."""

import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionUserMessageParam
from playwright.sync_api import Page, expect

from pacts.guard import PactGuard
from pacts.guard.clients import guard_openai
from pacts.guard.clients.openai import read_completion
from tests.browser.chatting import WINDOW, ChattingAgent, Mood, chatting_agent, offer
from tests.browser.visitor import Visitor
from tests.cast import PASSWORD
from tests.faults.hire import golden_set
from tests.faults.stack import Stack
from tests.marketplace.consequences.lately import receiver

pytestmark = pytest.mark.browser

IN_SCOPE, OUT_OF_SCOPE, BAD_CALLS = 24, 18, 7  # the good ones fill a window and open the next
BUDGET, PRICE = 10_000, 50
DRAWN = WINDOW * PRICE


class Caller:
    """alice's program: OpenAI's client, and one line that puts it under guard."""

    def __init__(self, stack: Stack, agent: ChattingAgent, engagement: str, spool: Path) -> None:
        self.agent = agent
        base = agent.url.removesuffix("/chat/completions")
        self.guard = PactGuard(
            engagement=engagement,
            base_url=stack.address,
            api_key=stack.secrets["alice"],
            spool=str(spool),
        )
        self.client = guard_openai(self.guard, OpenAI(base_url=base, api_key="-", max_retries=0))
        plain = OpenAI(base_url=base, api_key="-", max_retries=0)
        self.out_of_scope = self.guard.wrap(
            plain.chat.completions.create, in_scope=False, reads=read_completion
        )

    def doubles(self) -> None:
        self.client.chat.completions.create(model="any", messages=[_asks("21")])

    def wanders(self) -> None:
        self.out_of_scope(model="any", messages=[_asks("Write me a poem.")])

    def often(self, count: int, act: Callable[[], None], mood: Mood = "fine") -> None:
        """So many calls at once, in this mood of the agent's; reported when this returns."""
        self.agent.mood = mood
        with ThreadPoolExecutor(count) as pool:
            for done in [pool.submit(act) for _ in range(count)]:
                done.result()
        self.agent.mood = "fine"
        assert self.guard.flush(30), self.guard.status()


def _asks(text: str) -> ChatCompletionUserMessageParam:
    return {"role": "user", "content": text}


def signs_in(page: Page, address: str) -> None:
    page.goto(f"{address}/accounts/login/")
    page.get_by_label("Email").fill("alice@example.org")
    page.get_by_label(re.compile("^Password")).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_test_id("bell")).to_be_visible()


def hires(stack: Stack, listing: str) -> str:
    tasks = golden_set(stack, 3)
    body = {"listing": listing, "task_set_version": tasks}
    return str(stack.post("alice", "engagements", body)["id"])


def hires_by_the_call(stack: Stack, listing: str) -> tuple[str, str]:
    """alice offers, bob signs, alice sets the budget aside; the engagement and its meter."""
    deposit = stack.post("alice", "deposits", {"amount": str(BUDGET), "currency": "EUR"})["id"]
    terms = {"budget": str(BUDGET), "price": str(PRICE), "holdback_bps": 1_000}
    meter = stack.post("alice", "meters", {"listing": listing, **terms})
    stack.post("bob", f"engagements/{meter['engagement']}/signature")
    stack.wait(
        "the deposit", lambda: stack.get("alice", f"deposits/{deposit}")["state"] == "succeeded"
    )
    funded = stack.post("alice", f"meters/{meter['id']}/funding")
    assert (funded["state"], funded["authorised"]) == ("running", True)
    return str(meter["engagement"]), str(meter["id"])


def drawn(stack: Stack, meter: str) -> int:
    """What left the free budget for windows that were settled, in minor units."""
    found = stack.get("alice", f"meters/{meter}")
    return sum(int(found[name]) for name in ("paid", "fees", "held_back", "withheld"))


def statuses(stack: Stack, engagement: str) -> dict[str, str]:
    """Each clause's live status, the worst where several report."""
    found = stack.get("alice", f"engagements/{engagement}/live")
    windows = [one for stream in found["streams"] for one in stream["windows"]]
    worst = ("undetermined", "met", "breached")
    ordered = sorted(windows, key=lambda one: worst.index(one["status"]))
    return {one["clause"]: one["status"] for one in ordered}


def asks_the_route(stack: Stack, route: str) -> tuple[str, str, str]:
    """(what was said, who said it, why that one) through OpenAI's own client."""
    client = OpenAI(
        base_url=f"{stack.address}/api/v1/routes/{route}",
        api_key=stack.secrets["alice"],
        max_retries=0,
    )
    raw = client.chat.completions.with_raw_response.create(
        model="any",
        messages=[{"role": "user", "content": "21"}],
    )
    said = raw.parse().choices[0].message.content or ""
    return said, raw.headers["Earnest-Engagement"], raw.headers["Earnest-Why"]


@pytest.fixture
def alice_too(stack: Stack) -> None:
    if "alice" not in stack.secrets:
        known = dict(stack.secrets)
        stack.people("alice")
        stack.secrets |= known


@pytest.mark.usefixtures("alice_too")
def test_what_gets_worse_is_seen_told_followed_and_replaced(
    page: Page, stack: Stack, tmp_path: Path, album: Path
) -> None:
    alice = Visitor(page, album)
    suffix = uuid4().hex[:6]
    with chatting_agent() as one, chatting_agent() as two, receiver() as program:
        first, meter = hires_by_the_call(stack, offer(stack, one, f"First {suffix}"))
        second = hires(stack, offer(stack, two, f"Second {suffix}"))
        entries = [{"engagement": first}, {"engagement": second, "unfunded": True}]
        route = stack.post(
            "alice", "routes", {"name": "Doubling", "order": "listed", "entries": entries}
        )["id"]
        stack.post("alice", "hooks", {"url": program.url, "topics": ["violation"]})
        caller = Caller(stack, one, first, tmp_path / "spool")

        caller.often(IN_SCOPE, caller.doubles)
        caller.often(OUT_OF_SCOPE, caller.wanders)
        assert asks_the_route(stack, route)[:2] == ("42", first)
        stack.wait("the first window to be paid", lambda: drawn(stack, meter))
        assert "breached" not in statuses(stack, first).values()
        signs_in(page, stack.address)
        sees_the_budget(page, stack, meter, "running")
        page.goto(f"{stack.address}/engagements/{first}/calls/")
        alice.looks_around("calls-before")

        caller.often(BAD_CALLS, caller.doubles, "slow")
        caller.often(BAD_CALLS, caller.doubles, "wrong")
        caller.often(BAD_CALLS, caller.wanders, "overreaching")
        stack.wait(
            "three promises to be shown broken",
            lambda: list(statuses(stack, first).values()).count("breached") >= 3,
        )
        told = stack.wait(
            "her program to be told",
            lambda: {_clause(body) for _, body in program.got} >= {"form", "prompt", "scope"},
            seconds=30,
        )
        assert told < 30
        assert asks_the_route(stack, route)[:2] == ("42", second)

        page.goto(f"{stack.address}/engagements/{first}/calls/")
        broken = page.locator('[data-window="form/2"]').filter(has_text="Breached")
        expect(broken).to_be_visible()
        expect(page.get_by_test_id("consequences")).to_contain_text("Incident")
        expect(page.get_by_test_id("unread")).to_be_visible()
        alice.looks_around("calls-after")
        page.get_by_role("link", name="The budget").click()
        sees_the_budget(page, stack, meter, "frozen")
        expect(page.get_by_test_id("meter-state")).to_contain_text("form")
        alice.looks_around("budget-frozen")
        walks_what_follows(alice, stack, route, f"Second {suffix}")
        caller.guard.close()
    assert alice.complaints == []


def sees_the_budget(page: Page, stack: Stack, meter: str, state: str) -> None:
    """One window was drawn down and paid to bob, and the rest stands where this state leaves it."""
    address = f"{stack.address}/meters/{meter}/"
    if page.url != address:
        page.goto(address)
    expect(page.get_by_test_id("meter-state")).to_have_attribute("data-state", state)
    window = page.get_by_test_id("window-row")
    expect(window).to_have_count(1)
    expect(window).to_contain_text(f"{WINDOW} of {WINDOW}")
    found = stack.get("alice", f"meters/{meter}")
    assert int(found["paid"]) > 0
    assert (drawn(stack, meter), found["withheld"]) == (DRAWN, "0")
    assert found["available"] == str(BUDGET - DRAWN)
    assert found["authorised"] is (state == "running")
    expect(page.get_by_role("row", name="Free for further windows")).to_contain_text("80.00")


def _clause(body: bytes) -> str:
    facts = json.loads(body)["data"]["evidence"].get("facts", {})
    return str(facts.get("clause", ""))


def walks_what_follows(alice: Visitor, stack: Stack, route: str, other: str) -> None:
    """Bell, notices, incidents to their end, the route, a replay, the hook and its deliveries."""
    page = alice.page
    page.get_by_test_id("bell").click()
    expect(page.get_by_test_id("notice").first).to_be_visible()
    alice.looks_around("notices")
    page.get_by_role("link", name="Choose what you hear of").click()
    alice.looks_around("choices")

    page.goto(f"{stack.address}/incidents/")
    broken = {"form", "scope", "prompt"}
    for clause in broken:
        about = page.get_by_role("rowheader").filter(has=page.get_by_text(clause, exact=True))
        expect(about).to_have_count(1)
    # One for each of them and no more; that calls drifted is about the agent, and has its own.
    heads = page.get_by_test_id("incident").get_by_role("rowheader").all_inner_texts()
    others = [one.splitlines()[-1] for one in heads if one.splitlines()[-1] not in broken]
    assert others in ([], ["the agent itself"]), heads
    alice.looks_around("incidents")
    page.get_by_test_id("incident").filter(has_text="critical").first.get_by_role("link").click()
    page.get_by_label("Write on it").fill("Bob was told on the phone.")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_test_id("timeline")).to_contain_text("Bob was told on the phone.")
    alice.looks_around("incident")
    page.get_by_label("How it ended").select_option("replaced")
    page.get_by_label("Reason").fill("The second agent does the work now.")
    page.get_by_role("button", name="Resolve it").click()
    expect(page.get_by_test_id("outcome")).to_contain_text("The second agent")

    page.goto(f"{stack.address}/routes/{route}/")
    expect(page.get_by_test_id("passed")).to_contain_text("its money is frozen")
    current = page.get_by_test_id("candidate").filter(has=page.get_by_test_id("current"))
    expect(current).to_contain_text(other)
    alice.looks_around("route")
    page.goto(f"{stack.address}/routes/new/")
    alice.looks_around("route-new")

    replays_a_call(alice, stack)
    page.goto(f"{stack.address}/hooks/")
    alice.looks_around("hooks")
    page.get_by_test_id("hook").first.get_by_role("link").click()
    expect(page.get_by_test_id("delivery").first).to_contain_text("delivered")
    alice.looks_around("hook")
    page.goto(f"{stack.address}/shadows/new/")
    alice.looks_around("shadow-new")


def replays_a_call(alice: Visitor, stack: Stack) -> None:
    """The last call of the first agent is made again; both answers stand side by side."""
    page = alice.page
    (engagement,) = stack.rows(
        "SELECT engagement_id FROM marketplace_incident ORDER BY id LIMIT 1"
    )[0]
    page.goto(f"{stack.address}/engagements/{engagement}/calls/")
    page.get_by_test_id("replay").first.click()
    page.wait_for_url("**/replays/**")

    def is_made() -> bool:
        page.reload()
        return page.get_by_test_id("replayed").count() > 0

    stack.wait("the replay", is_made, seconds=60)
    expect(page.get_by_test_id("after")).to_contain_text("text")
    alice.looks_around("replay")
