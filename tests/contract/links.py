"""Payment links, their page, and guests who become accounts."""

from checked import Checked, Violation


class Links:
    def __init__(self, story):
        self.story = story

    def all(self):
        owner, buyer, anyone = self.story.owner, self.story.buyer, Checked(self.story.url)
        lamp = {"name": "Lamp", "quantity": 1, "unit_amount": 1_250}
        body = {"merchant_id": self.story.merchant, "title": "A lamp", "lines": [lamp],
                "uses_max": 5, "expires_at": "2040-01-01T00:00:00Z"}
        link = owner.post("/v1/payment_links", body)
        owner.fails(422, "POST", "/v1/payment_links", {**body, "lines": [{"quantity": 1}]})
        mine, public = f"/v1/payment_links/{link['id']}", f"/v1/pay/{link['code']}"
        owner.get(f"/v1/payment_links?merchant_id={self.story.merchant}")
        buyer.fails(404, "GET", mine)
        owner.post(mine + "/disable")
        if anyone.get(public)["state"] != "disabled":
            raise Violation("a link that is off can be used")
        owner.post(mine + "/enable")
        owner.get(mine)
        anyone.fails(404, "GET", "/v1/pay/nonsense")
        if "What you buy" not in anyone.get(f"/pay/{link['code']}"):
            raise Violation("the page of a link does not say what it sells")
        buyer.post(public + "/conversations")
        self.guest(anyone, public)

    def guest(self, anyone, public):
        said = {"name": "Gus Guest", "email": "gus@people.example"}
        tokens = anyone.post(public + "/guests", said)
        guest = Checked(self.story.url, tokens["access_token"])
        guest.post(f"/v1/conversations/{tokens['conversation_id']}/messages", {"text": "Brass?"})
        guest.fails(403, "POST", "/v1/merchants", {"name": "Mine", "country": "US",
                                                   "currency": "USD"})
        upgrade = {"email": said["email"], "password": "a long password"}
        guest.fails(409, "POST", "/v1/guests/upgrade", {**upgrade, "email": "buyer@demo.example"})
        if guest.post("/v1/guests/upgrade", upgrade)["is_guest"]:
            raise Violation("the guest has no account")
