"""What an escrow's doors refuse, and why: each says a fact."""


class EscrowRefused(Exception):
    """The escrow does not allow this now; the message says why."""


class EscrowAlreadyFunded(EscrowRefused):
    """Another request funded it."""


class EscrowNotFunded(EscrowRefused):
    """There is no money in it yet."""


class EscrowAlreadySettled(EscrowRefused):
    """It reached its one outcome."""


class EscrowFrozen(EscrowRefused):
    """A dispute or review is open."""


class EngagementNotInForce(EscrowRefused):
    """Both sides must have signed, and nothing may have ended it."""


class BondNotCovered(EscrowRefused):
    """The builder's balance does not hold the bond it agreed to stake."""


class DepositNotCovered(EscrowRefused):
    """The balance of whoever files does not hold the deposit this dispute needs."""


class ExposureExceeded(EscrowRefused):
    """More would be held on this agent than its standing carries; the message has the sum."""


class NoVerdictYet(EscrowRefused):
    """There is nothing to accept or to dispute yet."""


class DeadlinePassed(EscrowRefused):
    """The window for this closed."""


class RevisionNotDue(EscrowRefused):
    """A revision is delivered after a breach or for want of proof, in the period for it."""


class NotYourSide(PermissionError):
    """This belongs to the other side of the engagement."""


class CancellationRefused(EscrowRefused):
    """The offer to cancel cannot be made or answered like this; the message says why."""


class CancellationClosed(EscrowRefused):
    """The offer was accepted, withdrawn, superseded, or ran out."""
