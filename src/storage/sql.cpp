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

namespace detail {

RowColumns::RowColumns(const Rows& rows, std::initializer_list<const char*> names, Amounts amounts)
    : rows_(rows) {
  columns_.reserve(names.size());
  for (const auto* name : names) columns_.push_back(rows.column(name));
  if (amounts == Amounts::some) currency_ = rows.column("currency");
}

void RowColumns::read(std::size_t row, std::span<const FromColumn> members) const {
  const auto currency = currency_ ? rows_.at(row, *currency_) : std::nullopt;
  for (std::size_t i = 0; i < members.size(); ++i)
    members[i].read(members[i].out, rows_.at(row, columns_[i]), currency);
}

}  // namespace detail

}  // namespace bottega
