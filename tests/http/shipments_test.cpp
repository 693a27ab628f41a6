// Parcels through the front door: sent in parts, followed by both sides, and told of by carriers
// who sign.
#include "http/routes.hpp"
#include "http/story.hpp"
#include "bottega/core/webhook_signature.hpp"

namespace bottega::test {
namespace shipments_test {

constexpr const char* kNumber = "1Z5R89390357567127";

class ShipmentRoutes : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    house_ = new House;
    shop_ = new Storefront(shop(house_->server));
  }
  static void TearDownTestSuite() {
    delete shop_;
    delete house_;
  }
  // An order of three lamps.
  static Json sold() {
    auto owner = shop_->owner.api;
    auto asked = new_request(*shop_, 1'000);
    asked["lines"][0]["quantity"] = 3;
    const auto request = owner.post("/v1/payment_requests", asked).json();
    return accept(*shop_, request).json()["order"];
  }
  static std::string path_of(const Json& order, const std::string& below = "") {
    return "/v1/orders/" + order["id"].get<std::string>() + below;
  }
  static Answer send_part(const Json& order, std::int64_t quantity) {
    auto owner = shop_->owner.api;
    return owner.post(
        path_of(order, "/ship"),
        {{"tracking_number", kNumber}, {"lines", {{{"line", 0}, {"quantity", quantity}}}}});
  }
  static Json log() {
    auto buyer = shop_->buyer.api;
    return buyer.get(shop_->path("/messages?limit=100&after=0")).json()["data"];
  }
  static std::string now_s() {
    using namespace std::chrono;
    return std::to_string(floor<seconds>(system_clock::now().time_since_epoch()).count());
  }
  static Answer hear(const std::string& merchant, const std::string& secret, const Json& news,
                     const std::string& id) {
    const auto at = now_s(), body = news.dump();
    return Client(house_->server.port())
        .send("POST", "/v1/tracking/webhook/" + merchant, body,
              {{"Content-Type", "application/json"},
               {"webhook-id", id},
               {"webhook-timestamp", at},
               {"webhook-signature", signature_of(Secret(secret), id, at, body)}});
  }

  static inline House* house_ = nullptr;
  static inline Storefront* shop_ = nullptr;
};

TEST_F(ShipmentRoutes, SendPartsAndPayWithTheLast) {
  const auto order = sold();
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  const auto first = send_part(order, 1);
  ASSERT_EQ(first.status, 200) << first.body;
  EXPECT_EQ(first.json()["order"]["state"], "paid");
  EXPECT_EQ(first.json()["order"]["fulfilment"], "partial");
  EXPECT_TRUE(first.json()["payout"].is_null());
  EXPECT_EQ(first.json()["shipment"]["carrier"], "ups");
  EXPECT_TRUE(first.json()["warnings"].empty());
  const auto more = send_part(order, 3);
  EXPECT_TRUE(is_problem(more, 422, "invalid"));
  EXPECT_TRUE(points_at(more.json(), "/lines/0/quantity"));
  const auto last = owner.post(path_of(order, "/ship"), {{"carrier", "other"}});
  ASSERT_EQ(last.status, 200) << last.body;
  EXPECT_EQ(last.json()["order"]["state"], "shipped");
  EXPECT_EQ(last.json()["payout"]["state"], "scheduled");
  const auto parcels = buyer.get(path_of(order, "/shipments")).json()["data"];
  ASSERT_EQ(parcels.size(), 2u);
  EXPECT_EQ(parcels[0], first.json()["shipment"]);
  EXPECT_EQ(buyer.get("/v1/shipments/" + parcels[1]["id"].get<std::string>()).json(), parcels[1]);
}

TEST_F(ShipmentRoutes, CloseTheRestOnceHoweverOftenItIsAsked) {
  const auto order = sold();
  send_part(order, 1);
  auto owner = shop_->owner.api;
  EXPECT_TRUE(
      is_problem(owner.post(path_of(order, "/cancel"), {{"reason", "x"}}), 409, "conflict"));
  const HeaderList key = {{"Idempotency-Key", new_key()}};
  const Json body = {{"reason", "out of stock"}};
  const auto closed = owner.post(path_of(order, "/close_rest"), body, key);
  ASSERT_EQ(closed.status, 200) << closed.body;
  EXPECT_EQ(closed.json()["order"]["state"], "shipped");
  EXPECT_EQ(closed.json()["refund"]["amount"]["amount"], 2'000);
  EXPECT_EQ(closed.json()["payout"]["state"], "held");
  EXPECT_EQ(owner.post(path_of(order, "/close_rest"), body, key).body, closed.body);
  EXPECT_TRUE(is_problem(owner.post(path_of(order, "/close_rest"), body), 409, "conflict"));
}

TEST_F(ShipmentRoutes, CorrectTheAddressUntilSomethingIsSent) {
  const auto order = sold();
  auto buyer = shop_->buyer.api;
  auto address = pay_with("")["ship_to"];
  address["street"] = "2 Main St";
  const auto changed = buyer.patch(path_of(order), {{"ship_to", address}});
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.json()["ship_to"], address);
  const auto entries = log();
  int edited = 0;
  for (const auto& entry : entries) edited += entry["event"] == "order.edited" ? 1 : 0;
  EXPECT_EQ(edited, 1);
  EXPECT_EQ(entries.dump().find("2 Main St"), std::string::npos);
  address["country"] = "CA";
  EXPECT_TRUE(
      points_at(buyer.patch(path_of(order), {{"ship_to", address}}).json(), "/ship_to/country"));
  EXPECT_TRUE(points_at(buyer.patch(path_of(order), Json::object()).json(), "/ship_to"));
  send_part(order, 1);
  EXPECT_TRUE(is_problem(buyer.patch(path_of(order), {{"ship_to", pay_with("")["ship_to"]}}), 409,
                         "conflict"));
}

TEST_F(ShipmentRoutes, KeepNotesFromTheBuyer) {
  const auto order = sold();
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  ASSERT_EQ(owner.post(path_of(order, "/notes"), {{"text", "Wrap it"}}).status, 201);
  EXPECT_EQ(owner.get(path_of(order, "/notes")).json()["data"][0]["text"], "Wrap it");
  EXPECT_TRUE(is_problem(buyer.get(path_of(order, "/notes")), 404, "not_found"));
  EXPECT_TRUE(points_at(owner.post(path_of(order, "/notes"), {{"text", ""}}).json(), "/text"));
  EXPECT_EQ(log().dump().find("Wrap it"), std::string::npos);
}

TEST_F(ShipmentRoutes, FindAnOrderByItsNumber) {
  const auto order = sold();
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  auto number = order["number"].get<std::string>();
  number.erase(4, 1);
  const auto list = "/v1/orders?merchant_id=" + shop_->merchant + "&number=";
  const auto found = owner.get(list + number).json()["data"];
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0]["id"], order["id"]);
  number.back() = number.back() == '0' ? '1' : '0';
  EXPECT_TRUE(is_problem(owner.get(list + number), 422, "invalid"));
  EXPECT_TRUE(is_problem(buyer.get(list + "0000-0000"), 404, "not_found"));
  EXPECT_TRUE(is_problem(buyer.get("/v1/orders?number=0000-0000"), 422, "invalid"));
}

TEST_F(ShipmentRoutes, RecogniseNumbers) {
  auto owner = shop_->owner.api;
  const auto known = owner.get(std::string("/v1/tracking/recognise?number=") + kNumber).json();
  EXPECT_EQ(known["candidates"][0]["carrier"], "ups");
  EXPECT_EQ(known["candidates"][0]["check_digit"], "right");
  EXPECT_TRUE(known["warnings"].empty());
  const auto unknown = owner.get("/v1/tracking/recognise?number=x").json();
  EXPECT_TRUE(unknown["candidates"].empty());
  EXPECT_EQ(unknown["warnings"].size(), 1u);
  EXPECT_TRUE(is_problem(owner.get("/v1/tracking/recognise"), 422, "invalid"));
}

TEST_F(ShipmentRoutes, FollowAParcelToItsEnd) {
  const auto order = sold();
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  const auto sent = ship(*shop_, order).json();
  EXPECT_EQ(sent["warnings"].size(), 1u) << "its check digit is wrong";
  const auto path = "/v1/shipments/" + sent["shipment"]["id"].get<std::string>();
  const Json out = {{"status", "out_for_delivery"}, {"event_id", "scan 1"}};
  ASSERT_EQ(owner.post(path + "/events", out).status, 200);
  ASSERT_EQ(owner.post(path + "/events", out).status, 200);
  const auto arrived = owner.post(path + "/events", {{"status", "delivered"}});
  EXPECT_EQ(arrived.json()["status"], "delivered") << arrived.body;
  EXPECT_EQ(buyer.get(path + "/events").json()["data"].size(), 2u);
  EXPECT_EQ(buyer.get(path_of(order)).json()["state"], "delivered");
  EXPECT_TRUE(is_problem(buyer.post(path + "/events", out), 404, "not_found"));
  EXPECT_TRUE(points_at(owner.post(path + "/events", {{"status", "eaten"}}).json(), "/status"));
}

// ---- what others post ---------------------------------------------------------------------------

TEST_F(ShipmentRoutes, TakeSignedNewsOnce) {
  const auto order = sold();
  auto owner = shop_->owner.api, buyer = shop_->buyer.api;
  const auto parcel = ship(*shop_, order).json()["shipment"]["id"].get<std::string>();
  const auto made = owner.post("/v1/merchants/" + shop_->merchant + "/tracking_secret");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string secret = made.json()["secret"];
  const Json news = {{"shipment_id", parcel}, {"status", "in_transit"}, {"place", "Springfield"}};
  EXPECT_EQ(hear(shop_->merchant, secret, news, "msg_1").status, 204);
  EXPECT_EQ(hear(shop_->merchant, secret, news, "msg_1").status, 204);
  const auto events = buyer.get("/v1/shipments/" + parcel + "/events").json()["data"];
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["source"], "webhook");
  EXPECT_EQ(events[0]["place"], "Springfield");
  EXPECT_TRUE(
      is_problem(hear(shop_->merchant, secret, {{"status", "lost"}}, "msg_2"), 422, "invalid"));
}

TEST_F(ShipmentRoutes, TakeNoNewsThatIsNotSignedByThisMerchantsSecret) {
  const auto parcel = ship(*shop_, sold()).json()["shipment"]["id"].get<std::string>();
  const Json news = {{"shipment_id", parcel}, {"status", "delivered"}};
  auto buyer = shop_->buyer.api;
  const auto forged = hear(shop_->merchant, make_signing_secret(), news, "msg_3");
  EXPECT_TRUE(is_problem(forged, 403, "forbidden"));
  const auto nobody = hear("mer_01h2xcejqtf2nbrexx3vqjhp41", make_signing_secret(), news, "msg_3");
  EXPECT_TRUE(is_problem(nobody, 403, "forbidden")) << "and it does not tell who is a merchant";
  const auto bare = Client(house_->server.port())
                        .send("POST", "/v1/tracking/webhook/" + shop_->merchant, news.dump(),
                              {{"Content-Type", "application/json"}});
  EXPECT_TRUE(is_problem(bare, 403, "forbidden"));
  EXPECT_EQ(buyer.get("/v1/shipments/" + parcel).json()["status"], "shipped");
}

}  // namespace shipments_test
}  // namespace bottega::test
