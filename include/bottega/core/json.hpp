#pragma once
// JSON as it comes from outside is read strictly (RFC 8259, and no duplicate keys); the canonical
// form (RFC 8785) makes two spellings of one document equal.
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bottega {

using Json = nlohmann::json;

// Throws Error(malformed) for what is not exactly one JSON document in UTF-8 without a BOM, has a
// key twice, a lone surrogate, a number beyond a double, or nests deeper than depth_max. The
// message says where, never what.
Json parse_json(std::string_view text, unsigned depth_max = 32);

// What the program has written itself, such as a column of the database, and need not read
// strictly.
Json stored_json(std::string_view text);

// The text as a JSON string; it must be valid UTF-8.
std::string json_quoted(std::string_view text);

// The document in the canonical form of RFC 8785 (JCS).
std::string canonical_json(const Json& json);

}  // namespace bottega

// Compiled once, in json.cpp, and not again in every file that touches a document.
extern template class nlohmann::basic_json<>;
extern template class nlohmann::detail::serializer<nlohmann::json>;
extern template class std::map<std::string, nlohmann::json, std::less<>>;
extern template class std::vector<nlohmann::json>;
extern template class nlohmann::detail::parser<
    nlohmann::json, nlohmann::detail::iterator_input_adapter<const char*>>;
extern template class nlohmann::detail::parser<
    nlohmann::json, nlohmann::detail::iterator_input_adapter<std::string::const_iterator>>;
