"""A client whose every answer is checked against the contract, by a proxy in between."""

import os
import re
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "scripts", "lib"))

from client import Api, Problem  # noqa: E402

TOOLS = os.path.join(HERE, "node_modules", ".bin")


class Violation(Exception):
    """An answer, or a request of ours, that is not as the contract says."""


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
