"""The generated contract: linted, and every answer of the whole HTTP story checked against it by a
proxy.

tests/contract/contract.py BINARY"""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "scripts", "lib"))

from client import Api, Problem, base_of, post_form  # noqa: E402
from demo import ADDRESS, jobs_until  # noqa: E402
from server import PASSWORD, Server  # noqa: E402

OUT = os.path.join(HERE, "..", "..", "build", "contract")
TOOLS = os.path.join(HERE, "node_modules", ".bin")
QUIET = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


class Violation(Exception):
    """An answer, or a request of ours, that is not as the contract says."""


def run_tool(name, words):
    done = subprocess.run(words, cwd=HERE, env=QUIET, capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise Violation(f"{name}:\n{done.stdout}{done.stderr}")
    print(f"  {name}: no error", flush=True)


def keep(server, name):
    path = os.path.join(OUT, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(Api(server.url).get("/" + name), file, indent=1)
    return path


class Proxy:
    """Prism between a client and a server; it answers 500 where either breaks the contract."""

    def __init__(self, document, upstream):
        words = [os.path.join(TOOLS, "prism"), "proxy", "--errors", "--port", "0", document,
                 upstream]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True)
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            found = re.search(r"Prism is listening on (http://\S+)", line)
            if found:
                self.url = re.sub(r"\x1b\[[0-9;]*m", "", found.group(1))
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return
        raise OSError("the proxy did not start:\n" + "".join(lines))

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Checked(Api):
    """A client that goes through the proxy and minds what it says."""

    seen = set()
    answers = 0
    patterns = []

    @classmethod
    def load(cls, document):
        for path, operations in document["paths"].items():
            shape = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + "$")
            for method, operation in operations.items():
                cls.patterns.append((method.upper(), shape, operation["operationId"]))
        # "/a/b" before "/a/{x}".
        cls.patterns.sort(key=lambda row: row[1].pattern.count("[^/]+"))

    def _exchange(self, method, path, data, headers):
        status, text, answered = super()._exchange(method, path, data, headers)
        if answered.get("sl-violations") or b"stoplight.io/prism" in text:
            told = answered.get("sl-violations") or text.decode()
            raise Violation(f"{method} {path} ({status}): {told}")
        bare = path.split("?")[0]
        for known, shape, operation in self.patterns:
            if known == method and shape.match(bare):
                Checked.seen.add(operation)
                break
        Checked.answers += 1
        return status, text, answered

    def fails(self, status, method, path, body=None):
        try:
            self.call(method, path, body)
        except Problem as problem:
            if problem.status == status:
                return
            raise
        raise Violation(f"{method} {path} should have answered {status}")


def catches_a_wrong_answer(document):
    """A server that lies must be caught, or the rest proves nothing."""

    class Liar(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = b'{"status": 5, "secret": "told"}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    liar = http.server.HTTPServer(("127.0.0.1", 0), Liar)
    threading.Thread(target=liar.serve_forever, daemon=True).start()
    proxy = Proxy(document, f"http://127.0.0.1:{liar.server_port}")
    try:
        Checked(proxy.url).get("/healthz")
    except (Violation, Problem):
        print("  a deliberately wrong answer is caught", flush=True)
        return
    finally:
        proxy.stop()
        liar.shutdown()
    raise Violation("the proxy let a wrong answer through")


class Story:
    def __init__(self, url, server):
        self.url, self.server = url, server
        self.owner, self.buyer, self.ops = Checked(url), Checked(url), Checked(url)

    def public(self):
        anyone = Checked(self.url)
        for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/asyncapi.json", "/docs",
                     "/problems", "/problems/conflict"):
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

    def ask(self, amount=12_500):
        return self.owner.post("/v1/payment_requests", {
            "conversation_id": self.conversation, "title": "Lamp", "description": "A lamp",
            "currency": "USD",
            "lines": [{"name": "Lamp", "quantity": 1, "unit_amount": amount}]})["id"]

    def accept(self, request, token):
        return self.buyer.post(f"/v1/payment_requests/{request}/accept",
                               {"payment_method": {"token": token}, "ship_to": ADDRESS})

    def pay(self):
        self.buyer.post(f"/v1/payment_requests/{self.ask()}/decline", {"reason": "too dear"})
        self.owner.post(f"/v1/payment_requests/{self.ask()}/cancel", {})
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

    def follow(self):
        order = self.paid["order"]["id"]
        self.buyer.get(f"/v1/orders/{order}")
        self.owner.get(f"/v1/orders?merchant_id={self.merchant}")
        self.buyer.get("/v1/orders")
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
        for path in ("accounts", "accounts?email=buyer@demo.example", "audit_log", "clock",
                     "conversations", "ledger/trial_balance", "merchants",
                     f"merchants/{self.merchant}/ledger", "orders", "payment_requests",
                     "payments?state=captured", "payouts"):
            self.ops.get("/v1/admin/" + path)
        self.owner.fails(404, "GET", "/v1/admin/accounts")


def check(server):
    openapi, asyncapi = keep(server, "openapi.json"), keep(server, "asyncapi.json")
    run_tool("redocly lint", [os.path.join(TOOLS, "redocly"), "lint", "--config", "redocly.yaml",
                              openapi])
    run_tool("spectral lint", [os.path.join(TOOLS, "spectral"), "lint", "--ruleset",
                               "spectral.yaml", openapi])
    run_tool("asyncapi parser", ["node", "asyncapi.mjs", asyncapi])
    catches_a_wrong_answer(openapi)
    with open(openapi, encoding="utf-8") as file:
        Checked.load(json.load(file))
    proxy = Proxy(openapi, server.url)
    try:
        story = Story(proxy.url, server)
        for step in (story.public, story.people, story.devices, story.shop, story.chat,
                     story.files, story.pay, story.follow, story.staff):
            step()
    finally:
        proxy.stop()
    # The processor, which signs, talks to the server and not to the proxy, and the proxy follows a
    # redirect instead of handing it on.
    untold = {row[2] for row in Checked.patterns} - Checked.seen - {"receiveWebhook", "getHome"}
    if untold:
        raise Violation(f"the story leaves out {sorted(untold)}")
    print(f"  {Checked.answers} answers of {len(Checked.seen)} operations, no violation",
          flush=True)


def main():
    os.makedirs(OUT, exist_ok=True)
    binary = os.path.abspath(sys.argv[1])
    keys = subprocess.run([binary, "vapid-keys"], capture_output=True, text=True, check=True)
    server = Server(binary, {"push.vapid_private_key": keys.stdout.split("\n")[0].split("=")[1],
                             "push.vapid_subject": "mailto:ops@shop.example"})
    try:
        check(server)
    except (Violation, Problem, AssertionError, OSError) as failure:
        print(f"contract: {failure!r}\n{server.log()}", file=sys.stderr)
        return 1
    finally:
        server.remove()
    return 0


if __name__ == "__main__":
    sys.exit(main())
