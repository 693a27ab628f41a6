#pragma once
// The SQL side of a described struct: parameters out, rows in. A Money member `total` reads the
// columns `total` and `currency`; a struct or list inside a row is one jsonb column; std::nullopt
// is NULL.
#include <array>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/core/describe.hpp"
#include "bottega/core/id.hpp"
#include "bottega/core/money.hpp"

namespace bottega {

using SqlArgument = std::optional<std::string>;
using SqlArguments = std::vector<SqlArgument>;

// The answer to a statement. Values are PostgreSQL's text form; no value is NULL.
class Rows {
 public:
  virtual ~Rows() = default;
  virtual std::size_t size() const = 0;
  virtual std::size_t affected() const = 0;
  // The position of a column; throws std::logic_error where the statement does not return it.
  virtual std::size_t column(const char* name) const = 0;
  virtual std::optional<std::string_view> at(std::size_t row, std::size_t column) const = 0;
};

template <class T>
struct is_id : std::false_type {};
template <Literal P>
struct is_id<Id<P>> : std::true_type {};

// The text of an array's elements as a PostgreSQL array literal.
std::string sql_array(const std::vector<SqlArgument>& elements);
// Thrown where the database holds something that the program's type refuses: our bug, never a
// client's.
[[noreturn]] void unreadable(std::string_view what);

template <class T>
SqlArgument to_sql(const T& value) {
  if constexpr (is_optional<T>::value) {
    return value ? to_sql(*value) : std::nullopt;
  } else if constexpr (is_id<T>::value) {
    return uuid_text(value.uuid);
  } else if constexpr (is_vector<T>::value) {
    std::vector<SqlArgument> elements;
    elements.reserve(value.size());
    for (const auto& item : value) elements.push_back(to_sql(item));
    return sql_array(elements);
  } else if constexpr (Scalar<T>) {
    return text_of(value);
  } else {
    return to_json(value).dump();
  }
}

template <class T>
T from_sql(std::optional<std::string_view> given) {
  if constexpr (is_optional<T>::value) {
    if (!given) return std::nullopt;
    return from_sql<typename T::value_type>(given);
  } else {
    if (!given) unreadable("a NULL");
    if constexpr (is_id<T>::value) {
      if (const auto uuid = parse_uuid(*given)) return T{*uuid};
    } else if constexpr (std::same_as<T, bool>) {
      return *given == "t";
    } else if constexpr (std::same_as<T, Instant>) {
      if (const auto instant = parse_sql_instant(*given)) return *instant;
    } else if constexpr (Scalar<T>) {
      if (auto value = Form<T>::parse(*given)) return *std::move(value);
    } else if constexpr (std::same_as<T, Json>) {
      return stored_json(*given);
    } else {
      return from_json<T>(stored_json(*given));
    }
    unreadable("a value of another form");
  }
}

namespace detail {
// A member of a row type, and how it is read from its column; money also needs the currency's.
struct FromColumn {
  using Value = std::optional<std::string_view>;
  void* out;
  void (*read)(void* out, Value value, Value currency);
};
template <class T>
FromColumn from_column(T& out) {
  using Value = FromColumn::Value;
  return {&out, [](void* to, Value value, [[maybe_unused]] Value currency) {
            if constexpr (std::same_as<T, Money>)
              *static_cast<T*>(to) = {from_sql<std::int64_t>(value), from_sql<Currency>(currency)};
            else
              *static_cast<T*>(to) = from_sql<T>(value);
          }};
}
// Where a row type's members stand among a statement's columns.
class RowColumns {
 public:
  enum class Amounts : std::uint8_t { none, some };  // of money
  RowColumns(const Rows& rows, std::initializer_list<const char*> names, Amounts amounts);
  void read(std::size_t row, std::span<const FromColumn> members) const;

 private:
  const Rows& rows_;
  std::vector<std::size_t> columns_;
  std::optional<std::size_t> currency_;
};
}  // namespace detail

// Reads the rows of an answer, which have one value each.
template <class Row>
class RowReader {
 public:
  explicit RowReader(const Rows& rows) : rows_(rows) {}
  Row read(std::size_t row) const { return from_sql<Row>(rows_.at(row, 0)); }

 private:
  const Rows& rows_;
};
// Which have a column for each member: where that stands is looked up once per answer.
template <Described Row>
class RowReader<Row> {
 public:
  explicit RowReader(const Rows& rows) : columns_(columns_of(rows)) {}

  Row read(std::size_t row) const {
    Row out{};
    with_members<Row>([&](auto... member) {
      const std::array<detail::FromColumn, sizeof...(member)> members{
          detail::from_column(out.*member.pointer)...};
      columns_.read(row, members);
    });
    return out;
  }

 private:
  static detail::RowColumns columns_of(const Rows& rows) {
    using Amounts = detail::RowColumns::Amounts;
    return with_members<Row>([&](auto... member) {
      constexpr bool has_money = (std::same_as<FieldOf<decltype(member)>, Money> || ...);
      return detail::RowColumns(rows, {member.name...}, has_money ? Amounts::some : Amounts::none);
    });
  }

  detail::RowColumns columns_;
};

}  // namespace bottega
