"""Compares what we say with what the processor says, movement by movement, and in sum."""

# What has moved money, as we have it: a kind, the processor's reference, amount and currency.
OURS = """
    SELECT 'payments', 'charge', reference, amount, currency, payment_request_id
    FROM bottega.payments WHERE state IN ('captured', 'partially_refunded', 'refunded')
    UNION ALL SELECT 'top_ups', 'charge', reference, amount, currency, id
    FROM bottega.top_ups WHERE state = 'succeeded'
    UNION ALL SELECT 'refunds', 'refund', reference, amount, currency, id
    FROM bottega.refunds WHERE state = 'succeeded'
    UNION ALL SELECT 'payouts', 'payout', reference, amount, currency, id
    FROM bottega.payout_batches WHERE state = 'paid' AND amount > 0
    UNION ALL SELECT 'withdrawals', 'payout', reference, amount, currency, id
    FROM bottega.withdrawals WHERE state = 'succeeded'"""
KINDS = ("payments", "top_ups", "refunds", "payouts", "withdrawals")


def compare_books(server, books):
    """Raises AssertionError where our books and the processor's differ in a movement; answers how
    many there are of each kind."""
    ours, paid, count = {}, set(), dict.fromkeys(KINDS, 0)
    for kind, operation, reference, amount, currency, about in server.sql(OURS):
        assert reference not in ours, f"{reference} is there twice: {kind}"
        ours[reference] = (operation, int(amount), currency)
        assert (kind, about) not in paid, f"{about} was charged twice"
        paid.add((kind, about))
        count[kind] += 1
    theirs = {one["reference"]: (one["operation"], one["amount"]["amount"],
                                 one["amount"]["currency"])
              for one in books if one["state"] == "succeeded"
              and one["operation"] in ("charge", "refund", "payout")}
    differ = sorted(one for one in set(ours) | set(theirs) if ours.get(one) != theirs.get(one))
    assert not differ, "books differ: " + str([(one, ours.get(one), theirs.get(one))
                                               for one in differ[:5]])
    count["all"] = len(theirs)
    return count


def totals_of(ops, books):
    """What is at the processor per currency: its books and our ledger must say the same."""
    balance = ops.get("/v1/admin/ledger/trial_balance")
    assert balance["is_balanced"] and not balance["faults"], f"the ledger: {balance['faults']}"
    sign = {"charge": 1, "dispute_return": 1, "refund": -1, "payout": -1, "dispute": -1}
    theirs, ours = {}, {}
    for one in books:
        if one["state"] == "succeeded":
            currency = one["amount"]["currency"]
            moved = sign[one["operation"]] * one["amount"]["amount"] - (one["fee"] or 0)
            theirs[currency] = theirs.get(currency, 0) + moved
    for row in balance["accounts"]:
        pending = row["debits_pending"] + row["credits_pending"]
        assert pending == 0, f"{row['kind']} {row['currency']} has {pending} pending"
        if row["kind"] == "processor_clearing":
            ours[row["currency"]] = row["debits"] - row["credits"]
    assert ours == theirs, f"what is at the processor differs: ours {ours}, theirs {theirs}"
    return ", ".join(f"{amount} {currency}" for currency, amount in sorted(ours.items()))
