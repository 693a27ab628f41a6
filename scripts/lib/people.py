"""Who is there while scripts/soak kill kills the server: sellers and their buyers, owners of
wallets, somebody who moves the clock, and a processor that tells old news again. Whatever got no
answer is asked again with the same key, as clients must, until there is one."""

import random
import threading
import time
import uuid

from client import Api, Problem, post_form, post_json, send_webhook
from demo import ADDRESS
from server import PASSWORD, open_shop

CARDS = ["tok_approved"] * 8 + ["tok_declined", "tok_answer_lost", "tok_answer_lost",
                                "tok_no_answer", "tok_slow", "tok_confirm", "tok_confirm"]
ANSWERED_WITHIN = 120


def amount_of(chance, most):
    """Now and then one whose answer the sandbox loses (17), or to which it says no (13)."""
    amount = chance.randrange(2, most // 100) * 100
    return amount + chance.choice([chance.randrange(100)] * 5 + [17, 17, 13])


def open_account(server, email):
    server.api().post("/v1/accounts", {"email": email, "name": "Sam Soak", "password": PASSWORD})


class Person(threading.Thread):
    def __init__(self, server, seed):
        super().__init__(daemon=True)
        self.server, self.chance = server, random.Random(seed)
        self.failure, self.ending, self.again = None, False, 0
        self.emails = {}

    def api(self, email):
        api = self.server.api(email)
        self.emails[id(api)] = email
        return api

    def ask(self, api, path, body=None, key=None):
        """The status and the answer. A Problem is an answer too, and is raised."""
        key = uuid.uuid4().hex if key is None else key
        return self._until_answered(api, lambda: api.call("POST", path, body, key))

    def see(self, api, path):
        return self._until_answered(api, lambda: api.call("GET", path))[1]

    def _until_answered(self, api, act):
        deadline, signed_out = time.monotonic() + ANSWERED_WITHIN, False
        while time.monotonic() < deadline:
            api.url = self.server.url
            try:
                if signed_out:
                    api.log_in(self.emails[id(api)], PASSWORD)
                    signed_out = False
                return act()
            except Problem as problem:
                # The clock has moved on, or the answer to a refresh was lost.
                if problem.status == 401 or problem.body.get("reason") == "step_up_required":
                    signed_out = True
                elif problem.body.get("retry") != "later":
                    raise
                else:
                    time.sleep(0.2)
            except OSError:
                api.close()
            self.again += 1
            self.server.up.wait(30)
        raise AssertionError("a request got no answer, however often it was sent")

    def at_processor(self, act):
        """What somebody does at the processor: it is down while the server is."""
        for _ in range(20):
            try:
                return act(self.server.sandbox_url)
            except (OSError, ValueError):
                self.server.up.wait(30)
                time.sleep(0.1)
        return None

    def run(self):
        try:
            while not self.ending:
                self.act()
        except Exception as failure:  # reported by whoever waits for this thread
            self.failure = failure


class Seller(Person):
    """Sells in a conversation of its own, sends, cancels, gives back, and is disputed."""

    def __init__(self, server, number, currency, seed):
        super().__init__(server, seed)
        self.owner, self.buyer = self.api("owner@demo.example"), self.api("buyer@demo.example")
        self.ops = self.api("ops@demo.example")
        self.currency = currency
        self.merchant = open_shop(server, self.owner, f"Shop {number}", currency)
        self.conversation = self.buyer.post("/v1/conversations",
                                            {"merchant_id": self.merchant})["id"]
        # What was acknowledged: texts, and per request, payment, order and refund what it said.
        self.acknowledged, self.paid, self.declined = [], {}, []
        self.sent, self.cancelled, self.refunds = [], [], {}
        self.disputed, self.old = 0, []

    def act(self):
        self.talk()
        sale = self.sell()
        if sale:
            self.see_to(sale)
        if self.old and self.chance.random() < 0.4:
            self.look_back(self.chance.choice(self.old))

    def talk(self):
        # One that is known again by its key, and one by its client_id.
        path = f"/v1/conversations/{self.conversation}/messages"
        for key in (None, ""):
            text = "message " + uuid.uuid4().hex
            self.ask(self.buyer, path, {"text": text, "client_id": text[8:]} if key == "" else
                     {"text": text}, key)
            self.acknowledged.append(text)

    def sell(self):
        amount = amount_of(self.chance, 99_900)
        body = {"conversation_id": self.conversation, "title": "Lamp", "description": "A lamp",
                "currency": self.currency,
                "lines": [{"name": "Lamp", "quantity": 1, "unit_amount": amount}]}
        request = self.ask(self.owner, "/v1/payment_requests", body)[1]["id"]
        token = self.chance.choice(CARDS)
        try:
            done = self.ask(self.buyer, f"/v1/payment_requests/{request}/accept",
                            {"payment_method": {"token": token}, "ship_to": ADDRESS})[1]
        except Problem as problem:
            if problem.status == 402:
                self.declined.append(request)
                return None
            # The clock was moved past its end.
            assert problem.status == 409, f"accepting {request} answered {problem}"
            return None
        payment = done["payment"]
        if payment["action_url"]:
            self.confirm(payment)
            return None
        if not done["order"]:
            return None
        self.paid[request] = payment["id"]
        return {"payment": payment["id"], "order": done["order"]["id"], "amount": amount,
                "reference": payment["reference"], "sent": False, "given": 0, "at_bank": False}

    def confirm(self, payment):
        path = "/confirm/" + payment["action_url"].rpartition("/")[2]
        what = self.chance.random()
        if what < 0.8:
            answer = {"answer": "yes" if what < 0.65 else "no"}
            self.at_processor(lambda url: post_form(url + path, answer))
        elif what < 0.9:
            self.attempt(self.buyer, f"/v1/payments/{payment['id']}/cancel")

    def attempt(self, api, path, body=None):
        """What may be too late, or too much by now; answers nothing then."""
        try:
            return self.ask(api, path, body)[1]
        except Problem as problem:
            assert problem.status in (404, 409, 422), f"{path} answered {problem}"
            return None

    def see_to(self, sale):
        fate = self.chance.random()
        if fate < 0.1:
            if self.attempt(self.owner, f"/v1/orders/{sale['order']}/cancel", {"reason": "Sold"}):
                self.cancelled.append(sale["order"])
        elif fate < 0.16:
            self.give_back(sale, None)
        elif fate > 0.22:  # the others are forgotten, and cancelled in the end by themselves
            if fate < 0.4:
                self.give_back(sale, amount_of(self.chance, max(sale["amount"] // 2, 400)))
            if self.attempt(self.owner, f"/v1/orders/{sale['order']}/ship",
                            {"carrier": "USPS", "tracking_number": "1Z"}):
                self.sent.append(sale["order"])
                sale["sent"] = True
                self.old.append(sale)
                del self.old[:-200]

    def look_back(self, sale):
        what = self.chance.random()
        if sale["at_bank"]:
            return
        if what < 0.2 and not sale["given"]:
            self.dispute(sale)
        elif what < 0.3:
            self.give_back(sale, None)
        elif what < 0.4:
            self.give_back(sale, amount_of(self.chance, 1_000), self.ops)
        else:
            self.give_back(sale, amount_of(self.chance, max(sale["amount"] // 2, 400)))

    def give_back(self, sale, amount, ops=None):
        reason = "refund " + uuid.uuid4().hex
        path, body = f"/v1/payments/{sale['payment']}/refunds", {"reason": reason}
        if amount:
            body["amount"] = amount
        if ops:
            path, body["funded_by"] = path.replace("/v1/", "/v1/admin/"), "platform"
        sale["given"] += 1
        made = self.attempt(ops or self.owner, path, body)
        if made:
            self.refunds[made["id"]] = (reason, made["amount"]["amount"])

    def dispute(self, sale):
        """The buyer's bank takes a part of it back; the merchant contests, gives in or forgets."""
        sale["at_bank"] = True
        amount = min(amount_of(self.chance, sale["amount"] + 200), sale["amount"])
        try:
            opened = self.at_processor(lambda url: post_json(
                url + "/disputes", {"charge": sale["reference"], "amount": amount}))
        except Problem as problem:
            # A kill took the answer to the first try, and what is left is less.
            assert problem.status == 422, f"opening a dispute answered {problem}"
            opened = True
        if not opened:
            return
        self.disputed += 1
        path, what = f"/v1/disputes?merchant_id={self.merchant}&limit=100", self.chance.random()
        known = [one["id"] for one in self.see(self.owner, path)["data"]
                 if one["reference"] == opened["reference"]]
        if known and what < 0.5:
            self.attempt(self.owner, f"/v1/disputes/{known[0]}/evidence", {"text": "It was sent."})
            self.attempt(self.owner, f"/v1/disputes/{known[0]}/submit")
        elif known and what < 0.7:
            self.attempt(self.owner, f"/v1/disputes/{known[0]}/accept")


class Wallet(Person):
    """Has a balance, and sends of it to the others."""

    METHODS = ("tok_approved", "tok_answer_lost", "tok_slow", "tok_declined", "tok_no_answer")

    def __init__(self, server, number, others, seed):
        super().__init__(server, seed)
        self.email, self.others = f"wallet{number}@soak.example", others
        open_account(server, self.email)
        self.me = self.api(self.email)
        self.account = self.me.log_in(self.email, PASSWORD)
        self.cards = [self.me.post("/v1/payment_methods", {"token": token})["id"]
                      for token in self.METHODS]
        self.me.post("/v1/payment_methods", {"token": "tok_bank"})
        self.top_ups, self.withdrawals, self.transfers = {}, {}, {}
        self.declined_top_ups, self.notes, self.answers = 0, [], {}

    def act(self):
        currency = self.chance.choice(("USD", "USD", "EUR"))
        self.chance.choice((self.top_up, self.send, self.send, self.send, self.answer, self.answer,
                            self.withdraw))(currency)
        time.sleep(self.chance.uniform(0, 0.1))

    def attempt(self, path, body=None):
        try:
            return self.ask(self.me, path, body)
        except Problem as problem:
            assert problem.status in (402, 403, 409), f"{path} answered {problem}"
            return problem.status, None

    def top_up(self, currency):
        status, made = self.attempt("/v1/wallet/top_ups", {
            "amount": amount_of(self.chance, 50_000), "currency": currency,
            "payment_method": {"id": self.chance.choice(self.cards)}})
        if made:
            self.top_ups[made["id"]] = made["state"]
        elif status == 402:
            self.declined_top_ups += 1

    def send(self, currency):
        other = self.chance.choice([one for one in self.others if one is not self])
        note = "transfer " + uuid.uuid4().hex
        body = {"to": {"email": other.email}, "amount": amount_of(self.chance, 20_000),
                "currency": currency, "note": note}
        if self.chance.random() < 0.5:
            body["payment_method"] = {"id": self.chance.choice(self.cards)}
        status, made = self.attempt("/v1/transfers", body)
        if made:
            self.transfers[made["id"]] = (note, made["amount"]["amount"])
        if made or status == 402:
            self.notes.append(note)

    def answer(self, _):
        for one in self.see(self.me, "/v1/transfers?limit=20")["data"]:
            if one["state"] != "pending" or self.chance.random() < 0.3:
                continue
            is_mine = one["sender_id"] == self.account
            if is_mine and self.chance.random() < 0.8:
                continue
            act, state = ("cancel", "cancelled") if is_mine else self.chance.choice(
                (("accept", "accepted"), ("accept", "accepted"), ("decline", "declined")))
            if self.attempt(f"/v1/transfers/{one['id']}/{act}")[1]:
                self.answers[one["id"]] = state

    def withdraw(self, currency):
        made = self.attempt("/v1/wallet/withdrawals", {
            "amount": amount_of(self.chance, 30_000), "currency": currency})[1]
        if made:
            self.withdrawals[made["id"]] = made["amount"]["amount"]


class Clerk(Person):
    """Moves the clock, so that orders are cancelled and payouts, disputes and checks come due."""

    def __init__(self, server, seed):
        super().__init__(server, seed)
        self.ops, self.days = self.api("ops@demo.example"), 0

    def act(self):
        time.sleep(self.chance.uniform(1, 5))
        self.ask(self.ops, "/v1/admin/clock/advance", {"advance_s": 86_400})
        self.days += 1


class Gossip(Person):
    """The processor's news again: late, twice, and what was true once, all of it signed."""

    VERDICTS = {"succeeded": "succeeded", "declined": "declined",
                "needs_confirmation": "buyer_action"}

    def __init__(self, server, secret, seed):
        super().__init__(server, seed)
        self.secret, self.told = secret, 0

    def act(self):
        books = self.at_processor(lambda url: Api(url).get("/books")) or []
        moved = [one for one in books if one["operation"] in ("charge", "refund", "payout")]
        for one in self.chance.sample(moved, min(len(moved), 40)):
            self.tell(one)
            time.sleep(0.05)

    def tell(self, one):
        verdict = self.VERDICTS[one["state"]]
        if one["operation"] == "charge" and verdict == "succeeded" and self.chance.random() < 0.2:
            verdict = "buyer_action"
        event = {"id": "evt_" + uuid.uuid4().hex, "operation": one["operation"],
                 "key": one["key"], "verdict": verdict, "reference": one["reference"],
                 "reason": one["reason"], "action_url": "", "fee": one["fee"]}
        for _ in range(2):
            try:
                status = send_webhook(self.server.url, self.secret, event)
                assert status in (204, 503), f"a webhook was answered with {status}"
                self.told += status == 204
            except OSError:
                self.server.up.wait(30)
