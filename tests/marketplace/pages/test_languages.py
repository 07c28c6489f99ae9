"""The site in two languages: who gets which, what it depends on, and what stays as it is."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import translation

from marketplace import speech
from marketplace.models import Mail, News
from marketplace.notices import mailing, phrases, saying, titles
from marketplace.pages import wording
from pacts.models import User
from reputation import checkpoints
from reputation.clock import database_now
from settlement.settlements import settle_due
from tests import cast
from tests.marketplace.pages.browsers import browser, browser_of
from tests.marketplace.pages.test_showing import offer
from tests.settlement.hires import START, funded

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}


def language_of(client: Client, path: str = "/", **headers: str) -> str:
    return client.get(path, headers=headers)["Content-Language"]


@pytest.mark.django_db
def test_a_visitor_reads_what_the_browser_asks_for_and_english_otherwise() -> None:
    visitor = browser()
    german = visitor.get("/", headers=GERMAN)
    assert german["Content-Language"] == "de"
    assert '<html lang="de">' in german.content.decode()
    assert "Die Zahlung folgt dem Nachweis" in german.content.decode()
    assert language_of(visitor) == "en"
    assert language_of(visitor, **{"accept-language": "fr"}) == "en"


@pytest.mark.django_db
def test_a_cache_is_told_that_the_language_decides() -> None:
    answer = browser().get("/")
    assert {"Accept-Language", "Cookie"} <= {one.strip() for one in answer["Vary"].split(",")}


@pytest.mark.django_db
def test_the_switch_is_a_form_and_comes_back_to_the_page() -> None:
    visitor = browser()
    answer = visitor.post("/language/", {"language": "de", "next": "/evidence/?subject=x"})
    assert (answer.status_code, answer["Location"]) == (302, "/evidence/?subject=x")
    assert language_of(visitor) == "de"
    visitor.post("/language/", {"language": "en", "next": "/"})
    assert language_of(visitor, **GERMAN) == "en"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "", "javascript:1"]
)
def test_the_switch_leads_nowhere_else(elsewhere: str) -> None:
    answer = browser().post("/language/", {"language": "de", "next": elsewhere})
    assert answer["Location"] == "/"


@pytest.mark.django_db
def test_a_language_nobody_speaks_here_changes_nothing() -> None:
    visitor = browser()
    answer = visitor.post("/language/", {"language": "../../etc", "next": "/"})
    assert "language" not in answer.cookies
    assert language_of(visitor) == "en"


@pytest.mark.django_db
def test_the_choice_of_somebody_signed_in_goes_along_to_other_browsers_and_mails() -> None:
    alice = cast.alice()
    browser_of(alice).post("/language/", {"language": "de", "next": "/"})
    kept = User.objects.get(pk=alice.user.pk)
    assert speech.language_of(kept) == "de"
    assert language_of(browser_of(alice)) == "de"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/listings", 200),
        ("/api/v1/agents", 200),
        ("/api/v1/search?least=1", 400),
        ("/api/v1/nothing-of-this-name", 404),
        ("/healthz", 200),
        ("/log/keys", 200),
    ],
)
def test_programs_are_spoken_to_in_english(path: str, status: int) -> None:
    offer(cast.bob(), "Sums")
    checkpoints.sign_now(now=database_now())
    visitor = browser()
    visitor.cookies["language"] = "de"
    english, german = browser().get(path), visitor.get(path, headers=GERMAN)
    assert (german.status_code, english.status_code) == (status, status)
    assert german.content == english.content != b""


@pytest.mark.django_db
def test_a_refusal_is_in_the_visitors_language() -> None:
    page = browser().get("/nothing/here/", headers=GERMAN)
    assert page.status_code == 404
    assert "Hier ist nichts" in page.content.decode()
    assert "Unter dieser Adresse ist nichts, was Sie sehen dürfen." in page.content.decode()


def test_numbers_money_and_time_follow_the_language() -> None:
    with translation.override("de"):
        assert wording.amount(-123_456, "EUR") == "−1.234,56\u00a0EUR"
        assert wording.amount(1_234, "JPY") == "1.234\u00a0JPY"
        assert wording.percent(9_725) == "97,25\u202f%"
        assert wording.plural(1, "task") == "1 Aufgabe"
        assert wording.plural(12_000, "task") == "12.000 Aufgaben"
        assert wording.span(172_800) == "2 Tage"
        assert wording.joined(["a", "b", "c"]) == "a, b und c"
    assert wording.amount(123_456, "EUR") == "EUR\u00a01,234.56"


def test_an_input_field_keeps_the_one_way_of_writing_numbers() -> None:
    with translation.override("de"):
        assert wording.decimal(123_450, "EUR") == "1234.50"


def test_a_title_keeps_a_strangers_name_as_it_is() -> None:
    words = titles.outcome("The verdict on {agent} is {outcome}")({"outcome": "met"}, "Open {x}")
    news = News(title=phrases.in_english(words), words=phrases.kept(words))
    assert saying.title(news) == "The verdict on Open {x} is met"
    with translation.override("de"):
        assert saying.title(news).endswith("erfüllt")
        assert "Open {x}" in saying.title(news)


def test_news_of_before_are_said_as_they_were_written() -> None:
    with translation.override("de"):
        assert saying.title(News(title="Something happened", words=[])) == "Something happened"


@pytest.mark.django_db
def test_a_mail_is_in_the_readers_language_as_text_and_as_html() -> None:
    alice = cast.alice()
    speech.choose(user=alice.user, language="de")
    words = titles.plain("A payout failed")({}, "")
    news = News(
        title="A payout failed <b>",
        words=phrases.kept(words),
        topic="money",
        path="/money/",
        party=alice.party,
    )
    user = User.objects.get(pk=alice.user.pk)
    message = mailing.message_to(user, [Mail(pk=1, news=news, user=user)], database_now())
    assert message.subject == "Eine Auszahlung ist fehlgeschlagen"
    assert "Keine E-Mails mehr über „Ein- und Auszahlungen“" in str(message.body)
    html = str(message.alternatives[0][0])
    assert '<html lang="de">' in html
    assert "Eine Auszahlung ist fehlgeschlagen" in html
    assert translation.get_language() == "en"


POSITIONS = re.compile(r' (viewBox|[xy][12]?|c[xy]|r|dy|width|height|points|d)="([^"]*)"')


def drawn(page: str) -> list[str]:
    """Where everything of every picture of a page lies."""
    pictures = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    return [place for one in pictures for _, place in POSITIONS.findall(one)]


@pytest.mark.django_db
def test_a_drawing_keeps_its_numbers_whatever_the_language() -> None:
    made = funded(price=10_001)
    made.judge("breached", share=3_333)
    settle_due(now=START + timedelta(days=40))
    hers, path = browser_of(made.alice), "/money/statement/?since=2020-01-01&until=2100-01-01"
    english, german = (hers.get(path, headers=said).content.decode() for said in ({}, GERMAN))
    assert german.count('data-test="money-flow"') == english.count('data-test="money-flow"') == 2
    assert "100,01" in german
    for picture in re.findall(r'data-test="money-flow".*?</svg>', german, re.DOTALL):
        assert re.search(r' y="\d+\.\d+" height="\d+\.\d+"', picture), "the bar's own numbers"
    assert drawn(german) == drawn(english)
