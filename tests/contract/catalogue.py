"""What a shop sells: products, variants, stock, collections and pictures, and who looks at them."""

import json
import struct
import zlib

from checked import Checked, Violation
from client import Api


def picture():
    """A grey PNG of 8 x 8 pixels."""
    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    rows = b"".join(b"\0" + b"\x80" * 8 for _ in range(8))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Catalogue:
    def __init__(self, story):
        self.story = story

    def all(self):
        self.owner, self.buyer = self.story.owner, self.story.buyer
        self.shop = f"merchant_id={self.story.merchant}"
        product = self.product()
        self.edits(product)
        self.stock(product["variants"][0]["id"])
        self.collections(product)
        self.browsing()

    def edit(self, method, path, version, body=None):
        """The answer to an edit of this version."""
        headers = {"If-Match": f'"{version}"'}
        return self.owner.call(method, path, body, headers=headers)[1]

    def upload(self):
        path = f"/v1/merchants/{self.story.merchant}/attachments?name=tea.png"
        headers = {"Authorization": "Bearer " + self.owner.token, "Content-Type": "image/png",
                   "Idempotency-Key": "tea"}
        # The proxy takes bytes for text: it sees what is refused, and the picture goes past it.
        status, answer, _ = self.owner._exchange("POST", path, b"\0 no picture", headers)
        if status != 415:
            raise Violation(f"POST {path} answered {status} to a text: {answer}")
        status, answer, _ = Api(self.story.server.url)._exchange("POST", path, picture(), headers)
        if status != 201:
            raise Violation(f"POST {path} answered {status}: {answer}")
        return json.loads(answer)["id"]

    def product(self):
        file = self.upload()
        made = self.owner.post("/v1/products", {
            "merchant_id": self.story.merchant, "title": "Green tea", "brand": "TeaCo",
            "category": "Food > Drinks > Tea", "option_names": ["size"],
            "images": [{"attachment_id": file}, {"url": "https://shop.example/tea.jpg"}],
            "variants": [{"sku": "TEA-100", "options": ["100 g"], "gtin": "4006381333931",
                          "weight_g": 110,
                          "prices": [{"currency": "USD", "amount": 1_250, "compare_at": 1_500,
                                      "sale": {"amount": 999,
                                               "ends_at": "2040-01-01T00:00:00Z"}}]}]})
        mine = f"/v1/products/{made['id']}"
        self.owner.fails(422, "POST", "/v1/products", {"merchant_id": self.story.merchant,
                                                       "title": "Tea", "handle": "TEA-100"})
        self.buyer.fails(404, "GET", mine)
        self.edit("POST", mine + "/publish", 1)
        anyone = Checked(self.story.url)
        status, _, _ = anyone._exchange("GET", f"/v1/product_pictures/{file}", None, {})
        if status != 200:
            raise Violation(f"the picture is {status}")
        return self.owner.get(mine)

    def edits(self, product):
        mine, version = f"/v1/products/{product['id']}", product["version"]
        product = self.edit("PATCH", mine, version, {"title": "Sencha", "brand": None})
        product = self.edit("POST", mine + "/variants", product["version"],
                            {"sku": "TEA-200", "options": ["200 g"],
                             "prices": [{"currency": "USD", "amount": 2_000}]})
        second = f"/v1/variants/{product['variants'][1]['id']}"
        self.buyer.get(second)
        product = self.edit("PATCH", second, product["version"],
                            {"availability": "preorder", "available_at": "2040-01-01T00:00:00Z"})
        product = self.edit("DELETE", second, product["version"])
        for verb in ("archive", "restore", "publish"):
            product = self.edit("POST", f"{mine}/{verb}", product["version"])
        draft = self.owner.post("/v1/products", {"merchant_id": self.story.merchant,
                                                 "title": "A mistake"})
        self.edit("DELETE", f"/v1/products/{draft['id']}", 1)

    def stock(self, variant):
        mine = f"/v1/variants/{variant}/stock"
        self.owner.get(mine)
        self.owner.call("PUT", mine, {"on_hand": 10})
        self.owner.post(mine + "/adjust", {"delta": -1, "reason": "Broken"})
        self.owner.fails(409, "POST", mine + "/adjust", {"delta": -10, "reason": "Lost"})
        self.owner.get(mine + "/changes?limit=1")
        self.owner.call("PUT", mine, {"on_hand": None})
        self.buyer.fails(404, "GET", mine)

    def collections(self, product):
        made = self.owner.post("/v1/collections", {"merchant_id": self.story.merchant,
                                                   "title": "Teas",
                                                   "products": [product["id"]]})
        mine = f"/v1/collections/{made['id']}"
        self.buyer.get(mine)
        self.buyer.get(mine + "/products?limit=5")
        self.buyer.get(f"/v1/collections?{self.shop}")
        self.edit("PATCH", mine, 1, {"title": "Green teas"})
        other = self.owner.post("/v1/collections", {"merchant_id": self.story.merchant,
                                                    "title": "Nothing"})
        self.edit("DELETE", f"/v1/collections/{other['id']}", 1)

    def browsing(self):
        for query in ("", "&q=senc", "&sort=price_down&price_from=1&price_to=5000",
                      "&category=Food%20%3E%20Drinks&condition=new&in_stock=true"):
            if len(self.buyer.get(f"/v1/products?{self.shop}{query}")["data"]) != 1:
                raise Violation(f"{query} finds another number of products")
        self.owner.get(f"/v1/products?{self.shop}&state=draft")
        self.buyer.fails(404, "GET", f"/v1/products?{self.shop}&state=draft")
