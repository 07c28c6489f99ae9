"""What happens to money, as rows."""

from settlement.models.escrows import FINAL, Escrow
from settlement.models.ledger import Account, Currency, Entry, QueuedCredit, Transfer
from settlement.models.rails import Deposit, Payout, RailAttempt
from settlement.models.receipts import PlatformKey, Receipt

__all__ = [
    "FINAL",
    "Account",
    "Currency",
    "Deposit",
    "Entry",
    "Escrow",
    "Payout",
    "PlatformKey",
    "QueuedCredit",
    "RailAttempt",
    "Receipt",
    "Transfer",
]
