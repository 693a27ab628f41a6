"""scripts/soak kill: kill -9 at random moments of sales, refunds, disputes, transfers and payouts,
with slow and lost answers and old news; then the processor's books and ours must be the same."""

import threading
import time
import uuid

from audit import compare_books, totals_of
from client import Api
from people import Clerk, Gossip, Seller, Wallet
from server import Server, all_of

SECRET = "the sandbox's secret in a soak"
# An outcome is open for no longer than it must be; everything else is long enough not to matter.
SETTINGS = {
    "payments.call_timeout_ms": 500, "sandbox.webhook_secret": SECRET, "jobs.poll_ms": 100,
    "sandbox.fee_basis_points": 150, "payments.expiry_default_s": 3 * 86_400,
    "auth.fresh_login_s": 86_400, "orders.cancel_after_days": 4, "transfers.return_after_days": 5,
    "payouts.minimum": 50_000, "payouts.minimum_wait_days": 2,
    "wallet.top_up_day_max": 10**12,
    "transfers.sent_day_max": 10**12, "transfers.sent_month_max": 10**12,
    "transfers.received_day_max": 10**12, "transfers.received_month_max": 10**12,
    # Nobody is there who would decide about reviews.
    "risk.review_first_sale": 0, "risk.review_amount": 0,
}
# The slow card answers in time after one start, and too late after another.
SLOW_MS = (100, 300, 700)
# Each seller has one. Many of them wait at any moment: a key that a dead server was working on is
# free again after some seconds.
CURRENCIES = ("USD", "USD", "EUR", "JPY") * 3
WALLETS = 6

# What must come to an end by itself, without a day's going by, and what takes its days.
UNKNOWN = """
    SELECT 'attempts', state, count(*) FROM bottega.attempts
    WHERE state IN ('sent', 'unknown') GROUP BY state
    UNION ALL SELECT 'payments', state, count(*) FROM bottega.payments
    WHERE state IN ('created', 'authorized', 'unknown') GROUP BY state
    UNION ALL SELECT 'top_ups', state, count(*) FROM bottega.top_ups
    WHERE state IN ('created', 'unknown') GROUP BY state
    UNION ALL SELECT 'refunds', state, count(*) FROM bottega.refunds
    WHERE state IN ('pending', 'unknown') GROUP BY state
    UNION ALL SELECT 'withdrawals', state, count(*) FROM bottega.withdrawals
    WHERE state IN ('pending', 'unknown') GROUP BY state
    UNION ALL SELECT 'batches', state, count(*) FROM bottega.payout_batches
    WHERE state = 'submitted' GROUP BY state
    UNION ALL SELECT 'transfers', state, count(*) FROM bottega.transfers
    WHERE state = 'funding' GROUP BY state
    UNION ALL SELECT 'webhooks', 'not handled', count(*) FROM bottega.processor_events
    WHERE handled_at IS NULL HAVING count(*) > 0
    UNION ALL SELECT 'webhooks', 'not sent', count(*) FROM sandbox.events
    WHERE delivered_at IS NULL HAVING count(*) > 0"""
PENDING = """
    SELECT 'payments', state, count(*) FROM bottega.payments
    WHERE state = 'requires_action' GROUP BY state
    UNION ALL SELECT 'top_ups', state, count(*) FROM bottega.top_ups
    WHERE state = 'requires_action' GROUP BY state
    UNION ALL SELECT 'attempts', state, count(*) FROM bottega.attempts
    WHERE state = 'waiting' GROUP BY state
    UNION ALL SELECT 'requests', state, count(*) FROM bottega.payment_requests
    WHERE state IN ('open', 'paying') GROUP BY state
    UNION ALL SELECT 'orders', state, count(*) FROM bottega.orders
    WHERE state = 'paid' GROUP BY state
    UNION ALL SELECT 'transfers', state, count(*) FROM bottega.transfers
    WHERE state = 'pending' GROUP BY state
    UNION ALL SELECT 'payouts', state, count(*) FROM bottega.payouts
    WHERE state IN ('scheduled', 'held', 'submitted') OR state = 'failed' AND retry_at IS NOT NULL
    GROUP BY state
    UNION ALL SELECT 'disputes', state, count(*) FROM bottega.disputes
    WHERE state NOT IN ('won', 'lost') GROUP BY state
    UNION ALL SELECT 'settlements', state, count(*) FROM bottega.settlement_runs
    WHERE state = 'running' GROUP BY state"""
DIFFERENCES = """
    SELECT day, kind, operation, key, coalesce(ours, 0), coalesce(theirs, 0), note
    FROM bottega.settlement_differences WHERE resolved_at IS NULL ORDER BY day LIMIT 20"""


class Target(Server):
    def __init__(self, binary):
        super().__init__(binary, SETTINGS)


def settle(server, days=True, seconds=1_800):
    """Lets time pass until every outcome is known, and what takes days has come to its end; a call
    counts as lost by the machine's time, a job comes up by the product's."""
    ops = Api(server.url, timeout=900)
    ops.log_in("ops@demo.example", "bottega demo")
    began, passed, urgent_since = time.monotonic(), 0, None
    # The sandbox waits up to an hour where a kill came between its claim and its sending.
    server.sql("UPDATE sandbox.events SET next_at = clock_timestamp() WHERE delivered_at IS NULL")
    while time.monotonic() < began + seconds:
        ran = ops.post("/v1/admin/jobs/run")
        unknown = server.sql(UNKNOWN)
        if not unknown and ran["due"] == 0 and not (days and server.sql(PENDING)):
            return ops, passed
        step = 12 * 3_600
        if unknown or ran["due"]:
            urgent_since = urgent_since or time.monotonic()
            time.sleep(0.3)
            # After the first tries the next are hours later, and then a day.
            step = 60 if time.monotonic() < urgent_since + 3 else 3_600
        else:
            urgent_since = None
        ops.post("/v1/admin/clock/advance", {"advance_s": step})
        passed += step
    raise AssertionError(f"these never came to an end: {server.sql(UNKNOWN)} {server.sql(PENDING)}")


def check_days(server, ops, seconds=60):
    """The daily check has gone on all the while; what it still holds open is looked at again."""
    for day in sorted({row[0] for row in server.sql(DIFFERENCES)}):
        run = ops.post("/v1/admin/settlements", {"day": day})["id"]
        deadline = time.monotonic() + seconds
        while ops.get(f"/v1/admin/settlements/{run}")["state"] == "running":
            ops.post("/v1/admin/jobs/run")
            assert time.monotonic() < deadline, f"the check of {day} does not end"
    left = server.sql(DIFFERENCES)
    assert not left, f"the daily check differs: {left}"
    runs = dict(server.sql("SELECT state, count(*) FROM bottega.settlement_runs GROUP BY state"))
    assert set(runs) <= {"clean", "differences"}, f"a daily check failed: {runs}"
    return sum(int(count) for count in runs.values())


def check_log(api, conversation, acknowledged):
    log = all_of(api, f"/v1/conversations/{conversation}/messages")
    sequence = [one["seq"] for one in log]
    assert sequence == list(range(1, len(log) + 1)), f"{conversation} has a gap: {sequence}"
    texts = {}
    for one in log:
        text = one["data"].get("text")
        texts[text] = texts.get(text, 0) + 1
    for text in acknowledged:
        assert texts.get(text) == 1, f"an acknowledged message is there {texts.get(text)} times"
    return len(log)


def uuid_of(typeid):
    """The uuid within an id of the API, as the tables have it."""
    number = 0
    for sign in typeid.rpartition("_")[2]:
        number = number * 32 + "0123456789abcdefghjkmnpqrstvwxyz".index(sign)
    return str(uuid.UUID(int=number))


def table(server, query):
    return {row[0]: row[1:] for row in server.sql(query)}


def check_sales(server, sellers):
    """Whatever was acknowledged is still so, and was done once."""
    payments = table(server, "SELECT id, state, payment_request_id FROM bottega.payments")
    orders = table(server, "SELECT id, state, shipped_at IS NOT NULL FROM bottega.orders")
    of_payment = server.sql("SELECT payment_id, count(*) FROM bottega.orders GROUP BY 1")
    refunds = table(server, "SELECT id, reason, amount, state FROM bottega.refunds")
    captured = {"captured", "partially_refunded", "refunded"}
    for seller in sellers:
        for request, payment in seller.paid.items():
            state, of_request = payments[uuid_of(payment)]
            assert state in captured, f"{payment} was paid, and is {state}"
            assert of_request == uuid_of(request), f"{payment} pays for another request"
        paid = {row[1] for row in payments.values() if row[0] in captured}
        for request in seller.declined:
            assert uuid_of(request) not in paid, f"{request} was declined, and is paid"
        for order in seller.cancelled:
            assert orders[uuid_of(order)][0] == "cancelled", f"{order} is not cancelled any more"
        for order in seller.sent:
            assert orders[uuid_of(order)][1] == "t", f"{order} is not sent any more"
        for refund, (reason, amount) in seller.refunds.items():
            assert refunds[uuid_of(refund)][:2] == (reason, str(amount)), f"{refund} is another"
    reasons = [row[0] for row in refunds.values() if row[0].startswith("refund ")]
    known = {reason for seller in sellers for reason, _ in seller.refunds.values()}
    assert len(reasons) == len(set(reasons)) and set(reasons) == known, \
        f"{len(reasons)} refunds were made of {len(known)} that were acknowledged"
    assert all(count == "1" for _, count in of_payment), "a payment has made two orders"
    assert {row[0] for row in of_payment} == {one for one, row in payments.items()
                                              if row[0] in captured}, "orders are not payments"
    return len(known)


def check_wallets(server, wallets):
    top_ups = table(server, """SELECT id, state, account_id FROM bottega.top_ups
                               WHERE transfer_id IS NULL""")
    withdrawals = table(server, "SELECT id, amount, state FROM bottega.withdrawals")
    transfers = table(server, "SELECT id, note, amount, state FROM bottega.transfers")
    for one in wallets:
        mine = {key for key, row in top_ups.items() if row[1] == uuid_of(one.account)}
        told = {uuid_of(top_up): state for top_up, state in one.top_ups.items()}
        for top_up, state in told.items():
            assert top_up in mine, "an acknowledged top-up is gone"
            assert state != "succeeded" or top_ups[top_up][0] == state, "a top-up was taken back"
        assert len(mine) == len(told) + one.declined_top_ups, \
            f"{one.email} made {len(told)} top-ups, {one.declined_top_ups} were declined, " \
            f"and there are {len(mine)}"
        assert all(top_ups[top_up][0] == "failed" for top_up in mine - set(told)), \
            "what was declined is there"
        for withdrawal, amount in one.withdrawals.items():
            assert withdrawals[uuid_of(withdrawal)][0] == str(amount), "another withdrawal"
        for transfer, told_of in one.transfers.items():
            note, amount = transfers[uuid_of(transfer)][:2]
            assert (note, amount) == (told_of[0], str(told_of[1])), f"{transfer} is another"
        for transfer, state in one.answers.items():
            now = transfers[uuid_of(transfer)][2]
            assert now == state, f"{transfer} was {state}, and is {now}"
    notes = [row[0] for row in transfers.values()]
    known = {note for one in wallets for note in one.notes}
    assert len(notes) == len(set(notes)) and set(notes) == known, \
        f"{len(notes)} transfers were made of {len(known)} that were acknowledged"
    asked = sum(len(one.withdrawals) for one in wallets)
    assert len(withdrawals) == asked, f"{len(withdrawals)} withdrawals of {asked} acknowledged"
    return len(known), asked


def run_people(server, rounds, chance):
    sellers = [Seller(server, number, currency, chance.random())
               for number, currency in enumerate(CURRENCIES)]
    wallets = []
    for number in range(WALLETS):
        wallets.append(Wallet(server, number, wallets, chance.random()))
    people = [*sellers, *wallets, Clerk(server, chance.random()),
              Gossip(server, SECRET, chance.random())]
    for one in people:
        one.start()
    for number in range(rounds):
        time.sleep(chance.uniform(0, 2))
        server.up.clear()
        server.kill()
        server.settings["sandbox.slow_ms"] = chance.choice(SLOW_MS)
        server.start()
        server.up.set()
        failed = [one.failure for one in people if one.failure]
        assert not failed, f"after {number + 1} kills: {failed[0]!r}"
        if (number + 1) % 20 == 0:
            print(f"  {number + 1} kills, {sum(len(one.paid) for one in sellers)} sales, "
                  f"{sum(len(one.refunds) for one in sellers)} refunds, "
                  f"{sum(len(one.notes) for one in wallets)} transfers, "
                  f"{sum(one.again for one in people)} requests sent again", flush=True)
    for one in people:
        one.ending = True
    for one in people:
        one.join(150)
        assert not one.is_alive() and not one.failure, f"somebody ended with {one.failure!r}"
    return sellers, wallets, people


def kill(server, rounds, chance):
    """kill -9 at random moments; then everything must still add up."""
    server.up = threading.Event()
    server.up.set()
    sellers, wallets, people = run_people(server, rounds, chance)
    began = time.monotonic()
    ops, passed = settle(server)
    print(f"  everything has come to its end after {time.monotonic() - began:.0f} s and "
          f"{passed // 86_400} days", flush=True)
    dead = server.sql("SELECT kind, about, last_error FROM bottega.jobs WHERE dead_at IS NOT NULL")
    assert not dead, f"jobs were given up: {dead[:5]}"
    books = Api(server.sandbox_url, timeout=120).get("/books")
    moved = compare_books(server, books)
    sums = totals_of(ops, books)
    days = check_days(server, ops)
    refunds = check_sales(server, sellers)
    transfers, withdrawals = check_wallets(server, wallets)
    buyer = server.api("buyer@demo.example")
    entries = sum(check_log(buyer, one.conversation, one.acknowledged) for one in sellers)
    count = dict(server.sql("""SELECT 'paid', count(*) FROM bottega.payout_batches
                               WHERE state = 'paid'
                               UNION ALL SELECT 'disputes', count(*) FROM bottega.disputes
                               UNION ALL SELECT 'failed', count(*) FROM bottega.payouts
                               WHERE state = 'failed'"""))
    return (f"{rounds} kills, {sum(one.again for one in people)} requests sent again: "
            f"{moved['payments']} sales, {refunds} refunds asked for and {moved['refunds']} made, "
            f"{count['disputes']} disputes, {moved['top_ups']} top-ups, {transfers} transfers, "
            f"{withdrawals} withdrawals, {count['paid']} payouts (and {count['failed']} of orders "
            f"that the bank refused to the end); {people[-1].told} webhooks told again\n"
            f"  0 unknown or pending, 0 differences in {moved['all']} movements, {days} daily "
            f"checks without one left; at the processor by its books and by ours: {sums}\n"
            f"  {sum(len(one.acknowledged) for one in sellers)} acknowledged messages are in the "
            f"logs, {entries} entries without a gap")
