"""Buying in the conversation: what it costs, paying it, and asking the shop before."""

import threading
import time

from checked import Violation


class Buying:
    def __init__(self, story):
        self.story = story

    def all(self):
        self.owner, self.buyer = self.story.owner, self.story.buyer
        self.talk = f"/v1/conversations/{self.story.conversation}"
        card = self.buyer.get(self.talk + "/products?limit=5&q=senc&sort=price_up")["data"][0]
        self.lines = {"lines": [{"variant_id": card["variant_id"], "quantity": 1}]}
        self.now()
        self.asked()

    def body(self):
        goes_to = {"name": "Bea", "street": "1 Way", "city": "Reno", "postal_code": "89501",
                   "country": "US"}
        given = {**self.lines, "ship_to": goes_to}
        quote = self.buyer.post(self.talk + "/quotes", given)
        return {**given, "total": quote["total"], "contact": {"email": "bea@people.example"},
                "payment_method": {"token": "tok_approved"}}

    def now(self):
        path, body = self.talk + "/checkouts", self.body()
        self.buyer.fails(422, "POST", self.talk + "/quotes", {})
        self.owner.fails(403, "POST", self.talk + "/quotes", self.lines)
        self.buyer.fails(409, "POST", path, {**body, "total": body["total"] + 1})
        self.buyer.fails(402, "POST", path, {**body, "payment_method": {"token": "tok_declined"}})
        bought = self.buyer.post(path, body)
        if bought["order"]["total"]["amount"] != body["total"]:
            raise Violation("another sum was charged than was quoted")
        self.owner.fails(404, "GET",
                         f"/v1/payment_requests/{bought['payment_request']['id']}/question")

    def asked(self):
        mine = f"/v1/merchants/{self.story.merchant}"
        settings = self.owner.get(mine + "/checkout_settings/all")
        given = {name: settings[name] for name in ("tax_mode", "buyer", "tips", "disclosures")}
        asks = {"ask": True, "standing_answer": "refuse"}
        self.owner.call("PUT", mine + "/checkout_settings", {**given, "pre_checkout": asks})
        done = []
        buy = threading.Thread(
            target=lambda: done.append(self.buyer.post(self.talk + "/checkouts", self.body())))
        buy.start()
        latest = time.monotonic() + 10
        waiting = []
        while not waiting and time.monotonic() < latest:
            waiting = self.owner.get(mine + "/payment_questions")["data"]
        request = f"/v1/payment_requests/{waiting[0]['payment_request_id']}"
        self.owner.post(request + "/answer", {"answer": "accept"})
        self.owner.fails(409, "POST", request + "/answer", {"answer": "refuse"})
        self.owner.get(request + "/question")
        buy.join(30)
        if not done or not done[0]["order"]:
            raise Violation("what the shop has accepted was not sold")
        self.owner.call("PUT", mine + "/checkout_settings",
                        {**given, "pre_checkout": {"ask": False, "standing_answer": "accept"}})
