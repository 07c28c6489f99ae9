"""What happens to money, as rows."""

from settlement.models.bonds import Bond
from settlement.models.cancellations import Cancellation
from settlement.models.escrows import FINAL, Escrow
from settlement.models.filings import FilingDeposit
from settlement.models.ledger import Account, Currency, Entry, QueuedCredit, Transfer
from settlement.models.meters import (
    Meter,
    MeterMovement,
    MeterPause,
    MeterStatement,
    MeterWindow,
)
from settlement.models.rails import Deposit, Payout, RailAttempt, RailEvent
from settlement.models.receipts import PlatformKey, Receipt
from settlement.models.reconciliation import Difference, DifferenceResolution, Reconciliation
from settlement.models.sandbox import SandboxEvent, SandboxLostRequest, SandboxMovement

__all__ = [
    "FINAL",
    "Account",
    "Bond",
    "Cancellation",
    "Currency",
    "Deposit",
    "Difference",
    "DifferenceResolution",
    "Entry",
    "Escrow",
    "FilingDeposit",
    "Meter",
    "MeterMovement",
    "MeterPause",
    "MeterStatement",
    "MeterWindow",
    "Payout",
    "PlatformKey",
    "QueuedCredit",
    "RailAttempt",
    "RailEvent",
    "Receipt",
    "Reconciliation",
    "SandboxEvent",
    "SandboxLostRequest",
    "SandboxMovement",
    "Transfer",
]
