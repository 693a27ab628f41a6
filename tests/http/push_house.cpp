#include "http/push_house.hpp"

#include "bottega/notifications/pusher.hpp"

namespace bottega::test {

Certificate::Certificate(const std::string& names) {
  const auto made = run_program(
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
      "-subj /CN=localhost -addext subjectAltName=" +
      names + " -keyout " + file("key.pem") + " -out " + file("certificate.pem"));
  if (made.status != 0) throw std::runtime_error(made.output);
}

std::vector<std::string> push_settings(const Certificate& certificate,
                                       std::vector<std::string> more) {
  const auto keys = notifications::make_vapid_keys();
  more.insert(more.begin(), {"push.vapid_private_key=" + keys.private_key.reveal(),
                             "push.vapid_subject=mailto:ops@shop.example",
                             "push.ca_file=" + certificate.file("certificate.pem"),
                             "push.allow_private=yes", "push.delay_s=0", "push.poll_ms=50",
                             "presence.write_ms=50", "presence.grace_s=0", "presence.every_s=0"});
  return more;
}

std::string subscribe(Person& person, const Device& device, const std::string& endpoint,
                      const std::string& content) {
  const auto answer =
      person.api.post("/v1/push/subscriptions", device.subscription(endpoint, content));
  if (answer.status != 201) throw std::runtime_error("subscribe: " + answer.body);
  return answer.json()["id"];
}

std::int64_t load_of(const Server& server, const std::string& kind) {
  const auto page = Client(server.port()).get("/metrics").body;
  const auto name = "bottega_load{kind=\"" + kind + "\"} ";
  const auto found = page.find(name);
  return found == page.npos ? -1 : std::stoll(page.substr(found + name.size()));
}

}  // namespace bottega::test
