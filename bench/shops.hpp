#pragma once
// Shops that may sell, and people who buy there.
#include <string>
#include <vector>

#include "client.hpp"
#include "process.hpp"

namespace bottega::bench {

// An access token, for one of the demo people where nothing else is said.
std::string log_in(const Server& server, const std::string& email,
                   const std::string& password = "bottega demo");
// Somebody new; answers their token.
std::string sign_up(const Server& server, const std::string& name);

// A business of this person that the processor has accepted; answers its id.
std::string open_shop(const Server& server, const std::string& owner_token,
                      const std::string& ops_token, const std::string& name);

// Settings of a server whose people neither log in again nor meet limits of catalogues.
std::vector<std::string> shop_settings();

}  // namespace bottega::bench
