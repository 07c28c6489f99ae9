"""The sample marketplace's agents: nine HTTP services by three builders, as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class SampleBuilder:
    slug: str
    name: str
    summary: str


@dataclass(frozen=True)
class SampleAgent:
    """One agent. `price` is in minor units of `currency` for one milestone: the buyer's task set.

    `wsgi` is what gunicorn serves ("module:application"); the same module's `answer` is the pure
    function behind it. `kind` is a slug of `kinds.KINDS`, `library` the package it stands on.
    """

    slug: str
    name: str
    kind: str
    library: str
    summary: str
    module: str
    builder: str
    price: int
    currency: str = "EUR"

    @property
    def wsgi(self) -> str:
        return f"{self.module}:application"

    def load_answer(self) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """The function from a call's input to its output. Imports the agent's library."""
        answer: Callable[[Mapping[str, Any]], dict[str, Any]] = import_module(self.module).answer
        return answer


BUILDERS: tuple[SampleBuilder, ...] = (
    SampleBuilder("brightline", "Brightline", "Agents that always have an answer."),
    SampleBuilder("fine-tuning", "Fine Tuning", "Known libraries with one setting changed."),
    SampleBuilder("plain-dealing", "Plain Dealing", "Agents that say when they do not know."),
)

_ENDPOINTS = "marketplace.sample.endpoints"

AGENTS: tuple[SampleAgent, ...] = (
    SampleAgent(
        slug="first-guess",
        name="First Guess",
        kind="language",
        library="langdetect",
        summary="The most probable of 55 languages for every text.",
        module=f"{_ENDPOINTS}.langdetect_first",
        builder="brightline",
        price=4500,
    ),
    SampleAgent(
        slug="sure-guess",
        name="Sure Guess",
        kind="language",
        library="langdetect",
        summary="Answers when the library's own probability is 0.9 or more.",
        module=f"{_ENDPOINTS}.langdetect_sure",
        builder="fine-tuning",
        price=4800,
    ),
    SampleAgent(
        slug="plain-words",
        name="Plain Words",
        kind="language",
        library="pycld2",
        summary="Answers when CLD2 calls its own answer reliable.",
        module=f"{_ENDPOINTS}.cld2",
        builder="plain-dealing",
        price=4200,
    ),
    SampleAgent(
        slug="any-day",
        name="Any Day",
        kind="dates",
        library="python-dateutil",
        summary="Reads nearly every date format there is.",
        module=f"{_ENDPOINTS}.dateutil_plain",
        builder="brightline",
        price=6000,
    ),
    SampleAgent(
        slug="any-day-anywhere",
        name="Any Day, Anywhere",
        kind="dates",
        library="python-dateutil",
        summary="Finds the date among other words.",
        module=f"{_ENDPOINTS}.dateutil_fuzzy",
        builder="fine-tuning",
        price=6400,
    ),
    SampleAgent(
        slug="house-rules",
        name="House Rules",
        kind="dates",
        library="dateparser",
        summary="Reads complete dates in the writer's locale or English.",
        module=f"{_ENDPOINTS}.dateparser_strict",
        builder="plain-dealing",
        price=5800,
    ),
    SampleAgent(
        slug="mend-all",
        name="Mend All",
        kind="documents",
        library="json-repair",
        summary="Makes a document of whatever the model wrote.",
        module=f"{_ENDPOINTS}.json_repair_any",
        builder="brightline",
        price=8000,
    ),
    SampleAgent(
        slug="mend-some",
        name="Mend Some",
        kind="documents",
        library="json-repair",
        summary="Mends in strict mode, which refuses doubtful repairs.",
        module=f"{_ENDPOINTS}.json_repair_strict",
        builder="fine-tuning",
        price=8400,
    ),
    SampleAgent(
        slug="all-or-nothing",
        name="All or Nothing",
        kind="documents",
        library="json5",
        summary="Reads relaxed JSON whole, or not at all.",
        module=f"{_ENDPOINTS}.json5_loud",
        builder="plain-dealing",
        price=7600,
    ),
)


def agents_of(kind: str) -> tuple[SampleAgent, ...]:
    """The agents that do one kind of work, in the order of `AGENTS`."""
    return tuple(agent for agent in AGENTS if agent.kind == kind)


def get_agent(slug: str) -> SampleAgent:
    """The agent with this slug; KeyError if there is none."""
    return {agent.slug: agent for agent in AGENTS}[slug]
