#pragma once
// Messages that are written together: who may write is decided and the rows are stored by one
// statement, which commits by itself.
#include <map>
#include <set>

#include "conversations/rows.hpp"
#include "bottega/conversations/writer.hpp"

namespace bottega::conversations {

template <class T>
using Column = std::vector<T>;

// What the statement answers about the n-th message that was given to it: no row where there is no
// such conversation, no side for whoever has no seat in it, no seq where nothing was written; whose
// conversation it is only where that was not told.
struct Placed {
  std::int64_t n = 0;
  std::optional<MerchantId> merchant_id;
  std::optional<AccountId> buyer_id;
  std::optional<Side> side;
  std::optional<std::int64_t> seq;
  std::optional<bool> is_away_due;
};
BOOST_DESCRIBE_STRUCT(Placed, (), (n, merchant_id, buyer_id, side, seq, is_away_due))

class Writer::Batch {
 public:
  // Whose a conversation is never changes.
  struct Home {
    MerchantId merchant;
    AccountId buyer;
  };
  using Homes = std::map<ConversationId, Home>;

  Batch(std::vector<Waiting> messages, const Homes& homes);

  // Runs in Mode::single, and again where the answer was lost. A careful one looks first whether
  // messages are there already; otherwise one that was sent before makes it throw Collision.
  void write(Tx& tx, bool is_careful);
  // Those that have to be written by send(), one by one: it says better what is wrong.
  std::vector<std::size_t> alone();
  void learn(Homes& homes) const;
  // Conversations whose buyer may have to be told that nobody is there.
  const std::map<ConversationId, MerchantId>& away() const { return away_; }

  std::vector<Waiting> messages;
  std::vector<Sent> outcomes;

 private:
  void add(std::size_t i);
  void take(const Placed& row, Tx& tx);
  // A column in which there is nothing need not be sent.
  template <class T>
  void put(Column<std::optional<T>>& column, std::optional<T> value);

  // A conversation is named once, however many messages are for it.
  std::map<ConversationId, std::int64_t> places_;
  Column<ConversationId> conversations_;
  Column<std::optional<MerchantId>> known_merchants_;
  // The messages, without those that were sent twice.
  std::vector<std::size_t> given_;
  Column<std::int64_t> at_place_;
  Column<AccountId> accounts_;
  Column<std::optional<MerchantId>> key_merchants_;
  Column<std::optional<ClientKey>> client_keys_;
  Column<EntryId> ids_;
  Column<std::string> data_;
  Column<std::optional<std::int64_t>> replies_to_;
  // Which message a repeated one is the same as.
  std::map<std::pair<ConversationId, ClientKey>, std::size_t> firsts_;
  std::vector<std::pair<std::size_t, std::size_t>> repeats_;
  std::set<std::size_t> alone_;
  Instant at_{};
  Homes homes_;
  std::map<ConversationId, MerchantId> away_;
};

}  // namespace bottega::conversations
