#include "payments/questions.hpp"

#include "payments/rows.hpp"

namespace bottega::payments {
namespace {

constexpr std::int64_t kOpenMax = 100;

const Sql<void(MerchantId, PaymentId, RequestId, Answer, Instant, Instant)> kAsk{
    "payments.ask_shop", R"(
    INSERT INTO payment_questions (merchant_id, payment_id, payment_request_id, standing_answer,
                                   asked_at, answer_by)
    VALUES ($1, $2, $3, $4, $5, $6))"};

const Sql<Question(MerchantId, PaymentId)> kOfPayment{"payments.question", R"(
    SELECT payment_id, payment_request_id, standing_answer, answer, reason, answered_by, asked_at,
           answer_by, answered_at
    FROM payment_questions WHERE merchant_id = $1 AND payment_id = $2)"};

const Sql<Question(MerchantId, RequestId)> kNewest{"payments.newest_question", R"(
    SELECT payment_id, payment_request_id, standing_answer, answer, reason, answered_by, asked_at,
           answer_by, answered_at
    FROM payment_questions WHERE merchant_id = $1 AND payment_request_id = $2
    ORDER BY payment_id DESC LIMIT 1 FOR UPDATE)"};

const Sql<Question(MerchantId, RequestId)> kNewestRead{"payments.newest_question_read", R"(
    SELECT payment_id, payment_request_id, standing_answer, answer, reason, answered_by, asked_at,
           answer_by, answered_at
    FROM payment_questions WHERE merchant_id = $1 AND payment_request_id = $2
    ORDER BY payment_id DESC LIMIT 1)"};

const Sql<Question(MerchantId, PaymentId, Answer, std::optional<std::string>, std::string, Instant)>
    kAnswer{"payments.answer_question", R"(
    UPDATE payment_questions SET answer = $3, reason = $4, answered_by = $5, answered_at = $6
    WHERE merchant_id = $1 AND payment_id = $2
    RETURNING payment_id, payment_request_id, standing_answer, answer, reason, answered_by,
              asked_at, answer_by, answered_at)"};

const Sql<Question(MerchantId, PaymentId, Instant)> kClose{"payments.close_question", R"(
    UPDATE payment_questions
    SET answer = coalesce(answer, standing_answer), answered_at = coalesce(answered_at, $3)
    WHERE merchant_id = $1 AND payment_id = $2
    RETURNING payment_id, payment_request_id, standing_answer, answer, reason, answered_by,
              asked_at, answer_by, answered_at)"};

const Sql<Question(MerchantId, Instant, std::int64_t)> kOpen{"payments.open_questions", R"(
    SELECT payment_id, payment_request_id, standing_answer, answer, reason, answered_by, asked_at,
           answer_by, answered_at
    FROM payment_questions
    WHERE merchant_id = $1 AND answer IS NULL AND answer_by > $2 ORDER BY payment_id LIMIT $3)"};

// Where the one who asks belongs to the shop.
MerchantId shop_of(Tx& tx, const Who& who, RequestId id) {
  const auto merchant = identity::merchant_of(tx, id.uuid);
  identity::require_member(tx, who, merchant, identity::Role::agent, identity::Scope::payments);
  return merchant;
}

[[noreturn]] void refuse_none() {
  throw Error(Code::not_found, "nothing was asked about this request");
}

}  // namespace

void ask_shop(Tx& tx, const Request& request, const Payment& payment, const Rules& rules) {
  const auto settings = pricing::read_rules(tx, request.merchant_id).pre_checkout;
  if (!settings.ask) return;
  const auto answer_by = tx.now() + rules.answer_within;
  tx.run(kAsk, request.merchant_id, payment.id, request.id, settings.standing_answer, tx.now(),
         answer_by);
  conversations::Seat shop;
  shop.merchant = request.merchant_id;
  shop.conversation = request.conversation_id;
  shop.buyer = request.buyer_id;
  shop.side = conversations::Side::merchant;
  conversations::tell_merchant(tx, shop, "payment_request.question",
                               {{"payment_request", to_json(request)},
                                {"payment_id", text_of(payment.id)},
                                {"standing_answer", text_of(settings.standing_answer)},
                                {"answer_by", text_of(answer_by)}});
}

Question fetch_question(Tx& tx, const Who& who, RequestId id) {
  const auto found = tx.find(kNewestRead, shop_of(tx, who, id), id);
  if (!found) refuse_none();
  return *found;
}

Question answer_question(Tx& tx, const Who& who, RequestId id, const NewAnswer& given) {
  const auto merchant = shop_of(tx, who, id);
  const auto question = tx.find(kNewest, merchant, id);
  if (!question) refuse_none();
  if (question->answered_by && question->answer == given.answer) return *question;
  if (question->answered_by)
    throw Error(Code::conflict, "it was answered already: " + text_of(*question->answer));
  if (question->answer || question->answer_by <= tx.now())
    throw Error(Code::conflict, "it is too late: the standing answer was given, " +
                                    text_of(question->standing_answer));
  std::optional<std::string> reason;
  if (given.reason) reason = given.reason->value;
  return tx.one(kAnswer, merchant, question->payment_id, given.answer, reason, who.actor(),
                tx.now());
}

std::vector<Question> open_questions(Tx& tx, const Who& who, MerchantId merchant) {
  identity::require_member(tx, who, merchant, identity::Role::agent, identity::Scope::payments);
  return tx.all(kOpen, merchant, tx.now(), kOpenMax);
}

std::optional<Question> find_question(Tx& tx, MerchantId merchant, PaymentId id) {
  return tx.find(kOfPayment, merchant, id);
}

Question close_question(Tx& tx, MerchantId merchant, PaymentId id) {
  return tx.one(kClose, merchant, id, tx.now());
}

}  // namespace bottega::payments
