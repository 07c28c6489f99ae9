"""Finding and keeping a search, as a buyer does it in a browser and a program does it."""

import gzip
import re
from urllib.parse import parse_qsl

import pytest
from django.test import Client
from django.utils.timezone import now as clock

from marketplace.models import Listing, SavedSearch, SearchEntry
from marketplace.searches import telling, watching
from reputation.clock import database_now
from tests import cast
from tests.marketplace.api.programs import program_of
from tests.marketplace.pages.browsers import browser, browser_of, token_in
from tests.marketplace.pages.test_showing import offer, text_of

pytestmark = pytest.mark.django_db


def shown(path: str, client: Client | None = None) -> str:
    answer = (client or browser()).get(path)
    assert answer.status_code == 200
    return text_of(answer.content.decode())


def keep(client: Client, query: str, name: str) -> str:
    """Keep a search on the market's page; where it leads to."""
    token = token_in(client.get(f"/?{query}"))
    answer = client.post(f"/searches/new/?{query}", {"name": name, "idempotency_key": token})
    assert answer.status_code == 302
    return str(answer["Location"])


# --- finding -------------------------------------------------------------------------------------


def test_an_empty_result_says_what_to_loosen_and_how_many_remain() -> None:
    bob = cast.bob()
    for name in ("Letter Sorter", "Parcel Sorter"):
        offer(bob, name, units=3_000)
    page = browser().get("/?q=sorter&most=1&currency=EUR&least=7000").content.decode()
    assert "No agent matches" in page
    assert "Without the price filter" in page
    said = text_of(page.split('data-test="looser"')[1].split("</ul>")[0])
    assert "Without the price filter : 2 agents" in said
    assert "the words" not in said, "nothing is that cheap"
    link = re.findall(r'href="/\?([^"#]*)#offers">Without the price filter<', page)[0]
    assert dict(parse_qsl(link.replace("&amp;", "&"))) == {
        "q": "sorter",
        "least": "7000",
        "currency": "EUR",
    }
    assert "Letter Sorter" in shown(f"/?{link.replace('&amp;', '&')}")


def test_where_no_single_filter_is_to_blame_all_but_one_are_loosened() -> None:
    offer(cast.bob(), "Letter Sorter")
    page = shown("/?work=arithmetic&language=fr&protocol=a2a/1&q=zzzz&least=9000")
    assert "Without the words, the lower bound, the protocol and the language" in page
    offer_gone = SearchEntry.objects.all()
    offer_gone.delete()
    assert "No agent is on offer at all" in shown("/?q=zzzz")


def test_a_price_without_its_currency_is_said_to_be_left_out() -> None:
    offer(cast.bob(), "Any")
    assert "The price is left out: choose its currency" in shown("/?most=12.50")
    assert "write a number such as 12.50" in shown("/?most=cheap&currency=EUR")
    assert "choose the bound it must reach" in shown("/?dimension=accuracy")
    assert "left out" not in shown("/?most=12.50&currency=EUR")


def test_filters_and_the_choice_go_along_from_page_to_page() -> None:
    bob = cast.bob()
    for number in range(26):
        offer(bob, f"Agent {number:02}")
    page = browser().get("/?q=agent&sort=price&agent=agent-03&page=1").content.decode()
    form = page.split('id="compare"')[1].split("</form>")[0]
    hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
    assert hidden == {"q": "agent", "sort": "price"}
    assert 'value="agent-03" checked' in form
    assert re.search(r'<button[^>]*form="compare"[^>]*name="page" value="2"', page)
    assert '<input type="hidden" name="agent" value="agent-03">' in page.split("</form>")[0]
    assert page.count('value="agent-03"') == 2, "chosen ones have no second box on their card"
    second = browser().get("/?q=agent&sort=price&agent=agent-03&agent=gone&page=2").content.decode()
    assert "Agent 03" in second.split('data-test="chosen"')[1].split("</ul>")[0]


def test_a_fifth_agent_is_left_out_of_the_choice_with_a_sentence() -> None:
    bob = cast.bob()
    for number in range(5):
        offer(bob, f"Agent {number}")
    query = "&".join(f"agent=agent-{number}" for number in range(5))
    assert "At most four agents fit side by side" in shown(f"/?{query}")
    assert "At most 4 agents fit side by side" in shown(f"/compare/?{query}")


def test_the_front_page_tells_its_story_on_its_first_page_only() -> None:
    bob = cast.bob()
    for number in range(26):
        offer(bob, f"Agent {number:02}")
    assert "Payment follows proof" in shown("/").split("All agents on offer")[0]
    assert "A builder signs a pact" not in shown("/?page=2")


# --- keeping -------------------------------------------------------------------------------------


def test_a_search_is_kept_told_looked_at_renamed_and_ended_in_a_browser() -> None:
    alice, bob = cast.alice(), cast.bob()
    offer(bob, "Before")
    hers = browser_of(alice)
    place = keep(hers, "work=arithmetic&most=50&currency=EUR", "Cheap sums")
    assert "Nothing has changed yet" in shown(place, hers)
    offer(bob, "After")
    now = database_now()
    watching.look(now=now)
    telling.tell(now=now)
    assert "1 change" in shown("/searches/", hers)
    assert "1 agent newly fits “Cheap sums”" in shown("/notices/", hers)
    page = shown(place, hers)
    assert "After" in page
    assert "It came on offer." in page
    assert "Before" not in page
    assert "1 change" not in shown("/searches/", hers)
    token = token_in(hers.get(place))
    hers.post(f"{place}name/", {"name": "Sums", "idempotency_key": token})
    assert "Sums" in shown("/searches/", hers)
    hers.post(f"{place}end/", {"idempotency_key": token + "x"})
    assert "You keep no search yet" in shown("/searches/", hers)
    assert "nothing of it is told any more" in shown(place, hers)


def test_a_refused_name_leads_back_to_the_search_with_its_reason() -> None:
    hers = browser_of(cast.alice())
    keep(hers, "q=sums", "Mine")
    place = keep(hers, "q=sums&sort=price", "Mine")
    assert place == "/?q=sums&sort=price#offers"
    assert "already keep a search named “Mine”" in shown(place, hers)
    assert SavedSearch.objects.count() == 1


def test_prices_and_bounds_that_crossed_are_said_with_both_values() -> None:
    alice, bob = cast.alice(), cast.bob()
    listing = offer(bob, "Mover", units=200).listing
    hers = browser_of(alice)
    place = keep(hers, "most=15&currency=EUR", "Cheap")
    Listing.objects.filter(pk=listing.pk).update(price=2_000)
    watching.look(now=clock())
    page = shown(place, hers).replace("\u00a0", " ")
    assert "Its price went from EUR 10.00 to EUR 20.00." in page
    assert "no longer fits" in page


def test_nobody_sees_the_searches_of_others() -> None:
    alice, mallory = cast.alice(), cast.mallory()
    place = keep(browser_of(alice), "q=secret+plans", "Secret")
    his = browser_of(mallory)
    missing = place[:-13] + "0" * 12 + "/"
    for method in ("get", "post"):
        for end in ("", "name/", "end/"):
            seen, absent = (getattr(his, method)(at + end) for at in (place, missing))
            assert (seen.status_code, seen.content) == (absent.status_code, absent.content)
            asked = "post" if end else "get"
            assert seen.status_code == (404 if method == asked else 405), (method, end)
    assert "Secret" not in shown("/searches/", his)
    assert browser().get(place).status_code == 302
    key = place.split("/")[2]
    his_program = program_of(mallory)
    for path in ("", "/changes"):
        assert his_program.get(f"saved-searches/{key}{path}").status_code == 404
    assert his_program.get("saved-searches").json()["results"] == []


# --- through the API -----------------------------------------------------------------------------


def test_a_program_finds_what_the_page_finds_under_the_same_names() -> None:
    bob = cast.bob()
    for number in range(8):
        offer(bob, f"Agent {number}", units=30 * (number % 4))
    for query in ("", "q=agent+3", "least=7000&sort=price", "floor=accuracy:7000&fresh=7"):
        found = program_of(cast.actor(f"p{len(query)}")).get(f"search?{query}").json()
        page = browser().get(f"/?{query}").content.decode().split('id="offers"')[1]
        slugs = re.findall(r'data-test="listing" data-agent="([^"]+)"', page)
        names = [one["agent_name"].lower().replace(" ", "-") for one in found["results"]]
        assert names == slugs, query
        assert (found["count"], found["pages"]) == (len(slugs), 1)


def test_a_program_is_told_what_to_loosen_and_what_it_asked_wrongly() -> None:
    offer(cast.bob(), "Any")
    api = program_of(cast.alice())
    found = api.get("search?q=any&most=1&currency=EUR").json()
    assert {"without": ["most"], "count": 1} in found["looser"]
    assert api.get("search?q=any").json()["looser"] == []
    for wrong in ("least=1", "most=12.50&currency=EUR", "most=5", "floor=x", "sort=z", "page=-1"):
        assert api.get(f"search?{wrong}").status_code == 400, wrong


def test_a_program_keeps_a_search_reads_what_changed_and_has_seen_it() -> None:
    alice, bob = cast.alice(), cast.bob()
    api = program_of(alice)
    asked = {"name": "Cheap", "work": "arithmetic", "most": "5000", "currency": "EUR"}
    made = api.post("saved-searches", asked)
    assert made.status_code == 201
    kept = made.json()
    assert (kept["asks"]["most"], kept["asks"]["work"], kept["unseen"]) == (
        "5000",
        "arithmetic",
        0,
    )
    listing = offer(bob, "New").listing
    watching.look(now=database_now())
    assert api.get(f"saved-searches/{kept['id']}").json()["unseen"] == 1
    (change,) = api.get(f"saved-searches/{kept['id']}/changes").json()["results"]
    assert (change["listing"], change["fits"], change["reason"]) == (listing.pk, True, "offer")
    assert change["seen_at"] is None
    assert api.ask("PUT", f"saved-searches/{kept['id']}/sight").json()["unseen"] == 0
    renamed = api.ask("PATCH", f"saved-searches/{kept['id']}", {"name": "Other"})
    assert renamed.json()["name"] == "Other"
    assert api.post("saved-searches", asked | {"name": "Other"}).status_code == 422
    assert api.post("saved-searches", {"name": "All"}).status_code == 422
    assert api.ask("DELETE", f"saved-searches/{kept['id']}").json()["ended_at"]
    assert api.get("saved-searches").json()["results"] == []


def test_texts_are_sent_compressed_to_whoever_takes_it_and_nothing_else_is() -> None:
    taken = {"Accept-Encoding": "gzip"}
    page, again = (browser().get("/pacts/", headers=taken) for _ in range(2))
    assert page["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in page["Vary"]
    whole = browser().get("/pacts/")
    assert "Content-Encoding" not in whole.headers
    assert len(page.content) < len(whole.content) / 2
    assert gzip.decompress(again.content)[:200] == whole.content[:200]
