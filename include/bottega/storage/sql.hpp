#pragma once
// The SQL side of a described struct: parameters out, rows in. A Money member `total` reads the
// columns `total` and `currency`; a struct or list inside a row is one jsonb column; std::nullopt
// is NULL.
#include <array>
#include <memory>
#include <optional>
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
    std::optional<T> value;
    if constexpr (is_id<T>::value) {
      if (const auto uuid = parse_uuid(*given)) value = T{*uuid};
    } else if constexpr (std::same_as<T, bool>) {
      value = *given == "t";
    } else if constexpr (std::same_as<T, Instant>) {
      value = parse_sql_instant(*given);
    } else if constexpr (Scalar<T>) {
      value = Form<T>::parse(*given);
    } else if constexpr (std::same_as<T, Json>) {
      value = Json::parse(*given);
    } else {
      value = from_json<T>(Json::parse(*given));
    }
    if (!value) unreadable("a value of another form");
    return *std::move(value);
  }
}

// Where the members of a row type stand among a statement's columns, looked up once per answer.
template <class Row>
class RowReader {
 public:
  explicit RowReader(const Rows& rows) : rows_(rows) {
    if constexpr (Described<Row>) {
      std::size_t i = 0;
      each_member<Row>([&](auto member) {
        columns_[i++] = rows.column(member.name);
        using Field = std::remove_reference_t<decltype(std::declval<Row&>().*member.pointer)>;
        if constexpr (std::same_as<Field, Money>) currency_ = rows.column("currency");
      });
    }
  }

  Row read(std::size_t row) const {
    if constexpr (Described<Row>) {
      Row out{};
      std::size_t i = 0;
      each_member<Row>([&](auto member) {
        using Field = std::remove_reference_t<decltype(out.*member.pointer)>;
        const auto value = rows_.at(row, columns_[i++]);
        if constexpr (std::same_as<Field, Money>)
          out.*member.pointer = {from_sql<std::int64_t>(value),
                                 from_sql<Currency>(rows_.at(row, currency_))};
        else
          out.*member.pointer = from_sql<Field>(value);
      });
      return out;
    } else {
      return from_sql<Row>(rows_.at(row, 0));
    }
  }

 private:
  const Rows& rows_;
  std::array<std::size_t, 64> columns_{};
  std::size_t currency_ = 0;
};

}  // namespace bottega
