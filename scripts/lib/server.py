"""The real program as a child process, on ports that the system chose, with its own data."""

import os
import shutil
import signal
import subprocess
import tempfile

from client import Api, post_form

PASSWORD = "bottega demo"
BIN = "/usr/lib/postgresql/15/bin/"
# Limits that would see a soak as an attack, and waits that would make it long.
SETTINGS = {
    "http.port": 0, "sandbox.port": 0, "tls.port": 0, "log.level": "warning",
    "limits.requests_per_minute": 1_000_000, "limits.writes_per_minute": 1_000_000,
    "limits.conversation_per_minute": 1_000_000, "limits.connections_per_minute": 1_000_000,
    "risk.buyer_count_hour_max": 0, "risk.buyer_count_day_max": 0, "risk.buyer_sum_hour_max": 0,
    "risk.buyer_sum_day_max": 0, "risk.method_tries_hour_max": 0, "risk.method_tries_day_max": 0,
    "risk.merchant_week_max": 0, "risk.review_week": 0,
    "limits.address_per_minute": 10_000_000, "auth.tries_per_address": 100_000,
    "auth.password_ops": 1, "auth.password_memory_bytes": 8_192, "payments.call_timeout_ms": 1_000,
}


def as_postgres(words):
    """PostgreSQL does not run as root."""
    return ["runuser", "-u", "postgres", "--"] + words if os.geteuid() == 0 else words


class Server:
    def __init__(self, binary, settings=None):
        self.home = tempfile.mkdtemp(prefix="bottega-soak-")
        os.chmod(self.home, 0o755)  # the private PostgreSQL's user passes through
        self.binary, self.settings = binary, {**SETTINGS, **(settings or {})}
        self.process = None
        self.start()

    def start(self):
        words = [self.binary, "serve", "--demo", "--set", f"data.dir={self.home}/data"]
        for name, value in self.settings.items():
            words += ["--set", f"{name}={value}"]
        with open(self.home + "/log", "ab") as log:
            self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)
        for line in self.process.stdout:
            if line.startswith("ready "):
                told = line.split()
                self.url, self.sandbox_url = told[1], told[told.index("sandbox") + 1]
                return
        raise OSError("the server did not come up:\n" + self.log())

    def log(self):
        with open(self.home + "/log", encoding="utf-8") as log:
            return log.read()[-4_000:]

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self._ended()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self._ended()

    def _ended(self):
        status = self.process.wait(60)
        self.process.stdout.close()
        return status

    def sql(self, query):
        """The rows of the private database, for what no route shows."""
        words = as_postgres([BIN + "psql", "-h", f"{self.home}/data/socket", "-U",
                             "bottega_superuser", "-d", "bottega", "-AtF", "\t", "-c", query])
        done = subprocess.run(words, capture_output=True, text=True, cwd="/", timeout=120)
        if done.returncode != 0:
            raise OSError(f"psql: {done.stderr}")
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def remove(self):
        """Stops it and forgets its data."""
        if self.process.poll() is None:
            self.stop()
        shutil.rmtree(self.home, ignore_errors=True)

    def resident_mb(self):
        try:
            with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as status:
                return next(int(line.split()[1]) / 1024 for line in status
                            if line.startswith("VmRSS"))
        except (OSError, StopIteration):
            return 0  # between a kill and the next start

    def api(self, email=None):
        api = Api(self.url)
        if email:
            api.log_in(email, PASSWORD)
        return api


def open_shop(server, owner, name, currency="USD"):
    """A merchant that the processor has accepted; answers its id."""
    merchant = owner.post("/v1/merchants",
                          {"name": name, "country": "US", "currency": currency})["id"]
    link = owner.post(f"/v1/merchants/{merchant}/onboarding")
    post_form(link["url"], {"name": "Otto Owner", "address": "2 Lamp Lane, Springfield",
                            "tax_number": "123456789"})
    ops = server.api("ops@demo.example")
    while owner.get(f"/v1/merchants/{merchant}")["onboarding"] != "active":
        ops.post("/v1/admin/jobs/run")
    return merchant


def all_of(api, path):
    """Every item of a list, page after page."""
    items, cursor = [], ""
    joint = "&" if "?" in path else "?"
    while cursor is not None:
        page = api.get(f"{path}{joint}limit=100" + (f"&cursor={cursor}" if cursor else ""))
        items += page["data"]
        cursor = page["next_cursor"] if page["has_more"] else None
    return items
