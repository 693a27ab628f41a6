// A standard EventSource reads the event stream, loses its connection, and goes on by itself.
import { EventSource } from "eventsource";
import net from "node:net";

const url = process.argv[2];
const { hostname, port } = new URL(url);

const bearer = (token) => (token ? { Authorization: `Bearer ${token}` } : {});

async function call(method, path, token, body) {
  const answer = await fetch(url + path, {
    method,
    headers: { "Content-Type": "application/json", ...bearer(token) },
    body: body && JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function logIn(email) {
  const made = await call("POST", "/v1/sessions", null, { email, password: "bottega demo" });
  return made.access_token;
}

// Between the two, so that the connection can be cut.
const links = new Set();
const cable = net.createServer((client) => {
  const server = net.connect(Number(port), hostname);
  for (const [one, other] of [[client, server], [server, client]]) {
    links.add(one);
    one.pipe(other);
    one.on("error", () => {});
    one.on("close", () => { links.delete(one); other.destroy(); });
  }
});
await new Promise((listening) => cable.listen(0, "127.0.0.1", listening));

const owner = await logIn("owner@demo.example");
const buyer = await logIn("buyer@demo.example");
const shop = { name: "Streams", country: "US", currency: "USD" };
const merchant = await call("POST", "/v1/merchants", owner, shop);
const open = { merchant_id: merchant.id };
const conversation = await call("POST", "/v1/conversations", buyer, open);
const path = `/v1/conversations/${conversation.id}/messages`;
const write = (text) => call("POST", path, owner, { text });

const source = new EventSource(`http://127.0.0.1:${cable.address().port}/v1/events/stream`, {
  fetch: (input, init) =>
    fetch(input, { ...init, headers: { ...init.headers, ...bearer(buyer) } }),
});
const seen = [];
const waiting = [];
for (const name of ["ready", "resumed", "message.created", "closing"])
  source.addEventListener(name, (event) => {
    seen.push([name, JSON.parse(event.data), event.lastEventId]);
    waiting.splice(0).forEach((wake) => wake());
  });
const limit = setTimeout(() => {
  console.error("nothing came in time", seen);
  process.exit(1);
}, 30_000);

async function next(name) {
  while (seen.length === 0) await new Promise((wake) => waiting.push(wake));
  const [got, data, id] = seen.shift();
  if (got !== name) throw new Error(`${got} came instead of ${name}: ${JSON.stringify(data)}`);
  if (!id) throw new Error(`${name} has no id`);
  return data;
}

async function expect(text) {
  const { data } = await next("message.created");
  if (data.text !== text) throw new Error(`"${data.text}" came instead of "${text}"`);
}

await next("ready");
await write("one");
await expect("one");
links.forEach((link) => link.destroy());
await write("two");
await write("three");
await expect("two");
await expect("three");
const told = await next("resumed");
if (!told.complete || !told.conversations.every((one) => one.recovered))
  throw new Error(JSON.stringify(told));
await write("four");
await expect("four");
source.close();
links.forEach((link) => link.destroy());
cable.close();
clearTimeout(limit);
console.log("an EventSource went on after a cut: nothing lost, nothing twice");
