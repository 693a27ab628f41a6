"""Long runs against the real program: scripts/soak NAME [--seed N] [--rounds N] [--short]."""

import argparse
import random
import sys
import threading
import time
import uuid

from audit import compare_books, settle_everything
from chat import chat
from client import Api, Problem
from cluster import Lone, Pair
from demo import ADDRESS
from server import Server, all_of, open_shop


def ask(api, conversation, amount):
    return api.post("/v1/payment_requests", {
        "conversation_id": conversation, "title": "Lamp", "description": "A lamp",
        "currency": "USD", "lines": [{"name": "Lamp", "quantity": 1, "unit_amount": amount}]})["id"]


def acceptance(token):
    return {"payment_method": {"token": token}, "ship_to": ADDRESS}


# ---- double_accept ------------------------------------------------------------------------------


class Device(threading.Thread):
    """One of the buyer's devices: accepts whatever it is told to, at the moment it is told."""

    def __init__(self, api, start):
        super().__init__(daemon=True)
        self.api, self.moment = api, start
        self.order, self.status = None, None

    def run(self):
        while True:
            self.moment.wait()
            if self.order is None:
                return
            request, key = self.order
            try:
                self.status = self.api.call("POST", f"/v1/payment_requests/{request}/accept",
                                            acceptance("tok_approved"), key)[0]
            except Problem as problem:
                self.status = problem.status
            self.moment.wait()


def double_accept(server, rounds, chance):
    """Two devices accept one request at the same moment: one charge, every time."""
    owner, buyer = server.api("owner@demo.example"), server.api("buyer@demo.example")
    merchant = open_shop(server, owner, "Twice")
    conversation = buyer.post("/v1/conversations", {"merchant_id": merchant})["id"]
    moment = threading.Barrier(3)
    devices = [Device(Api(server.url, buyer.token), moment) for _ in range(2)]
    for device in devices:
        device.start()
    seen = {}
    for number in range(rounds):
        request = ask(owner, conversation, chance.randrange(100, 100_000))
        key = uuid.uuid4().hex
        for device in devices:
            # Now and then it is one device that sends the same request twice.
            device.order = (request, key if number % 4 == 0 else uuid.uuid4().hex)
        moment.wait()
        moment.wait()
        outcome = tuple(sorted(device.status for device in devices))
        seen[outcome] = seen.get(outcome, 0) + 1
        assert 200 in outcome, f"nobody could pay {request}: {outcome}"
        allowed = ((200, 409), (200, 200)) if number % 4 == 0 else ((200, 409),)
        assert outcome in allowed, f"{request} answered {outcome}"
        if (number + 1) % 100 == 0:
            print(f"  {number + 1} requests, answers so far {seen}", flush=True)
    for device in devices:
        device.order = None
    moment.wait()
    charges = [one for one in Api(server.sandbox_url).get("/books") if one["operation"] == "charge"]
    assert len(charges) == rounds, f"{len(charges)} charges for {rounds} requests"
    paid, _ = compare_books(server.api("ops@demo.example"), charges)
    assert paid == rounds, f"{paid} of {rounds} requests are paid"
    return f"{rounds} requests accepted by two devices at once: {rounds} charges, answers {seen}"


# ---- kill ---------------------------------------------------------------------------------------

TOKENS = ["tok_approved"] * 6 + ["tok_declined", "tok_answer_lost", "tok_no_answer", "tok_slow"]


class Seller(threading.Thread):
    """Sells again and again in a conversation of its own. What got no answer is asked again with
    the same key, as clients must, until there is one."""

    def __init__(self, server, name, seed):
        super().__init__(daemon=True)
        self.server, self.chance = server, random.Random(seed)
        self.owner, self.buyer = server.api("owner@demo.example"), server.api("buyer@demo.example")
        self.merchant = open_shop(server, self.owner, name)
        self.conversation = self.buyer.post("/v1/conversations",
                                            {"merchant_id": self.merchant})["id"]
        self.acknowledged, self.sales, self.failure, self.ending = [], 0, None, False

    def until_answered(self, api, path, body, key=None):
        key = uuid.uuid4().hex if key is None else key
        while True:
            api.url = self.server.url
            try:
                return api.post(path, body, key)
            except Problem as problem:
                if problem.body.get("retry") != "later":
                    raise
                time.sleep(0.1)
            except OSError:
                api.close()
            self.server.up.wait(30)

    def run(self):
        try:
            while not self.ending:
                self.sell()
        except Exception as failure:  # reported by whoever waits for this thread
            self.failure = failure

    def sell(self):
        # One that is known again by its key, and some by their client_id.
        path = f"/v1/conversations/{self.conversation}/messages"
        for number in range(4):
            text = "message " + uuid.uuid4().hex
            if number == 0:
                self.until_answered(self.buyer, path, {"text": text})
            else:
                self.until_answered(self.buyer, path, {"text": text, "client_id": text[8:]}, key="")
            self.acknowledged.append(text)
        body = {"conversation_id": self.conversation, "title": "Lamp", "description": "A lamp",
                "currency": "USD", "lines": [{"name": "Lamp", "quantity": 1,
                                              "unit_amount": self.chance.randrange(100, 99_999)}]}
        request = self.until_answered(self.owner, "/v1/payment_requests", body)["id"]
        token = self.chance.choice(TOKENS)
        try:
            done = self.until_answered(self.buyer, f"/v1/payment_requests/{request}/accept",
                                       acceptance(token))
        except Problem as problem:
            assert problem.status == 402, f"accepting {request} answered {problem}"
            return
        if done["order"]:
            self.until_answered(self.owner, f"/v1/orders/{done['order']['id']}/ship",
                                {"carrier": "USPS", "tracking_number": "1Z"})
            self.sales += 1


def check_log(api, conversation, acknowledged):
    log = all_of(api, f"/v1/conversations/{conversation}/messages")
    sequence = [one["seq"] for one in log]
    assert sequence == list(range(1, len(log) + 1)), f"{conversation} has a gap: {sequence}"
    texts = [one["data"].get("text") for one in log]
    for text in acknowledged:
        assert texts.count(text) == 1, f"an acknowledged message is there {texts.count(text)} times"
    return len(log)


def kill(server, rounds, chance):
    """kill -9 at random moments of a loop of sales; then everything must still add up."""
    server.up = threading.Event()
    server.up.set()
    sellers = [Seller(server, f"Shop {number}", chance.random()) for number in range(6)]
    for seller in sellers:
        seller.start()
    for number in range(rounds):
        time.sleep(chance.uniform(0, 0.8))
        server.up.clear()
        server.kill()
        server.start()
        server.up.set()
        failed = [seller.failure for seller in sellers if seller.failure]
        assert not failed, f"after {number + 1} kills: {failed[0]!r}"
        if (number + 1) % 20 == 0:
            print(f"  {number + 1} kills, {sum(one.sales for one in sellers)} orders sent",
                  flush=True)
    for seller in sellers:
        seller.ending = True
    for seller in sellers:
        seller.join(60)
        assert not seller.is_alive() and not seller.failure, \
            f"a seller ended with {seller.failure!r}"
    ops = server.api("ops@demo.example")
    for _ in range(8):
        settle_everything(ops)
        ops.post("/v1/admin/clock/advance", {"advance_s": 86_400})
        ops = server.api("ops@demo.example")
    paid, moved = compare_books(ops, Api(server.sandbox_url).get("/books"))
    buyer = server.api("buyer@demo.example")
    entries = sum(check_log(buyer, one.conversation, one.acknowledged) for one in sellers)
    messages = sum(len(one.acknowledged) for one in sellers)
    return (f"{rounds} kills: {paid} payments and {moved} movements agree with the processor's "
            f"books, {messages} acknowledged messages are in the logs, "
            f"{entries} entries without a gap")


# The run, what it runs against, and how many rounds of it are the full and the short form.
SOAKS = {"double_accept": (double_accept, Server, 1_000, 40), "kill": (kill, Server, 200, 10),
         "chat": (chat, Lone, 200, 20), "cluster": (chat, Pair, 200, 20)}


def main():
    parser = argparse.ArgumentParser(prog="scripts/soak", description=__doc__)
    parser.add_argument("name", choices=sorted(SOAKS))
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--rounds", type=int, help="how often; else what the name stands for")
    parser.add_argument("--short", action="store_true", help="the form that scripts/test runs")
    parser.add_argument("--binary", default="build/release/bottega")
    given = parser.parse_args()
    soak, world, full, short = SOAKS[given.name]
    rounds = given.rounds or (short if given.short else full)
    print(f"{given.name}: {rounds} rounds, --seed {given.seed}", flush=True)
    server = world(given.binary)
    began = time.monotonic()
    try:
        told = soak(server, rounds, random.Random(given.seed))
        print(f"{told} ({time.monotonic() - began:.0f} s)")
    except (AssertionError, Problem, OSError) as failure:
        print(f"{given.name} failed with --seed {given.seed}: {failure}\n{server.log()}",
              file=sys.stderr)
        return 1
    finally:
        server.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
