"""A small S3: objects in memory; AWS Signature Version 4 is verified by code of its own.

fake_s3.py BUCKET ACCESS_KEY SECRET_KEY prints its port, serves, and ends when its input ends.
GET /_objects lists the keys; POST /_fail?n=2 answers the next two requests with 503."""

import calendar
import hashlib
import hmac
import http.server
import json
import re
import sys
import threading
import time
import urllib.parse

BUCKET, ACCESS, SECRET = sys.argv[1:4]
objects = {}
failures = [0]


def sign(secret, day, region, text):
    key = ("AWS4" + secret).encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def quote(text):
    return urllib.parse.quote(text, safe="-_.~")


class S3(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def expected(self, query, names, payload, date, scope):
        path = urllib.parse.unquote(urllib.parse.urlsplit(self.path).path)
        lines = [self.command, urllib.parse.quote(path, safe="/-_.~"),
                 "&".join(sorted(f"{quote(k)}={quote(v)}" for k, v in query))]
        lines += [f"{name}:{' '.join(self.headers[name].split())}" for name in names]
        lines += ["", ";".join(names), payload]
        digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        day, region = scope.split("/")[:2]
        return sign(SECRET, day, region, "\n".join(("AWS4-HMAC-SHA256", date, scope, digest)))

    def refusal(self, body):
        """Why this request is refused, or None."""
        query = urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query,
                                       keep_blank_values=True)
        given = dict(query)
        if "X-Amz-Signature" in given:
            signature = given["X-Amz-Signature"]
            query = [pair for pair in query if pair[0] != "X-Amz-Signature"]
            access, scope = given["X-Amz-Credential"].split("/", 1)
            date, names = given["X-Amz-Date"], given["X-Amz-SignedHeaders"].split(";")
            payload, life = "UNSIGNED-PAYLOAD", int(given["X-Amz-Expires"])
        else:
            match = re.fullmatch(r"AWS4-HMAC-SHA256 Credential=([^/]+)/([^,]+),"
                                 r"SignedHeaders=([^,]+),Signature=([0-9a-f]{64})",
                                 self.headers.get("authorization", ""))
            if not match:
                return "AccessDenied"
            access, scope, names, signature = match.groups()
            names, date = names.split(";"), self.headers["x-amz-date"]
            payload, life = self.headers["x-amz-content-sha256"], 900
            if hashlib.sha256(body).hexdigest() != payload:
                return "XAmzContentSHA256Mismatch"
            if "x-amz-date" not in names or "x-amz-content-sha256" not in names:
                return "AccessDenied"
        if access != ACCESS:
            return "InvalidAccessKeyId"
        if "host" not in names:
            return "AccessDenied"
        stamp = calendar.timegm(time.strptime(date, "%Y%m%dT%H%M%SZ"))
        if abs(time.time() - stamp) > life:
            return "RequestTimeTooSkewed"
        if signature != self.expected(query, names, payload, date, scope):
            return "SignatureDoesNotMatch"
        return None

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def take(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urllib.parse.urlsplit(self.path)
        if parts.path == "/_objects":
            return self.answer(200, json.dumps(sorted(objects)).encode())
        if parts.path == "/_fail":
            failures[0] = int(urllib.parse.parse_qs(parts.query)["n"][0])
            return self.answer(200)
        if failures[0] > 0:
            failures[0] -= 1
            return self.answer(503)
        why = self.refusal(body)
        if why:
            return self.answer(403, f"<Error><Code>{why}</Code></Error>".encode())
        key = urllib.parse.unquote(parts.path)
        if not key.startswith(f"/{BUCKET}/"):
            return self.answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        return self.serve(key, body, dict(urllib.parse.parse_qsl(parts.query)))

    def serve(self, key, body, query):
        if self.command == "PUT":
            objects[key] = body
            return self.answer(200)
        if self.command == "DELETE":
            objects.pop(key, None)
            return self.answer(204)
        if key not in objects:
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        whole = objects[key]
        headers = [(name[len("response-"):], value) for name, value in query.items()
                   if name.startswith("response-")]
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        if not match:
            return self.answer(200, whole, headers)
        first, last = int(match[1]), min(int(match[2]), len(whole) - 1)
        headers.append(("Content-Range", f"bytes {first}-{last}/{len(whole)}"))
        return self.answer(206, whole[first:last + 1], headers)

    do_GET = do_PUT = do_DELETE = do_POST = take

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), S3)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
