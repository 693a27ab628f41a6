#pragma once
// Transfers that change in one transaction: what becomes of each is decided one by one, and written
// for all of them together in a few statements.
#include <map>

#include "wallet/funding.hpp"
#include "bottega/jobs/job.hpp"

namespace bottega::wallet {

class Moves {
 public:
  explicit Moves(Tx& tx) : tx_(tx) {}

  // Locks transfers, in the order of their ids.
  void hold(const std::vector<TransferId>& ids);
  // One of those; throws Error(not_found) where there is none. Changes to it are kept.
  Transfer& held(TransferId id);

  // A new one, pending or waiting for its card.
  void begin(const Transfer& transfer);
  // Throws Error(conflict), and then nothing has changed.
  void advance(Transfer& transfer, TransferEvent on);
  // Writes all of it, once.
  void write();

 private:
  void set_aside(const Transfer& transfer);
  void tell(Transfer transfer, const std::string& event);
  void write_changed();
  void write_fresh();

  // Of an account and currency in an hour.
  using FlowKey = std::tuple<AccountId, Currency, Instant>;
  struct Moved {
    std::int64_t sent = 0, received = 0;
  };
  using Flows = std::map<FlowKey, Moved>;
  static void count(Flows& flows, const Transfer& transfer);
  struct FlowColumns;
  static FlowColumns columns_of(const Flows& flows);

  Tx& tx_;
  std::map<TransferId, Transfer> held_;
  std::vector<Transfer> fresh_, changed_;
  ledger::Batch books_;
  std::vector<jobs::Planned> returns_;
  std::vector<std::string> answered_;
  Flows counted_, uncounted_;
};

// The beginning of the hour, in which the limits count it.
Instant hour_of(Instant at);

}  // namespace bottega::wallet
