"""How a shop sells: shipping, taxes, discount codes, and what it asks for."""

from checked import Checked, Violation


class PricesStory:
    def prices(self):
        mine = f"/v1/merchants/{self.merchant}"
        self.shipping(mine + "/shipping_zones")
        self.taxes(mine + "/tax_rates")
        self.discounts(mine + "/discount_codes")
        asked = {"address": "required", "email": "optional", "phone": "none", "name": "none",
                 "billing": "optional"}
        settings = {"tax_mode": "none", "buyer": asked,
                    "tips": {"allowed": True, "suggested_percent": [5, 10], "most_percent": 30},
                    "pre_checkout": {"ask": False, "standing_answer": "accept"},
                    "disclosures": {"legal_name": "Lamps Inc.", "phone": "+15551234567",
                                    "contact": {"name": "Otto", "email": "otto@lamps.example"}}}
        self.owner.call("PUT", mine + "/checkout_settings", settings)
        self.owner.get(mine + "/checkout_settings/all")
        falling = {"allowed": True, "suggested_percent": [10, 5], "most_percent": 30}
        self.owner.fails(422, "PUT", mine + "/checkout_settings", {**settings, "tips": falling})
        told = Checked(self.url).get(mine + "/checkout_settings")
        if told["buyer"] != asked or "pre_checkout" in told:
            raise Violation(f"the terms of the shop are {told}")

    def shipping(self, zones):
        zone = {"name": "Home", "countries": ["US"]}
        made = f"{zones}/{self.owner.post(zones, zone)['id']}"
        self.owner.call("PUT", made, {**zone, "regions": ["CA"], "postal_prefixes": ["9"]})
        rate = {"name": "Post", "days_max": 3, "weight_up_to_g": 2_000,
                "prices": [{"currency": "USD", "amount": 500, "free_from": 5_000}]}
        first = f"{made}/rates/{self.owner.post(made + '/rates', rate)['id']}"
        self.owner.call("PUT", first, {**rate, "active": False})
        self.owner.fails(422, "POST", made + "/rates", {**rate, "prices": rate["prices"] * 2})
        self.owner.get(made + "/rates")
        self.owner.get(zones)
        self.owner.call("DELETE", first)
        self.owner.call("DELETE", made)
        self.owner.fails(404, "DELETE", made)
        self.buyer.fails(404, "GET", zones)

    def taxes(self, taxes):
        tax = {"name": "Sales tax", "country": "US", "region": "CA", "parts_per_million": 72_500}
        made = f"{taxes}/{self.owner.post(taxes, tax)['id']}"
        self.owner.fails(409, "POST", taxes, tax)
        self.owner.call("PUT", made, {**tax, "applies_to_shipping": True})
        self.owner.get(taxes + "?limit=1")
        self.owner.call("DELETE", made)

    def discounts(self, codes):
        code = {"code": "spring", "kind": "percent", "basis_points": 1_000}
        made = f"{codes}/{self.owner.post(codes, code)['id']}"
        self.owner.fails(409, "POST", codes, code)
        self.owner.fails(422, "POST", codes, {**code, "code": "summer", "amount": 5})
        self.owner.call("PUT", made, {**code, "uses_max": 10, "uses_per_buyer_max": 1})
        self.owner.get(made)
        self.owner.get(codes)
        self.buyer.fails(404, "GET", codes)
        self.owner.call("DELETE", made)
