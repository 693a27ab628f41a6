"""Help for a buyer and for a shop, at both desks, and withdrawing from a contract."""

from checked import Violation


class HelpStory:
    def help(self):
        cases, shop = "/v1/support_cases", f"merchant_id={self.merchant}"
        order = self.paid["order"]["id"]
        asked = {"subject": "damaged", "text": "The lamp is broken", "order_id": order}
        case = f"{cases}/{self.buyer.post(cases, asked)['id']}"
        self.buyer.fails(409, "POST", cases, asked)
        self.buyer.fails(422, "POST", cases, {"subject": "withdrawal", "text": "I want out"})
        self.owner.fails(404, "POST", cases, asked)
        for api, path in ((self.buyer, cases), (self.buyer, case), (self.owner, case),
                          (self.owner, case + "/messages"),
                          (self.owner, f"{cases}?{shop}&limit=1&state=open&priority=normal"
                                       "&subject=damaged&assignee=nobody")):
            api.get(path)
        self.agent_api.fails(404, "GET", case)
        owner = self.owner.get("/v1/accounts/me")["id"]
        self.owner.post(case + "/assign", {"account_id": owner})
        self.owner.post(case + "/priority", {"priority": "high"})
        self.buyer.fails(403, "POST", case + "/priority", {"priority": "urgent"})
        self.owner.post(case + "/reply", {"text": "Send us a photo"})
        self.buyer.post(case + "/reply", {"text": "I have none"})
        self.buyer.fails(409, "POST", case + "/hand_over", {})
        self.buyer.fails(409, "POST", case + "/rate", {"rating": 5})
        self.owner.post(case + "/solve")
        self.buyer.post(case + "/reply", {"text": "It is not solved"})
        self.ops.fails(404, "GET", "/v1/admin" + case[3:])
        self.owner.post(case + "/hand_over", {"note": "We do not get on"})
        self.owner.fails(409, "POST", case + "/reply", {"text": "Still here"})
        self.desk(case, shop)
        self.buyer.post(case + "/rate", {"rating": 4, "comment": "Quick in the end"})
        self.buyer.fails(409, "POST", case + "/rate", {"rating": 1})
        self.owner.get(f"/v1/merchants/{self.merchant}/support_times?from=2026-01-01&to=2026-12-31")
        self.platform(cases, shop)
        self.withdrawal(f"/v1/orders/{order}/withdraw")

    def desk(self, case, shop):
        """The platform's staff, with what it keeps ready."""
        at_ops = "/v1/admin" + case[3:]
        self.ops.get(f"/v1/admin/support_cases?{shop}&state=open&limit=1")
        for below in ("", "/entries?limit=2", "/messages"):
            self.ops.get(at_ops + below)
        self.ops.post(at_ops + "/assign", {})
        self.ops.post(at_ops + "/priority", {"priority": "urgent"})
        self.ops.post(at_ops + "/notes", {"text": "Has asked before"})
        self.ops.post(at_ops + "/reply", {"text": "We have a look"})
        self.ops.post(at_ops + "/solve")
        self.ops.fails(409, "POST", at_ops + "/reply", {"text": "Once more"})
        self.ops.get("/v1/admin/support_times")
        kept, answer = "/v1/admin/canned_answers", {"shortcut": "photo", "text": "Send a photo"}
        one = f"{kept}/{self.ops.post(kept, answer)['id']}"
        self.ops.fails(409, "POST", kept, answer)
        self.ops.post(one, {**answer, "text": "Please send a photo"})
        self.ops.get(kept)
        self.ops.call("DELETE", one)
        self.ops.fails(404, "DELETE", one)
        self.owner.fails(404, "GET", kept)

    def platform(self, cases, shop):
        """A shop asks the platform, in a thread."""
        case = self.owner.post(cases, {"subject": "account", "text": "Where is our money?",
                                       "merchant_id": self.merchant})
        path = f"{cases}/{case['id']}"
        self.ops.post(f"/v1/admin/support_cases/{case['id']}/reply", {"text": "On its way"})
        thread = self.owner.get(path + "/messages")["data"]
        if [line["voice"] for line in thread] != ["asker", "help"] or thread[1]["author_id"]:
            raise Violation(f"another thread: {thread}")
        self.owner.get(f"{cases}?{shop}&kind=merchant")
        self.owner.post(path + "/solve")

    def withdrawal(self, path):
        """First what it would mean, then for good."""
        if self.buyer.post(path, {})["is_declared"]:
            raise Violation("it was declared without being confirmed")
        declared = self.buyer.post(path, {"confirm": True})
        if self.buyer.post(path, {"confirm": True}) != declared:
            raise Violation("it was declared twice")
        self.owner.fails(404, "POST", path, {})
