// Products in messages: frozen as they were, whatever becomes of them.
#include <future>

#include "domain/shopping.hpp"
#include "support/errors.hpp"
#include "bottega/conversations/messages.hpp"

namespace bottega::test {
namespace shopping_cards_test {

using conversations::NewMessage;

class Cards : public Shopping {
 protected:
  Json sized(const std::string& sku, std::int64_t amount) const {
    auto body = tea(sku, amount);
    body["option_names"] = {"size"};
    body["images"] = Json::array({{{"url", "https://shop.example/tea.jpg"}}});
    body["variants"][0]["options"] = {"100 g"};
    body["variants"][0]["prices"][0]["compare_at"] = amount + 500;
    return body;
  }
  static Json ref(const catalog::Product& product) { return {{"product_id", text_of(product.id)}}; }
  static Json variant(const catalog::Product& product) {
    return {{"variant_id", text_of(product.variants[0].id)}};
  }
};

TEST_F(Cards, KeepThePriceOfWhenTheyWereSent) {
  auto product = published(sized("T-1", 999));
  const auto sent = say(shop.owner, {{"product", variant(product)}});
  EXPECT_EQ(sent.event, "message.created");
  EXPECT_EQ(sent.data["fallback"], "Green tea 100 g, 9.99 USD");
  EXPECT_FALSE(sent.data.contains("text"));
  product = reprice(product, 1'999);
  product = change(product, {{"title", "Gold"}});
  const auto kept = last();
  EXPECT_EQ(kept.data, sent.data) << "whoever reads the log later sees what was offered then";
  const auto& card = kept.data["product"];
  EXPECT_EQ(card["price"], (Json{{"amount", 999}, {"currency", "USD"}}));
  EXPECT_EQ(card["compare_at"]["amount"], 1'499);
  EXPECT_EQ(card["title"], "Green tea");
  EXPECT_EQ(card["sku"], "T-1");
  EXPECT_EQ(card["version"], 2);
  EXPECT_EQ(card["product_id"], text_of(product.id));
  EXPECT_EQ(card["image"]["url"], "https://shop.example/tea.jpg");
  EXPECT_EQ(card["options"], Json::array({{{"name", "size"}, {"value", "100 g"}}}));
  const auto now = say(shop.owner, {{"product", variant(product)}});
  EXPECT_EQ(now.data["product"]["price"]["amount"], 1'999);
  EXPECT_EQ(now.data["product"]["title"], "Gold");
}

TEST_F(Cards, AreWrittenByTheWriterAsBySend) {
  const auto product = published(sized("T-1", 999));
  const auto given =
      from_json<NewMessage>({{"text", "Look"}, {"client_id", "c1"}, {"product", variant(product)}});
  const auto ready =
      in([&](Tx& tx) { return checkout::prepare(tx, shop.owner, shop.conversation, given); });
  conversations::Writer writer(world.chat_db, 16, 16);
  const auto write = [&] {
    std::promise<conversations::Sent> done;
    auto future = done.get_future();
    writer.send(shop.owner, shop.conversation, ready.message,
                [&](conversations::Sent sent) { done.set_value(std::move(sent)); });
    const auto sent = future.get();
    if (sent.failure) std::rethrow_exception(sent.failure);
    return Json::parse(*sent.frame);
  };
  const auto frame = write();
  EXPECT_EQ(frame, conversations::to_frame(last()));
  EXPECT_EQ(frame["data"]["text"], "Look");
  EXPECT_EQ(frame["data"]["product"]["price"]["amount"], 999);
  EXPECT_EQ(write(), frame) << "the same client_id is the same message";
  EXPECT_THROW(writer.send(shop.owner, shop.conversation, given, [](conversations::Sent) {}),
               std::logic_error)
      << "nobody writes what was not looked up";
}

TEST_F(Cards, ShowAProductByItsCheapestVariant) {
  auto body = sized("T-1", 1'500);
  auto small = body["variants"][0];
  small["sku"] = "T-2";
  small["options"] = {"50 g"};
  small["prices"] = {{{"currency", "USD"}, {"amount", 800}}};
  body["variants"].push_back(small);
  const auto product = published(body);
  const auto sent = say(shop.owner, {{"product", ref(product)}}).data["product"];
  EXPECT_EQ(sent["price"]["amount"], 800);
  EXPECT_EQ(sent["highest"]["amount"], 1'500);
  EXPECT_EQ(sent["variants"], 2);
  EXPECT_EQ(sent["variant_id"], text_of(product.variants[1].id));
  EXPECT_EQ(sent["options"], Json::array());
}

TEST_F(Cards, ComeInSectionsOrAsTheWholeCatalogue) {
  const auto a = published(tea("A")), b = published(tea("B", 500));
  const Json list = {{"header", "Our teas"},
                     {"sections",
                      {{{"title", "New"}, {"product_ids", {text_of(b.id)}}},
                       {{"title", "Old"}, {"product_ids", {text_of(a.id)}}}}}};
  const auto sent = say(shop.owner, {{"products", list}});
  const auto& sections = sent.data["products"]["sections"];
  ASSERT_EQ(sections.size(), 2u);
  EXPECT_EQ(sent.data["products"]["header"], "Our teas");
  EXPECT_EQ(sections[0]["title"], "New");
  EXPECT_EQ(sections[0]["products"][0]["price"]["amount"], 500);
  EXPECT_EQ(sections[1]["products"][0]["sku"], "A");
  EXPECT_EQ(sent.data["fallback"], "Our teas: Green tea, 5.00 USD; Green tea, 12.50 USD");
  const auto all = say(shop.owner, {{"catalogue", true}});
  EXPECT_TRUE(all.data["catalogue"]["title"].is_string());
  EXPECT_TRUE(all.data.contains("fallback"));
}

TEST_F(Cards, ABuyerAsksAboutAProduct) {
  const auto product = published(tea("A"));
  const auto asked = say(shop.buyer, {{"text", "Is it fresh?"}, {"about", ref(product)}});
  EXPECT_EQ(asked.data["about"]["sku"], "A");
  EXPECT_EQ(asked.data["text"], "Is it fresh?");
  EXPECT_EQ(asked.data["author"], "buyer");
  const auto answer = say(shop.owner, {{"text", "Yes"}, {"reply_to", asked.seq}});
  EXPECT_EQ(answer.data["reply_to"], asked.seq);
}

TEST_F(Cards, EachSideSendsItsOwnKind) {
  const auto product = published(tea("A"));
  const auto code = [&](const Who& who, const Json& body) {
    return code_of([&] { say(who, body); });
  };
  EXPECT_EQ(code(shop.buyer, {{"product", ref(product)}}), Code::forbidden);
  EXPECT_EQ(code(shop.buyer, {{"catalogue", true}}), Code::forbidden);
  EXPECT_EQ(code(shop.owner, {{"about", ref(product)}}), Code::forbidden);
  EXPECT_EQ(code(world.person(), {{"about", ref(product)}}), Code::not_found);
  EXPECT_EQ(code(world.key_with(shop, identity::Scope::read), {{"product", ref(product)}}),
            Code::forbidden);
  EXPECT_EQ(say(world.key_with(shop, identity::Scope::chat), {{"product", ref(product)}}).event,
            "message.created");
}

TEST_F(Cards, NameOnlyWhatTheShopHasPublishedAndSayAllThatIsWrongAtOnce) {
  const auto good = published(tea("A")), draft = make(tea("B"));
  const auto gone = move(published(tea("C")), catalog::Event::archive);
  auto other = world.shop();
  auto theirs = tea("A");
  theirs["merchant_id"] = text_of(other.merchant);
  const auto given = from_json<catalog::NewProduct>(theirs);
  const auto foreign = in([&](Tx& tx) {
    const auto made = catalog::create(tx, other.owner, given);
    return catalog::move(tx, other.owner, made.id, made.version, catalog::Event::publish);
  });
  const auto ids = [](const catalog::Product& one, const catalog::Product& two) {
    return Json{text_of(one.id), text_of(two.id)};
  };
  const Json list = {{"header", "Teas"},
                     {"sections",
                      {{{"title", "One"}, {"product_ids", ids(good, draft)}},
                       {{"title", "Two"}, {"product_ids", ids(gone, foreign)}}}}};
  EXPECT_EQ(faults_of([&] {
              say(shop.owner, {{"products", list}});
            }),
            (Pointers{"/products/sections/0/product_ids/1", "/products/sections/1/product_ids/0",
                      "/products/sections/1/product_ids/1"}));
  EXPECT_EQ(faults_of([&] {
              say(shop.owner, {{"product", variant(draft)}});
            }),
            Pointers{"/product/variant_id"});
  EXPECT_EQ(faults_of([&] {
              say(shop.buyer, {{"about", ref(foreign)}});
            }),
            Pointers{"/about/product_id"});
  EXPECT_EQ(world.last_seq(shop), 0) << "nothing was written";
}

TEST_F(Cards, ARetryGetsTheFirstAnswerWhateverHasBecomeOfTheProduct) {
  auto product = published(tea("A"));
  const Json body = {{"client_id", "c1"}, {"product", ref(product)}};
  const auto first = say(shop.owner, body);
  product = reprice(product, 5'000);
  EXPECT_EQ(say(shop.owner, body).data, first.data);
  move(product, catalog::Event::archive);
  EXPECT_EQ(say(shop.owner, body).data, first.data);
  EXPECT_EQ(world.last_seq(shop), 1);
  const auto other = published(tea("B"));
  EXPECT_EQ(code_of([&] {
              say(shop.owner, {{"client_id", "c1"}, {"product", ref(other)}});
            }),
            Code::conflict);
  EXPECT_EQ(code_of([&] {
              say(shop.owner, {{"client_id", "c1"}, {"catalogue", true}});
            }),
            Code::conflict);
}

TEST_F(Cards, AreEditedInTheirTextAloneAndGoWhenDeleted) {
  using namespace std::chrono_literals;
  const auto product = published(tea("A"));
  const auto sent = say(shop.owner, {{"text", "Look"}, {"product", ref(product)}});
  const auto text = from_json<conversations::NewText>({{"text", "See"}});
  const auto edited = in([&](Tx& tx) {
    return conversations::edit(tx, shop.owner, shop.conversation, sent.seq, text, 1h);
  });
  EXPECT_EQ(edited.data["text"], "See");
  EXPECT_EQ(edited.data["product"], sent.data["product"]);
  const auto removed = in([&](Tx& tx) {
    return conversations::remove(tx, shop.owner, shop.conversation, sent.seq, 1h);
  });
  EXPECT_FALSE(removed.data.contains("product"));
  EXPECT_FALSE(removed.data.contains("fallback"));
  EXPECT_TRUE(removed.data.contains("deleted_at"));
}

TEST_F(Cards, AreOneOfAKindInAMessage) {
  const auto product = published(tea("A"));
  const auto bad = [](const Json& body) { return faults_of([&] { from_json<NewMessage>(body); }); };
  EXPECT_EQ(bad({{"product", ref(product)}, {"catalogue", true}}), Pointers{"/catalogue"});
  EXPECT_EQ(bad({{"catalogue", false}}), Pointers{"/catalogue"});
  EXPECT_EQ(bad({{"product", Json::object()}}), Pointers{"/product"});
  EXPECT_EQ(bad(Json::object()), Pointers{"/text"});
  const auto id = text_of(product.id);
  const Json section = {{"title", std::string(25, 'x')}, {"product_ids", {id}}};
  EXPECT_EQ(bad({{"products", {{"header", "Teas"}, {"sections", Json::array({section})}}}}),
            Pointers{"/products/sections/0/title"});
  const Json twice = {{"title", "Teas"}, {"product_ids", {id, id}}};
  EXPECT_EQ(bad({{"products", {{"header", "Teas"}, {"sections", Json::array({twice})}}}}),
            Pointers{"/products/sections/0/product_ids/1"});
  Json many = Json::array();
  for (int i = 0; i < 16; ++i) many.push_back(text_of(catalog::ProductId::make()));
  Json more = Json::array();
  for (int i = 0; i < 15; ++i) more.push_back(text_of(catalog::ProductId::make()));
  const Json sections = {{{"title", "A"}, {"product_ids", many}},
                         {{"title", "B"}, {"product_ids", more}}};
  EXPECT_EQ(bad({{"products", {{"header", "Teas"}, {"sections", sections}}}}),
            Pointers{"/products/sections"});
}

}  // namespace shopping_cards_test
}  // namespace bottega::test
