#include "bottega/conversations/writer.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <map>

#include "conversations/rows.hpp"

namespace bottega::conversations {
namespace {

// The seat of the n-th message's sender, and what was sent before with its client_id. The rows come
// in the order in which they are locked.
struct Seated {
  std::int64_t n = 0;
  MerchantId merchant_id;
  AccountId buyer_id;
  std::int64_t last_seq = 0;
  bool is_member = false;
  std::optional<std::int64_t> known_seq;
};
BOOST_DESCRIBE_STRUCT(Seated, (), (n, merchant_id, buyer_id, last_seq, is_member, known_seq))

template <class T>
using Column = std::vector<T>;

// The rows are locked in one order by everybody, so that two nodes cannot wait for each other. A
// client_id that another transaction has committed while this one waited for its lock is not seen:
// then the unique key refuses the batch.
const Sql<Seated(Column<ConversationId>, Column<AccountId>, Column<std::optional<std::string>>)>
    kSeats{"conversations.lock_seats", R"(
    SELECT g.n, c.merchant_id, c.buyer_id, c.last_seq, m.account_id IS NOT NULL AS is_member,
           (SELECT e.seq FROM entries e
            WHERE e.merchant_id = c.merchant_id AND e.conversation_id = c.id
              AND e.author_id = g.account_id AND e.client_id = g.client_id) AS known_seq
    FROM unnest($1::uuid[], $2::uuid[], $3::text[]) WITH ORDINALITY
           AS g (conversation_id, account_id, client_id, n)
         JOIN directory d ON d.id = g.conversation_id
         JOIN conversations c ON c.merchant_id = d.merchant_id AND c.id = d.id
         LEFT JOIN merchant_members m
              ON m.merchant_id = c.merchant_id AND m.account_id = g.account_id
    ORDER BY c.id FOR UPDATE OF c)"};

// A message names its conversation by its place in the batch: an id is read once, however often it
// is meant.
const Sql<void(Column<std::int64_t>, Column<std::int64_t>, Column<EntryId>, Column<Author>,
               Column<AccountId>, Column<std::optional<std::string>>, Column<std::string>, Instant,
               Column<MerchantId>, Column<ConversationId>, Column<std::int64_t>)>
    kWrite{"conversations.write_messages", R"(
    WITH moved AS (
      UPDATE conversations c
      SET last_seq = u.last_seq, last_entry_at = greatest(c.last_entry_at, $8)
      FROM unnest($9::uuid[], $10::uuid[], $11::bigint[]) AS u (merchant_id, id, last_seq)
      WHERE c.merchant_id = u.merchant_id AND c.id = u.id)
    INSERT INTO entries (merchant_id, conversation_id, seq, id, event, author, author_id, client_id,
                         data, at)
    SELECT ($9::uuid[])[g.place], ($10::uuid[])[g.place], g.seq, g.id, 'message.created', g.author,
           g.author_id, g.client_id, g.data::jsonb, $8
    FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::text[], $5::uuid[], $6::text[],
                $7::text[])
         AS g (place, seq, id, author, author_id, client_id, data))"};

// One batch on its way into the log.
class Batch {
 public:
  Batch(Tx& tx, const std::vector<Writer::Waiting>& messages)
      : tx_(tx), messages_(messages), out_(messages.size()), seats_(messages.size()) {}

  std::vector<Sent> write() {
    take_seats();
    for (std::size_t i = 0; i < messages_.size(); ++i) attempt(i, [&] { place(i); });
    for (const auto& [index, first] : repeats_) out_[index] = out_[first];
    if (!seqs_.empty()) store();
    return std::move(out_);
  }

 private:
  using Key = std::tuple<ConversationId, AccountId, std::string>;

  template <class F>
  void attempt(std::size_t i, F f) {
    try {
      f();
    } catch (const Error&) {
      out_[i].failure = std::current_exception();
    }
  }

  void take_seats() {
    Column<ConversationId> conversations;
    Column<AccountId> accounts;
    Column<std::optional<std::string>> client_ids;
    for (const auto& message : messages_) {
      conversations.push_back(message.conversation);
      accounts.push_back(message.who.account);
      client_ids.push_back(client_id_of(message));
    }
    for (const auto& row : tx_.all(kSeats, conversations, accounts, client_ids))
      seats_[static_cast<std::size_t>(row.n - 1)] = row;
  }

  static std::optional<std::string> client_id_of(const Writer::Waiting& waiting) {
    if (!waiting.message.client_id) return std::nullopt;
    return waiting.message.client_id->value;
  }

  void place(std::size_t i) {
    const auto& seat = seats_[i];
    const auto& waiting = messages_[i];
    if (seat.n == 0) throw Error(Code::not_found, "there is no such thing, or it is not yours");
    if (waiting.who.kind == identity::Kind::api_key)
      identity::require_member(tx_, waiting.who, seat.merchant_id, identity::Role::agent,
                               identity::Scope::chat);
    const auto side = side_of(waiting.who, {seat.buyer_id, seat.last_seq, seat.is_member});
    if (seat.known_seq) return repeat_stored(i);
    if (const auto client_id = client_id_of(waiting)) {
      const Key key{waiting.conversation, waiting.who.account, *client_id};
      const auto [first, is_new] = firsts_.try_emplace(key, i);
      if (!is_new) return repeat(i, first->second);
    }
    number(i, side);
  }

  // Sent before, in another transaction.
  void repeat_stored(std::size_t i) {
    const auto& waiting = messages_[i];
    const auto event = send(tx_, waiting.who, waiting.conversation, waiting.message);
    out_[i].frame = std::make_shared<const std::string>(to_frame(event).dump());
  }

  // Sent further up in this batch.
  void repeat(std::size_t i, std::size_t first) {
    EntryRow sent;
    sent.data = {{"text", messages_[first].message.text.value}};
    require_same(sent, messages_[i].message);
    repeats_.emplace_back(i, first);
  }

  void number(std::size_t i, Side side) {
    const auto& waiting = messages_[i];
    const auto& seat = seats_[i];
    auto [place, is_new] = places_.try_emplace(waiting.conversation, conversations_.size());
    if (is_new) {
      merchants_.push_back(seat.merchant_id);
      conversations_.push_back(waiting.conversation);
      lasts_.push_back(seat.last_seq);
    }
    EntryRow row;
    row.event = "message.created";
    row.conversation_id = waiting.conversation;
    row.seq = ++lasts_[place->second];
    row.id = EntryId::make();
    row.author = author_of(side);
    row.author_id = waiting.who.account;
    row.client_id = client_id_of(waiting);
    row.at = tx_.now();
    auto data = "{\"text\":" + Json(waiting.message.text.value).dump() + "}";
    auto text = std::make_shared<const std::string>(frame_text(row, data));
    tx_.announce(notice_of(seat.merchant_id, seat.buyer_id, waiting.conversation, row.seq, *text));
    out_[i].frame = std::move(text);
    at_.push_back(static_cast<std::int64_t>(place->second) + 1);  // SQL counts from 1
    seqs_.push_back(row.seq);
    ids_.push_back(row.id);
    authors_.push_back(row.author);
    accounts_.push_back(waiting.who.account);
    client_ids_.push_back(std::move(row.client_id));
    data_.push_back(std::move(data));
  }

  void store() {
    tx_.run(kWrite, at_, seqs_, ids_, authors_, accounts_, client_ids_, data_, tx_.now(),
            merchants_, conversations_, lasts_);
  }

  Tx& tx_;
  const std::vector<Writer::Waiting>& messages_;
  std::vector<Sent> out_;
  std::vector<Seated> seats_;
  std::map<Key, std::size_t> firsts_;
  std::vector<std::pair<std::size_t, std::size_t>> repeats_;
  // The conversations, with the number of the last entry of each.
  std::map<ConversationId, std::size_t> places_;
  Column<MerchantId> merchants_;
  Column<ConversationId> conversations_;
  Column<std::int64_t> lasts_;
  // The new entries.
  Column<std::int64_t> at_, seqs_;
  Column<EntryId> ids_;
  Column<Author> authors_;
  Column<AccountId> accounts_;
  Column<std::optional<std::string>> client_ids_;
  Column<std::string> data_;
};

bool is_refusal(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error.code() == Code::internal;
  } catch (...) {
    return false;
  }
}

}  // namespace

Writer::~Writer() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !is_writing_; });
}

void Writer::send(const Who& who, ConversationId conversation, NewMessage message, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= waiting_max_)
      throw Error(Code::busy, "too many messages wait to be written")
          .retry_after(std::chrono::seconds(1));
    waiting_.push_back({who, conversation, std::move(message), std::move(done)});
    if (std::exchange(is_writing_, true)) return;
  }
  write_on();
}

asio::awaitable<std::shared_ptr<const std::string>> Writer::send(const Who& who,
                                                                 ConversationId conversation,
                                                                 NewMessage message) {
  auto start = [&](auto handler) {
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    const auto done = [shared](Sent sent) {
      const auto executor = asio::get_associated_executor(*shared);
      asio::post(executor, [shared, sent = std::move(sent)]() mutable {
        std::move (*shared)(sent.failure, std::move(sent.frame));
      });
    };
    try {
      send(who, conversation, std::move(message), done);
    } catch (...) {
      done({nullptr, std::current_exception()});
    }
  };
  using Signature = void(std::exception_ptr, std::shared_ptr<const std::string>);
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, Signature>(
      start, asio::use_awaitable);
}

bool Writer::take() {
  batch_.clear();
  outcomes_.clear();
  const std::lock_guard lock(mutex_);
  while (!waiting_.empty() && batch_.size() < batch_max_) {
    batch_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  is_writing_ = !batch_.empty();
  if (!is_writing_) idle_.notify_all();
  return is_writing_;
}

void Writer::write_on() {
  while (take()) {
    try {
      db_.post(
          Mode::write, [this](Tx& tx) { outcomes_ = Batch(tx, batch_).write(); },
          [this](std::exception_ptr failure) { written(failure); });
      return;
    } catch (...) {
      finish(std::current_exception());
    }
  }
}

// A batch that the database refused is written message by message, so that the one which it cannot
// take does not take the others with it.
void Writer::written(std::exception_ptr failure) {
  if (failure && batch_.size() > 1 && is_refusal(failure)) {
    outcomes_.assign(batch_.size(), {});
    return write_alone(0);
  }
  finish(failure);
  write_on();
}

void Writer::write_alone(std::size_t i) {
  for (; i < batch_.size(); ++i) {
    const auto& waiting = batch_[i];
    try {
      db_.post(
          Mode::write,
          [this, i, &waiting](Tx& tx) {
            const auto event =
                conversations::send(tx, waiting.who, waiting.conversation, waiting.message);
            outcomes_[i].frame = std::make_shared<const std::string>(to_frame(event).dump());
          },
          [this, i](std::exception_ptr failure) {
            if (failure) outcomes_[i] = {nullptr, failure};
            write_alone(i + 1);
          });
      return;
    } catch (...) {
      outcomes_[i] = {nullptr, std::current_exception()};
    }
  }
  finish(nullptr);
  write_on();
}

void Writer::finish(std::exception_ptr failure) {
  for (std::size_t i = 0; i < batch_.size(); ++i)
    batch_[i].done(failure ? Sent{nullptr, failure} : std::move(outcomes_[i]));
}

}  // namespace bottega::conversations
