"""The sandbox rail: no real money, the same interface.

The token after the colon says what happens, as the test tokens of card processors do:
`sandbox:ok` succeeds, `sandbox:decline` is declined; any other token succeeds.
"""

from settlement.money import Money
from settlement.rails.rail import Answer


class SandboxRail:
    """Answers at once, and the same answer to the same question."""

    instant = True

    def deposit(self, *, reference: str, money: Money, source: str) -> Answer:
        """See `Rail`."""
        return self._answer(reference, source)

    def payout(self, *, reference: str, money: Money, destination: str) -> Answer:
        """See `Rail`."""
        return self._answer(reference, destination)

    def _answer(self, reference: str, token: str) -> Answer:
        if token.endswith(":decline"):
            return Answer("failed", f"sandbox-{reference}", "declined by the sandbox")
        return Answer("succeeded", f"sandbox-{reference}")
