#include "support/world.hpp"

#include "bottega/attempts/attempts.hpp"
#include "bottega/checkout/quotes.hpp"
#include "bottega/core/digest.hpp"

namespace bottega::test {
namespace {

using namespace std::chrono_literals;

DatabaseOptions options_of(const std::string& url, const std::string& schema, unsigned threads) {
  DatabaseOptions options;
  options.url = url;
  options.schema = schema;
  options.threads = threads;
  return options;
}

constexpr std::string_view kSecret = "a webhook secret of the tests";

}  // namespace

processors::SandboxOptions World::default_options() {
  processors::SandboxOptions options;
  options.webhook_secret = Secret(std::string(kSecret));
  options.page_url = "http://sandbox.example";
  // Long enough for a busy machine, short enough for a processor that does not answer.
  options.answer_timeout = 500ms;
  options.slow = 1ms;
  return options;
}

World::World(processors::SandboxOptions options)
    : urls(database.urls()),
      db(options_of(urls.app, "bottega", 4), clock,
         [this](std::vector<Notice> news) { hear(std::move(news)); }),
      chat_db(conversations::Writer::options_from(options_of(urls.app, "bottega", 1)), clock,
              [this](std::vector<Notice> news) { hear(std::move(news)); }),
      sandbox_db(processors::Sandbox::options_from(options_of(urls.sandbox, "sandbox", 2)), clock),
      sandbox(sandbox_db, std::move(options)),
      payment_rules{75'000'000,
                    24h,
                    10'000ms,
                    std::chrono::days(7),
                    std::chrono::days(180),
                    payments::FeeOnRefund::proportional},
      payout_rules{3, 10'000ms, std::nullopt, 0, std::chrono::days(30), 8},
      wallet_rules{"sandbox", 75'000'000,           10'000ms, 100'000, 250'000, 1'000'000, 250'000,
                   1'000'000, std::chrono::days(30)},
      depot(config, files.path() / "attachments", clock, Secret("a secret of the tests")),
      job_world{db, registry, payment_rules, payout_rules, wallet_rules, depot},
      runner(db, job_kinds(job_world), 16) {
  registry.add(processors::make_sandbox_processor(sandbox));
  payment_rules.paid = checkout::bought;
  payment_rules.trying = checkout::require_of_cart;
}
World::~World() = default;

void World::hear(std::vector<Notice> news) {
  const std::lock_guard lock(mutex_);
  for (auto& notice : news) notices.push_back(std::move(notice));
}

identity::Who World::person(const std::string& name) {
  identity::Who who;
  who.kind = identity::Kind::person;
  const auto email = from_text<Email>("p" + random_token(12) + "@people.example");
  who.account = transact([&](Tx& tx) {
                  return identity::register_account(tx, email, name, "no password", std::nullopt);
                }).id;
  return who;
}

identity::Who World::staff(identity::StaffRole role) {
  identity::Who who;
  who.kind = identity::Kind::person;
  who.staff = role;
  const auto email = from_text<Email>("s" + random_token(12) + "@staff.example");
  who.account = transact([&](Tx& tx) {
                  return identity::register_account(tx, email, "Sam Staff", "no password", role);
                }).id;
  return who;
}

identity::Merchant World::merchant(const identity::Who& owner, const std::string& currency) {
  const identity::NewMerchant given{from_text<Line<1, 100>>("Ada's Lamps"),
                                    from_text<Country>("US"), from_text<Currency>(currency)};
  return transact([&](Tx& tx) {
    return identity::create_merchant(tx, owner, given, {290, 30}, "sandbox", "US");
  });
}

void World::activate(identity::MerchantId merchant) {
  const processors::Onboarding ask{text_of(merchant), "http://shop.example/back"};
  const auto page = run(registry.get("sandbox").onboard(ask));
  transact([&](Tx& tx) { identity::begin_onboarding(tx, merchant, page.account); });
  const processors::Application application{Secret("Ada Lamp"), Secret("1 Main St, Springfield"),
                                            Secret("123-45-6789")};
  run(sandbox.apply(page.account, application));
  deliver_webhooks();
  run_jobs();
}

Shop World::shop(const std::string& currency) {
  Shop shop;
  shop.owner = person("Otto Owner");
  shop.buyer = person("Bea Buyer");
  shop.merchant = merchant(shop.owner, currency).id;
  activate(shop.merchant);
  shop.conversation = transact([&](Tx& tx) {
                        return conversations::open(tx, shop.buyer, {shop.merchant});
                      }).conversation.id;
  return shop;
}

identity::Merchant World::take(const Shop& shop, const std::vector<std::string>& currencies) {
  const auto given = from_json<identity::ChangedMerchant>({{"currencies", currencies}});
  return transact([&](Tx& tx) { return identity::change_merchant(tx, shop.merchant, given); });
}

identity::Who World::member(const Shop& shop, identity::Role role) {
  const auto who = person();
  transact([&](Tx& tx) { identity::add_member(tx, shop.merchant, who.account, role); });
  return who;
}

identity::Who World::key_with(const Shop& shop, identity::Scope scope) {
  const auto given =
      from_json<identity::NewApiKey>({{"name", "Bot"}, {"scopes", {text_of(scope)}}});
  return transact([&](Tx& tx) {
    const auto issued = identity::issue_api_key(tx, shop.owner, shop.merchant, given);
    return identity::authenticate(tx, issued.secret);
  });
}

std::int64_t World::last_seq(const Shop& shop) {
  return transact(
      [&](Tx& tx) { return conversations::fetch(tx, shop.buyer, shop.conversation).last_seq; });
}

payments::Request World::ask(const Shop& shop, std::int64_t amount, const std::string& currency) {
  const Json given = {{"conversation_id", text_of(shop.conversation)},
                      {"title", "Lamp"},
                      {"description", "A lamp of brass"},
                      {"currency", currency},
                      {"lines", {{{"name", "Lamp"}, {"quantity", 1}, {"unit_amount", amount}}}}};
  const auto request = from_json<payments::NewRequest>(given);
  return transact([&](Tx& tx) { return payments::ask(tx, shop.owner, request, payment_rules); });
}

payments::Accepted World::pay(const Shop& shop, const payments::Request& request,
                              const std::string& token) {
  const auto given = acceptance(token);
  const auto payment = transact(
      [&](Tx& tx) { return payments::begin(tx, shop.buyer, request.id, given, payment_rules); });
  const auto outcome = run(payments::call(db, registry.get("sandbox"), shop.merchant, payment.id,
                                          token, "http://shop.example/back"));
  return transact([&](Tx& tx) {
    return payments::settle(tx, shop.merchant, payment.id, outcome, payment_rules);
  });
}

payouts::Shipped World::ship(const Shop& shop, const orders::Order& order) {
  const orders::NewShipment shipment{from_text<Line<1, 50>>("USPS"),
                                     from_text<Line<1, 60>>("9400111899223197428490"),
                                     std::nullopt};
  return transact(
      [&](Tx& tx) { return payouts::ship(tx, shop.owner, order.id, shipment, payout_rules); });
}

orders::Order World::sell(const Shop& shop, std::int64_t amount, const std::string& currency) {
  return pay(shop, ask(shop, amount, currency)).order.value();
}

payments::Cancelled World::cancel(const Shop& shop, const orders::Order& order) {
  return transact([&](Tx& tx) {
    return payments::cancel_order(tx, shop.owner, order.id, "sold out", payment_rules);
  });
}

payments::Refund World::give_back(const Shop& shop, const orders::Order& order,
                                  std::optional<std::int64_t> amount) {
  Json given = {{"reason", "a scratch"}};
  if (amount) given["amount"] = *amount;
  const auto wanted = from_json<payments::NewRefund>(given);
  return transact([&](Tx& tx) {
    return payments::give_back(tx, shop.owner, order.payment_id, wanted, payment_rules);
  });
}

void World::pay_out(const payouts::Payout& payout, const processors::Registry& with) {
  const auto batch = transact(
      [&](Tx& tx) { return payouts::collect(tx, payout.merchant_id, payout.id, payout_rules); });
  if (batch) run(payouts::send(db, with, payout.merchant_id, batch->id, payout_rules));
}

wallet::TopUp World::top_up(const identity::Who& who, std::int64_t amount,
                            const std::string& token) {
  const Money money{amount, *Currency::find("USD")};
  const auto begun = transact([&](Tx& tx) {
    return wallet::begin_top_up(tx, who.account, money, std::nullopt, wallet_rules);
  });
  const auto outcome =
      run(wallet::charge(db, registry, begun.id, token, "http://shop.example/back"));
  return transact([&](Tx& tx) { return wallet::settle_top_up(tx, begun.id, outcome); });
}

wallet::Transfer World::send(const identity::Who& from, const identity::Who& to,
                             std::int64_t amount) {
  const auto given = from_json<wallet::NewTransfer>(
      {{"to", {{"account_id", text_of(to.account)}}}, {"amount", amount}, {"currency", "USD"}});
  return transact(
      [&](Tx& tx) { return wallet::send(tx, from.account, given, wallet_rules).transfer; });
}

wallet::WalletBalance World::balance(const identity::Who& who) {
  const auto wallet =
      transact([&](Tx& tx) { return wallet::wallet_of(tx, who.account, wallet_rules); });
  const auto usd = std::ranges::find(wallet.balances, "USD", &wallet::WalletBalance::currency);
  return usd == wallet.balances.end() ? wallet::WalletBalance{} : *usd;
}

void World::advance(std::chrono::seconds by) { clock.set_offset(clock.offset() + by); }

int World::run_jobs() { return run(runner.drain(50)); }

int World::deliver_webhooks() {
  int came = 0;
  static const Sql<std::string()> kNext{"test.take_event", R"(
      UPDATE events SET delivered_at = now() WHERE id =
        (SELECT id FROM events WHERE delivered_at IS NULL ORDER BY id LIMIT 1) RETURNING body)"};
  auto& processor = registry.get("sandbox");
  while (const auto body = sandbox_db.transact_blocking([&](Tx& tx) { return tx.find(kNext); })) {
    const auto at = clock.now() - clock.offset();
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch()).count();
    const processors::Headers headers = {
        {"bottega-sandbox-signature",
         processors::sign_webhook(Secret(std::string(kSecret)), *body, seconds)}};
    const auto event = processor.read_webhook(*body, headers, at);
    transact([&](Tx& tx) { attempts::keep_event(tx, "sandbox", event); });
    ++came;
  }
  return came;
}

ops::TrialBalance World::trial_balance() {
  return transact([](Tx& tx) { return ops::trial_balance(tx); });
}

std::vector<processors::BookEntry> World::books() { return run(sandbox.books()); }

orders::Address an_address() {
  return from_json<orders::Address>({{"name", "Bea Buyer"},
                                     {"street", "1 Main St"},
                                     {"city", "Springfield"},
                                     {"region", "IL"},
                                     {"postal_code", "62701"},
                                     {"country", "US"}});
}

payments::Acceptance acceptance(const std::string& token) {
  return {{std::nullopt, from_text<Opaque<128>>(token)}, an_address(), std::nullopt, std::nullopt};
}

}  // namespace bottega::test
