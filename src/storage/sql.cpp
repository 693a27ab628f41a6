// The parts of the SQL mapping that do not depend on a type.
#include "bottega/storage/sql.hpp"

namespace bottega {

std::string sql_array(const std::vector<SqlArgument>& elements) {
  std::size_t size = 2;
  for (const auto& element : elements) size += element ? element->size() + 3 : 5;
  std::string out = "{";
  out.reserve(size + size / 16);
  for (const auto& element : elements) {
    if (out.size() > 1) out += ',';
    if (!element) {
      out += "NULL";
      continue;
    }
    out += '"';
    std::size_t done = 0;
    for (std::size_t i = 0; i < element->size(); ++i) {
      const char c = (*element)[i];
      if (c != '"' && c != '\\') continue;
      out.append(*element, done, i - done) += '\\';
      done = i;
    }
    out.append(*element, done);
    out += '"';
  }
  return out + '}';
}

void unreadable(std::string_view what) {
  throw Error(Code::internal, "the database answered with " + std::string(what));
}

}  // namespace bottega
