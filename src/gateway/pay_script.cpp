// The script of the payment page and its looks. It keeps the guest's token in the session storage
// of its tab and nowhere else, and puts every text in as text.
#include "gateway/pay_page.hpp"

namespace bottega::gateway {
namespace {

constexpr std::string_view kStyle = R"css(
:root{color-scheme:light dark;--line:#8886;--bad:#b3261e;--main:#0b57d0}
@media(prefers-color-scheme:dark){:root{--bad:#f2b8b5;--main:#a8c7fa}}
*{box-sizing:border-box}[hidden]{display:none!important}
body{font:16px/1.5 system-ui,sans-serif;margin:0}
main{max-width:34rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;margin:.2rem 0 1rem}h2{font-size:1.15rem}.shop{margin:0;opacity:.8}
table{width:100%;border-collapse:collapse;margin:1rem 0}caption{text-align:start;font-weight:600}
th,td{padding:.3rem .4rem .3rem 0;text-align:start;border-bottom:1px solid var(--line)}
tbody th{font-weight:400;overflow-wrap:anywhere}.n{text-align:end;white-space:nowrap}
.total th,.total td{font-weight:700}
fieldset{border:1px solid var(--line);border-radius:8px;margin:1rem 0;padding:.4rem .8rem}
.field{margin:.6rem 0}.field label{display:block}
input,select,textarea,button{font:inherit;color:inherit}
.field input,select,textarea{width:100%;padding:.5rem;border:1px solid var(--line);
border-radius:6px;background:transparent}select option{color:initial}
[aria-invalid=true]{border-color:var(--bad)!important}
.error{color:var(--bad);display:block}.notice{border:1px solid var(--bad);border-radius:8px;
padding:.6rem .8rem}button{padding:.5rem .9rem;border:1px solid var(--line);border-radius:6px;
background:transparent;cursor:pointer}button.main{width:100%;border:2px solid var(--main);
font-weight:600;padding:.7rem}button:disabled{opacity:.5;cursor:default}
:focus-visible{outline:3px solid var(--main);outline-offset:2px}
dt{font-weight:600}dd{margin:0 0 .5rem;white-space:pre-line;overflow-wrap:anywhere}
details{margin:1.5rem 0}summary{cursor:pointer}ul{padding:0;list-style:none}
li{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0}
)css";

constexpr std::string_view kScript = R"js(
'use strict';
(() => {
const $ = (id) => document.getElementById(id);
const offer = JSON.parse($('offer').textContent);
const form = $('checkout');
const place = 'bottega.pay.' + offer.code;
let state = {}, quote = null, attempt = null, busy = false;
try { state = JSON.parse(sessionStorage.getItem(place)) || {}; } catch (e) { state = {}; }
const save = () => {
  try { sessionStorage.setItem(place, JSON.stringify(state)); } catch (e) { /* only this page */ }
};
const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)),
                                (b) => b.toString(16).padStart(2, '0')).join('');
const later = (ms) => new Promise((done) => setTimeout(done, ms));
const value = (id) => ($(id) ? $(id).value.trim() : '');
const talk = (below) => '/v1/conversations/' + encodeURIComponent(state.conversation) + below;

const money = (amount) => {
  const digits = String(Math.abs(amount)).padStart(offer.decimals + 1, '0');
  const cut = digits.length - offer.decimals;
  return (amount < 0 ? '-' : '') + digits.slice(0, cut) +
         (offer.decimals ? '.' + digits.slice(cut) : '') + ' ' + offer.currency;
};
// What somebody typed as minor units; NaN for what is no amount.
const minor = (text) => {
  const parts = /^(\d{1,10})(?:[.,](\d{0,4}))?$/.exec(text);
  if (!parts || (parts[2] || '').length > offer.decimals) return NaN;
  return Number(parts[1] + (parts[2] || '').padEnd(offer.decimals, '0'));
};

async function call(method, path, body, headers) {
  const sent = Object.assign({Accept: 'application/json'}, headers);
  if (state.token) sent.Authorization = 'Bearer ' + state.token;
  if (body !== undefined) sent['Content-Type'] = 'application/json';
  const answer = await fetch(path, {
    method, headers: sent, credentials: 'omit', cache: 'no-store', redirect: 'error',
    body: body === undefined ? undefined : JSON.stringify(body)});
  const text = await answer.text();
  let json = {};
  try { json = text ? JSON.parse(text) : {}; } catch (e) { json = {}; }
  if (!answer.ok) throw {status: answer.status, json};
  return json;
}

// ---- what went wrong --------------------------------------------------------------------------
const fields = Array.from(document.querySelectorAll('[data-pointer]'));
function clear() {
  $('problem').hidden = true;
  for (const field of fields) {
    field.removeAttribute('aria-invalid');
    $(field.id + '-error').textContent = '';
  }
}
function point(field, words) {
  field.setAttribute('aria-invalid', 'true');
  $(field.id + '-error').textContent = words;
}
function say(words) {
  $('problem').textContent = words;
  $('problem').hidden = false;
  $('problem').focus();
}
const field_of = (pointer) => fields.find((field) => field.dataset.pointer.split(' ').some(
  (known) => pointer === known || pointer.startsWith(known + '/')));
function show(problem) {
  if (!problem || !problem.json) return say('The shop cannot be reached. Try again in a moment.');
  if (problem.status === 401) {
    state = {};
    save();
    return say('Your visit has ended. Press the button again to begin a new one.');
  }
  const loose = [];
  let first = null;
  for (const fault of problem.json.errors || []) {
    const field = field_of(fault.pointer);
    if (!field) { loose.push((fault.pointer + ' ' + fault.detail).trim()); continue; }
    point(field, fault.detail);
    first = first || field;
  }
  const words = problem.json.detail || problem.json.title || 'This did not work.';
  say([words].concat(loose).join('; '));
  if (first) first.focus();
}
// One thing at a time; whatever fails is shown.
async function during(work) {
  if (busy) return;
  busy = true;
  clear();
  for (const button of document.querySelectorAll('button')) button.disabled = true;
  try { await work(); } catch (problem) { show(problem); }
  for (const button of document.querySelectorAll('button')) button.disabled = false;
  if ($('pay')) $('pay').disabled = !(quote && quote.is_final);
  busy = false;
}

// ---- who buys ---------------------------------------------------------------------------------
async function guest() {
  if (state.token) return;
  const made = await call('POST', '/v1/pay/' + offer.code + '/guests',
                          {name: value('name'), email: value('email')});
  state = {token: made.access_token, conversation: made.conversation_id};
  save();
}
function contact() {
  const out = {name: value('name'), email: value('email')};
  if (value('phone')) out.phone = value('phone');
  return out;
}
function address(part) {
  const out = {};
  for (const field of document.querySelectorAll('[data-part="' + part + '"]')) {
    const text = field.value.trim();
    if (!text) continue;
    out[field.dataset.member] = field.dataset.member === 'country' ? text.toUpperCase() : text;
  }
  return out;
}
// Whether all is there that must be.
function complete() {
  let first = null;
  for (const field of fields) {
    if (!field.required || field.value.trim()) continue;
    point(field, 'Please fill this in.');
    first = first || field;
  }
  if (first) first.focus();
  const tip = value('tip');
  if (!tip || !Number.isNaN(minor(tip))) return !first;
  point($('tip'), 'Please give an amount such as 2.');
  return false;
}

// ---- what it costs ----------------------------------------------------------------------------
function choice() {
  const out = {payment_link: offer.code};
  if (offer.address) out.ship_to = address('ship_to');
  if (value('discount')) out.discount_code = value('discount');
  if (value('tip')) out.tip = minor(value('tip'));
  const rate = form.querySelector('input[name=rate]:checked');
  if (rate) out.shipping_rate = rate.value;
  return out;
}
function add_row(name, amount, kind) {
  const row = $('sums').insertRow(), head = document.createElement('th');
  head.scope = 'row';
  head.textContent = name;
  row.append(head);
  const cell = row.insertCell();
  cell.className = 'n';
  cell.textContent = money(amount);
  if (kind) row.className = kind;
}
function days(option) {
  if (option.days_max === null || option.days_max === undefined) return '';
  const least = option.days_min || 0;
  return ', ' + (least && least !== option.days_max ? least + ' to ' : '') + option.days_max +
         ' days';
}
function draw_rates(chosen) {
  const options = quote.shipping_options || [];
  $('rates').replaceChildren(...options.map((option) => {
    const label = document.createElement('label'), input = document.createElement('input');
    input.type = 'radio';
    input.name = 'rate';
    input.value = option.id;
    input.checked = option.id === chosen;
    input.addEventListener('change', () => during(price));
    label.append(input, ' ' + option.name + ': ' + money(option.price.amount) + days(option));
    const line = document.createElement('p');
    line.append(label);
    return line;
  }));
  $('shipping').hidden = options.length === 0;
}
function draw_tips() {
  if (!$('tips')) return;
  $('tips').replaceChildren(...(quote.suggested_tips || []).map((amount) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = money(amount);
    button.addEventListener('click', () => {
      $('tip').value = money(amount).split(' ')[0];
      during(price);
    });
    return button;
  }));
}
async function price() {
  if (!complete()) return;
  await guest();
  const asked = choice();
  quote = await call('POST', talk('/quotes'), asked);
  draw_rates(asked.shipping_rate);
  draw_tips();
  $('sums').replaceChildren();
  add_row('Goods', quote.items);
  if (quote.discount) add_row('Discount', -quote.discount);
  if (quote.shipping || (quote.shipping_options || []).length) add_row('Shipping', quote.shipping);
  if (quote.tax) add_row(quote.tax_included ? 'Tax, included' : 'Tax', quote.tax);
  if (quote.tip) add_row('Tip', quote.tip);
  add_row(quote.is_final ? 'Total' : 'So far: choose how it is shipped', quote.total, 'total');
  if ($('pay')) $('pay').textContent = 'Pay ' + money(quote.total);
  $('quote').hidden = false;
}
function stale(event) {
  if (event.target.id === 'card' || event.target.name === 'rate') return;
  quote = null;
  $('quote').hidden = true;
  $('rates').replaceChildren();
}

// ---- paying -----------------------------------------------------------------------------------
// The same try has the same key, so that it is charged once however often it is sent.
async function pay() {
  if (!quote || !quote.is_final || !complete()) return;
  const body = Object.assign(choice(), {total: quote.total, contact: contact(),
                                        payment_method: {token: value('card')}});
  if (offer.billing) body.billing = address('billing');
  const text = JSON.stringify(body);
  if (!attempt || attempt.text !== text) attempt = {text, key: random()};
  let done;
  try {
    done = await call('POST', talk('/checkouts'), body, {'Idempotency-Key': attempt.key});
  } catch (problem) {
    const json = problem.json;
    const is_over = json && problem.status < 500 && problem.status !== 429 &&
                    (problem.status !== 409 || json.reason);
    if (is_over) attempt = null;
    if (json && json.reason === 'price_changed') await price();
    throw problem;
  }
  attempt = null;
  state.request = done.payment_request.id;
  state.payment = done.payment.id;
  state.order = done.order ? done.order.id : null;
  save();
  if (!state.order && is_web(done.payment.action_url)) location.assign(done.payment.action_url);
  follow();
}
const is_web = (url) => typeof url === 'string' && /^https?:\/\//.test(url);

// ---- afterwards -------------------------------------------------------------------------------
const kEnds = ['completed', 'cancelled', 'returned'];
let turn = 0;  // whatever waits for another purchase than the last gives up
function begin() {
  turn += 1;
  state.request = state.payment = state.order = null;
  save();
  $('done').hidden = $('more').hidden = true;
  if (form) form.hidden = false;
}
function again(words) {
  begin();
  say(words);
}
// Whether there is nothing more to wait for.
async function look() {
  if (!state.order) {
    const request = await call('GET', '/v1/payment_requests/' + state.request);
    if (request.state === 'paying') {
      const payment = await call('GET', '/v1/payments/' + state.payment);
      $('confirm').hidden = !is_web(payment.action_url);
      if (is_web(payment.action_url)) $('confirm').href = payment.action_url;
      $('told').textContent = 'Your payment is under way. This page shows how it ends.';
      return false;
    }
    $('confirm').hidden = true;
    if (request.state !== 'paid') {
      const why = request.reason ? ' (' + request.reason + ')' : '';
      again('The payment did not go through' + why + '. You may try again.');
      return true;
    }
    const orders = await call('GET', '/v1/orders?limit=100');
    const mine = orders.data.find((order) => order.payment_id === state.payment);
    if (!mine) return false;
    state.order = mine.id;
    save();
  }
  const order = await call('GET', '/v1/orders/' + state.order);
  $('confirm').hidden = true;
  $('more').hidden = !form;
  $('told').textContent = 'Order ' + order.number + ' of ' + money(order.total.amount) + ' is ' +
    order.state.replace(/_/g, ' ') + '.' +
    (order.tracking_number ? ' Tracking number: ' + order.tracking_number + '.' : '');
  return kEnds.includes(order.state);
}
async function follow() {
  const mine = ++turn;
  if (form) form.hidden = true;
  $('done').hidden = false;
  $('told').textContent = 'Your payment is under way.';
  for (let wait = 1000; mine === turn; wait = Math.min(wait * 1.5, 30000)) {
    try {
      if (await look()) return;
    } catch (problem) {
      if (problem.status === 401 || problem.status === 404) {
        begin();
        return show(problem);
      }
    }
    await later(wait);
  }
}

// ---- ask the shop -----------------------------------------------------------------------------
async function read() {
  const page = await call('GET', talk('/messages?limit=20&before=9007199254740991'));
  $('said').replaceChildren(...page.data.reverse().filter(
    (entry) => entry.event === 'message.created' && entry.data.text).map((entry) => {
    const line = document.createElement('li');
    line.dir = 'auto';
    line.textContent = (entry.data.author === 'buyer' ? 'You: ' : 'Shop: ') + entry.data.text;
    return line;
  }));
}
async function listen() {
  while ($('ask').open) {
    try { if (state.token) await read(); } catch (problem) { /* the next time */ }
    await later(5000);
  }
}
async function send() {
  await guest();
  await call('POST', talk('/messages'), {text: $('question').value, client_id: random()});
  $('question').value = '';
  await read();
}

$('send').addEventListener('click', () => during(send));
$('ask').addEventListener('toggle', listen);
$('ask').hidden = !(offer.usable || state.token);
if (form) {
  form.addEventListener('submit', (event) => { event.preventDefault(); during(price); });
  form.addEventListener('input', stale);
  if ($('pay')) $('pay').addEventListener('click', () => during(pay));
  $('more').addEventListener('click', begin);
  form.hidden = false;
}
if (state.token && state.request) follow();
})();
)js";

}  // namespace

std::string_view pay_style() { return kStyle; }
std::string_view pay_script() { return kScript; }

}  // namespace bottega::gateway
