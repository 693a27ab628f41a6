// The cart's row is locked by whoever changes it, and first of all by whoever buys it; of what was
// paid behind its request, and before any stock.
#include "bottega/checkout/carts.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "checkout/items.hpp"
#include "bottega/conversations/safety.hpp"

namespace bottega::checkout {
namespace {

using catalog::VariantId;
using payments::RequestId;

constexpr auto kUnusedFor = std::chrono::days(90);
constexpr const char* kUnknown = "is nothing that this shop has published";

// What one cost when it was put in, where it had a price.
struct StoredLine {
  VariantId variant_id;
  std::int64_t quantity = 0;
  std::optional<std::int64_t> amount;
  std::optional<Currency> currency;
};
BOOST_DESCRIBE_STRUCT(StoredLine, (), (variant_id, quantity, amount, currency))
using StoredLines = List<StoredLine, 0, kCartLinesMax>;

struct CartRow {
  StoredLines lines;
  std::int64_t version = 0;
  std::optional<Instant> updated_at;
};
BOOST_DESCRIBE_STRUCT(CartRow, (), (lines, version, updated_at))

struct Emptied {
  std::int64_t version = 0;
  AccountId buyer_id;
  Currency currency;
};
BOOST_DESCRIBE_STRUCT(Emptied, (), (version, buyer_id, currency))

struct Chosen {
  StoredLines lines;
  std::int64_t version = 0;
  std::optional<RequestId> paying_id;
};
BOOST_DESCRIBE_STRUCT(Chosen, (), (lines, version, paying_id))

struct Paid {
  StoredLines lines;
  AccountId buyer_id;
  Currency currency;
};
BOOST_DESCRIBE_STRUCT(Paid, (), (lines, buyer_id, currency))

const Sql<CartRow(MerchantId, ConversationId)> kCart{"checkout.cart", R"(
    SELECT lines, version, updated_at FROM carts
    WHERE merchant_id = $1 AND conversation_id = $2)"};

const Sql<CartRow(MerchantId, ConversationId)> kHoldCart{"checkout.hold_cart", R"(
    SELECT lines, version, updated_at FROM carts
    WHERE merchant_id = $1 AND conversation_id = $2 FOR UPDATE)"};

const Sql<Chosen(MerchantId, ConversationId)> kHoldChosen{"checkout.hold_chosen", R"(
    SELECT lines, version, paying_id FROM carts
    WHERE merchant_id = $1 AND conversation_id = $2 FOR UPDATE)"};

// A statement of its own: it sees what whoever held the cart before has committed.
const Sql<RequestId(MerchantId, RequestId)> kBeingPaid{"checkout.cart_being_paid", R"(
    SELECT id FROM payment_requests WHERE merchant_id = $1 AND id = $2 AND state = 'paying')"};

const Sql<void(MerchantId, ConversationId, RequestId)> kNotePaying{"checkout.note_paying", R"(
    UPDATE carts SET paying_id = $3 WHERE merchant_id = $1 AND conversation_id = $2)"};

const Sql<Paid(MerchantId, ConversationId, RequestId)> kHoldPaid{"checkout.hold_paid", R"(
    SELECT k.lines, c.buyer_id, s.currency
    FROM carts k
         JOIN conversations c ON c.merchant_id = k.merchant_id AND c.id = k.conversation_id
         JOIN merchants s ON s.id = k.merchant_id
    WHERE k.merchant_id = $1 AND k.conversation_id = $2 AND k.paying_id = $3
    FOR UPDATE OF k)"};

const Sql<CartRow(MerchantId, ConversationId, StoredLines, Instant)> kTakeOut{
    "checkout.take_out_of_cart", R"(
    UPDATE carts SET lines = $3, version = version + 1, updated_at = $4, paying_id = NULL
    WHERE merchant_id = $1 AND conversation_id = $2
    RETURNING lines, version, updated_at)"};

// Writes nothing where another has made the first version meanwhile.
const Sql<CartRow(MerchantId, ConversationId, StoredLines, std::int64_t, Instant)> kPutCart{
    "checkout.put_cart", R"(
    INSERT INTO carts AS k (merchant_id, conversation_id, lines, version, updated_at)
    VALUES ($1, $2, $3, $4::bigint + 1, $5)
    ON CONFLICT (merchant_id, conversation_id) DO UPDATE
    SET lines = excluded.lines, version = excluded.version, updated_at = excluded.updated_at
    WHERE k.version = $4
    RETURNING lines, version, updated_at)"};

// The row stays, so that no version comes twice.
const Sql<Emptied(MerchantId, ConversationId, Instant)> kEmptyCart{"checkout.empty_cart", R"(
    UPDATE carts k SET lines = '[]', version = k.version + 1, updated_at = $3
    FROM conversations c JOIN merchants s ON s.id = c.merchant_id
    WHERE k.merchant_id = $1 AND k.conversation_id = $2 AND k.lines <> '[]'
      AND c.merchant_id = $1 AND c.id = $2
    RETURNING k.version, c.buyer_id, s.currency)"};

const Sql<ConversationId(Instant, std::int64_t)> kSweepCarts{"checkout.sweep_carts", R"(
    DELETE FROM carts WHERE (merchant_id, conversation_id) IN (
      SELECT merchant_id, conversation_id FROM carts WHERE updated_at < $1
      ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING conversation_id)"};

template <class Lines>
std::map<VariantId, catalog::Offer> offers_of(Tx& tx, MerchantId merchant, const Lines& lines) {
  std::map<VariantId, catalog::Offer> out;
  if (lines.size() == 0) return out;
  std::vector<VariantId> ids;
  for (const auto& line : lines) ids.push_back(line.variant_id);
  for (auto& offer : catalog::offer(tx, merchant, ids)) out.emplace(offer.variant_id, offer);
  return out;
}

void add_problems(CartLine& line, const catalog::Offer& offer) {
  if (!line.item->price) line.problems.push_back(Problem::no_price);
  if (!offer.has(1))
    line.problems.push_back(Problem::out_of_stock);
  else if (!offer.has(line.quantity))
    line.problems.push_back(Problem::only_left);
  if (line.put_in_at && line.item->price && *line.put_in_at != *line.item->price)
    line.problems.push_back(Problem::price_changed);
}

CartLine line_of(const StoredLine& stored, const catalog::Offer* offer, const Currency& currency,
                 Instant now) {
  CartLine out;
  out.variant_id = stored.variant_id;
  out.quantity = stored.quantity;
  if (stored.amount && stored.currency) out.put_in_at = Money{*stored.amount, *stored.currency};
  if (offer == nullptr) {
    out.problems.push_back(Problem::gone);
    return out;
  }
  out.item = offered_of(*offer, currency, now);
  out.availability = offer->availability;
  out.available_at = offer->available_at;
  out.left = offer->left;
  if (out.item->price) out.total = *out.item->price * out.quantity;
  add_problems(out, *offer);
  return out;
}

// The cart as it is now.
Cart shown(Tx& tx, const Stall& stall, ConversationId id, const CartRow& row) {
  const auto offers = offers_of(tx, stall.merchant_id, row.lines);
  Cart out{id, stall.merchant_id, row.version, {}, {0, stall.currency}, row.updated_at};
  for (const auto& stored : row.lines) {
    const auto found = offers.find(stored.variant_id);
    const auto* offer = found == offers.end() ? nullptr : &found->second;
    auto line = line_of(stored, offer, stall.currency, tx.now());
    if (line.total) out.subtotal = out.subtotal + *line.total;
    out.lines.push_back(std::move(line));
  }
  return out;
}

conversations::Seat seat_of(const Stall& stall, ConversationId id) {
  return {.merchant = stall.merchant_id,
          .conversation = id,
          .buyer = stall.buyer_id,
          .last_seq = 0,
          .side = Side::buyer,
          .forgotten_seq = 0};
}

void tell(Tx& tx, const Stall& stall, const Cart& cart) {
  conversations::tell_both(tx, seat_of(stall, cart.conversation_id), "cart.updated",
                           {{"cart", to_json(cart)}});
}

[[noreturn]] void refuse_version(std::int64_t now) {
  throw Error(
      Code::conflict, "the cart has been changed since; read it again",
      {{"/version", now == 0 ? "is another by now" : "is " + std::to_string(now) + " now"}});
}

// A line that was there with the same quantity keeps the price that it was put in at; one that is
// gone may stay until it is taken out.
StoredLines stored_of(Tx& tx, const Stall& stall, const NewCart& given, const StoredLines& old) {
  const auto offers = offers_of(tx, stall.merchant_id, given.lines);
  StoredLines out;
  Faults faults;
  for (std::size_t i = 0; i < given.lines.size(); ++i) {
    const auto& item = given.lines.items[i];
    const auto offer = offers.find(item.variant_id);
    const auto was = std::ranges::find(old.items, item.variant_id, &StoredLine::variant_id);
    StoredLine line{item.variant_id, item.quantity, std::nullopt, std::nullopt};
    const bool is_kept =
        was != old.items.end() && (offer == offers.end() || was->quantity == line.quantity);
    if (is_kept) {
      line.amount = was->amount;
      line.currency = was->currency;
    } else if (offer == offers.end()) {
      faults.push_back({"/lines/" + std::to_string(i) + "/variant_id", kUnknown});
    } else if (const auto price =
                   catalog::price_now(offer->second.prices, stall.currency, tx.now())) {
      line.amount = price->amount;
      line.currency = stall.currency;
    }
    out.items.push_back(line);
  }
  const auto count = std::to_string(faults.size());
  if (!faults.empty())
    throw Error(Code::invalid, count + " field(s) are not valid", std::move(faults));
  return out;
}

// What was put in while it was paid stays.
StoredLines without(const StoredLines& lines, const orders::Lines& sold) {
  StoredLines out;
  for (auto line : lines) {
    for (const auto& one : sold)
      if (one.variant_id == line.variant_id) line.quantity -= one.quantity.value;
    if (line.quantity > 0) out.items.push_back(line);
  }
  return out;
}

// What is proposed can be bought as it is.
void check_line(const CartItem& item, const catalog::Offer& offer, const Offered& shown,
                const std::string& pointer, Faults& faults) {
  if (!shown.price)
    faults.push_back({pointer + "/variant_id", "has no price in the shop's currency"});
  if (!offer.has(item.quantity))
    faults.push_back({pointer + "/quantity",
                      "is more than the " + std::to_string(offer.left.value_or(0)) + " left"});
}

ProposedCart proposal_of(Tx& tx, MerchantId merchant, const Currency& currency,
                         const NewProposal& given) {
  const auto offers = offers_of(tx, merchant, given.lines);
  ProposedCart out{{}, {0, currency}};
  Faults faults;
  for (std::size_t i = 0; i < given.lines.size(); ++i) {
    const auto& item = given.lines.items[i];
    const auto pointer = "/lines/" + std::to_string(i);
    const auto offer = offers.find(item.variant_id);
    if (offer == offers.end()) {
      faults.push_back({pointer + "/variant_id", kUnknown});
      continue;
    }
    const auto product = offered_of(offer->second, currency, tx.now());
    check_line(item, offer->second, product, pointer, faults);
    if (!product.price) continue;
    const auto total = *product.price * item.quantity;
    out.lines.push_back({product, item.quantity, total});
    out.subtotal = out.subtotal + total;
  }
  const auto count = std::to_string(faults.size());
  if (!faults.empty())
    throw Error(Code::invalid, count + " field(s) are not valid", std::move(faults));
  return out;
}

std::string words_of(const ProposedCart& cart) {
  std::string out = "A cart: ";
  for (const auto& line : cart.lines)
    out += std::to_string(line.quantity) + " × " + name_of(line.item) + "; ";
  return out + display(cart.subtotal);
}

}  // namespace

Stall stall_of_buyer(Tx& tx, const Who& who, ConversationId id) {
  const auto place = place_of(tx, who, id, identity::Scope::chat);
  if (place.side != Side::buyer)
    throw Error(Code::forbidden, "the buyer does this; propose a cart");
  return place.stall;
}

std::vector<CartItem> cart_items(Tx& tx, const Stall& stall, ConversationId id,
                                 std::int64_t version) {
  const auto row = tx.find(kHoldChosen, stall.merchant_id, id).value_or(Chosen{});
  if (row.version != version)
    throw Error(Code::conflict, "the cart has been changed since; read it again",
                {{"/cart_version", "is " + std::to_string(row.version) + " now"}});
  if (row.paying_id && tx.find(kBeingPaid, stall.merchant_id, *row.paying_id))
    throw Error(Code::conflict, "what is in the cart is being paid for just now")
        .reason("cart_being_paid");
  if (row.lines.size() == 0) throw Error(Code::conflict, "there is nothing in the cart");
  std::vector<CartItem> items;
  for (const auto& line : row.lines) items.push_back({line.variant_id, {line.quantity}});
  return items;
}

Cart fetch_cart(Tx& tx, const Who& who, ConversationId id) {
  const auto place = place_of(tx, who, id, identity::Scope::read);
  const auto row = tx.find(kCart, place.stall.merchant_id, id);
  return shown(tx, place.stall, id, row.value_or(CartRow{}));
}

Cart put_cart(Tx& tx, const Who& who, ConversationId id, const NewCart& given) {
  const auto stall = stall_of_buyer(tx, who, id);
  const auto old = tx.find(kHoldCart, stall.merchant_id, id).value_or(CartRow{});
  if (old.version != given.version) refuse_version(old.version);
  const auto lines = stored_of(tx, stall, given, old.lines);
  const auto row = tx.find(kPutCart, stall.merchant_id, id, lines, old.version, tx.now());
  if (!row) refuse_version(0);
  auto cart = shown(tx, stall, id, *row);
  tell(tx, stall, cart);
  return cart;
}

void clear_cart(Tx& tx, const Who& who, ConversationId id) {
  const auto merchant = stall_of_buyer(tx, who, id).merchant_id;
  const auto emptied = tx.find(kEmptyCart, merchant, id, tx.now());
  if (!emptied) return;
  const Stall stall{merchant, emptied->buyer_id, {}, emptied->currency, false};
  tell(tx, stall, {id, merchant, emptied->version, {}, {0, emptied->currency}, tx.now()});
}

void note_paying(Tx& tx, MerchantId merchant, ConversationId id, RequestId request) {
  tx.run(kNotePaying, merchant, id, request);
}

void require_of_cart(Tx& tx, const payments::Request& request) {
  if (request.origin != payments::Origin::cart) return;
  const auto row = tx.find(kHoldChosen, request.merchant_id, request.conversation_id);
  if (row && row->paying_id == request.id) return;
  throw Error(Code::conflict,
              "the cart was checked out anew, or bought, since; nothing was charged")
      .reason("cart_checked_out_anew");
}

void bought(Tx& tx, const payments::Request& request) {
  if (request.origin != payments::Origin::cart) return;
  const auto id = request.conversation_id;
  const auto paid = tx.find(kHoldPaid, request.merchant_id, id, request.id);
  if (!paid) return;
  const auto left = without(paid->lines, request.lines);
  const auto row = tx.one(kTakeOut, request.merchant_id, id, left, tx.now());
  const Stall stall{request.merchant_id, paid->buyer_id, {}, paid->currency, false};
  tell(tx, stall, shown(tx, stall, id, row));
}

conversations::Event propose_cart(Tx& tx, const Who& who, ConversationId id,
                                  const NewProposal& given) {
  const auto seat =
      conversations::enter(tx, who, id, identity::Scope::chat, conversations::Lock::yes);
  if (seat.side != Side::merchant)
    throw Error(Code::forbidden, "only the shop proposes; the cart is yours to change");
  conversations::require_not_blocked(tx, seat);
  const auto currency = identity::fetch_merchant(tx, seat.merchant).currency;
  const auto cart = proposal_of(tx, seat.merchant, currency, given);
  conversations::Draft draft{"cart.proposed", conversations::Author::merchant, who.account,
                             std::nullopt,    {{"cart", to_json(cart)}},       words_of(cart)};
  return conversations::append(tx, seat.merchant, id, draft);
}

std::int64_t sweep_carts(Tx& tx, std::int64_t most) {
  return static_cast<std::int64_t>(tx.all(kSweepCarts, tx.now() - kUnusedFor, most).size());
}

}  // namespace bottega::checkout
