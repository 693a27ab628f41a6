"""Every operation once, as real clients would call them, and what each refuses."""

import json
import time

from checked import Checked, Violation
from client import base_of, post_form
from demo import ADDRESS, jobs_until
from prices import PricesStory
from help import HelpStory
from returns import ReturnsStory
from server import PASSWORD
from staff import StaffStory


class Story(StaffStory, PricesStory, HelpStory, ReturnsStory):
    def __init__(self, url, server):
        self.url, self.server = url, server
        self.owner, self.buyer, self.ops = Checked(url), Checked(url), Checked(url)

    def public(self):
        anyone = Checked(self.url)
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json", "/docs",
                     "/problems", "/problems/conflict", "/back"):
            anyone.get(path)
        anyone.fails(404, "GET", "/problems/nonsense")

    def people(self):
        for api, email in ((self.owner, "owner"), (self.buyer, "buyer"), (self.ops, "ops")):
            api.log_in(email + "@demo.example", PASSWORD)
            api.get("/v1/accounts/me")
        self.owner.fails(409, "POST", "/v1/accounts", {"email": "buyer@demo.example", "name": "B",
                                                       "password": "a long password"})
        made = self.owner.post("/v1/accounts", {"email": "ann@people.example", "name": "Ann Agent",
                                                "password": "a long password"})
        guest = Checked(self.url)
        guest.fails(401, "POST", "/v1/sessions",
                    {"email": "ann@people.example", "password": "wrong"})
        tokens = guest.post("/v1/sessions", {"email": "ann@people.example",
                                             "password": "a long password"})
        tokens = guest.post("/v1/sessions/refresh", {"refresh_token": tokens["refresh_token"]})
        guest.token = tokens["access_token"]
        session = guest.get("/v1/sessions")["data"][0]["id"]
        guest.call("DELETE", f"/v1/sessions/{session}")
        guest.log_in("ann@people.example", "a long password")
        guest.call("PUT", "/v1/accounts/me/password", {"current_password": "a long password",
                                                       "new_password": "another long password"})
        guest.call("DELETE", "/v1/sessions")
        guest.log_in("ann@people.example", "another long password")
        self.agent_api = guest
        self.agent = made["id"]

    def privacy(self):
        """A person has a copy made, and goes; the staff does both for another."""
        mine, password = "/v1/accounts/me/", {"password": "a long password"}
        leaving = []
        for name in ("zoe", "yves"):
            email = name + "@people.example"
            made = Checked(self.url).post("/v1/accounts", {"email": email, "name": name,
                                                           **password})
            api = Checked(self.url)
            api.log_in(email, "a long password")
            leaving.append((api, made["id"]))
        zoe, yves = leaving[0][0], f"/v1/admin/accounts/{leaving[1][1]}"
        zoe.fails(422, "POST", mine + "exports", {"password": "wrong"})
        zoe.post(mine + "exports", password)
        self.ops.post(yves + "/exports", {"reason": "asked for it"})
        for api, path in ((zoe, mine + "exports"), (self.ops, yves + "/exports")):
            link = jobs_until(self.ops, lambda: api.get(path)["data"][0]["url"], "no copy")
            Checked(self.url).get(link[link.index("/v1/"):])
        zoe.post(mine + "erasure", password)
        zoe.fails(401, "GET", "/v1/accounts/me")
        self.ops.post(yves + "/erase", {"reason": "asked for it"})

    def devices(self):
        mine = "/v1/accounts/me/preferences"
        shown = self.buyer.get(mine)
        self.buyer.call("PUT", mine, {**shown, "show_typing": False})
        self.buyer.call("PUT", mine, shown)
        # A browser's key is a point of the curve, as the server's is.
        key = self.buyer.get("/v1/push/key")["public_key"]
        device = {"endpoint": "https://push.invalid/send/1", "content": "none",
                  "keys": {"p256dh": key, "auth": "AAAAAAAAAAAAAAAAAAAAAA"}}
        made = self.buyer.post("/v1/push/subscriptions", device)
        self.buyer.get("/v1/push/subscriptions")
        self.buyer.call("DELETE", f"/v1/push/subscriptions/{made['id']}")
        self.buyer.fails(404, "DELETE", f"/v1/push/subscriptions/{made['id']}")

    def shop(self):
        self.merchant = self.owner.post("/v1/merchants", {"name": "Lamps", "country": "US",
                                                          "currency": "USD"})["id"]
        mine = f"/v1/merchants/{self.merchant}"
        link = self.owner.post(mine + "/onboarding")
        post_form(link["url"], {"name": "Otto", "address": "2 Lamp Lane",
                                "tax_number": "123456789"})
        self.sandbox = base_of(link["url"])
        jobs_until(self.ops, lambda: self.owner.get(mine)["onboarding"] == "active", "not accepted")
        self.owner.get("/v1/merchants")
        self.owner.call("PATCH", mine, {"currencies": ["USD", "JPY", "KWD"]})
        self.owner.fails(422, "PATCH", mine, {"currencies": ["USD", "EUR", "USD"]})
        self.buyer.fails(404, "PATCH", mine, {"currencies": ["USD"]})
        invited = [self.owner.post(mine + "/invitations", {"name": name, "role": "agent"})
                   for name in ("Ann", "Nobody")]
        self.owner.get(mine + "/invitations")
        self.owner.call("DELETE", f"{mine}/invitations/{invited[1]['invitation']['id']}")
        self.agent_api.post("/v1/invitations/accept", {"code": invited[0]["code"]})
        self.agent_api.fails(404, "POST", "/v1/invitations/accept", {"code": invited[1]["code"]})
        self.owner.get(mine + "/members")
        self.owner.call("PATCH", f"{mine}/members/{self.agent}", {"role": "manager"})
        self.owner.call("DELETE", f"{mine}/members/{self.agent}")
        key = self.owner.post(mine + "/api_keys", {"name": "till", "scopes": ["read", "payments"]})
        self.owner.get(mine + "/api_keys")
        Checked(self.url, key["secret"]).get(f"/v1/orders?merchant_id={self.merchant}")
        self.owner.call("DELETE", f"{mine}/api_keys/{key['api_key']['id']}")
        self.buyer.fails(404, "GET", mine)

    def chat(self):
        new = {"merchant_id": self.merchant}
        self.conversation = self.buyer.post("/v1/conversations", new)["id"]
        self.buyer.post("/v1/conversations", new)
        mine = f"/v1/conversations/{self.conversation}"
        for text in ("Hello", "Is the lamp there?"):
            self.buyer.post(mine + "/messages", {"text": text, "client_id": f"c{len(text)}"})
        self.owner.post(mine + "/receipts", {"delivered_seq": 2, "read_seq": 1})
        self.buyer.post(mine + "/typing")
        self.buyer.post(mine + "/messages", {"text": "Well?", "reply_to": 2})
        self.buyer.call("PATCH", mine + "/messages/3", {"text": "Well then?"})
        self.owner.call("PUT", mine + "/messages/3/reaction", {"emoji": "👍"})
        self.owner.call("DELETE", mine + "/messages/3/reaction")
        self.buyer.call("DELETE", mine + "/messages/3")
        self.owner.fails(403, "DELETE", mine + "/messages/2")
        for path in ("", "/messages?limit=1", "/messages?after=1", "/messages?before=3",
                     "/receipts", "/presence"):
            self.buyer.get(mine + path)
        self.inbox(mine)
        self.search()
        self.safety(mine)
        self.buyer.get("/v1/conversations?limit=5")
        self.owner.get(f"/v1/conversations?merchant_id={self.merchant}")

    def inbox(self, mine):
        until = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
        for path, body in (("/park", None), ("/snooze", {"until": until}), ("/close", None),
                           ("/reopen", None)):
            self.owner.post(mine + path, body)
        self.owner.call("PUT", mine + "/assignee", {
            "account_id": self.owner.get("/v1/accounts/me")["id"]})
        self.owner.call("PUT", mine + "/labels", {"labels": ["vip"]})
        note = self.owner.post(mine + "/notes", {"text": "Likes brass"})["id"]
        self.owner.get(mine + "/notes")
        self.owner.call("DELETE", f"{mine}/notes/{note}")
        self.buyer.fails(404, "GET", mine + "/notes")
        shop = f"/v1/merchants/{self.merchant}"
        reply = {"shortcut": "thanks", "text": "Thank you!"}
        kept = self.owner.post(shop + "/canned_replies", reply)["id"]
        self.owner.call("PUT", f"{shop}/canned_replies/{kept}", reply)
        self.owner.call("PUT", shop + "/inbox_settings", {
            "time_zone": "Europe/Berlin", "away_message": "Back on Monday",
            "hours": [{"day": "monday", "from": "00:00", "to": "24:00"}]})
        for path in ("/labels", "/canned_replies", "/inbox_settings"):
            self.owner.get(shop + path)
        self.owner.call("DELETE", f"{shop}/canned_replies/{kept}")
        self.owner.call("PUT", shop + "/inbox_settings", {"time_zone": "UTC", "hours": []})
        self.owner.get(f"/v1/conversations?merchant_id={self.merchant}&status=open&label=vip"
                       "&assignee=me")

    def search(self):
        settings = f"/v1/merchants/{self.merchant}/search_settings"
        self.owner.get(settings)
        self.owner.call("PUT", settings, {"language": "english"})
        path = (f"/v1/search/messages?q=hello&language=english&author=buyer&limit=5"
                f"&merchant_id={self.merchant}&conversation_id={self.conversation}"
                "&sent_before=2100-01-01T00:00:00Z")
        jobs_until(self.ops, lambda: self.buyer.get(path)["data"], "a message is not found")
        self.buyer.fails(422, "GET", "/v1/search/messages?q=the&language=english")

    def files(self):
        """A file as its bytes: the client of the others speaks JSON only."""
        path = f"/v1/conversations/{self.conversation}/attachments?name=lamp.txt"
        headers = {"Authorization": "Bearer " + self.buyer.token, "Content-Type": "text/plain",
                   "Idempotency-Key": "lamp"}
        for status, text in ((201, b"A lamp of brass"), (422, b"Another lamp")):
            got, answer, _ = self.buyer._exchange("POST", path, text, headers)
            if got != status:
                raise Violation(f"POST {path} answered {got}: {answer}")
            if got == 201:
                file = json.loads(answer)
        mine = f"/v1/attachments/{file['id']}"
        link = self.buyer.get(mine)["url"]
        content = link[link.index("/v1/"):]
        anyone = Checked(self.url)
        if anyone.get(content) != "A lamp of brass":
            raise Violation("another file came back")
        status, part, _ = anyone._exchange("GET", content, None, {"Range": "bytes=2-5"})
        if (status, part) != (206, b"lamp"):
            raise Violation(f"a part is {status} {part}")
        anyone.fails(404, "GET", content[:-1])
        self.owner.fails(404, "GET", mine)

    def feeds(self):
        """A product feed in, and the catalogue out."""
        path = f"/v1/merchants/{self.merchant}/feed_imports"
        headers = {"Authorization": "Bearer " + self.owner.token, "Content-Type": "text/csv"}
        rows = (b"id,title,availability,price\nF-1,Lamp,in stock,125.00 USD\nF-2,Lamp,in stock,1\n")
        got, answer, _ = self.owner._exchange("POST", path + "?on_error=skip&missing=keep", rows,
                                              headers)
        if got != 201:
            raise Violation(f"POST {path} answered {got}: {answer}")
        mine = f"/v1/feed_imports/{json.loads(answer)['id']}"
        jobs_until(self.ops, lambda: self.owner.get(mine)["state"] == "done", "no feed is imported")
        self.owner.get(path + "?limit=5")
        self.owner.get(mine + "/report?limit=5")
        self.owner.get(mine + "/report?format=csv")
        self.owner.fails(409, "POST", mine + "/cancel")
        out = self.owner.get(f"/v1/merchants/{self.merchant}/feed?format=csv")
        if "F-1,Lamp," not in out:
            raise Violation("the feed has not what was imported")

    def safety(self, mine):
        self.buyer.call("PUT", mine + "/mute", {"until": "2031-01-01T00:00:00Z"})
        self.buyer.call("DELETE", mine + "/mute")
        self.buyer.call("PUT", mine + "/block")
        self.owner.fails(403, "POST", mine + "/messages", {"text": "Hello?"})
        self.buyer.call("DELETE", mine + "/block")
        self.buyer.get(mine + "/protection")
        told = self.buyer.post(mine + "/reports", {"reason": "spam", "text": "Look at this",
                                                   "seqs": [1]})
        self.ops.get("/v1/admin/reports?state=open")
        self.ops.post(f"/v1/admin/reports/{told['id']}/resolve", {"resolution": "Nothing wrong"})

    def request(self, amount, **more):
        return {"conversation_id": self.conversation, "title": "Lamp", "description": "A lamp",
                "lines": [{"name": "Lamp", "quantity": 1, "unit_amount": amount}], **more}

    def ask(self, amount=12_500, currency="USD"):
        return self.owner.post("/v1/payment_requests",
                               self.request(amount, currency=currency))["id"]

    def accept(self, request, token):
        return self.buyer.post(f"/v1/payment_requests/{request}/accept",
                               {"payment_method": {"token": token}, "ship_to": ADDRESS})

    def pay(self):
        self.buyer.post(f"/v1/payment_requests/{self.ask()}/decline", {"reason": "too dear"})
        self.owner.post(f"/v1/payment_requests/{self.ask(1_980, 'JPY')}/cancel", {})
        default = self.owner.post("/v1/payment_requests", self.request(500))
        if default["total"] != {"amount": 500, "currency": "USD"}:
            raise Violation("a request is not in the default currency")
        self.owner.fails(422, "POST", "/v1/payment_requests", self.request(500, currency="EUR"))
        request = self.ask()
        self.buyer.get(f"/v1/payment_requests/{request}")
        self.buyer.get(f"/v1/payment_requests?conversation_id={self.conversation}")
        path = f"/v1/payment_requests/{request}/accept"
        declined = {"payment_method": {"token": "tok_declined"}, "ship_to": ADDRESS}
        self.buyer.fails(402, "POST", path, declined)
        waiting = self.accept(request, "tok_confirm")["payment"]
        self.buyer.get(f"/v1/payments/{waiting['id']}")
        self.buyer.post(f"/v1/payments/{waiting['id']}/cancel")
        self.paid = self.accept(request, "tok_approved")
        self.buyer.fails(409, "POST", path, declined)
        self.lost = self.accept(self.ask(), "tok_approved")["order"]

    def parcels(self):
        """An order that is sent in parts, of which the rest is not sent."""
        lines = [{"name": "Lamp", "quantity": 3, "unit_amount": 1_000}]
        request = self.owner.post("/v1/payment_requests", {**self.request(1), "lines": lines})
        order = self.accept(request["id"], "tok_approved")["order"]
        mine = f"/v1/orders/{order['id']}"
        self.owner.get(f"/v1/orders?merchant_id={self.merchant}&number={order['number']}")
        self.owner.fails(422, "GET", f"/v1/orders?merchant_id={self.merchant}&number=X")
        self.buyer.call("PATCH", mine, {"ship_to": {**ADDRESS, "street": "3 Lamp Lane"}})
        self.owner.post(mine + "/notes", {"text": "Wrap them well"})
        self.owner.get(mine + "/notes")
        self.buyer.fails(404, "GET", mine + "/notes")
        number = "1Z5R89390357567127"
        self.owner.get(f"/v1/tracking/recognise?number={number}")
        self.owner.fails(422, "POST", mine + "/ship", {"tracking_number": "unheard of"})
        sent = self.owner.post(mine + "/ship", {"tracking_number": number,
                                                "lines": [{"line": 0, "quantity": 1}]})
        self.owner.fails(409, "POST", mine + "/cancel", {"reason": "out of stock"})
        self.buyer.fails(409, "PATCH", mine, {"ship_to": ADDRESS})
        self.buyer.get(mine + "/shipments")
        parcel = f"/v1/shipments/{sent['shipment']['id']}"
        self.owner.post(parcel + "/events", {"status": "in_transit", "place": "Springfield",
                                             "event_id": "scan-1"})
        self.buyer.get(parcel)
        self.buyer.get(parcel + "/events")
        self.owner.call("PATCH", parcel, {"carrier": "other"})
        self.owner.post(mine + "/close_rest", {"reason": "out of stock"})
        self.owner.post(f"/v1/merchants/{self.merchant}/tracking_secret")

    def follow(self):
        order = self.paid["order"]["id"]
        self.buyer.get(f"/v1/orders/{order}")
        self.owner.get(f"/v1/orders?merchant_id={self.merchant}")
        self.buyer.get("/v1/orders")
        self.parcels()
        self.returns()
        shipped = self.owner.post(f"/v1/orders/{order}/ship", {"carrier": "USPS",
                                                               "tracking_number": "1Z999"})
        self.owner.post(f"/v1/orders/{order}/deliver")
        self.payout = shipped["payout"]["id"]
        self.owner.post(f"/v1/orders/{self.lost['id']}/cancel", {"reason": "out of stock"})
        refunds = f"/v1/payments/{self.lost['payment_id']}/refunds"
        jobs_until(self.ops, lambda: self.buyer.get(refunds)["data"][0]["state"] == "succeeded",
                   "not refunded")
        self.owner.get(f"/v1/payouts/{self.payout}")
        self.owner.get(f"/v1/payouts?merchant_id={self.merchant}")
        shop = f"/v1/merchants/{self.merchant}"
        for below in ("coming_payouts", "balances", "statement"):
            self.owner.get(f"{shop}/{below}")
        for kind in ("csv", "html"):
            self.owner.get(f"{shop}/statement.{kind}")
        self.papers(order, shop)
        self.owner.fails(409, "POST", f"/v1/payouts/{self.payout}/retry", None)
        paid = f"/v1/payments/{self.paid['payment']['id']}/refunds"
        refund = self.owner.post(paid, {"amount": 100, "reason": "a scratch"})["id"]
        self.owner.fails(422, "POST", paid, {"amount": 1_000_000, "reason": "all and more"})
        self.ops.post("/v1/admin" + paid[3:], {"amount": 50, "reason": "sorry",
                                               "funded_by": "platform"})
        jobs_until(self.ops,
                   lambda: self.buyer.get(f"/v1/refunds/{refund}")["state"] == "succeeded",
                   "a part was not refunded")

    def papers(self, order, shop):
        paper = f"/v1/orders/{order}/"
        for who, kind in ((self.buyer, "receipt"), (self.owner, "packing_slip")):
            who.get(paper + kind)
            headers = {"Authorization": "Bearer " + who.token}
            path = f"{paper}{kind}?format=pdf"
            status, pdf, _ = who._exchange("GET", path, None, headers)
            if status != 200 or not pdf.startswith(b"%PDF-"):
                raise Violation(f"{path} answered {status}")
        parcel = self.owner.get(paper + "shipments")["data"][0]["id"]
        self.owner.get(f"{paper}packing_slip?shipment_id={parcel}")
        self.buyer.fails(404, "GET", paper + "packing_slip")
        for kind in ("sales", "refunds", "products", "conversion"):
            report = f"{shop}/reports/{kind}"
            for query in ("", "?from=2026-01-01&to=2026-02-01", "?format=csv"):
                self.owner.get(report + query)
            self.owner.fails(422, "GET", report + "?from=2026-02-02&to=2026-02-01")
            self.buyer.fails(404, "GET", report)

    def wallet(self):
        """Money in by a card, to a person, and out to a bank."""
        pin, mine = "203040", "/v1/payment_methods"
        self.buyer.call("PUT", "/v1/me/pin", {"password": PASSWORD, "pin": pin})
        card, spare = (self.buyer.post(mine, {"token": token})["id"]
                       for token in ("tok_approved", "tok_slow"))
        self.buyer.post(mine, {"token": "tok_bank"})
        self.buyer.call("PATCH", f"{mine}/{spare}", {"is_default": True})
        self.buyer.call("DELETE", f"{mine}/{spare}")
        self.buyer.fails(409, "POST", mine, {"token": "tok_approved"})
        self.buyer.get(mine)
        usd = {"amount": 5_000, "currency": "USD"}
        top_ups, withdrawals = "/v1/wallet/top_ups", "/v1/wallet/withdrawals"
        top_up = self.buyer.post(top_ups, {**usd, "payment_method": {"id": card}, "pin": pin})["id"]
        waiting = self.buyer.post(top_ups, {**usd, "payment_method": {"token": "tok_confirm"}})
        for path in (top_ups, f"{top_ups}/{top_up}", f"{top_ups}/{waiting['id']}"):
            self.buyer.get(path)
        self.buyer.post(f"{top_ups}/{waiting['id']}/cancel")
        self.buyer.fails(409, "POST", f"{top_ups}/{top_up}/cancel")
        self.buyer.fails(402, "POST", top_ups, {**usd, "payment_method": {"token": "tok_declined"}})
        gift = {"to": {"email": "owner@demo.example"}, "amount": 100, "currency": "USD",
                "note": "For the lamp", "pin": pin}
        self.buyer.fails(403, "POST", "/v1/transfers", {**gift, "pin": "000000"})
        sent = [self.buyer.post("/v1/transfers", gift)["id"] for _ in range(3)]
        for who, transfer, verb in zip((self.owner, self.owner, self.buyer), sent,
                                       ("accept", "decline", "cancel")):
            who.post(f"/v1/transfers/{transfer}/{verb}")
        self.buyer.get(f"/v1/transfers/{sent[0]}")
        self.owner.get("/v1/transfers?limit=1")
        out = self.buyer.post(withdrawals, {"amount": 200, "currency": "USD", "pin": pin})["id"]
        jobs_until(self.ops,
                   lambda: self.buyer.get(f"{withdrawals}/{out}")["state"] == "succeeded",
                   "not withdrawn")
        self.buyer.get(withdrawals)
        self.buyer.get("/v1/wallet")
        since = "from=2020-01-01T00:00:00Z"
        for query in ("", f"?{since}", f"?{since}&format=csv"):
            self.buyer.get("/v1/wallet/statement" + query)
        self.top_up_disputes()
