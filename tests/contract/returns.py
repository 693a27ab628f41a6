"""What a buyer sends back of an order, in parts, and what becomes of it."""

from checked import Violation
from demo import jobs_until


class ReturnsStory:
    def returns(self):
        lines = [{"name": "Lamp", "quantity": 4, "unit_amount": 1_000}]
        request = self.owner.post("/v1/payment_requests", {**self.request(1), "lines": lines})
        order = self.accept(request["id"], "tok_approved")["order"]
        mine, asked = f"/v1/orders/{order['id']}/returns", {"reason": "changed_mind"}
        self.buyer.fails(409, "POST", mine, asked)
        self.owner.post(f"/v1/orders/{order['id']}/ship", {"carrier": "other"})
        self.owner.fails(403, "POST", mine, asked)
        self.buyer.fails(422, "POST", mine, {**asked, "lines": [{"line": 0, "quantity": 5}]})
        for verb, body, who in (("reject", {"words": "It is worn"}, self.owner),
                                ("cancel", None, self.buyer)):
            back = self.buyer.post(mine, {**asked, "note": "It is too bright"})
            self.buyer.fails(409, "POST", mine, asked)
            who.post(f"/v1/returns/{back['id']}/{verb}", body)
            self.owner.fails(409, "POST", f"/v1/returns/{back['id']}/approve", {})
        back = self.buyer.post(mine, {**asked, "lines": [{"line": 0, "quantity": 2}]})
        one = f"/v1/returns/{back['id']}"
        self.buyer.fails(403, "POST", one + "/approve", {})
        self.owner.post(one + "/approve", {"words": "Send it to our shop"})
        self.owner.fails(409, "POST", one + "/refund", {})
        self.owner.fails(422, "POST", one + "/receive",
                         {"lines": [{"line": 0, "good": 2, "damaged": 1}]})
        received = self.owner.post(one + "/receive", {
            "lines": [{"line": 0, "good": 1, "damaged": 1}], "restock": True})
        if received["proposed"] != 2_000:
            raise Violation(f"another amount is proposed: {received}")
        self.owner.fails(422, "POST", one + "/refund", {"amount": 1_000_000})
        self.owner.post(one + "/refund", {"amount": 1_900, "reason": "A scratch"})
        jobs_until(self.ops, lambda: self.buyer.get(one)["state"] == "refunded", "not refunded")
        self.buyer.get(mine)
        self.buyer.get("/v1/returns?limit=1")
        self.owner.get(f"/v1/returns?merchant_id={self.merchant}&state=refunded")
        self.buyer.fails(404, "GET", f"/v1/returns?merchant_id={self.merchant}")
