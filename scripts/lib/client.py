"""A client of Bottega as its users would write one: REST, chat socket, the processor's pages."""

import asyncio
import hashlib
import hmac
import http.client
import json
import threading
import time
import urllib.parse
import uuid

import websockets


class Problem(Exception):
    """An answer that is a problem document (RFC 9457)."""

    def __init__(self, status, body):
        super().__init__(
            f"{status} {body.get('code')}: {body.get('detail')} {body.get('errors', '')}")
        self.status, self.body = status, body


class Api:
    """Requests to one base URL as one identity, over a connection that is kept. For one thread."""

    def __init__(self, url, token=None, timeout=20):
        self.url, self.token, self.timeout = url, token, timeout
        self._refresh_token = self._link = None
        self._used = 0.0

    def call(self, method, path, body=None, key=None, headers=None):
        """The status and the parsed answer; raises Problem for 4xx and 5xx, OSError for none."""
        try:
            return self._call(method, path, body, key, headers)
        except Problem as problem:
            if problem.body.get("code") != "token_expired" or not self._refresh_token:
                raise
        refresh, self._refresh_token, self.token = self._refresh_token, None, None
        self._take_tokens(self.post("/v1/sessions/refresh", {"refresh_token": refresh}))
        return self._call(method, path, body, key, headers)

    def _call(self, method, path, body, key, headers):
        sent = {"Accept": "application/json"}
        if self.token:
            sent["Authorization"] = "Bearer " + self.token
        data = None
        if body is not None:
            data, sent["Content-Type"] = json.dumps(body), "application/json"
        if method == "POST" and key != "":  # "": none at all
            sent["Idempotency-Key"] = key or uuid.uuid4().hex
        sent.update(headers or {})
        status, text, _ = self._exchange(method, path, data, sent)
        parsed = json.loads(text) if text[:1] in (b"{", b"[") else text.decode()
        if status >= 400:
            raise Problem(status, parsed if isinstance(parsed, dict) else {"detail": parsed})
        return status, parsed

    def get(self, path):
        return self.call("GET", path)[1]

    def post(self, path, body=None, key=None):
        return self.call("POST", path, body, key)[1]

    def log_in(self, email, password):
        """Signs in; everything after it is asked as this person."""
        self.token = self._refresh_token = None
        return self._take_tokens(self.post("/v1/sessions", {"email": email, "password": password}))

    def _take_tokens(self, tokens):
        self.token, self._refresh_token = tokens["access_token"], tokens["refresh_token"]
        return tokens["account_id"]

    def close(self):
        if self._link:
            self._link.close()
            self._link = None

    def _exchange(self, method, path, data, headers):
        # Whoever is at the other end may close what is not used for some seconds.
        if time.monotonic() - self._used > 3:
            self.close()
        if self._link is None:
            parts = urllib.parse.urlsplit(self.url)
            self._link = http.client.HTTPConnection(parts.hostname, parts.port,
                                                    timeout=self.timeout)
        try:
            self._link.request(method, path, data, headers)
            answer = self._link.getresponse()
            text = answer.read()
            self._used = time.monotonic()
        except (OSError, http.client.HTTPException) as failure:
            self.close()
            raise OSError(f"no answer: {failure!r}") from failure
        if answer.getheader("Connection", "").lower() == "close":
            self.close()
        return answer.status, text, answer.headers


class Chat:
    """The chat socket of one person, with its events kept in order."""

    def __init__(self, url, token, positions=None):
        self._address = url.replace("http", "ws", 1) + "/v1/socket"
        self._token, self._positions = token, positions
        self._loop = asyncio.new_event_loop()
        self._replies, self.events, self.closed_with = {}, [], None
        self._news = threading.Condition()
        self._ready = threading.Event()
        threading.Thread(target=self._loop.run_until_complete, args=(self._run(),),
                         daemon=True).start()
        if not self._ready.wait(20):
            raise OSError("the socket did not open")

    async def _run(self):
        headers = {"Authorization": "Bearer " + self._token}
        try:
            async with websockets.connect(self._address, subprotocols=["bottega.v1"],
                                          extra_headers=headers) as self._socket:
                if self._positions is not None:
                    resume = {"id": "r", "method": "RESUME", "positions": self._positions}
                    await self._socket.send(json.dumps(resume))
                self._ready.set()
                async for text in self._socket:
                    self._take(json.loads(text))
        except (OSError, websockets.WebSocketException):
            pass
        with self._news:
            self.closed_with = getattr(getattr(self, "_socket", None), "close_code", None) or 0
            self._news.notify_all()

    def _take(self, frame):
        with self._news:
            if "event" in frame:
                self.events.append(frame)
            else:
                self._replies[frame.get("id")] = frame
            self._news.notify_all()

    def call(self, method, path, body=None, key=None):
        """The body of the reply; raises Problem where it is one."""
        frame = {"id": uuid.uuid4().hex[:12], "method": method, "path": path}
        if method == "POST":
            frame["idempotency_key"] = key or uuid.uuid4().hex
        if body is not None:
            frame["body"] = body
        sent = self._socket.send(json.dumps(frame))
        asyncio.run_coroutine_threadsafe(sent, self._loop).result(20)
        with self._news:
            arrived = self._news.wait_for(
                lambda: frame["id"] in self._replies or self.closed_with is not None, 20)
            if not arrived or frame["id"] not in self._replies:
                raise OSError(f"no reply on the socket (closed with {self.closed_with})")
            reply = self._replies.pop(frame["id"])
        if reply["status"] >= 400:
            raise Problem(reply["status"], reply.get("body", reply))
        return reply.get("body")

    def wait(self, name, after=0, seconds=20):
        """The first event of this name with a sequence number above `after`."""
        def found():
            return next((one for one in self.events
                         if one["event"] == name and one.get("seq", after + 1) > after), None)
        with self._news:
            self._news.wait_for(lambda: found() or self.closed_with is not None, seconds)
            if not found():
                seen = [one["event"] for one in self.events]
                raise TimeoutError(
                    f"{name} did not come (closed with {self.closed_with}); came: {seen}")
            return found()

    def wait_closed(self, seconds=20):
        with self._news:
            self._news.wait_for(lambda: self.closed_with is not None, seconds)
            return self.closed_with

    def close(self):
        asyncio.run_coroutine_threadsafe(self._socket.close(), self._loop).result(20)


def post_form(url, fields):
    """Fills in one of the processor's pages; answers the status."""
    parts = urllib.parse.urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    link.request("POST", parts.path, urllib.parse.urlencode(fields),
                 {"Content-Type": "application/x-www-form-urlencoded"})
    answer = link.getresponse()
    text = answer.read()
    link.close()
    if answer.status >= 400:
        raise Problem(answer.status, {"detail": text.decode()})
    return answer.status


def post_json(url, body):
    """Calls the processor's own API; answers what it says."""
    parts = urllib.parse.urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    link.request("POST", parts.path, json.dumps(body), {"Content-Type": "application/json"})
    answer = link.getresponse()
    told = json.loads(answer.read())
    link.close()
    if answer.status >= 400:
        raise Problem(answer.status, told)
    return told


def base_of(url):
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def send_webhook(url, secret, event):
    """The sandbox's news, signed as it signs them; answers the status."""
    body, at = json.dumps(event), int(time.time())
    signature = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    parts = urllib.parse.urlsplit(url)
    link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        link.request("POST", "/v1/webhooks/processors/sandbox", body,
                     {"Content-Type": "application/json",
                      "Bottega-Sandbox-Signature": f"t={at},v1={signature}"})
        answer = link.getresponse()
        answer.read()
        return answer.status
    except http.client.HTTPException as failure:
        raise OSError(f"no answer: {failure!r}") from failure
    finally:
        link.close()
