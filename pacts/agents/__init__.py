"""The protocols agents may speak. A new one is one file and one line."""

from pacts.agents import earnest_json
from pacts.agents.protocol import AgentReply, CallAgent

__all__ = ["PROTOCOLS", "AgentReply", "CallAgent"]

PROTOCOLS: dict[str, CallAgent] = {
    earnest_json.PROTOCOL: earnest_json.call,
}
