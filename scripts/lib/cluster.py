"""What scripts/soak breaks: one server with its private PostgreSQL, or two with one PostgreSQL and
NATS between them."""

import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from server import BIN, Server, as_postgres


class Lone:
    """One server, and the private PostgreSQL that it keeps."""

    def __init__(self, binary):
        self.server = Server(binary)
        self.breakages = [self.kill_server, self.kill_server, self.restart_database]

    def url_of(self):
        return self.server.url

    def api(self, email=None):
        return self.server.api(email)

    def resident_mb(self):
        return self.server.resident_mb()

    def log(self):
        return self.server.log()

    def remove(self):
        self.server.remove()

    def kill_server(self, findings):
        self.server.kill()
        self.server.start()
        findings.kills += 1

    def restart_database(self, findings):
        """As the system would end it; the server starts it again."""
        with open(f"{self.server.home}/data/postgres/postmaster.pid", encoding="utf-8") as file:
            pid = int(file.readline())
        os.kill(pid, signal.SIGINT)
        findings.database += 1


class Database:
    """A PostgreSQL of its own, with the roles that an operator would make."""

    def __init__(self):
        self.home = tempfile.mkdtemp(prefix="bottega-soak-pg-")
        if os.geteuid() == 0:
            shutil.chown(self.home, "postgres", "postgres")
        os.chmod(self.home, 0o755)
        self._run("initdb", "-D", self.home + "/data", "-A", "trust", "-U", "postgres")
        with open(self.home + "/data/postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(f"listen_addresses = ''\nunix_socket_directories = '{self.home}'\n"
                       "max_connections = 100\n")
        self.start()
        for role in ("owner", "app", "sandbox"):
            self._sql(f"CREATE ROLE bottega_{role} LOGIN")
        self._sql("CREATE DATABASE bottega OWNER bottega_owner")

    def url(self, role):
        return f"host={self.home} user=bottega_{role} dbname=bottega"

    def start(self):
        self._run("pg_ctl", "-D", self.home + "/data", "-l", self.home + "/data/log", "-w", "start")

    def restart(self):
        self._run("pg_ctl", "-D", self.home + "/data", "-l", self.home + "/data/log", "-m",
                  "immediate", "-w", "restart")

    def remove(self):
        self._run("pg_ctl", "-D", self.home + "/data", "-m", "immediate", "-w", "stop")
        shutil.rmtree(self.home, ignore_errors=True)

    def _sql(self, sql):
        self._run("psql", "-h", self.home, "-U", "postgres", "-d", "postgres", "-qc", sql)

    def _run(self, program, *words):
        done = subprocess.run(as_postgres([BIN + program, *words]), capture_output=True, text=True,
                              cwd="/", timeout=120) if program != "pg_ctl" else subprocess.run(
                                  as_postgres([BIN + program, *words]), stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, cwd="/", timeout=120)
        if done.returncode != 0:
            raise OSError(f"{program}: {done.stderr}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Nats:
    def __init__(self):
        self.port = free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen(["nats-server", "-a", "127.0.0.1", "-p", str(self.port)],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self):
        self.process.kill()
        self.process.wait()


class Pair:
    """Two servers on one database, with NATS between them."""

    def __init__(self, binary):
        self.database, self.nats = Database(), Nats()
        settings = {"database.url": self.database.url("app"),
                    "database.owner_url": self.database.url("owner"),
                    "sandbox.url": self.database.url("sandbox"),
                    "bus.url": f"nats://127.0.0.1:{self.nats.port}"}
        self.nodes = [Server(binary, settings) for _ in range(2)]
        self.breakages = [lambda findings: self.kill_node(0, findings), self.kill_nats,
                          lambda findings: self.kill_node(1, findings), self.restart_database]

    def url_of(self):
        return random.choice(self.nodes).url

    def api(self, email=None):
        return self.nodes[0].api(email)

    def resident_mb(self):
        return max(node.resident_mb() for node in self.nodes)

    def log(self):
        return "\n".join(node.log() for node in self.nodes)

    def remove(self):
        for node in self.nodes:
            node.remove()
        self.nats.kill()
        self.database.remove()

    def kill_node(self, number, findings):
        self.nodes[number].kill()
        time.sleep(1)  # long enough for its clients to go to the other one
        self.nodes[number].start()
        findings.kills += 1

    def kill_nats(self, findings):
        self.nats.kill()
        time.sleep(2)  # long enough for both to go on without it
        self.nats.start()
        findings.bus += 1

    def restart_database(self, findings):
        self.database.restart()
        findings.database += 1
