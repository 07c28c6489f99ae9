"""What the doors of a dispute refuse, and why: each says a fact."""


class DisputeRefused(ValueError):
    """The dispute cannot be opened or answered; the message says why."""


class DisputeAlreadyOpen(DisputeRefused):
    """One dispute at a time for a milestone."""


class TooManyDisputes(DisputeRefused):
    """The party has as many disputes open as its record allows."""


class ExhibitRefused(DisputeRefused):
    """The item is too large, too many, or not of the type it says; the message says which."""


class DisputeClosed(ValueError):
    """The dispute already ended, or the time for this has passed."""


class NotYetRipe(ValueError):
    """The case is not at this step yet; the message says what it waits for."""


class ConflictOfInterest(PermissionError):
    """The adjudicator acts for one of the parties, stepped back, or had a part in the ruling."""


class NotAnAdjudicator(PermissionError):
    """Only adjudicators rule."""


class RulingIncomplete(ValueError):
    """A ruling needs reasons, an award between 0 and 10000 bps and clauses the pact has."""
