"""The guard: a client around every production call, that stands in nobody's way.

    from pacts.guard import PactGuard

    guard = PactGuard(agent_version="agv_…", base_url="https://market.example", api_key="ek_…")
    answer = guard(agent)(question)

Standard library only; Python 3.11 or newer. See README.md beside this file.
"""

from pacts.guard.blocking import PactBreached
from pacts.guard.guard import PactGuard
from pacts.guard.settings import GuardMisconfigured

__all__ = ["GuardMisconfigured", "PactBreached", "PactGuard"]
