#include "bottega/conversations/writer.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <numeric>

#include "conversations/batch.hpp"
#include "bottega/conversations/inbox.hpp"

namespace bottega::conversations {
namespace {

constexpr std::size_t kHomesMax =
    100'000;  // conversations of which it is remembered whose they are
// Who sends a message again seldom sends one alone.
constexpr int kCarefulBatches = 100;

bool is_collision(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Collision&) {
    return true;
  } catch (...) {
    return false;
  }
}

bool is_refusal(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Collision&) {
    return true;
  } catch (const Error& error) {
    return error.code() == Code::internal;
  } catch (...) {
    return false;
  }
}

}  // namespace

struct Writer::Knowledge {
  Batch::Homes homes;
  int careful_left = 0;     // batches that are to look first
  bool is_careful = false;  // the one that is being written
};

Writer::Writer(Database& db, std::size_t batch_max, std::size_t waiting_max)
    : db_(db),
      batch_max_(batch_max),
      waiting_max_(waiting_max),
      knowledge_(std::make_unique<Knowledge>()) {}

DatabaseOptions Writer::options_from(DatabaseOptions options) {
  options.threads = 1;
  options.parameters = {{"default_transaction_read_only", "off"},
                        {"plan_cache_mode", "force_generic_plan"},
                        {"enable_seqscan", "off"},
                        {"jit", "off"}};
  return options;
}

Writer::~Writer() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return !is_writing_; });
}

void Writer::send(const Who& who, ConversationId conversation, NewMessage message, Done done) {
  require_looked_up(message);
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
  std::vector<Waiting> messages;
  {
    const std::lock_guard lock(mutex_);
    bool is_apart = false;
    while (!waiting_.empty() && messages.size() < batch_max_ && !is_apart) {
      // One with files is written by itself, behind what came before it.
      is_apart = waiting_.front().message.attachments.has_value();
      if (is_apart && !messages.empty()) break;
      messages.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    is_writing_ = !messages.empty();
    if (!is_writing_) idle_.notify_all();
    if (!is_writing_) return false;
  }
  batch_ = std::make_unique<Batch>(std::move(messages), knowledge_->homes);
  knowledge_->is_careful = knowledge_->careful_left > 0;
  if (knowledge_->is_careful) --knowledge_->careful_left;
  return true;
}

void Writer::write_on() {
  while (take()) {
    if (write_batch()) return;
  }
}

bool Writer::write_batch() {
  try {
    db_.post(
        Mode::single, [this](Tx& tx) { batch_->write(tx, knowledge_->is_careful); },
        [this](std::exception_ptr failure) { written(failure); });
    return true;
  } catch (...) {
    finish(std::current_exception());
    return false;
  }
}

// A batch that the database refused is written message by message, so that the one which it cannot
// take does not take the others with it.
void Writer::written(std::exception_ptr failure) {
  std::vector<std::size_t> alone;
  if (!knowledge_->is_careful && failure && is_collision(failure)) {
    knowledge_->is_careful = true;
    knowledge_->careful_left = kCarefulBatches;
    if (!write_batch()) write_on();
    return;
  }
  if (failure && is_refusal(failure)) {
    alone.resize(batch_->messages.size());
    std::iota(alone.begin(), alone.end(), 0);
  } else if (failure) {
    finish(failure);
    return write_on();
  } else {
    alone = batch_->alone();
    if (knowledge_->homes.size() > kHomesMax) knowledge_->homes.clear();
    batch_->learn(knowledge_->homes);
  }
  write_alone(std::move(alone), 0);
}

void Writer::write_alone(std::vector<std::size_t> which, std::size_t next) {
  for (; next < which.size(); ++next) {
    const auto i = which[next];
    try {
      db_.post(
          Mode::write,
          [this, i](Tx& tx) {
            const auto& waiting = batch_->messages[i];
            const auto event =
                conversations::send(tx, waiting.who, waiting.conversation, waiting.message);
            batch_->outcomes[i].frame = std::make_shared<const std::string>(to_frame(event).dump());
          },
          [this, which, next](std::exception_ptr failure) {
            if (failure) batch_->outcomes[which[next]] = {nullptr, failure};
            write_alone(which, next + 1);
          });
      return;
    } catch (...) {
      batch_->outcomes[i] = {nullptr, std::current_exception()};
    }
  }
  finish(nullptr);
  answer_away(0);
}

// The answers do not wait for it, and what goes wrong with it is not theirs.
void Writer::answer_away(std::size_t next) {
  const auto& away = batch_->away();
  if (next == away.size()) return write_on();
  const auto& due = *std::next(away.begin(), static_cast<std::ptrdiff_t>(next));
  try {
    db_.post(
        Mode::write,
        [merchant = due.second, id = due.first](Tx& tx) { answer_if_away(tx, merchant, id); },
        [this, next](std::exception_ptr) { answer_away(next + 1); });
  } catch (const Error&) {
    write_on();
  }
}

void Writer::finish(std::exception_ptr failure) {
  for (std::size_t i = 0; i < batch_->messages.size(); ++i) {
    // The batch stays until the next one; whoever waited for it must not.
    const auto done = std::exchange(batch_->messages[i].done, nullptr);
    done(failure ? Sent{nullptr, failure} : std::move(batch_->outcomes[i]));
  }
}

}  // namespace bottega::conversations
