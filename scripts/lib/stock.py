"""scripts/soak stock: 200 buyers check out one piece each, at the same moment, of what there are
ten pieces. Ten are sold, never more; the others are told why not; what failed is there again."""

import threading
import time
from collections import Counter

from audit import compare_books, totals_of
from client import Api, Problem
from demo import ADDRESS
from kill import SECRET
from server import PASSWORD, Server, open_shop

BUYERS, PIECES, AMOUNT = 200, 10, 2_500
# In every round of so many, payments fail, come late, or never say what became of them.
MIXED_EVERY = 4
TOKENS = (["tok_approved"] * 6 + ["tok_slow", "tok_answer_lost", "tok_no_answer", "tok_declined",
                                  "tok_insufficient_funds", "tok_confirm"])
# In time after one start, and too late after another.
SLOW_MS = (150, 900)
SETTINGS = {
    "payments.call_timeout_ms": 600, "sandbox.webhook_secret": SECRET, "jobs.poll_ms": 100,
    "payments.expiry_default_s": 1_800, "orders.cancel_after_days": 60,
    "auth.access_token_s": 86_400, "database.waiting_max": 10_000, "http.idle_timeout_s": 3_600,
    "risk.review_first_sale": 0, "risk.review_amount": 0,
}

PAID, SOLD_OUT, DECLINED, OPEN = "paid", "sold out", "declined", "open"

# What is not over yet, and so may still hold a piece.
UNDER_WAY = """
    SELECT 'attempts', state, count(*) FROM bottega.attempts
    WHERE state IN ('sent', 'waiting', 'unknown') GROUP BY state
    UNION ALL SELECT 'payments', state, count(*) FROM bottega.payments
    WHERE state IN ('created', 'requires_action', 'authorized', 'unknown') GROUP BY state
    UNION ALL SELECT 'requests', state, count(*) FROM bottega.payment_requests
    WHERE state = 'paying' GROUP BY state
    UNION ALL SELECT 'refunds', state, count(*) FROM bottega.refunds
    WHERE state IN ('pending', 'unknown') GROUP BY state
    UNION ALL SELECT 'webhooks', 'not handled', count(*) FROM bottega.processor_events
    WHERE handled_at IS NULL HAVING count(*) > 0
    UNION ALL SELECT 'webhooks', 'not sent', count(*) FROM sandbox.events
    WHERE delivered_at IS NULL HAVING count(*) > 0
    UNION ALL SELECT 'stock', 'reserved', sum(reserved) FROM bottega.stock
    WHERE reserved > 0 HAVING count(*) > 0"""
# A charge that was heard of too late is refunded, and takes nothing.
SOLD = """
    SELECT count(*) FROM bottega.orders o
    JOIN bottega.payments p ON p.merchant_id = o.merchant_id AND p.id = o.payment_id
    WHERE o.lines::text LIKE '%{}%' AND o.state <> 'cancelled' AND NOT p.is_late"""


class Target(Server):
    def __init__(self, binary):
        super().__init__(binary, {**SETTINGS, "sandbox.slow_ms": SLOW_MS[0]})

    def change(self, settings):
        self.stop()
        self.settings.update(settings)
        self.start()


class Shopper(threading.Thread):
    """Checks out what there is, with what it was given, at the moment that all others do."""

    def __init__(self, server, number, merchant, moment):
        super().__init__(daemon=True)
        self.api, self.moment = Api(server.url, timeout=120), moment
        email = f"shopper{number}@soak.example"
        self.api.post("/v1/accounts", {"email": email, "password": PASSWORD, "name": "Shopper"})
        self.api.log_in(email, PASSWORD)
        self.conversation = self.api.post("/v1/conversations", {"merchant_id": merchant})["id"]
        self.wanted, self.outcome, self.failure = None, None, None

    def run(self):
        while True:
            self.moment.wait()
            if self.wanted is None:
                return
            try:
                self.outcome = self._check_out(*self.wanted)
            except Exception as failure:  # reported by whoever waits at the barrier
                self.failure = failure
            self.moment.wait()

    def _check_out(self, variant, token):
        body = {"lines": [{"variant_id": variant, "quantity": 1}], "ship_to": ADDRESS,
                "total": AMOUNT, "payment_method": {"token": token}}
        try:
            status, told = self.api.call(
                "POST", f"/v1/conversations/{self.conversation}/checkouts", body)
        except Problem as problem:
            if problem.status == 402:
                return DECLINED
            if problem.status == 409 and problem.body.get("reason") == "out_of_stock":
                pointers = [one["pointer"] for one in problem.body.get("errors", [])]
                assert any(one.startswith("/lines/0") for one in pointers), \
                    f"it is not said what is sold out: {problem.body}"
                return SOLD_OUT
            raise
        if status == 202:
            return OPEN
        assert told["order"] and told["payment"]["state"] == "captured", f"{status}: {told}"
        return PAID


class Rush:
    def __init__(self, server, chance):
        self.server, self.chance = server, chance
        self.owner = server.api("owner@demo.example")
        self.merchant = open_shop(server, self.owner, "Rush")
        self.ops = Api(server.url, timeout=900)
        self.ops.log_in("ops@demo.example", PASSWORD)
        self.moment = threading.Barrier(BUYERS + 1)
        self.shoppers = [Shopper(server, number, self.merchant, self.moment)
                         for number in range(BUYERS)]
        for shopper in self.shoppers:
            shopper.start()
        self.number, self.seen = 0, Counter()

    def follow(self):
        """The server has come back at another port."""
        for api in [self.owner, self.ops, *(shopper.api for shopper in self.shoppers)]:
            api.close()
            api.url = self.server.url

    def offer(self):
        """A product of which there are ten pieces; answers its variant."""
        self.number += 1
        product = self.owner.post("/v1/products", {
            "merchant_id": self.merchant, "title": f"Lamp {self.number}",
            "variants": [{"sku": f"LAMP-{self.number}",
                          "prices": [{"currency": "USD", "amount": AMOUNT}]}]})
        variant = product["variants"][0]["id"]
        self.owner.call("PUT", f"/v1/variants/{variant}/stock", {"on_hand": PIECES})
        self.owner.call("POST", f"/v1/products/{product['id']}/publish", None,
                        headers={"If-Match": f'"{product["version"]}"'})
        return variant

    def volley(self, variant, token_of):
        for shopper in self.shoppers:
            shopper.wanted = (variant, token_of())
        self.moment.wait(60)
        self.moment.wait(300)
        failed = [shopper.failure for shopper in self.shoppers if shopper.failure]
        assert not failed, f"{len(failed)} buyers were shown {failed[0]!r}"
        outcomes = Counter(shopper.outcome for shopper in self.shoppers)
        self.seen += outcomes
        return outcomes

    def left(self, variant):
        stock = self.owner.get(f"/v1/variants/{variant}/stock")
        return stock["on_hand"], stock["reserved"]

    def sold(self, variant):
        return int(self.server.sql(SOLD.format(variant))[0][0])

    def settle(self, seconds=300):
        """Lets time pass until nothing is under way and nothing is set aside."""
        began, urgent_until = time.monotonic(), time.monotonic() + 3
        while True:
            ran = self.ops.post("/v1/admin/jobs/run")
            under_way = self.server.sql(UNDER_WAY)
            if not under_way and ran["due"] == 0:
                return
            assert time.monotonic() < began + seconds, f"these never end: {under_way}"
            time.sleep(0.3)
            # A call counts as lost by the machine's time, a job comes up by the product's.
            step = 60 if time.monotonic() < urgent_until else 1_800
            self.ops.post("/v1/admin/clock/advance", {"advance_s": step})

    def sell_out(self, variant, pieces):
        """So many are left, and all who come can pay."""
        outcomes = self.volley(variant, lambda: "tok_approved")
        assert outcomes == Counter({PAID: pieces, SOLD_OUT: BUYERS - pieces}) - Counter(), \
            f"of {pieces} pieces: {dict(outcomes)}"
        assert self.left(variant) == (0, 0), f"when all is sold there are {self.left(variant)}"

    def mix(self, variant):
        """Some cannot pay, and of some nobody knows; then the rest is sold to those who can."""
        outcomes = self.volley(variant, lambda: self.chance.choice(TOKENS))
        assert outcomes[PAID] <= PIECES, f"{outcomes[PAID]} were sold of {PIECES} pieces"
        self.settle()
        sold, (on_hand, reserved) = self.sold(variant), self.left(variant)
        assert outcomes[PAID] <= sold <= outcomes[PAID] + outcomes[OPEN], \
            f"{sold} orders after {dict(outcomes)}"
        assert reserved == 0, f"{reserved} are set aside for nobody"
        assert sold + on_hand == PIECES, f"{sold} were sold and {on_hand} are left of {PIECES}"
        if on_hand:
            self.sell_out(variant, on_hand)

    def end(self):
        for shopper in self.shoppers:
            shopper.wanted = None
        self.moment.wait(60)


def stock(server, rounds, chance):
    """200 buyers at once on ten pieces: ten are sold, never more."""
    run, mixed = Rush(server, chance), 0
    for number in range(rounds):
        if number == rounds // 2:
            server.change({"sandbox.slow_ms": SLOW_MS[1]})
            run.follow()
        variant = run.offer()
        if number % MIXED_EVERY == MIXED_EVERY - 1:
            mixed += 1
            run.mix(variant)
        else:
            run.sell_out(variant, PIECES)
        sold = run.sold(variant)
        assert sold == PIECES, f"{sold} orders of {PIECES} pieces"
        if (number + 1) % 10 == 0:
            print(f"  {number + 1} rounds, answers so far {dict(run.seen)}", flush=True)
    run.end()
    run.settle()
    books = Api(server.sandbox_url, timeout=120).get("/books")
    moved = compare_books(server, books)
    sums = totals_of(run.ops, books)
    return (f"{rounds} rounds ({mixed} with payments that fail, come late or are lost): "
            f"{rounds * PIECES} pieces, as many sold, none set aside; answers {dict(run.seen)}\n"
            f"  {moved['payments']} payments and {moved['refunds']} refunds, at the processor by "
            f"its books and by ours: {sums}")
