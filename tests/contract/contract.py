"""The generated contract: linted, and every answer of the whole HTTP story checked against it by a
proxy.

tests/contract/contract.py BINARY"""

import http.server
import json
import os
import subprocess
import sys
import threading

from buying import Buying
from catalogue import Catalogue
from checked import HERE, TOOLS, Checked, Proxy, Violation
from client import Api, Problem
from links import Links
from server import Server
from shopping import Shopping
from story import Story

OUT = os.path.join(HERE, "..", "..", "build", "contract")
QUIET = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}


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


def check(server):
    openapi, asyncapi = keep(server, "openapi.json"), keep(server, "asyncapi.json")
    run_tool("redocly lint", [os.path.join(TOOLS, "redocly"), "lint", "--config", "redocly.yaml",
                              openapi])
    run_tool("spectral lint", [os.path.join(TOOLS, "spectral"), "lint", "--ruleset",
                               "spectral.yaml", openapi])
    run_tool("asyncapi parser", ["node", "asyncapi.mjs", asyncapi])
    run_tool("event source", ["node", "events.mjs", server.url])
    catches_a_wrong_answer(openapi)
    with open(openapi, encoding="utf-8") as file:
        Checked.load(json.load(file))
    proxy = Proxy(openapi, server.url)
    try:
        story = Story(proxy.url, server)
        catalogue, shopping, buying, links = (
            part(story).all for part in (Catalogue, Shopping, Buying, Links))
        for step in (story.public, story.people, story.privacy, story.devices, story.shop,
                     story.prices, story.chat, story.files, catalogue, shopping, buying, links,
                     story.feeds, story.pay, story.follow, story.help, story.dispute, story.review,
                     story.wallet, story.staff):
            step()
    finally:
        proxy.stop()
    # The processor and carriers, who sign, talk to the server and not to the proxy; the proxy
    # follows a redirect instead of handing it on, and would wait for the end of a stream, which
    # events.mjs reads.
    untold = ({row[2] for row in Checked.patterns} - Checked.seen -
              {"receiveWebhook", "receiveTracking", "getHome", "streamEvents"})
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
