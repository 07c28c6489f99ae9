"""Why a metered budget waits or ended, and why a window was paid or not: codes and sentences."""

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    # the budget
    "meter_unfunded": "The budget is not set aside yet, so no call counts.",
    "meter_running": "Calls count, and each window is paid when it is judged.",
    "meter_paused": "It is paused: calls are judged but cost nothing until it goes on.",
    "meter_frozen": "A critical clause was breached. Nothing more is paid; unless the buyer waives "
    "the breach in time, the rest returns to the buyer.",
    "meter_stopped": "A critical clause was breached and the breach was not waived in time.",
    "meter_expired": "The agreed time was over.",
    "meter_exhausted": "The budget was used up.",
    "meter_ended_by_buyer": "The buyer ended it.",
    "meter_ended_by_builder": "The builder ended it.",
    "meter_settling": "No more calls count; the last windows are being judged.",
    "meter_waiting": "A window still waits for proof, for the buyer or for a person.",
    "meter_cooling": "All is judged; what was held back waits for the end of the cooling time.",
    "meter_ended": "Everything is settled.",
    # a window
    "window_met": "Every clause was met.",
    "window_breached": "The pact was breached in this window, so it costs nothing.",
    "window_breached_prorated": "The pact was breached, and then pays the measured share.",
    "window_released": "The verdict is undetermined, and the pact then pays in full.",
    "window_prorated": "The verdict is undetermined, and the pact then pays the measured share.",
    "window_withheld": "The verdict is undetermined, and the pact withholds the money until there "
    "is proof. The buyer may accept.",
    "window_extended": "The verdict is undetermined; the pact gives one more window for proof.",
    "window_reviewed": "The verdict is undetermined; a person decides, as the pact says.",
    "window_nothing_due": "Nothing was due.",
    "window_accepted": "The buyer accepted the window without a met verdict.",
    "window_proved": "The next window was met, and that proved it.",
    "window_not_proved": "The promise was not proved in the time the pact gives.",
    "window_ruled": "An adjudicator ruled.",
    "window_unruled": "Nobody ruled before the backstop, so the money stayed with the buyer.",
}


def sentence_of(code: str) -> str:
    """The sentence behind a code; the code itself where there is none."""
    return SENTENCES.get(code, code)
