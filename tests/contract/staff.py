"""What the staff does, and what it decides about."""

import calendar
import time

from checked import Checked, Violation
from client import post_json
from demo import jobs_until
from server import PASSWORD


class StaffStory:
    def dispute(self):
        """One that is contested, and one that is accepted."""
        mine = f"/v1/disputes?merchant_id={self.merchant}"
        for verb in ("submit", "accept"):
            paid = self.accept(self.ask(), "tok_approved")["payment"]
            charge = self.owner.get(f"/v1/payments/{paid['id']}")["reference"]
            post_json(self.sandbox + "/disputes", {"charge": charge, "amount": 2_000})
            found = f"{mine}&state=evidence_due"
            jobs_until(self.ops, lambda: self.owner.get(found)["data"], "no dispute")
            dispute = f"/v1/disputes/{self.owner.get(found)['data'][0]['id']}"
            self.owner.post(dispute + "/evidence", {"text": "It was delivered."})
            self.owner.fails(404, "GET", dispute + "/evidence")
            self.owner.post(f"{dispute}/{verb}")
            self.owner.fails(409, "POST", f"{dispute}/{verb}")
            after = "under_review" if verb == "submit" else "lost"
            jobs_until(self.ops, lambda: self.owner.get(dispute)["state"] == after, "no answer")
            if verb == "submit":
                self.owner.get(dispute + "/evidence")
                self.ops.get("/v1/admin" + dispute[3:] + "/evidence")
        self.buyer.fails(404, "GET", dispute)
        self.ops.get("/v1/admin/disputes?state=lost")
        Checked(self.url).get("/v1/evidence_key")

    def review(self):
        """Two payments that are looked at: one is approved, one goes back."""
        for verb, state in (("approve", "approved"), ("reject", "rejected")):
            sold = self.accept(self.ask(2_600_000), "tok_approved")["order"]
            found = f"/v1/admin/reviews?state=open&merchant_id={self.merchant}"
            open_one = self.ops.get(found)["data"][0]
            if open_one["order_id"] != sold["id"] or open_one["reasons"] != ["amount"]:
                raise Violation(f"another review is open: {open_one}")
            path = f"/v1/admin/reviews/{open_one['id']}"
            self.ops.post(f"{path}/{verb}", {"reason": "asked the buyer"})
            self.ops.fails(409, "POST", f"{path}/{verb}", {"reason": "once more"})
            if self.ops.get(path)["state"] != state:
                raise Violation(f"{verb} came to another state")
        self.owner.fails(404, "GET", path)
        back = f"/v1/payments/{sold['payment_id']}/refunds"
        jobs_until(self.ops, lambda: self.buyer.get(back)["data"][0]["state"] == "succeeded",
                   "not given back")
        limits = f"/v1/admin/merchants/{self.merchant}/limits"
        self.ops.post(limits, {"request_max": 20, "reason": "new here"})
        self.owner.fails(422, "POST", "/v1/payment_requests", {
            "conversation_id": self.conversation, "title": "Lamp", "description": "A lamp",
            "currency": "USD", "lines": [{"name": "Lamp", "quantity": 1, "unit_amount": 2_001}]})
        self.ops.post(limits, {"reason": "well known"})
        self.ops.get(limits)

    def top_up_disputes(self):
        """Charges that were topped up are taken back: one is contested, one is accepted."""
        card = {"amount": 700, "currency": "USD", "payment_method": {"token": "tok_approved"}}
        all_of_them, buyer = "/v1/admin/top_up_disputes", self.buyer.get("/v1/accounts/me")["id"]
        for verb, after in (("submit", "under_review"), ("accept", "lost")):
            charge = self.buyer.post("/v1/wallet/top_ups", card)["reference"]
            post_json(self.sandbox + "/disputes", {"charge": charge})
            found = f"{all_of_them}?state=evidence_due&account_id={buyer}"
            jobs_until(self.ops, lambda: self.ops.get(found)["data"], "no dispute of a top-up")
            dispute = f"{all_of_them}/{self.ops.get(found)['data'][0]['id']}"
            self.ops.fails(404, "GET", dispute + "/evidence")
            self.ops.post(f"{dispute}/{verb}", *([{"text": "It was spent."}] * (verb == "submit")))
            self.ops.fails(409, "POST", f"{dispute}/accept")
            jobs_until(self.ops, lambda: self.ops.get(dispute)["state"] == after, "no answer")
            if verb == "submit":
                self.ops.get(dispute + "/evidence")
        self.buyer.fails(404, "GET", dispute)

    def staff(self):
        hold = f"/v1/admin/payouts/{self.payout}"
        self.ops.post(hold + "/hold", {"reason": "looks odd"})
        self.ops.post(hold + "/release", {"reason": "it is fine"})
        for verb in ("suspend", "reinstate"):
            self.ops.post(f"/v1/admin/accounts/{self.agent}/{verb}", {"reason": "a test"})
        self.ops.post("/v1/admin/staff", {"email": "sue@staff.example", "name": "Sue",
                                          "password": "a long password", "role": "support"})
        self.ops.post("/v1/admin/clock/advance", {"advance_s": 7 * 86_400})
        for api, email in ((self.owner, "owner"), (self.ops, "ops")):
            api.log_in(email + "@demo.example", PASSWORD)
        payout = f"/v1/payouts/{self.payout}"
        jobs_until(self.ops, lambda: self.owner.get(payout)["state"] == "paid", "not paid out")
        batch = "/v1/payout_batches/" + self.owner.get(payout)["batch_id"]
        self.owner.get(batch)
        self.owner.get(batch + "/payouts")
        self.owner.get(f"/v1/payout_batches?merchant_id={self.merchant}")
        for path in ("accounts", "accounts?email=buyer@demo.example", "audit_log", "clock",
                     "conversations", "ledger/trial_balance", "ledger/export", "merchants",
                     f"merchants/{self.merchant}/ledger", f"merchants/{self.merchant}/balances",
                     f"accounts/{self.agent}/ledger", f"accounts/{self.agent}/balances",
                     "orders", "payment_requests",
                     "payments?state=captured", "payouts"):
            self.ops.get("/v1/admin/" + path)
        self.owner.fails(404, "GET", "/v1/admin/accounts")
        self.fees()

    def fees(self):
        mine, day = f"merchants/{self.merchant}/fees", time.gmtime(time.time() + 30 * 86_400)
        self.ops.post("/v1/admin/" + mine, {"basis_points": 250, "fixed": 20, "reason": "volume"})
        self.ops.post("/v1/admin/" + mine, {
            "currency": "USD", "basis_points": 200, "fixed": 0, "reason": "a good year",
            "effective_from": time.strftime("%Y-%m-%dT00:00:00Z", day)})
        self.ops.fails(422, "POST", "/v1/admin/" + mine, {
            "basis_points": 0, "fixed": 0, "reason": "too late",
            "effective_from": "2020-01-01T00:00:00Z"})
        self.ops.get("/v1/admin/" + mine)
        if self.owner.get("/v1/" + mine)["data"][1]["basis_points"] != 250:
            raise Violation("another plan is shown")
        today = time.strftime("%Y-%m-%d", time.gmtime())
        report = "/v1/admin/revenue"
        self.ops.get(f"{report}?from={today}&until={today}&merchant_id={self.merchant}")
        if not self.ops.get(report + "?format=csv").startswith("day,currency,captured,"):
            raise Violation("the report is no file")
        self.ops.fails(422, "GET", report + "?from=2026-01-01&until=2020-01-01")
        self.settlement()

    def settlement(self):
        """The books of the day of the sales against the processor's."""
        runs = "/v1/admin/settlements"
        today = self.ops.get("/v1/admin/clock")["now"][:10]
        self.ops.fails(422, "POST", runs, {"day": today})
        day = time.strftime("%Y-%m-%d", time.gmtime(
            calendar.timegm(time.strptime(today, "%Y-%m-%d")) - 7 * 86_400))
        run = self.ops.post(runs, {"day": day, "processor": "sandbox"})
        path = f"{runs}/{run['id']}"
        jobs_until(self.ops, lambda: self.ops.get(path)["state"] == "clean", "not clean")
        self.ops.get(runs)
        self.ops.get(path + "/differences")
        resolve = "/v1/admin/settlement_differences/sdif_01h455vb4pex5vsknk084sn02q/resolve"
        self.ops.fails(404, "POST", resolve, {"reason": "there is none"})
        ask = "/v1/admin/attempts/att_01h455vb4pex5vsknk084sn02q/ask"
        self.ops.fails(404, "POST", ask, {"reason": "there is none"})
