"""The second act of the demonstration: a whole shop in the chat, from its feed to a closed case."""

import json
import threading
import time

from client import Api

SHOWN = 3  # products of the feed that somebody looks at
PRODUCTS = 1_000


def feed():
    """A product feed of a thousand rows, with two that are wrong."""
    lines = ["id,title,description,availability,price,brand,product_type,quantity"]
    for n in range(1, PRODUCTS + 1):
        price = "cheap" if n in (500, 900) else f"{5 + n % 40}.00 USD"
        lines.append(f"TEA-{n:04},Tea no. {n},Loose leaves,in stock,{price},Leaves,"
                     f"Food > Drinks > Tea,{20 + n % 5}")
    return "\n".join(lines) + "\n"


class Shop:
    """Plays on with the people and the merchant of the first act."""

    def __init__(self, play, tools):
        self.play = play
        self.say, self.check, self.money, self.jobs_until = tools
        self.owner, self.buyer, self.ops = play.merchant_api, play.buyer_api, play.ops
        self.talk = f"/v1/conversations/{play.conversation}"
        self.mine = f"/v1/merchants/{play.merchant}"

    def steps(self):
        return (self.import_feed, self.set_up, self.browse, self.buy_now, self.ask_before,
                self.parcels, self.send_back, self.help)

    def import_feed(self):
        headers = {"Authorization": "Bearer " + self.owner.token, "Content-Type": "text/csv"}
        path = self.mine + "/feed_imports"
        made = self._upload(path + "?on_error=skip", headers)
        one = f"/v1/feed_imports/{made['id']}"
        done = self.jobs_until(self.ops, lambda: self._if_done(one), "the feed was not imported")
        report = self.owner.get(one + "/report?limit=10")["data"]
        lines = sorted(remark["line"] for remark in report)
        self.say("merchant", f"imports a feed of {PRODUCTS} rows: {done['rows_good']} good, "
                             f"{done['rows_bad']} bad (lines {', '.join(map(str, lines))})")
        self.check(done["rows_good"] == PRODUCTS - 2, f"another import: {done}")

    def set_up(self):
        zone = self.owner.post(self.mine + "/shipping_zones", {"name": "USA", "countries": ["US"]})
        rates = f"{self.mine}/shipping_zones/{zone['id']}/rates"
        for name, amount in (("Post, 3 to 5 days", 500), ("Courier, tomorrow", 1_800)):
            self.owner.post(rates, {"name": name,
                                    "prices": [{"currency": "USD", "amount": amount}]})
        self.owner.post(self.mine + "/tax_rates", {"name": "IL sales tax", "country": "US",
                                                   "region": "IL", "parts_per_million": 62_500})
        self.settings("accept", ask=False)
        self.say("merchant", "ships to the USA in two ways, takes the sales tax of Illinois")

    def browse(self):
        path = self.talk + f"/products?q=tea&sort=price_up&limit={SHOWN}"
        self.found = self.jobs_until(self.ops, lambda: self._enough(path), "nothing is found")
        self.say("buyer", f"looks for tea without leaving the chat: {self.found[0]['title']}, …")
        seen = self._last()
        self.owner.post(self.talk + "/messages",
                        {"product": {"variant_id": self.found[0]["variant_id"]}})
        card = self.play.buyer.wait("message.created", after=seen)
        self.say("merchant", f"shares a card: {card['data']['fallback']}")

    def buy_now(self):
        bought = self.buy([(self.found[0]["variant_id"], 2), (self.found[1]["variant_id"], 1)])
        self.order = bought["order"]
        sums = self.order["breakdown"]
        self.say("buyer", f"buys now: items {sums['items'] / 100:.2f}, {sums['shipping_name']} "
                          f"{sums['shipping'] / 100:.2f}, tax {sums['tax'] / 100:.2f}")
        self.say("server", f"order {self.order['number']} is paid: "
                           f"{self.money(self.order['total'])}")
        stock = self.owner.get(f"/v1/variants/{self.found[0]['variant_id']}/stock")
        self.check(stock["reserved"] == 0, f"something is still set aside: {stock}")

    def ask_before(self):
        self.settings("refuse")
        done = []
        other = Api(self.play.url, self.buyer.token, timeout=40)
        buying = threading.Thread(target=lambda: done.append(
            self.buy([(self.found[2]["variant_id"], 1)], other)))
        buying.start()
        latest, waiting = time.monotonic() + 10, []
        while not waiting and time.monotonic() < latest:
            waiting = self.owner.get(self.mine + "/payment_questions")["data"]
        self.say("server", "asks the shop before the charge whether the sale can go on")
        self.owner.post(f"/v1/payment_requests/{waiting[0]['payment_request_id']}/answer",
                        {"answer": "accept"})
        buying.join(40)
        self.check(done and done[0]["order"], "what the shop has accepted was not sold")
        self.say("merchant", f"says yes: order {done[0]['order']['number']}")
        self.settings("accept")
        began = time.monotonic()
        silent = self.buy([(self.found[2]["variant_id"], 1)], other)
        self.say("server", f"asks again, has no answer for {time.monotonic() - began:.0f} s, and "
                           f"takes the standing one: order {silent['order']['number']}")
        self.settings("accept", ask=False)

    def parcels(self):
        path = f"/v1/orders/{self.order['id']}/ship"
        self.owner.post(path, {"tracking_number": "1Z5R89390357567127",
                               "lines": [{"line": 0, "quantity": 2}]})
        part = self.play.buyer.wait("order.part_shipped", after=self._last_card())
        self.check(part["data"]["order"]["fulfilment"] == "partial", "another part")
        self.say("merchant", "sends a part of it with UPS, which the number tells")
        sent = self.owner.post(path, {"carrier": "USPS",
                                      "tracking_number": "9400111899223197428490"})
        self.check(sent["order"]["state"] == "shipped", "not all of it was sent")
        self.say("merchant", "sends the rest with USPS")

    def send_back(self):
        returned = self.buyer.post(f"/v1/orders/{self.order['id']}/returns", {
            "reason": "changed_mind", "lines": [{"line": 0, "quantity": 1}]})
        one = f"/v1/returns/{returned['id']}"
        self.owner.post(one + "/approve", {"words": "Send it to our shop"})
        self.owner.post(one + "/receive", {"lines": [{"line": 0, "good": 1, "damaged": 0}],
                                           "restock": True})
        self.owner.post(one + "/refund", {"amount": 450, "reason": "opened"})
        self.jobs_until(self.ops, lambda: self.buyer.get(one)["state"] == "refunded",
                        "the return was not refunded")
        self.say("buyer", "sends one piece back, and gets 4.50 USD for it")

    def help(self):
        case = self.buyer.post("/v1/support_cases", {
            "subject": "damaged", "text": "A tin is dented", "order_id": self.order["id"]})
        path = f"/v1/support_cases/{case['id']}"
        self.owner.post(path + "/reply", {"text": "We are sorry. Is the tea all right?"})
        self.buyer.post(path + "/reply", {"text": "It is. Never mind!"})
        self.owner.post(path + "/solve")
        self.buyer.post(path + "/rate", {"rating": 5, "comment": "Kind people"})
        self.check(self.buyer.get(path)["state"] in ("solved", "closed"), "the case is open")
        self.say("buyer", "asks for help in the same conversation, and is content: 5 of 5")

    # ---- what the steps share -------------------------------------------------------------------

    def buy(self, items, api=None):
        api = api or self.buyer
        given = {"lines": [{"variant_id": variant, "quantity": n} for variant, n in items],
                 "ship_to": self.play.address}
        quote = api.post(self.talk + "/quotes", given)
        given["shipping_rate"] = quote["shipping_options"][0]["id"]
        quote = api.post(self.talk + "/quotes", given)
        self.check(quote["is_final"], f"the quote is not final: {quote}")
        return api.post(self.talk + "/checkouts", {
            **given, "total": quote["total"], "payment_method": {"token": "tok_approved"}})

    def settings(self, standing_answer, ask=True):
        nothing = {"allowed": False, "suggested_percent": [], "most_percent": 100}
        self.owner.call("PUT", self.mine + "/checkout_settings", {
            "tax_mode": "exclusive", "tips": nothing,
            "buyer": {"address": "required", "email": "none", "phone": "none", "name": "none",
                      "billing": "none"},
            "pre_checkout": {"ask": ask, "standing_answer": standing_answer}})

    def _upload(self, path, headers):
        status, text, _ = self.owner._exchange("POST", path, feed().encode(), headers)
        self.check(status == 201, f"the feed was not taken: {text}")
        return json.loads(text)

    def _if_done(self, path):
        now = self.owner.get(path)
        return now if now["state"] == "done" else None

    def _enough(self, path):
        found = self.buyer.get(path)["data"]
        return found if len(found) == SHOWN else None

    def _last(self):
        return max((one.get("seq", 0) for one in self.play.buyer.events), default=0)

    def _last_card(self):
        return self.order["card_seq"]
