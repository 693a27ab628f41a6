#pragma once
// The books as a file: for a spreadsheet (CSV, RFC 4180), or for Beancount, which adds everything
// up again and checks the balances that the file ends with (https://beancount.github.io).
#include "bottega/ledger/ledger.hpp"

namespace bottega::ledger {

enum class BookFormat : std::uint8_t { csv, beancount };
BOOST_DESCRIBE_ENUM(BookFormat, csv, beancount)

std::string_view media_type_of(BookFormat format);

// A file is its head, every transfer in the order of its id, and its tail: what each kind of
// account holds after the last of them. Beancount is told what has moved only; a spreadsheet also
// sees what was pending.
std::string book_head(BookFormat format);
std::string book_line(BookFormat format, const Entry& entry);
std::string book_tail(BookFormat format, const std::vector<Balance>& balances, Instant until);

}  // namespace bottega::ledger
