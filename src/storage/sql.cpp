// The parts of the SQL mapping that do not depend on a type.
#include "bottega/storage/sql.hpp"

namespace bottega {

std::string sql_array(const std::vector<SqlArgument>& elements) {
  std::string out = "{";
  for (const auto& element : elements) {
    if (out.size() > 1) out += ',';
    if (!element) {
      out += "NULL";
      continue;
    }
    out += '"';
    for (const char c : *element) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  return out + '}';
}

void unreadable(std::string_view what) {
  throw Error(Code::internal, "the database answered with " + std::string(what));
}

}  // namespace bottega
