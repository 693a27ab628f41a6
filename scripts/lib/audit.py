"""Compares what we say with what the processor says, payment by payment."""

import time

from server import all_of


OPEN = ("created", "requires_action", "authorized", "unknown")


def settle_everything(ops, seconds=60):
    """Lets time pass until nothing is left to be done: no job due, no outcome open."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ran = ops.post("/v1/admin/jobs/run")
        waiting = [one for one in all_of(ops, "/v1/admin/payments") if one["state"] in OPEN]
        if ran["due"] == 0 and not waiting:
            return
        # A call counts as lost by the machine's time, a job comes up by the product's.
        time.sleep(0.5)
        ops.post("/v1/admin/clock/advance", {"advance_s": 60})
    raise AssertionError(f"these never came to an outcome: {waiting}")


def compare_books(ops, books):
    """Raises AssertionError where our payments and payouts and the processor's books differ."""
    payments = all_of(ops, "/v1/admin/payments")
    payouts = all_of(ops, "/v1/admin/payouts")
    ours = {}
    for one in payments:
        if one["state"] in ("captured", "partially_refunded", "refunded"):
            ours[one["reference"]] = ("charge", one["amount"])
    sent = {}  # those of one batch have one reference
    for one in payouts:
        if one["state"] == "paid":
            sent[one["reference"]] = (sent.get(one["reference"], 0) + one["amount"]["amount"]
                                      - one["recovered"])
            ours[one["reference"]] = ("payout", {**one["amount"],
                                                 "amount": sent[one["reference"]]})
    theirs = {one["reference"]: (one["operation"], one["amount"]) for one in books
              if one["state"] == "succeeded" and one["operation"] in ("charge", "payout")}
    assert ours == theirs, f"books differ: {sorted(set(ours) ^ set(theirs))[:10]}"
    refunded = sum(one["refunded"] for one in payments)
    given_back = sum(one["amount"]["amount"] for one in books
                     if one["operation"] == "refund" and one["state"] == "succeeded")
    assert refunded == given_back, f"refunds differ: ours {refunded}, theirs {given_back}"
    paid = {}
    for one in payments:
        if one["reference"] in ours:
            request = one["payment_request_id"]
            assert request not in paid, f"{request} was charged twice"
            paid[request] = one
    balance = ops.get("/v1/admin/ledger/trial_balance")
    assert balance["is_balanced"] and not balance["faults"], f"the ledger: {balance['faults']}"
    return len(paid), len(theirs)
