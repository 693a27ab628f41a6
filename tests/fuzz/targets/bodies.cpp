// Request bodies: the first byte chooses one of the types that routes take, the rest is the JSON.
// What is taken is written and read again, and is the same.
#include <array>

#include "fuzz/fuzz.hpp"
#include "gateway/step_up.hpp"
#include "bottega/catalog/browse.hpp"
#include "bottega/catalog/stock.hpp"
#include "bottega/checkout/links.hpp"
#include "bottega/checkout/quotes.hpp"
#include "bottega/conversations/conversations.hpp"
#include "bottega/conversations/inbox.hpp"
#include "bottega/conversations/messages.hpp"
#include "bottega/conversations/safety.hpp"
#include "bottega/conversations/search.hpp"
#include "bottega/disputes/disputes.hpp"
#include "bottega/disputes/top_ups.hpp"
#include "bottega/identity/fees.hpp"
#include "bottega/identity/guests.hpp"
#include "bottega/identity/identity.hpp"
#include "bottega/identity/invitations.hpp"
#include "bottega/identity/merchants.hpp"
#include "bottega/identity/preferences.hpp"
#include "bottega/notifications/subscriptions.hpp"
#include "bottega/ops/ops.hpp"
#include "bottega/orders/shipments.hpp"
#include "bottega/payments/questions.hpp"
#include "bottega/payments/refunds.hpp"
#include "bottega/payouts/payouts.hpp"
#include "bottega/pricing/discounts.hpp"
#include "bottega/processors/sandbox.hpp"
#include "bottega/returns/returns.hpp"
#include "bottega/risk/limits.hpp"
#include "bottega/settlements/settlements.hpp"
#include "bottega/support/staff.hpp"
#include "bottega/support/withdrawals.hpp"
#include "bottega/wallet/transfers.hpp"

namespace bottega::fuzz {
namespace {

using namespace catalog;
using namespace checkout;
using namespace conversations;
using namespace gateway;
using namespace identity;
using namespace notifications;
using namespace payments;
using namespace pricing;
using namespace wallet;

// Whether a value may be written at all: a secret may not.
template <class T>
consteval bool has_secret() {
  if constexpr (is_secret<T>::value || std::same_as<T, Secret>) {
    return true;
  } else if constexpr (is_optional<T>::value || is_list<T>::value || is_vector<T>::value) {
    return has_secret<typename T::value_type>();
  } else if constexpr (Described<T>) {
    return []<class... M>(boost::mp11::mp_list<M...>) {
      return (has_secret<std::remove_cvref_t<decltype(std::declval<T&>().*M::pointer)>>() || ...);
    }(boost::mp11::mp_rename<boost::describe::describe_members<T, boost::describe::mod_public>,
                             boost::mp11::mp_list>{});
  } else {
    return false;
  }
}

template <class T>
void read(const Json& json) {
  const auto body = answer_of([&] { return from_json<T>(json); });
  if (!body) return;
  if constexpr (!has_secret<T>()) {
    const auto written = to_json(*body);
    const auto again = answer_of([&] { return from_json<T>(written); });
    check(again && to_json(*again) == written, "a body reads back the same");
  }
}

// Every type of the routes; a test compares the two lists.
constexpr auto kBodies = std::to_array<void (*)(const Json&)>({
    read<Acceptance>,
    read<ChangedCollection>,
    read<ChangedMerchant>,
    read<ChangedMethod>,
    read<ChangedProduct>,
    read<ChangedVariant>,
    read<Confirmation>,
    read<CountedStock>,
    read<GuestUpgrade>,
    read<InvitationCode>,
    read<Login>,
    read<NewApiKey>,
    read<NewAssignee>,
    read<payments::NewCancellation>,
    read<NewCannedReply>,
    read<NewCheckoutSettings>,
    read<payments::NewAnswer>,
    read<payments::NewClosing>,
    read<NewCollection>,
    read<NewConversation>,
    read<NewDiscountCode>,
    read<NewFeePlan>,
    read<NewGuest>,
    read<NewInboxSettings>,
    read<NewInvitation>,
    read<NewLabels>,
    read<NewMerchant>,
    read<NewMessage>,
    read<NewMethod>,
    read<NewMute>,
    read<NewNote>,
    read<NewProduct>,
    read<NewReaction>,
    read<NewReport>,
    read<NewRequest>,
    read<NewRefund>,
    read<payments::StaffRefund>,
    read<NewRole>,
    read<NewShippingRate>,
    read<NewShippingZone>,
    read<NewSubscription>,
    read<NewTaxRate>,
    read<NewText>,
    read<NewTopUp>,
    read<NewTransfer>,
    read<NewVariant>,
    read<NewWithdrawal>,
    read<PasswordChange>,
    read<Preferences>,
    read<Receipt>,
    read<Refresh>,
    read<Refusal>,
    read<Registration>,
    read<Resolution>,
    read<Snooze>,
    read<StockAdjustment>,
    read<NewCart>,
    read<NewCheckout>,
    read<NewPaymentLink>,
    read<NewProposal>,
    read<NewQuote>,
    read<disputes::NewEvidence>,
    read<disputes::TopUpStatement>,
    read<identity::NewPin>,
    read<ops::ClockMove>,
    read<ops::StaffMember>,
    read<orders::ChangedOrder>,
    read<orders::ChangedShipment>,
    read<orders::NewOrderNote>,
    read<orders::NewShipment>,
    read<orders::NewTrackingEvent>,
    read<orders::TrackingNews>,
    read<payouts::Reason>,
    read<processors::Card>,
    read<returns::NewReturn>,
    read<returns::ReturnApproval>,
    read<returns::ReturnReceipt>,
    read<returns::ReturnRefund>,
    read<returns::ReturnRejection>,
    read<settlements::NewRun>,
    read<risk::NewLimits>,
    read<processors::NewDispute>,
    read<SearchSettings>,
    read<support::NewCase>,
    read<support::NewCasePriority>,
    read<support::NewCaseRating>,
    read<support::NewCaseReply>,
    read<support::NewHandOver>,
    read<support::WithdrawalStep>,
    read<support::staff::NewCaseAnswer>,
});

}  // namespace

void run(std::string_view input) {
  Input in(input);
  const auto which = in.number();
  const auto json = answer_of([&] { return parse_json(in.rest()); });
  if (json) kBodies[which % kBodies.size()](*json);
}

}  // namespace bottega::fuzz
