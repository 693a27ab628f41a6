"""scripts/soak chat and cluster: pairs that write to each other while everything around them
breaks. Every device keeps its own books and they are compared with the log in the end."""

import asyncio
import json
import random
import socket
import time
import uuid

import websockets

from client import Problem
from server import all_of

WINDOW = 8  # messages of one device that may be unanswered


class Findings:
    """What was injected, and what was found."""

    def __init__(self):
        self.cuts = self.kills = self.database = self.bus = self.stalls = 0
        self.acknowledged, self.delivered, self.pages, self.slow = 0, 0, 0, 0
        self.lost, self.doubled, self.disordered = [], [], []
        self.resident_mb = 0

    @property
    def faults(self):
        return self.cuts + self.kills + self.database + self.bus + self.stalls

    def told(self):
        bus = f", {self.bus} kills of NATS" if self.bus else ""
        return (f"injected {self.faults} faults: {self.cuts} sockets cut, {self.kills} kills of a "
                f"server, {self.database} restarts of the database{bus}, {self.stalls} readers "
                f"stopped ({self.slow} closed as too slow)\n"
                f"found: {self.acknowledged} messages acknowledged, {self.delivered} events "
                f"delivered, {self.pages} pages of the log read, lost {len(self.lost)}, doubled "
                f"{len(self.doubled)}, out of order {len(self.disordered)}; at most "
                f"{self.resident_mb:.0f} MB resident")

    def check(self):
        wrong = self.lost[:3] + self.doubled[:3] + self.disordered[:3]
        assert not wrong, f"{self.told()}\n{wrong}"


class Device:
    """One of a person's devices: connects again and again, and must get every event once."""

    def __init__(self, url_of, token, conversation, findings, chance):
        self.url_of, self.token, self.findings, self.chance = url_of, token, findings, chance
        self.conversation = conversation
        self.path = f"/v1/conversations/{conversation}/messages"
        self.position, self.link = 0, None
        self.behind, self.held = 0, []  # what the log has to be paged up to, and waits for it
        self.unanswered, self.waiting, self.answered = {}, [], {}
        self.stalled = asyncio.Event()
        self.stalled.set()
        self.ending = False

    async def run(self):
        while not self.ending:
            try:
                await self.connect()
            except (OSError, websockets.WebSocketException, asyncio.TimeoutError):
                pass
            self.link = None
            await asyncio.sleep(self.chance.uniform(0.02, 0.3))

    async def connect(self):
        # A small buffer of the system's, so that a reader that stops is noticed.
        raw = socket.socket()
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        raw.setblocking(False)
        url = self.url_of()
        host, port = url.split("//")[1].split(":")
        try:
            await asyncio.wait_for(
                asyncio.get_running_loop().sock_connect(raw, (host, int(port))), 5)
            link = await websockets.connect(
                "ws://" + url.split("//")[1] + "/v1/socket", sock=raw, max_queue=8,
                subprotocols=["bottega.v1"], ping_interval=None, close_timeout=2, open_timeout=10,
                compression=None, extra_headers={"Authorization": "Bearer " + self.token})
        except BaseException:
            raw.close()
            raise
        try:
            await link.send(json.dumps({"id": "r", "method": "RESUME",
                                        "positions": {self.conversation: self.position}}))
            self.behind, self.held = 0, []
            while True:
                await self.stalled.wait()
                await self.take(link, json.loads(await link.recv()))
        finally:
            if link.close_code == 3008:
                self.findings.slow += 1
            await link.close()

    async def take(self, link, frame):
        event = frame.get("event")
        if event == "resumed":
            await self.resumed(link, frame["data"])
        elif event is not None:
            if frame.get("seq"):
                self.hear(frame)
        elif frame["id"].startswith("page"):
            await self.page(link, frame)
        else:
            self.reply(frame)

    async def resumed(self, link, data):
        told = data["conversations"][0]
        if not told["recovered"]:
            self.behind = told["position"]
            await self.ask_page(link)
        self.link = link
        # What was not answered is sent again, with the same client_id.
        self.waiting = list(self.unanswered.values()) + self.waiting
        self.unanswered = {}
        await self.flush()

    async def ask_page(self, link):
        await link.send(json.dumps({"id": "page", "method": "GET",
                                    "path": f"{self.path}?limit=100&after={self.position}"}))

    async def page(self, link, frame):
        if frame["status"] != 200:
            raise OSError("no page")  # comes back, and resumes
        self.findings.pages += 1
        for event in frame["body"]["data"]:
            if event["seq"] <= self.behind:
                self.count(event)
        if self.position < self.behind:
            await self.ask_page(link)
            return
        self.behind, held, self.held = 0, self.held, []
        for event in held:
            self.count(event)

    def hear(self, event):
        if self.behind:
            self.held.append(event)
        else:
            self.count(event)

    def count(self, event):
        seq = event["seq"]
        if seq <= self.position:
            self.findings.doubled.append((self.conversation, seq))
        elif seq > self.position + 1:
            self.findings.disordered.append((self.conversation, self.position, seq))
        self.position = max(self.position, seq)
        self.findings.delivered += 1

    def reply(self, frame):
        text = self.unanswered.pop(frame["id"], None)
        if text is None:
            return
        if frame["status"] == 201:
            self.answered[frame["id"]] = frame["body"]["seq"]
            self.findings.acknowledged += 1
        else:
            assert frame["body"].get("retry") == "later", f"refused: {frame}"
            self.waiting.insert(0, text)

    async def say(self, size):
        name = uuid.uuid4().hex
        text = name + " " + "x" * size
        self.waiting.append(json.dumps({"id": name, "method": "POST", "path": self.path,
                                        "body": {"client_id": name, "text": text}}))
        await self.flush()

    async def flush(self):
        link = self.link
        try:
            while link is not None and self.waiting and len(self.unanswered) < WINDOW:
                frame = self.waiting.pop(0)
                self.unanswered[frame[8:40]] = frame
                await link.send(frame)
        except websockets.WebSocketException:
            pass  # it is sent again after the next connect

    def cut(self):
        if self.link is None:
            return False
        self.link.transport.abort()
        return True


class Pair:
    """An owner and a buyer with one conversation, each with one or two devices."""

    def __init__(self, cluster, number, findings, chance):
        people = []
        for who in ("owner", "buyer"):
            email = f"{who}{number}@soak.example"
            api = cluster.api()
            api.post("/v1/accounts", {"email": email, "name": who, "password": "soak password"})
            api.log_in(email, "soak password")
            people.append(api)
        merchant = people[0].post("/v1/merchants", {"name": f"Shop {number}", "country": "US",
                                                    "currency": "USD"})["id"]
        conversation = people[1].post("/v1/conversations", {"merchant_id": merchant})["id"]
        self.conversation, self.api = conversation, people[1]
        self.devices = [Device(cluster.url_of, api.token, conversation, findings, chance)
                        for api in people for _ in range(1 + (number + len(people)) % 2)]
        for api in people:
            api.close()

    def check(self, api, findings):
        log = all_of(api, f"/v1/conversations/{self.conversation}/messages")
        if [one["seq"] for one in log] != list(range(1, len(log) + 1)):
            findings.disordered.append((self.conversation, "the log has a gap"))
        seqs = {}
        for entry in log:
            name = entry["data"].get("client_id")
            if name in seqs:
                findings.doubled.append((self.conversation, name))
            seqs[name] = entry["seq"]
        for device in self.devices:
            if device.position != len(log):
                findings.lost.append((self.conversation, device.position, len(log)))
            for name, seq in device.answered.items():
                if seqs.get(name) != seq:
                    findings.lost.append((self.conversation, name))


async def talk(device, chance, seconds, size, pause):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(0, 2 * pause))
        if len(device.waiting) < 50:
            await device.say(size)


async def stall(device, findings, seconds):
    """A reader that stops: the server closes it, and it gets everything when it is back."""
    for _ in range(2):
        await asyncio.sleep(seconds / 4)
        device.stalled.clear()
        findings.stalls += 1
        await asyncio.sleep(seconds / 5)
        device.stalled.set()


async def cut_sockets(pairs, findings, chance, seconds, per_second):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        await asyncio.sleep(chance.uniform(0, 2 / per_second))
        findings.cuts += chance.choice(chance.choice(pairs).devices).cut()


async def break_things(cluster, findings, seconds, every):
    """Each of the things that can be killed, in turn."""
    until, number = time.monotonic() + seconds, 0
    while time.monotonic() + every < until:
        await asyncio.sleep(every)
        await asyncio.to_thread(cluster.breakages[number % len(cluster.breakages)], findings)
        number += 1


async def watch(cluster, findings):
    while True:
        findings.resident_mb = max(findings.resident_mb, cluster.resident_mb())
        await asyncio.sleep(0.5)


async def quiet(pairs, seconds):
    """Until everything was answered and everybody has everything, or for so long."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        devices = [device for pair in pairs for device in pair.devices]
        answered = not any(one.unanswered or one.waiting for one in devices)
        together = all(len({one.position for one in pair.devices}) == 1 for pair in pairs)
        if answered and together:
            return
        for one in devices:
            await one.flush()
        await asyncio.sleep(0.2)


async def play(cluster, pairs, findings, chance, seconds):
    devices = [device for pair in pairs for device in pair.devices]
    running = [asyncio.create_task(device.run()) for device in devices]
    running.append(asyncio.create_task(watch(cluster, findings)))
    talking = [talk(pair.devices[-1], chance, seconds, 4_000, 0.02) if number == 0 else
               talk(device, chance, seconds, 200, 1.5)
               for number, pair in enumerate(pairs) for device in (pair.devices[0],
                                                                   pair.devices[-1])]
    await asyncio.gather(
        *talking, stall(pairs[0].devices[0], findings, seconds),
        cut_sockets(pairs[1:], findings, chance, seconds, 600 / 120),
        break_things(cluster, findings, seconds, min(6.0, seconds / 4)))
    await quiet(pairs, 60)
    for device in devices:
        device.ending = True
        device.cut()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


def chat(cluster, rounds, chance):
    """`rounds` pairs for two minutes (a short run: 15 s)."""
    findings = Findings()
    began = time.monotonic()
    pairs = [Pair(cluster, number, findings, random.Random(chance.random()))
             for number in range(rounds)]
    seconds = 120 if rounds >= 200 else 15
    print(f"  {rounds} pairs after {time.monotonic() - began:.0f} s; now {seconds} s of faults",
          flush=True)
    asyncio.run(play(cluster, pairs, findings, chance, seconds))
    for pair in pairs:
        pair.api.url = cluster.url_of()
        for _ in range(50):
            try:
                pair.check(pair.api, findings)
                break
            except (OSError, Problem):
                pair.api.url = cluster.url_of()
                time.sleep(0.2)
    findings.check()
    if rounds >= 200:
        assert findings.faults >= 500, findings.told()
    return findings.told()
