#include "gateway/upgrade.hpp"

#include "gateway/url.hpp"

namespace bottega::gateway {

void check_upgrade(const App& app, const Request& request, const std::string& target) {
  if (request.verb != Verb::get || target != "/v1/socket")
    throw Error(Code::not_found, "there is no socket at this address");
  if (request.header("sec-websocket-version") != "13")
    throw Error(Code::upgrade_required, "version 13 of the protocol is spoken here");
  const auto offered = request.header("sec-websocket-protocol");
  if (!offered.empty() && !list_has(offered, kProtocol))
    throw Error(Code::invalid, "the subprotocol is bottega.v1");
  // Browsers send Origin; another site's page must not ride on a visitor's session (CSWSH).
  const auto origin = request.header("origin");
  if (origin.empty() || origin == app.public_url) return;
  const std::string host(request.header("host"));
  if (origin == "http://" + host || origin == "https://" + host) return;
  if (!list_has(app.config.http_origins, origin))
    throw Error(Code::forbidden, "this origin may not open a socket");
}

}  // namespace bottega::gateway
