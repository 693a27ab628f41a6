"""scripts/soak race: the client's call, the webhook and the reconciler at one payment at the same
moment, in three ways: as the slow answer arrives, as the buyer confirms, and as a charge arrives
that was given up."""

import threading
import time
import urllib.parse
import uuid

from audit import compare_books, totals_of
from client import Api, Problem, post_form, send_webhook
from demo import ADDRESS
from kill import SECRET, settle
from server import Server, all_of, open_shop

# What each way needs of the server. The reconciler's job is made with the payment, to be due after
# two call timeouts: the clock is moved at the moment at which it is to come.
WAYS = {
    "slow": {"payments.call_timeout_ms": 2_000, "sandbox.slow_ms": 60},
    "confirm": {"payments.call_timeout_ms": 2_000, "sandbox.slow_ms": 60},
    "late": {"payments.call_timeout_ms": 60, "sandbox.slow_ms": 120},
}
SETTINGS = {"sandbox.webhook_secret": SECRET, "sandbox.fee_basis_points": 150,
            "sandbox.webhook_after_ms": 0,
            "jobs.poll_ms": 5_000, "payments.expiry_default_s": 2_592_000}

# How the payments ended, and how often each was told its outcome.
TOLD = """
    SELECT (SELECT count(*) FROM bottega.processor_events WHERE operation = 'charge'),
           count(*), count(*) FILTER (WHERE state = 'succeeded')
    FROM bottega.attempts WHERE operation = 'charge'"""
# Of each payment: its orders, and its postings.
ONCE = """
    SELECT p.id, p.state,
           (SELECT count(*) FROM bottega.orders o WHERE o.payment_id = p.id),
           (SELECT string_agg(why || ' ' || phase, ', ' ORDER BY why)
            FROM bottega.ledger_transfers t WHERE t.about = p.id)
    FROM bottega.payments p"""
ALL_OF_IT = ("captured", "1", "capture posted, processor_fee posted")
NOTHING = (("failed", "0", ""), ("voided", "0", ""))
RUNNERS = 6


class Target(Server):
    def __init__(self, binary):
        super().__init__(binary, {**SETTINGS, **WAYS["slow"]})

    def change(self, settings):
        self.kill()
        self.settings.update(settings)
        self.start()


class Runner(threading.Thread):
    """Does what it is given, as soon as it is told to and not before."""

    def __init__(self, barrier):
        super().__init__(daemon=True)
        self.barrier, self.act, self.failure, self.answer = barrier, None, None, None

    def run(self):
        while True:
            self.barrier.wait()
            act = self.act
            if act is None:
                return
            try:
                self.answer = act()
            except Problem as problem:
                self.answer = problem.status
            except Exception as failure:  # reported by whoever waits at the barrier
                self.failure = failure
            self.barrier.wait()


class Race:
    def __init__(self, server, chance):
        self.server, self.chance = server, chance
        self.owner, self.buyer = server.api("owner@demo.example"), server.api("buyer@demo.example")
        self.merchant = open_shop(server, self.owner, "Race")
        self.conversation = self.buyer.post("/v1/conversations",
                                            {"merchant_id": self.merchant})["id"]
        self.requests, self.answers = 0, {}

    def begin(self):
        """New connections to the server as it is now, one for each who runs."""
        self.owner, self.buyer, self.again, self.other = (
            self.server.api(f"{who}@demo.example") for who in ("owner", "buyer", "buyer", "buyer"))
        self.ops = [self.server.api("ops@demo.example") for _ in range(3)]
        self.barrier = threading.Barrier(RUNNERS + 1)
        self.runners = [Runner(self.barrier) for _ in range(RUNNERS)]
        for runner in self.runners:
            runner.start()

    def end(self):
        for runner in self.runners:
            runner.act = None
        self.barrier.wait(60)

    def go(self, way, acts):
        for runner, act in zip(self.runners, acts + [lambda: None] * (RUNNERS - len(acts))):
            runner.act, runner.answer = act, None
        self.barrier.wait(60)
        self.barrier.wait(60)
        for runner in self.runners:
            if runner.failure:
                raise runner.failure
        outcome = (way, self.runners[0].answer)
        self.answers[outcome] = self.answers.get(outcome, 0) + 1
        # Not before the last news of the round has been heard.
        deadline = time.monotonic() + 30
        while self.ops[0].post("/v1/admin/jobs/run")["due"] > 0:
            assert time.monotonic() < deadline, "the jobs of a round do not end"

    def ask(self):
        made = self.owner.post("/v1/payment_requests", {
            "conversation_id": self.conversation, "title": "Lamp", "description": "A lamp",
            "currency": "USD", "lines": [{"name": "Lamp", "quantity": 1, "unit_amount":
                                          self.chance.randrange(100, 99_900)}]})
        self.requests += 1
        return made["id"]

    def accept(self, api, request, token, key):
        return api.call("POST", f"/v1/payment_requests/{request}/accept",
                        {"payment_method": {"token": token}, "ship_to": ADDRESS}, key)

    def around(self, seconds, act):
        """A moment that is hit from both sides: a little before it or a little after."""
        wait = max(0, seconds + self.chance.uniform(-0.03, 0.03))

        def at_its_time():
            time.sleep(wait)
            return act()
        return at_its_time

    def reconcile(self, advance_s):
        """The job has come due, and is looked for at once."""
        self.ops[0].post("/v1/admin/clock/advance", {"advance_s": advance_s})
        self.ops[0].post("/v1/admin/jobs/run")

    def jobs(self):
        self.ops[1].post("/v1/admin/jobs/run")

    def slow(self):
        """As the slow answer arrives: the call that waits for it, the sandbox's webhook of it, the
        reconciler twice, and the same call again."""
        request, key, moment = self.ask(), uuid.uuid4().hex, 0.07
        self.go("slow", [
            lambda: self.accept(self.buyer, request, "tok_slow", key)[0],
            self.around(moment, lambda: self.accept(self.again, request, "tok_slow", key)[0]),
            self.around(moment, lambda: self.reconcile(5)),
            self.around(moment, self.jobs)])

    def confirm(self):
        """As the buyer confirms: the sandbox's own webhook, the same from us twice, the
        reconciler, the call again and another device; or the buyer gives it up meanwhile."""
        request, key = self.ask(), uuid.uuid4().hex
        payment = self.accept(self.buyer, request, "tok_confirm", key)[1]["payment"]
        page = urllib.parse.urlsplit(payment["action_url"]).path
        known = next(one for one in reversed(Api(self.server.sandbox_url).get("/books"))
                     if one["reference"] == payment["reference"])
        event = {"id": "evt_" + uuid.uuid4().hex, "operation": "charge", "key": known["key"],
                 "verdict": "succeeded", "reference": known["reference"], "reason": "",
                 "action_url": "", "fee": known["fee"]}
        acts = [
            self.around(0.01, lambda: self.accept(self.again, request, "tok_confirm", key)[0]),
            self.around(0.01, lambda: post_form(self.server.sandbox_url + page,
                                                {"answer": "yes"})),
            self.around(0.01, lambda: self.reconcile(5))]
        if self.chance.random() < 0.2:
            path = f"/v1/payments/{payment['id']}/cancel"
            acts += [self.around(0.01, lambda: self.other.call("POST", path)[0]),
                     self.around(0.01, self.jobs)]
        else:  # it has been confirmed by the end of this round, so that it is no lie
            said = [self.around(0.01, lambda: send_webhook(self.server.url, SECRET, event))] * 2
            other = uuid.uuid4().hex
            acts += said + [self.around(0.01, lambda: self.accept(self.other, request,
                                                                  "tok_approved", other)[0])]
        self.go("confirm", acts)

    def late(self):
        """As a charge arrives that counts as lost: the reconciler gives it up at the processor, the
        call is made again, and another device pays as soon as it may."""
        request, key, other = self.ask(), uuid.uuid4().hex, uuid.uuid4().hex
        moment = 0.13
        self.go("late", [
            lambda: self.accept(self.buyer, request, "tok_slow", key)[0],
            self.around(moment, lambda: self.reconcile(6)),
            self.around(moment, self.jobs),
            self.around(moment, lambda: self.accept(self.again, request, "tok_slow", key)[0]),
            self.around(moment + 0.02, lambda: self.accept(self.other, request, "tok_approved",
                                                           other)[0])])


def check_log(api, conversation, captured):
    log = all_of(api, f"/v1/conversations/{conversation}/messages")
    sequence = [one["seq"] for one in log]
    assert sequence == list(range(1, len(log) + 1)), "the conversation has a gap"
    for event, about in (("order.created", "order"), ("payment_request.paid", "payment_request")):
        told = [one["data"][about]["id"] for one in log if one["event"] == event]
        assert len(told) == len(set(told)) == captured, \
            f"{len(told)} of {event} for {captured} payments"


def race(server, rounds, chance):
    """One capture, one order and one set of postings, whoever was first."""
    run = Race(server, chance)
    for number, (way, settings) in enumerate(WAYS.items()):
        server.change(settings)
        run.begin()
        share = (number + 1) * rounds // len(WAYS) - number * rounds // len(WAYS)
        for done in range(share):
            getattr(run, way)()
            if (done + 1) % 100 == 0:
                print(f"  {way}: {done + 1}", flush=True)
        run.end()
    ops, _ = settle(server, days=False)
    states = {}
    for payment, *found in server.sql(ONCE):
        found = tuple(found)
        assert found == ALL_OF_IT or found in NOTHING, f"{payment}: {found}"
        states[found[0]] = states.get(found[0], 0) + 1
    books = Api(server.sandbox_url, timeout=120).get("/books")
    captured = compare_books(server, books)["payments"]
    assert captured == states["captured"], f"{captured} captures, {states}"
    sums = totals_of(ops, books)
    check_log(server.api("buyer@demo.example"), run.conversation, captured)
    told, charges, _ = server.sql(TOLD)[0]
    return (f"{run.requests} rounds, {charges} payments, {int(told) / int(charges):.1f} times told "
            f"how they ended: {captured} captures, as many orders, entries and sets of postings; "
            f"{states}\n  first answers {run.answers}; at the processor: {sums}")
