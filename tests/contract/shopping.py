"""Products, cards and carts of a conversation."""

from checked import Violation


class Shopping:
    def __init__(self, story):
        self.story = story

    def all(self):
        self.owner, self.buyer = self.story.owner, self.story.buyer
        self.talk = f"/v1/conversations/{self.story.conversation}"
        self.card = self.buyer.get(self.talk + "/products?limit=5&q=senc&sort=price_up")["data"][0]
        self.cards()
        self.cart()

    def cards(self):
        path, product = self.talk + "/messages", self.card["product_id"]
        variant = {"variant_id": self.card["variant_id"]}
        section = {"title": "New", "product_ids": [product]}
        for body in ({"product": variant, "client_id": "card"}, {"catalogue": True},
                     {"products": {"header": "Our teas", "sections": [section]}}):
            self.owner.post(path, body)
        sent = self.owner.post(path, {"product": variant, "client_id": "card"})
        if sent["data"]["product"]["price"]["amount"] != self.card["amount"]:
            raise Violation("a card has another price than the shop")
        self.buyer.post(path, {"text": "Is it fresh?", "about": {"product_id": product}})
        self.buyer.fails(403, "POST", path, {"product": variant})
        self.owner.fails(422, "POST", path, {"product": {}})

    def cart(self):
        path = self.talk + "/cart"
        lines = [{"variant_id": self.card["variant_id"], "quantity": 2}]
        version = self.buyer.get(path)["version"]
        self.buyer.call("PUT", path, {"version": version, "lines": lines})
        self.buyer.fails(409, "PUT", path, {"version": version, "lines": []})
        self.owner.get(path)
        self.owner.post(path + "/propose", {"lines": lines})
        self.buyer.fails(403, "POST", path + "/propose", {"lines": lines})
        self.buyer.call("DELETE", path)
