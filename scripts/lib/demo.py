"""Plays the main loop against a running server: a merchant over REST, a buyer over the chat socket,
staff over the admin endpoints. Ends with status 1 at the first thing that is not as it should."""

import argparse
import sys
import time

from client import Api, Chat, Problem, base_of, post_form
from demo_shop import Shop

PASSWORD = "bottega demo"
ADDRESS = {"name": "Bea Buyer", "street": "1 Main St", "city": "Springfield", "region": "IL",
           "postal_code": "62701", "country": "US"}
PRICE = 12_500


def say(who, words):
    print(f"  {who:<9} {words}", flush=True)


def check(is_so, words):
    if not is_so:
        raise AssertionError(words)


def money(value):
    return f"{value['amount'] / 100:.2f} {value['currency']}"


def jobs_until(ops, seek, words, seconds=20):
    """Lets the server do its due work until `seek` finds what it looks for."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ops.post("/v1/admin/jobs/run")
        found = seek()
        if found:
            return found
        time.sleep(0.05)  # it may be busy with others' work; its limits are kept
    raise AssertionError(words)


class Play:
    address = ADDRESS

    def __init__(self, url):
        self.url = url
        self.merchant_api, self.buyer_api, self.ops = Api(url), Api(url), Api(url)

    def sign_in(self):
        self.merchant_api.log_in("owner@demo.example", PASSWORD)
        self.buyer_api.log_in("buyer@demo.example", PASSWORD)
        self.ops.log_in("ops@demo.example", PASSWORD)

    def open_shop(self):
        made = self.merchant_api.post("/v1/merchants", {"name": "Otto's Lamps", "country": "US",
                                                        "currency": "USD"})
        self.merchant = made["id"]
        say("merchant", f"opens the business account {self.merchant}")
        link = self.merchant_api.post(f"/v1/merchants/{self.merchant}/onboarding")
        self.sandbox = Api(base_of(link["url"]))
        say("merchant", "answers the payment processor's questions on the processor's own page")
        post_form(link["url"], {"name": "Otto Owner",
                                "address": "2 Lamp Lane, Springfield IL 62701",
                                "tax_number": "123456789"})
        jobs_until(self.ops, lambda: self.merchant_api.get(f"/v1/merchants/{self.merchant}")
                   ["onboarding"] == "active", "the processor did not accept the merchant")
        say("processor", "accepts the merchant")

    def chat(self):
        opened = self.buyer_api.post("/v1/conversations", {"merchant_id": self.merchant})
        self.conversation = opened["id"]
        self.buyer = Chat(self.url, self.buyer_api.token, {self.conversation: 0})
        self.owner = Chat(self.url, self.merchant_api.token, {self.conversation: 0})
        path = f"/v1/conversations/{self.conversation}"
        self.buyer.call("POST", path + "/messages",
                        {"text": "Hello! Is the brass lamp still there?"})
        asked = self.owner.wait("message.created")
        say("buyer", f"writes: {asked['data']['text']}")
        self.merchant_api.post(path + "/receipts", {"read_seq": asked["seq"]})
        self.buyer.wait("receipt.updated")
        self.merchant_api.post(path + "/messages",
                               {"text": "It is. 125 dollars, shipping included."})
        answer = self.buyer.wait("message.created", after=asked["seq"])
        say("merchant", f"writes: {answer['data']['text']}")

    def ask_for_money(self):
        self.request = self.merchant_api.post("/v1/payment_requests", {
            "conversation_id": self.conversation, "title": "Brass lamp",
            "description": "The brass lamp of the shop window, with its shade", "currency": "USD",
            "lines": [{"name": "Lamp", "quantity": 1, "unit_amount": 9_900},
                      {"name": "Shade", "quantity": 2, "unit_amount": 1_300}]})
        check(self.request["total"] == {"amount": PRICE, "currency": "USD"}, "the total is wrong")
        self.buyer.wait("payment_request.created")
        say("merchant", f"asks for {money(self.request['total'])}: {self.request['title']}")

    def accept(self, token):
        path = f"/v1/payment_requests/{self.request['id']}/accept"
        return self.buyer.call("POST", path,
                               {"payment_method": {"token": token}, "ship_to": ADDRESS})

    def token_of(self, number):
        card = {"number": number, "month": 12, "year": 2030, "cvc": "123"}
        return self.sandbox.post("/tokens", card)["token"]

    def pay(self):
        try:
            self.accept(self.token_of("4000000000000002"))
            raise AssertionError("a declined card paid")
        except Problem as problem:
            check(problem.status == 402, f"a declined card answered {problem}")
            say("buyer", f"pays with a first card, which is declined ({problem.body['reason']})")
        waiting = self.accept(self.token_of("4000002500003155"))["payment"]
        check(waiting["state"] == "requires_action", "the bank did not ask for a confirmation")
        say("buyer", "pays with another card, whose bank wants a confirmation")
        post_form(waiting["action_url"], {"answer": "yes"})
        self.buyer.wait("order.created")
        say("buyer", "confirms on the processor's page")
        orders = self.merchant_api.get(f"/v1/orders?merchant_id={self.merchant}")["data"]
        check(len(orders) == 1 and orders[0]["state"] == "paid",
              "there is not exactly one paid order")
        self.order = orders[0]
        say("server", f"order {self.order['number']} is paid: {money(self.order['total'])}")
        try:
            self.accept("tok_approved")
            raise AssertionError("the same request was paid twice")
        except Problem as problem:
            check(problem.status == 409, f"paying twice answered {problem}")

    def ship(self):
        shipped = self.merchant_api.post(f"/v1/orders/{self.order['id']}/ship",
                                         {"carrier": "USPS",
                                          "tracking_number": "9400111899223197428490"})
        self.payout = shipped["payout"]
        self.buyer.wait("order.shipped")
        say("merchant", "marks the order as sent with USPS 9400111899223197428490")
        say("server", f"schedules a payout of {money(self.payout['amount'])} "
                      f"(fee {self.payout['fee'] / 100:.2f}) for {self.payout['due_on']}")
        self.ops.post("/v1/admin/jobs/run")
        check(self.payout_now()["state"] == "scheduled", "the merchant was paid before it was due")

    def payout_now(self):
        return self.merchant_api.get(f"/v1/payouts/{self.payout['id']}")

    def pay_out(self):
        seen = max(one.get("seq", 0) for one in self.buyer.events)
        self.ops.post("/v1/admin/clock/advance", {"advance_s": 7 * 86_400})
        say("ops", "moves the test clock by seven days")
        # Seven days are longer than an access token lives.
        self.sign_in()
        jobs_until(self.ops, lambda: self.payout_now()["state"] == "paid",
                   "the payout was not paid")
        paid = self.payout_now()
        say("server", f"pays {money(paid['amount'])} to the merchant")
        check(paid["amount"]["amount"] + paid["fee"] == PRICE, "payout and fee are not the price")
        again = Chat(self.url, self.buyer_api.token, {self.conversation: seen})
        again.wait("resumed")
        path = f"/v1/conversations/{self.conversation}/messages?limit=100"
        log = self.buyer_api.get(path)["data"]
        check([one["seq"] for one in log] == list(range(1, len(log) + 1)), "the log has a gap")
        say("buyer", f"connects again: {len(log)} entries in the conversation, none missing")
        again.close()

    def listen_again(self):
        self.buyer = Chat(self.url, self.buyer_api.token, {self.conversation: 0})
        self.buyer.wait("resumed")

    def balance(self):
        balance = self.ops.get("/v1/admin/ledger/trial_balance")
        print("\n  Trial balance                  debits       credits")
        for row in balance["accounts"]:
            print(f"  {row['kind']:<20} {row['currency']} {row['debits'] / 100:>12.2f} "
                  f"{row['credits'] / 100:>13.2f}")
        check(balance["is_balanced"] and not balance["faults"], f"the books: {balance['faults']}")
        entries = self.ops.get(f"/v1/admin/merchants/{self.merchant}/ledger")["data"]
        paid = [one for one in entries
                if one["why"] == "payout" and one["phase"] == "posted"]
        check(len(paid) == 1, "the payout is not in the ledger exactly once")
        books = [one for one in self.sandbox.get("/books") if one["reference"] in
                 (self.payout_now()["reference"],)]
        check(len(books) == 1, "the processor did not pay out exactly once")
        print(f"  The books balance. Payout {self.payout['id']}: {money(paid[0]['amount'])}, paid.")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the server listens")
    play = Play(parser.parse_args().url)
    began = time.monotonic()
    try:
        play.sign_in()
        for step in (play.open_shop, play.chat, play.ask_for_money, play.pay, play.ship,
                     play.pay_out, play.balance):
            step()
        print("\n  And the shop in the chat")
        play.listen_again()
        for step in Shop(play, (say, check, money, jobs_until)).steps():
            step()
        play.balance()
    except (AssertionError, Problem, OSError, TimeoutError) as failure:
        print(f"\nThe demonstration failed in {step.__name__ if 'step' in dir() else 'sign_in'}: "
              f"{failure}\nThe server was sought at {play.url} (--url).", file=sys.stderr)
        return 1
    print(f"\nThe main loop and the shop work ({time.monotonic() - began:.1f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
