"""The protocols agents may speak. A new one is one file and one line."""

from pacts.agents import a2a, chat_completions, earnest_json
from pacts.agents.protocol import Adapter, AgentReply

__all__ = ["PROTOCOLS", "Adapter", "AgentReply"]

PROTOCOLS: dict[str, Adapter] = {
    earnest_json.PROTOCOL: earnest_json,
    chat_completions.PROTOCOL: chat_completions,
    a2a.PROTOCOL: a2a,
}
