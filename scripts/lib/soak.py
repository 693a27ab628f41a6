"""Long runs against the real program: scripts/soak NAME [--seed N] [--rounds N] [--short]."""

import argparse
import random
import sys
import threading
import time
import uuid

from audit import compare_books, totals_of
from chat import chat
from client import Api, Problem
from cluster import Lone, Pair
from demo import ADDRESS
from kill import Target as Killed, kill
from race import Target as Raced, race
from server import Server, open_shop
from stock import Target as Rushed, stock


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
    paid = compare_books(server, charges)["payments"]
    assert paid == rounds, f"{paid} of {rounds} requests are paid"
    totals_of(server.api("ops@demo.example"), charges)
    return f"{rounds} requests accepted by two devices at once: {rounds} charges, answers {seen}"


# The run, what it runs against, and how many rounds of it are the full and the short form.
SOAKS = {"double_accept": (double_accept, Server, 1_000, 40), "kill": (kill, Killed, 500, 10),
         "race": (race, Raced, 2_000, 50), "stock": (stock, Rushed, 100, 4),
         "chat": (chat, Lone, 200, 20), "cluster": (chat, Pair, 200, 20)}


def main():
    names = "\n".join(f"  {name:<14} {soak[0].__doc__}" for name, soak in sorted(SOAKS.items()))
    parser = argparse.ArgumentParser(
        prog="scripts/soak", description=__doc__, epilog="what each does:\n" + names,
        formatter_class=argparse.RawDescriptionHelpFormatter)
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
