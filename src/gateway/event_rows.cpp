// The events that clients are told of, in conversations and beside them.
#include "gateway/asyncapi.hpp"
#include "bottega/catalog/feeds.hpp"
#include "bottega/checkout/carts.hpp"
#include "bottega/disputes/top_ups.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/returns/returns.hpp"
#include "bottega/support/support.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::gateway {
namespace {

SchemaOf text_schema() { return kGives<Text<1, 4096>>; }

// The return in the conversation is the return without the buyer's words.
Json return_schema(Components& components) {
  schema_of<returns::Return>(components);
  Json shown = components.at("Return");
  shown["properties"].erase("note");
  return shown;
}

// The request in the conversation is the request without how to reach the buyer.
Json request_schema(Components& components) {
  schema_of<payments::Request>(components);
  Json shown = components.at("Request");
  shown["properties"].erase("contact");
  shown["properties"].erase("ship_to");
  return shown;
}

const EventRow kEvents[] = {
    {"message.created", Durable::yes, "Somebody wrote, offered products or asked about one.",
     "text", text_schema()},
    {"message.edited", Durable::yes, "Somebody changed what they wrote.", "text", text_schema()},
    {"message.deleted", Durable::yes, "Somebody took back what they wrote.", "message_seq",
     kGives<Count<1, INT64_MAX>>},
    {"message.reacted", Durable::yes, "Somebody reacted; no emoji takes the reaction back.",
     "emoji", kGives<std::optional<Emoji>>},
    {"cart.proposed", Durable::yes,
     "The merchant's side proposes a cart, with its prices as they are then.", "cart",
     kGives<checkout::ProposedCart>},
    {"payment_request.created", Durable::yes, "The merchant asks for money.", "payment_request",
     request_schema},
    {"payment_request.accepted", Durable::yes, "The buyer pays; the outcome follows.",
     "payment_request", request_schema},
    {"payment_request.action_required", Durable::yes, "The buyer must confirm at the processor.",
     "payment_request", request_schema},
    {"payment_request.payment_failed", Durable::yes,
     "The attempt failed; the request is open again.", "payment_request", request_schema},
    {"payment_request.paid", Durable::yes, "The money is captured.", "payment_request",
     request_schema},
    {"payment_request.declined", Durable::yes, "The buyer declined.", "payment_request",
     request_schema},
    {"payment_request.cancelled", Durable::yes, "The merchant took it back.", "payment_request",
     request_schema},
    {"payment_request.expired", Durable::yes, "Nobody paid in time.", "payment_request",
     request_schema},
    {"payment_request.question", Durable::no,
     "The shop's side is asked, before a charge, whether the sale may go on, and until when it can "
     "answer.",
     "payment_request", kGives<payments::Request>},
    {"order.created", Durable::yes, "A captured payment made an order.", "order", nullptr},
    {"order.edited", Durable::yes, "The address, or a parcel's number, was corrected.", "order",
     nullptr},
    {"order.part_shipped", Durable::yes, "A part was sent; more will be.", "order", nullptr},
    {"order.shipped", Durable::yes, "Marked as sent, with all that was left.", "order", nullptr},
    {"order.rest_closed", Durable::yes,
     "Counts as sent with the part that was; the rest is refunded.", "order", nullptr},
    {"order.out_for_delivery", Durable::yes, "A parcel comes today.", "order", nullptr},
    {"order.exception", Durable::yes, "A parcel has met with a problem.", "order", nullptr},
    {"order.part_delivered", Durable::yes, "A parcel has arrived; others have not.", "order",
     nullptr},
    {"order.delivered", Durable::yes, "Delivered.", "order", nullptr},
    {"order.completed", Durable::yes, "Delivered long enough ago.", "order", nullptr},
    {"order.cancelled", Durable::yes, "Cancelled; a refund follows.", "order", nullptr},
    {"order.withdrawn", Durable::yes,
     "The buyer has withdrawn from the contract; `withdrawal` has the date and the words.", "order",
     nullptr},
    {"support_case.created", Durable::yes, "The buyer asks for help.", "support_case",
     kGives<support::SupportCase>},
    {"support_case.replied", Durable::yes,
     "A reply or an answer; the next message is it, or `text` where `from` is Help.",
     "support_case", kGives<support::SupportCase>},
    {"support_case.reopened", Durable::yes, "What was solved is not.", "support_case",
     kGives<support::SupportCase>},
    {"support_case.handed_over", Durable::yes, "The platform's staff answers from now on.",
     "support_case", kGives<support::SupportCase>},
    {"support_case.solved", Durable::yes, "It is solved, unless the buyer replies.", "support_case",
     kGives<support::SupportCase>},
    {"support_case.closed", Durable::yes, "It is closed for good.", "support_case",
     kGives<support::SupportCase>},
    {"return.requested", Durable::yes, "The buyer asks to send something back.", "return",
     return_schema},
    {"return.approved", Durable::yes, "The shop waits for it until `return_by`.", "return",
     return_schema},
    {"return.rejected", Durable::yes, "The shop does not take it; `decision` says why.", "return",
     return_schema},
    {"return.cancelled", Durable::yes, "The buyer keeps it.", "return", return_schema},
    {"return.expired", Durable::yes, "Nothing came back in time.", "return", return_schema},
    {"return.received", Durable::yes, "It has come back; `received` says what.", "return",
     return_schema},
    {"return.refunding", Durable::yes, "A refund for it has begun.", "return", return_schema},
    {"return.refund_failed", Durable::yes, "The refund has failed, or has come back.", "return",
     return_schema},
    {"return.refunded", Durable::yes, "It has ended with its refund.", "return", return_schema},
    {"refund.created", Durable::yes, "A refund has begun.", "refund", kGives<payments::Refund>},
    {"refund.succeeded", Durable::yes, "The money went back.", "refund", kGives<payments::Refund>},
    {"refund.failed", Durable::yes, "The processor refused it, or it came back.", "refund",
     kGives<payments::Refund>},
    {"dispute.opened", Durable::yes, "The buyer's bank takes the payment back.", "dispute",
     kGives<disputes::Shown>},
    {"dispute.closed", Durable::yes, "The bank has decided, or the merchant has accepted.",
     "dispute", kGives<disputes::Shown>},
    {"transfer.created", Durable::no, "Money was sent; the recipient may accept it.", "transfer",
     kGives<wallet::Transfer>},
    {"transfer.accepted", Durable::no, "The recipient has the money.", "transfer",
     kGives<wallet::Transfer>},
    {"transfer.declined", Durable::no, "The recipient does not take it; it is back.", "transfer",
     kGives<wallet::Transfer>},
    {"transfer.cancelled", Durable::no, "The sender took it back.", "transfer",
     kGives<wallet::Transfer>},
    {"transfer.returned", Durable::no, "Nobody accepted it in time; it is back.", "transfer",
     kGives<wallet::Transfer>},
    {"transfer.failed", Durable::no, "To the sender: the charge for it failed; nothing was sent.",
     "transfer", kGives<wallet::Transfer>},
    {"top_up.created", Durable::no, "A card is being charged for the balance.", "top_up",
     kGives<wallet::TopUp>},
    {"top_up.action_required", Durable::no, "The charge must be confirmed at the processor.",
     "top_up", kGives<wallet::TopUp>},
    {"top_up.succeeded", Durable::no, "The money is there.", "top_up", kGives<wallet::TopUp>},
    {"top_up.failed", Durable::no, "The card was not charged.", "top_up", kGives<wallet::TopUp>},
    {"withdrawal.created", Durable::no, "Money is set aside for the bank.", "withdrawal",
     kGives<wallet::Withdrawal>},
    {"withdrawal.succeeded", Durable::no, "The money was sent to the bank.", "withdrawal",
     kGives<wallet::Withdrawal>},
    {"withdrawal.failed", Durable::no, "The bank refused it; the money is back.", "withdrawal",
     kGives<wallet::Withdrawal>},
    {"top_up.disputed", Durable::no, "To its owner: their bank takes the charge back.", "dispute",
     kGives<disputes::TopUpDisputeShown>},
    {"top_up.dispute_closed", Durable::no, "To its owner: the bank has decided.", "dispute",
     kGives<disputes::TopUpDisputeShown>},
    {"receipt.updated", Durable::no, "A marker of a member moved forward.", "", nullptr},
    {"conversation.updated", Durable::no,
     "To the merchant's side: another status, assignee or label. The buyer's message reopens a "
     "conversation without it.",
     "", nullptr},
    {"support_case.updated", Durable::no,
     "To the merchant's side: a case of a buyer, with what only they see of it.", "support_case",
     kGives<support::SupportCase>},
    {"platform_case.updated", Durable::no,
     "To the merchant's members: what they have asked the platform.", "support_case",
     kGives<support::SupportCase>},
    {"note.created", Durable::no, "To the merchant's side: a note.", "", nullptr},
    {"note.deleted", Durable::no, "To the merchant's side: a note was taken back.", "", nullptr},
    {"payout.paid", Durable::no, "To owners and managers: sent to the bank.", "", nullptr},
    {"payout.failed", Durable::no,
     "To owners and managers: the bank has sent it back, or refuses it and it is not tried again.",
     "", nullptr},
    {"dispute.reminder", Durable::no,
     "To the merchant's side: evidence for a dispute is due in two days.", "", nullptr},
    {"feed_import.updated", Durable::no,
     "To the merchant's side: an import of a product feed has got further, or has ended.",
     "feed_import", kGives<catalog::FeedImport>},
    {"cart.updated", Durable::no,
     "The cart of the conversation is another: the buyer changed it, or bought what was in it.",
     "cart", kGives<checkout::Cart>},
    {"typing.started", Durable::no, "Somebody is typing.", "", nullptr},
    {"presence.changed", Durable::no, "The other side came or went, or shows it no longer.", "",
     nullptr},
};

}  // namespace

std::span<const EventRow> event_rows() { return kEvents; }

}  // namespace bottega::gateway
