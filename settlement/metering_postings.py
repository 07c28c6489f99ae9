"""The four movements of a metered budget, each one transfer with its row beside it.

Whoever moves holds the meter's lock and stores what changed on it before the transaction ends: the
database then holds the meter against its account.
"""

from datetime import datetime

from settlement import ledger
from settlement.ledger import Place, Posting, Side
from settlement.metering import Payment
from settlement.models import Account, Meter, MeterMovement, MeterWindow, Transfer

_Kind = MeterMovement.Kind


def fund(*, meter: Meter, amount: int, kind: MeterMovement.Kind, key: str, now: datetime) -> bool:
    """The buyer's money into the budget; False where this key did so before.

    Raises InsufficientFunds, IdempotencyKeyReused.
    """
    buyer = _account(Account.Kind.PARTY, meter, meter.engagement.buyer_id)
    posted = ledger.post(
        Posting(
            kind=Transfer.Kind.METER_FUNDED,
            key=key,
            sides=ledger.move(source=buyer, target=meter.account, amount=amount),
        )
    )
    if posted.replayed:
        return False
    meter.funded += amount
    _note(meter, kind, amount, posted.transfer_id, now)
    return True


def draw(*, meter: Meter, window: MeterWindow, payment: Payment) -> int:
    """What a window earned to the builder and the platform; the transfer's id."""
    key = f"meter:{meter.pk}:{window.stream_id}:{window.number}"
    return _pay(meter, Transfer.Kind.METER_DRAWN, key, payment)


def note_draw(*, meter: Meter, window: MeterWindow, now: datetime) -> None:
    """The movement beside a draw, once the window is stored."""
    if window.transfer_id:
        amount = window.paid + window.fee
        _note(meter, _Kind.DRAW, amount, window.transfer_id, now, fee=window.fee, window=window)


def pay_holdback(*, meter: Meter, payment: Payment, now: datetime) -> None:
    """What was held back, at the end."""
    amount = payment.net + payment.fee
    key = f"meter:{meter.pk}:holdback"
    transfer = _pay(meter, Transfer.Kind.METER_HOLDBACK, key, payment)
    meter.held_back -= amount
    _note(meter, _Kind.HOLDBACK, amount, transfer, now, fee=payment.fee)


def give_back(*, meter: Meter, amount: int, now: datetime) -> None:
    """What nothing will draw any more, to the buyer; nothing where there is none."""
    if not amount:
        return
    buyer = _account(Account.Kind.PARTY, meter, meter.engagement.buyer_id)
    count = meter.movements.filter(kind=_Kind.RETURN).count()
    posted = ledger.post(
        Posting(
            kind=Transfer.Kind.METER_RETURNED,
            key=f"meter:{meter.pk}:return:{count}",
            sides=ledger.move(source=meter.account, target=buyer, amount=amount),
        )
    )
    meter.returned += amount
    _note(meter, _Kind.RETURN, amount, posted.transfer_id, now)


def _pay(meter: Meter, kind: Transfer.Kind, key: str, payment: Payment) -> int:
    sides = [Side(meter.account, -(payment.net + payment.fee))]
    if payment.net:
        sides.append(
            Side(_account(Account.Kind.PARTY, meter, meter.engagement.builder_id), payment.net)
        )
    if payment.fee:
        sides.append(Side(_account(Account.Kind.FEES, meter), payment.fee))
    posted = ledger.post(Posting(kind=kind, key=key, sides=tuple(sides)))
    meter.paid += payment.net
    meter.fees += payment.fee
    return posted.transfer_id


def _account(kind: Account.Kind, meter: Meter, owner_id: str | None = None) -> Account:
    place = Place(kind, meter.currency, owner_id)
    return ledger.accounts_at([place])[place]


def _note(
    meter: Meter,
    kind: MeterMovement.Kind,
    amount: int,
    transfer: int,
    now: datetime,
    *,
    fee: int = 0,
    window: MeterWindow | None = None,
) -> None:
    MeterMovement.objects.create(
        meter=meter,
        kind=kind,
        amount=amount,
        fee=fee,
        transfer_id=transfer,
        window=window,
        moved_at=now,
    )
