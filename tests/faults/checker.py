"""An independent look at a whole database: plain SQL, folded here, nothing shared with the product.

`problems` reads every table that money, proof and standing rest on in one snapshot and answers in
sentences; an empty list is a database that LEDGER's invariants hold for. The numbers in the rules'
names are those invariants. It imports neither Django nor the product, so a mistake made twice in
the product is not made a third time here. Where it asks for less than the truth, it says so.
"""

import base64
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import psycopg.rows
from cryptography.exceptions import InvalidSignature
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

GRACE = timedelta(seconds=60)
SETTLED = {"released", "refunded", "split"}

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Account:
    kind: str
    owner: str | None
    currency: str
    floor: int | None
    deferred: bool
    balance: int
    version: int


@dataclass(frozen=True, slots=True)
class Entry:
    transfer: int
    account: int
    currency: str
    amount: int
    balance_after: int | None
    version: int | None


@dataclass(frozen=True, slots=True)
class Transfer:
    kind: str
    key: str
    resolves: int | None


@dataclass(slots=True)
class Books:
    """The tables of one database, in one snapshot; everything below is derived from these rows."""

    accounts: dict[int, Account]
    transfers: dict[int, Transfer]
    entries: list[Entry]
    queued: dict[int, int]
    rows: dict[str, list[Row]] = field(default_factory=dict)
    secret_key: str = ""
    of_transfer: dict[int, list[Entry]] = field(init=False)

    def __post_init__(self) -> None:
        self.of_transfer = defaultdict(list)
        for entry in self.entries:
            self.of_transfer[entry.transfer].append(entry)


TABLES: dict[str, str] = {
    "escrows": """SELECT s.id, s.state, s.currency, s.amount, s.account_id, s.hold_id,
                         s.resolution_id, s.released, s.refunded, s.fee, s.next_action_at,
                         s.verdict_id, m.id, g.buyer_id, g.builder_id, s.fee_bps
                    FROM settlement_escrow s JOIN pacts_milestone m ON m.id = s.milestone_id
                    JOIN pacts_engagement g ON g.id = m.engagement_id ORDER BY s.id""",
    "meters": """SELECT m.id, m.state, m.account_id, m.funded, m.paid, m.fees, m.returned,
                        m.held_back, m.withheld, g.buyer_id, g.builder_id
                   FROM settlement_meter m JOIN pacts_engagement g ON g.id = m.engagement_id
                  ORDER BY m.id""",
    "meter_windows": """SELECT id, meter_id, stream_id, number, state, transfer_id, paid, fee,
                               held_back, covered
                          FROM settlement_meterwindow ORDER BY id""",
    "deposits": """SELECT id, party_id, amount, currency, state, transfer_id
                     FROM settlement_deposit ORDER BY id""",
    "payouts": """SELECT id, party_id, amount, currency, state, hold_id, resolution_id
                    FROM settlement_payout ORDER BY id""",
    "deposit_keys": "SELECT party_id, idempotency_key FROM settlement_deposit",
    "payout_keys": "SELECT party_id, idempotency_key FROM settlement_payout",
    "replay_keys": "SELECT caller, key FROM marketplace_replayedrequest",
    "receipts": """SELECT r.id, r.escrow_id, r.body, r.signature, k.public_key
                     FROM settlement_receipt r JOIN settlement_platformkey k ON k.id = r.key_id
                    ORDER BY r.id""",
    "evidence": """SELECT id, kind, envelope, leaf_hash, dedupe_key FROM reputation_evidence
                    ORDER BY id""",
    "payloads": "SELECT evidence_id, sealed FROM reputation_evidencepayload",
    "log": "SELECT index, evidence_id, leaf_hash FROM reputation_logentry ORDER BY index",
    "waiting": "SELECT evidence_id FROM reputation_evidencequeue",
    "standings": """SELECT agent_id, version_id, dimension, verdicts, passes, failures
                      FROM reputation_standing""",
    "evaluations": """SELECT e.id, e.state, e.purpose, e.trials_total, v.id, v.evidence_id,
                             v.outcome, d.milestone_id
                        FROM pacts_evaluation e LEFT JOIN pacts_verdict v ON v.evaluation_id = e.id
                        LEFT JOIN pacts_deliverable d ON d.id = e.deliverable_id ORDER BY e.id""",
    "trials": """SELECT id, evaluation_id, task_id, repeat, state, fault FROM pacts_trial
                  ORDER BY id""",
    "observations": "SELECT trial_id, clause, outcome FROM pacts_observation ORDER BY id",
    "clauses": """SELECT v.evaluation_id, c.key, c.unit, c.passes, c.failures, c.errors, c.nulls,
                         c.skipped
                    FROM pacts_clauseverdict c JOIN pacts_verdict v ON v.id = c.verdict_id""",
}


def problems(
    connection: "psycopg.Connection[Any]", *, settled: bool = True, secret_key: str = ""
) -> list[str]:
    """What is wrong, in sentences; none is good news.

    With `settled` the run is said to be over, so nothing may still wait for the log. Without the
    product's `secret_key` private payloads stay sealed: only that each has its commitment is seen.
    """
    books = read(connection)
    books.secret_key = secret_key
    (now,) = _one(connection, "SELECT clock_timestamp()")
    found = [sentence for rule in RULES for sentence in rule(books)]
    found += _past_their_deadline(books, now)
    return [*found, *(_waits(books) if settled else [])]


def read(connection: "psycopg.Connection[Any]") -> Books:
    """Every table: in a snapshot of our own, or as the caller's open transaction sees them."""
    ours = connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    with connection.transaction():
        if ours:
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        books = Books(
            accounts={
                row[0]: Account(*row[1:])
                for row in _all(
                    connection,
                    """SELECT id, kind, owner_id, currency_id, floor, deferred, balance, version
                         FROM settlement_account ORDER BY id""",
                )
            },
            transfers={
                row[0]: Transfer(*row[1:])
                for row in _all(
                    connection,
                    "SELECT id, kind, idempotency_key, resolves_id FROM settlement_transfer",
                )
            },
            entries=[
                Entry(*row)
                for row in _all(
                    connection,
                    """SELECT transfer_id, account_id, currency, amount, balance_after,
                              account_version FROM settlement_entry ORDER BY id""",
                )
            ],
            queued={
                account: int(total)
                for account, total in _all(
                    connection,
                    "SELECT account_id, sum(amount) FROM settlement_queuedcredit GROUP BY 1",
                )
            },
        )
        books.rows = {name: _all(connection, question) for name, question in TABLES.items()}
    return books


def _all(connection: "psycopg.Connection[Any]", question: str) -> list[Row]:
    with connection.cursor(row_factory=psycopg.rows.tuple_row) as cursor:
        cursor.execute(question.encode())
        return cursor.fetchall()


def _one(connection: "psycopg.Connection[Any]", question: str) -> Row:
    return _all(connection, question)[0]


# --- money --------------------------------------------------------------------------------------


def what_is_inside_came_in_and_did_not_leave(books: Books) -> Iterator[str]:
    """1. Everything but the rails holds exactly deposits minus payouts, by the rails' own rows."""
    inside: Counter[str] = Counter()
    for identity, account in books.accounts.items():
        if account.kind != "rail":
            inside[account.currency] += account.balance + books.queued.get(identity, 0)
    for _, _, amount, currency, state, _ in books.rows["deposits"]:
        inside[currency] -= amount if state == "succeeded" else 0
    for _, _, amount, currency, state, _, _ in books.rows["payouts"]:
        inside[currency] += amount if state == "paid" else 0
    for currency, over in inside.items():
        if over:
            yield f"1: {over} {currency} more is inside than came in"


def every_deposit_was_credited_once_and_in_full(books: Books) -> Iterator[str]:
    """1. A deposit that succeeded is one credit of its party; a failed one is none."""
    for identity, party, amount, currency, state, transfer in books.rows["deposits"]:
        credits = [
            entry.amount
            for entry in books.of_transfer.get(transfer, [])
            if books.accounts[entry.account].owner == party and entry.currency == currency
        ]
        if credits != ([amount] if state == "succeeded" else []):
            yield f"1: deposit {identity} ({state}) of {amount} credited {credits}"


def every_transfer_sums_to_zero(books: Books) -> Iterator[str]:
    """2. Per currency, and nothing moves without a transfer of at least two sides."""
    for identity in books.transfers:
        sides = books.of_transfer.get(identity, [])
        sums: Counter[str] = Counter()
        for side in sides:
            sums[side.currency] += side.amount
        if len(sides) < 2 or any(sums.values()):
            yield f"2: transfer {identity} has {len(sides)} sides that add up to {dict(sums)}"
    for stray in books.of_transfer.keys() - books.transfers.keys():
        yield f"2: entries name transfer {stray}, which does not exist"


def no_account_is_below_its_floor(books: Books) -> Iterator[str]:
    """3. Not now, and not after any entry that says where it left the account."""
    lowest: dict[int, int] = {}
    for entry in books.entries:
        if entry.balance_after is not None:
            lowest[entry.account] = min(entry.balance_after, lowest.get(entry.account, 0))
    for identity, account in books.accounts.items():
        least = min(account.balance, lowest.get(identity, 0))
        if account.floor is not None and least < account.floor:
            yield f"3: account {identity} ({account.kind}) was at {least}"


def each_escrow_has_one_outcome_that_adds_up(books: Books) -> Iterator[str]:
    """4. Funded = released + refunded + fees, by the entries themselves, and once."""
    endings = Counter(t.resolves for t in books.transfers.values() if t.resolves is not None)
    for hold, count in endings.items():
        if count > 1:
            yield f"4: transfer {hold} is resolved {count} times"
    for row in books.rows["escrows"]:
        identity, state, _, amount, account, hold, resolution, *_ = row
        held = _on(books, hold, partial(_is_on, account))
        if (hold is not None) != (state != "unfunded") or (hold and held != amount):
            yield f"4: escrow {identity} ({state}) of {amount} was funded with {held}"
        left = books.accounts[account].balance
        if left != (0 if state in SETTLED or state == "unfunded" else amount):
            yield f"4: escrow {identity} ({state}) of {amount} holds {left}"
        if (resolution is not None) != (state in SETTLED):
            yield f"4: escrow {identity} is {state} with resolution {resolution}"
        if resolution is not None:
            yield from _outcome(books, row)


def each_metered_budget_is_what_went_in_and_out(books: Books) -> Iterator[str]:
    """4. A budget's figures follow from the transfers that touch its account, folded here; each
    window drew once."""
    for row in books.rows["meters"]:
        identity, state, account, funded, paid, fees, returned, held_back, withheld, *sides = row
        buyer, builder = sides
        moved: Counter[str] = Counter()
        for transfer in {one.transfer for one in books.entries if one.account == account}:
            for entry in books.of_transfer[transfer]:
                owner, kind = (
                    books.accounts[entry.account].owner,
                    books.accounts[entry.account].kind,
                )
                name = {builder: "paid", buyer: "buyer"}.get(owner or "", kind)
                moved[name] += entry.amount
        if (moved["paid"], moved["fees"], moved["buyer"]) != (paid, fees, returned - funded):
            yield f"4: budget {identity} says {row[3:7]}, its transfers moved {dict(moved)}"
        left = books.accounts[account].balance
        if left != funded - paid - fees - returned or left < held_back + withheld:
            yield f"4: budget {identity} ({state}) keeps {held_back} + {withheld} and holds {left}"
        if state in ("ended", "unfunded") and left:
            yield f"4: budget {identity} is {state} and holds {left}"
    yield from _draws(books)


def _draws(books: Books) -> Iterator[str]:
    windows = books.rows["meter_windows"]
    for place, count in Counter(row[1:4] for row in windows).items():
        if count > 1:
            yield f"4: window {place} was settled {count} times"
    drawn = {row[5] for row in windows if row[5] is not None}
    posted = {key for key, one in books.transfers.items() if one.kind == "meter_drawn"}
    for stray in sorted(drawn ^ posted):
        yield f"4: transfer {stray} is not one window's draw"
    for identity, _, _, _, state, transfer, paid, fee, *_ in windows:
        moved = sum(e.amount for e in books.of_transfer.get(transfer, []) if e.amount > 0)
        if moved != paid + fee or (state == "withheld" and moved):
            yield f"4: window {identity} ({state}) says {paid} + {fee}, moved {moved}"


def _outcome(books: Books, row: Row) -> Iterator[str]:
    identity, state, _, amount, _, hold, resolution, released, refunded, fee, *rest = row
    buyer, builder, fee_bps = rest[3], rest[4], rest[5]
    accounts = books.accounts
    paid = (
        _on(books, resolution, lambda entry: accounts[entry.account].owner == builder),
        _on(books, resolution, lambda entry: accounts[entry.account].owner == buyer),
        _on(books, resolution, lambda entry: accounts[entry.account].kind == "fees"),
    )
    if paid != (released, refunded, fee) or sum(paid) != amount:
        yield f"4: escrow {identity} of {amount} says {(released, refunded, fee)}, paid {paid}"
    if books.transfers[resolution].resolves != hold:
        yield f"4: escrow {identity} is settled by a transfer that resolves another hold"
    named = "refunded" if released + fee == 0 else "split" if refunded else "released"
    if state != named:
        yield f"4: escrow {identity} paid {paid} and calls itself {state}"
    earned = released + fee
    if abs(fee * 10_000 - earned * fee_bps) > 10_000:  # the nearest unit, either way
        yield f"4: escrow {identity} took a fee of {fee} on {earned} at {fee_bps} bps"


def _is_on(account: int, entry: Entry) -> bool:
    return entry.account == account


def _on(books: Books, transfer: int | None, wanted: Callable[[Entry], bool]) -> int:
    sides = books.of_transfer.get(transfer, []) if transfer is not None else []
    return sum(entry.amount for entry in sides if wanted(entry))


def stored_balances_are_the_fold_of_entries(books: Books) -> Iterator[str]:
    """5. In the order of versions, without a gap; a hot account's queue counts as its own."""
    by_account: dict[int, list[Entry]] = defaultdict(list)
    for entry in books.entries:
        by_account[entry.account].append(entry)
    for identity, account in books.accounts.items():
        mine = by_account[identity]
        stored = account.balance + books.queued.get(identity, 0)
        if stored != sum(entry.amount for entry in mine):
            yield f"5: account {identity} holds {stored}, its entries say otherwise"
        if any(entry.currency != account.currency for entry in mine):
            yield f"5: account {identity} has an entry of another currency"
        numbered = sorted((e for e in mine if e.version is not None), key=lambda e: e.version or 0)
        if [entry.version for entry in numbered] != list(range(1, account.version + 1)):
            yield f"5: the versions of account {identity} have a gap"
        running = 0
        for entry in numbered if not account.deferred else ():
            running += entry.amount
            if entry.balance_after != running:
                yield f"5: account {identity} is said to hold {entry.balance_after}, not {running}"
    for stray in by_account.keys() - books.accounts.keys():
        yield f"5: entries name account {stray}, which does not exist"


def one_effect_per_idempotency_key(books: Books) -> Iterator[str]:
    """6. For transfers, deposits, payouts and stored answers."""
    keys: dict[str, Iterable[object]] = {
        "transfer": [transfer.key for transfer in books.transfers.values()],
        "deposit": books.rows["deposit_keys"],
        "payout": books.rows["payout_keys"],
        "request": books.rows["replay_keys"],
    }
    for what, used in keys.items():
        for key, count in Counter(used).items():
            if count > 1:
                yield f"6: {count} {what}s have the key {key}"


def each_final_verdict_has_one_settlement_and_one_record(books: Books) -> Iterator[str]:
    """8. And one signed receipt, that tells the same numbers."""
    settlements = Counter(
        envelope["subjects"]["escrow"] for envelope in _envelopes(books, "escrow.settled")
    )
    told: dict[str, list[Row]] = defaultdict(list)
    for receipt in books.rows["receipts"]:
        told[receipt[1]].append(receipt)
    for row in books.rows["escrows"]:
        wanted = 1 if row[1] in SETTLED else 0
        if settlements[row[0]] != wanted:
            yield f"8: escrow {row[0]} ({row[1]}) has {settlements[row[0]]} records of settlement"
        if len(told[row[0]]) != wanted:
            yield f"8: escrow {row[0]} ({row[1]}) has {len(told[row[0]])} receipts"
        for receipt in told[row[0]]:
            yield from _receipt(row, receipt)
    concluded = Counter(
        envelope["subjects"]["evaluation"] for envelope in _envelopes(books, "evaluation.concluded")
    )
    for identity, state, _, _, verdict, proof, _, _ in books.rows["evaluations"]:
        wanted = 1 if verdict else 0
        if (state == "concluded") != bool(verdict) or concluded[identity] != wanted:
            yield f"8: evaluation {identity} ({state}): {concluded[identity]} records of a verdict"
        if verdict and proof not in {row[0] for row in books.rows["evidence"]}:
            yield f"8: verdict {verdict} names evidence {proof}, which does not exist"


def _receipt(escrow: Row, receipt: Row) -> Iterator[str]:
    identity, _, body, signature, public_key = receipt
    hashed = "sha256:" + hashlib.sha256(body.encode()).hexdigest()
    try:
        Ed25519PublicKey.from_public_bytes(bytes(public_key)).verify(
            bytes(signature), f"earnest-receipt/1\n{hashed}\n".encode()
        )
    except InvalidSignature:
        yield f"8: receipt {identity} is not signed by its key"
    arithmetic = json.loads(body)["arithmetic"]
    says = tuple(arithmetic[name] for name in ("released", "refunded", "fee"))
    if says != escrow[7:10]:
        yield f"8: receipt {identity} says {says}, the escrow {escrow[7:10]}"


def _past_their_deadline(books: Books, now: datetime) -> Iterator[str]:
    """10. Nothing that is due stays undone for longer than sweeps may take."""
    for identity, state, *rest in books.rows["escrows"]:
        due = rest[8]
        if due is not None and due < now - GRACE:
            yield f"10: escrow {identity} ({state}) was due at {due}"


# --- work ---------------------------------------------------------------------------------------


def every_trial_is_counted_once(books: Books) -> Iterator[str]:
    """Once per task and repeat; a check answers once per trial, and the verdict counts it once."""
    tried = Counter(row[1:4] for row in books.rows["trials"])
    for which, count in tried.items():
        if count > 1:
            yield f"work: {which} was tried {count} times"
    answered = Counter(row[:2] for row in books.rows["observations"])
    for which, count in answered.items():
        if count > 1:
            yield f"work: trial and clause {which} have {count} observations"
    by_evaluation: dict[str, list[Row]] = defaultdict(list)
    for trial in books.rows["trials"]:
        by_evaluation[trial[1]].append(trial)
    clauses: dict[str, list[Row]] = defaultdict(list)
    for clause in books.rows["clauses"]:
        clauses[clause[0]].append(clause)
    observed = {(trial, clause): outcome for trial, clause, outcome in books.rows["observations"]}
    for identity, state, _, total, *_ in books.rows["evaluations"]:
        trials = by_evaluation[identity]
        if len(trials) != total:
            yield f"work: {identity} has {len(trials)} trials of {total}"
        if state == "concluded":
            yield from _concluded(identity, trials, clauses[identity], observed)


def _concluded(
    identity: str, trials: list[Row], clauses: list[Row], observed: Mapping[tuple[int, str], str]
) -> Iterator[str]:
    done = [trial[0] for trial in trials if trial[4] == "done"]
    null = [trial[0] for trial in trials if trial[4] == "null"]
    if len(done) + len(null) != len(trials):
        yield f"work: {identity} is concluded with trials still out"
    for _, key, unit, passes, failures, errors, nulls, skipped in clauses:
        outcomes = [observed.get((trial, key)) for trial in done]
        if None in outcomes or any((trial, key) in observed for trial in null):
            yield f"work: {identity} {key}: {outcomes.count(None)} trials without an observation"
        if unit == "call" and round(passes + failures) + errors + nulls + skipped != len(trials):
            yield f"work: {identity} {key} counts {passes}+{failures} of {len(trials)} trials"
        if unit == "call" and (errors, nulls) != (outcomes.count("error"), len(null)):
            yield f"work: {identity} {key} counts {errors} errors and {nulls} nulls"


# --- proof --------------------------------------------------------------------------------------


def _envelopes(books: Books, kind: str) -> Iterator[dict[str, Any]]:
    for _, named, envelope, _, _ in books.rows["evidence"]:
        if named == kind:
            yield json.loads(envelope)


def every_leaf_is_the_hash_of_its_envelope(books: Books) -> Iterator[str]:
    """RFC 6962: SHA-256 of a zero byte and the entry; and each payload opens its commitment."""
    commitments = {}
    for identity, kind, envelope, leaf, _ in books.rows["evidence"]:
        if hashlib.sha256(b"\x00" + envelope.encode()).digest() != bytes(leaf):
            yield f"proof: the leaf of {identity} is not the hash of its envelope"
        content = json.loads(envelope)
        commitments[identity] = content.get("commitment")
        if (content["id"], content["kind"]) != (identity, kind):
            yield f"proof: {identity} ({kind}) holds the envelope of {content['id']}"
    for identity, sealed in books.rows["payloads"]:
        if not _opens(bytes(sealed), commitments.get(identity), books.secret_key):
            yield f"proof: the payload of {identity} does not open its commitment"


def _opens(sealed: bytes, commitment: str | None, secret_key: str) -> bool:
    if not secret_key:
        return commitment is not None
    derived = HKDF(SHA256(), 32, salt=None, info=b"earnest evidence payloads/1")
    key = base64.urlsafe_b64encode(derived.derive(secret_key.encode()))
    try:
        opened = Fernet(key).decrypt(sealed)
    except InvalidToken:
        return False
    return commitment == "sha256:" + hashlib.sha256(opened).hexdigest()


def the_log_holds_every_evidence_once_without_a_gap(books: Books) -> Iterator[str]:
    """Indexes from 0, each evidence in the log or waiting for it, never both."""
    leaves = {row[0]: bytes(row[3]) for row in books.rows["evidence"]}
    indexes = [row[0] for row in books.rows["log"]]
    if indexes != list(range(len(indexes))):
        yield "proof: the log has a gap"
    places = Counter(row[1] for row in books.rows["log"])
    places.update(row[0] for row in books.rows["waiting"])
    for identity in leaves.keys() | places.keys():
        if places[identity] != 1 or identity not in leaves:
            yield f"proof: {identity} has {places[identity]} places"
    for index, identity, leaf in books.rows["log"]:
        if leaves.get(identity) != bytes(leaf):
            yield f"proof: entry {index} holds another leaf than {identity}"


def _waits(books: Books) -> Iterator[str]:
    if waiting := books.rows["waiting"]:
        yield f"proof: {len(waiting)} pieces of evidence still wait for their place in the log"
    folded = _standings(books)
    stored = {row[:3]: tuple(map(int, row[3:])) for row in books.rows["standings"]}
    if folded != stored:
        yield f"standing: the log says {folded}, the table {stored}"


def _standings(books: Books) -> dict[tuple[str, str, str], tuple[int, ...]]:
    """Verdicts, passes, failures of each agent version and dimension, folded from the log alone."""
    texts = {row[0]: row[2] for row in books.rows["evidence"] if row[1] in COUNTED}
    judged: dict[str, list[dict[str, Any]]] = {}
    settled: set[str] = set()
    sums: dict[tuple[str, str, str], list[int]] = {}
    for _, identity, _ in books.rows["log"]:
        if identity not in texts:
            continue
        fact = json.loads(texts[identity])
        milestone = fact["subjects"].get("milestone", "")
        if fact["kind"] == "evaluation.concluded":
            if fact["facts"]["independence"] == "self":
                continue
            if milestone in settled:  # it was running when the money moved
                _add(sums, fact)
            else:
                judged.setdefault(milestone, []).append(fact)
            continue
        settled.add(milestone)
        waiting, named = judged.pop(milestone, []), fact["facts"].get("verdict_evidence")
        # What is not named at the end was overturned; what came before it was cured.
        until = next((n for n, one in enumerate(waiting, 1) if one["id"] == named), -1)
        for one in waiting[:until]:
            _add(sums, one)
    return {key: tuple(tally) for key, tally in sums.items()}


def _add(sums: dict[tuple[str, str, str], list[int]], verdict: dict[str, Any]) -> None:
    for key, clause in _weakest(verdict).items():
        tally = sums.setdefault(key, [0, 0, 0])
        tally[0] += 1
        tally[1] += clause["passes"]
        tally[2] += clause["failures"]


COUNTED = {"evaluation.concluded", "escrow.settled"}


def _weakest(fact: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    """Per dimension the clause with the lowest rate; with the same rate the one seen more."""
    who = fact["subjects"]["agent"], fact["subjects"]["agent_version"]
    spoken: dict[tuple[str, str, str], dict[str, Any]] = {}
    for clause in fact["facts"]["clauses"]:
        if clause["passes"] + clause["failures"]:
            key = (*who, clause["dimension"])
            spoken[key] = min(clause, spoken.get(key, clause), key=_rate)
    return spoken


def _rate(clause: dict[str, Any]) -> tuple[float, int, str]:
    units = clause["passes"] + clause["failures"]
    return clause["passes"] / units, -units, clause["key"]


RULES: tuple[Callable[[Books], Iterator[str]], ...] = (
    what_is_inside_came_in_and_did_not_leave,
    every_deposit_was_credited_once_and_in_full,
    every_transfer_sums_to_zero,
    no_account_is_below_its_floor,
    each_escrow_has_one_outcome_that_adds_up,
    each_metered_budget_is_what_went_in_and_out,
    stored_balances_are_the_fold_of_entries,
    one_effect_per_idempotency_key,
    each_final_verdict_has_one_settlement_and_one_record,
    every_trial_is_counted_once,
    every_leaf_is_the_hash_of_its_envelope,
    the_log_holds_every_evidence_once_without_a_gap,
)
