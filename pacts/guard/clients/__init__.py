"""Clients of models under guard: OpenAI's, Anthropic's, LangChain's. None is imported here."""

from pacts.guard.clients.anthropic import guard_anthropic
from pacts.guard.clients.langchain import guard_langchain
from pacts.guard.clients.openai import guard_openai

__all__ = ["guard_anthropic", "guard_langchain", "guard_openai"]
