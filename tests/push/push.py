"""Notifications through a push service that other people wrote: it checks who we are (VAPID), and
decrypts what we send with a library that is not ours.

tests/push/push.py BINARY"""

import json
import os
import re
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "scripts", "lib"))

from client import Api  # noqa: E402
from server import PASSWORD, Server  # noqa: E402


class Service:
    def __init__(self):
        self.process = subprocess.Popen(["node", "service.cjs"], cwd=HERE, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for line in self.process.stdout:
            found = re.search(r"running on port (\d+)", line)
            if found:
                self.api = Api(f"http://127.0.0.1:{found.group(1)}")
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return
        raise OSError("the push service did not start")

    def subscribe(self, key):
        asked = {"userVisibleOnly": "true", "applicationServerKey": key}
        return self.api.post("/subscribe", asked)["data"]

    def messages(self, browser):
        answer = self.api.post("/get-notifications", {"clientHash": browser["clientHash"]})
        return [json.loads(text) for text in answer["data"]["messages"]]

    def expire(self, browser):
        self.api.post(f"/expire-subscription/{browser['clientHash']}")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


def until(ask, what):
    end = time.monotonic() + 20
    while not ask():
        if time.monotonic() > end:
            raise AssertionError(what)


def check(server, service):
    owner, buyer = Api(server.url), Api(server.url)
    for api, email in ((owner, "owner"), (buyer, "buyer")):
        api.log_in(email + "@demo.example", PASSWORD)
    shop = owner.post("/v1/merchants", {"name": "Lamps", "country": "US", "currency": "USD"})["id"]
    chat = buyer.post("/v1/conversations", {"merchant_id": shop})["id"]
    browser = service.subscribe(buyer.get("/v1/push/key")["public_key"])
    device = {"endpoint": browser["endpoint"], "keys": browser["keys"], "content": "full"}
    buyer.post("/v1/push/subscriptions", device)
    text = "Ihre Lampe ist fertig \U0001f4a1"
    owner.post(f"/v1/conversations/{chat}/messages", {"text": text})
    until(lambda: service.messages(browser), "nothing came")
    told = service.messages(browser)
    expected = {"type": "message", "conversation": chat, "event": "message.created",
                "title": "Lamps", "text": text}
    assert told == [expected], told
    print("  what was sent was decrypted, by a key that was checked", flush=True)
    service.expire(browser)
    owner.post(f"/v1/conversations/{chat}/messages", {"text": "Anybody there?"})
    until(lambda: not buyer.get("/v1/push/subscriptions")["data"], "it is still there")
    print("  a browser that is gone is forgotten", flush=True)


def main():
    binary = os.path.abspath(sys.argv[1])
    keys = subprocess.run([binary, "vapid-keys"], capture_output=True, text=True, check=True)
    service = Service()
    server = Server(binary, {
        "push.vapid_private_key": keys.stdout.split("\n")[0].split("=")[1],
        "push.vapid_subject": "mailto:ops@shop.example", "push.allow_private": "yes",
        "push.delay_s": 0, "push.poll_ms": 100})
    try:
        check(server, service)
    except (AssertionError, OSError) as failure:
        print(f"push: {failure!r}\n{server.log()}", file=sys.stderr)
        return 1
    finally:
        server.remove()
        service.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
