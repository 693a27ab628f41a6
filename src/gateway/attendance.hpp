#pragma once
// Says of a socket's user that they are there, for as long as the socket is.
#include "bottega/notifications/presence.hpp"

namespace bottega::gateway {

class Attendance {
 public:
  Attendance() = default;
  ~Attendance() { end(); }
  Attendance(const Attendance&) = delete;
  Attendance& operator=(const Attendance&) = delete;

  // An API key is nobody who could be there.
  void begin(notifications::Presence* presence, const identity::Who& who) {
    end();
    if (presence == nullptr || who.kind != identity::Kind::person) return;
    presence_ = presence;
    account_ = who.account;
    presence_->arrived(account_);
  }
  void end() {
    if (presence_ != nullptr) std::exchange(presence_, nullptr)->left(account_);
  }

 private:
  notifications::Presence* presence_ = nullptr;
  identity::AccountId account_;
};

}  // namespace bottega::gateway
