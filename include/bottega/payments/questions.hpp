#pragma once
// Before it takes money for what a buyer has picked, the server may ask the shop whether the sale
// can go on. A shop that says nothing in time has given its standing answer.
#include "bottega/payments/payments.hpp"

namespace bottega::payments {

using pricing::StandingAnswer;
using Answer = StandingAnswer;

struct Question {
  PaymentId payment_id;
  RequestId payment_request_id;
  Answer standing_answer{};
  std::optional<Answer> answer;
  std::optional<std::string> reason;       // of a refusal, for the buyer
  std::optional<std::string> answered_by;  // nothing: it is the standing answer
  Instant asked_at{}, answer_by{};
  std::optional<Instant> answered_at;
};
BOOST_DESCRIBE_STRUCT(Question, (),
                      (payment_id, payment_request_id, standing_answer, answer, reason, answered_by,
                       asked_at, answer_by, answered_at))

struct NewAnswer {
  Answer answer{};
  std::optional<Text<1, 255>> reason;
};
BOOST_DESCRIBE_STRUCT(NewAnswer, (), (answer, reason))

// The newest question about a request, for the shop's side. Throws Error(not_found).
Question fetch_question(Tx& tx, const Who& who, RequestId id);
// By the shop's side. The same answer again is the same; another one, or one that comes too late,
// throws Error(conflict).
Question answer_question(Tx& tx, const Who& who, RequestId id, const NewAnswer& given);
// Those of a shop that wait for an answer, oldest first.
std::vector<Question> open_questions(Tx& tx, const Who& who, MerchantId merchant);

// What was asked about a payment, if anything was.
std::optional<Question> find_question(Tx& tx, MerchantId merchant, PaymentId id);
// Its answer by now or, where there is none, the standing one: nobody can answer it any more.
Question close_question(Tx& tx, MerchantId merchant, PaymentId id);

}  // namespace bottega::payments
