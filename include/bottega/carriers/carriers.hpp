#pragma once
// Which carrier a tracking number may belong to, whether its check digit is right, and where it can
// be followed. It only advises: whatever a merchant writes down is kept as it is.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bottega/core/describe.hpp"

namespace bottega::carriers {

// Nothing that is known of this carrier has one, or it is right, or it is not.
enum class CheckDigit : std::uint8_t { none, right, wrong };
BOOST_DESCRIBE_ENUM(CheckDigit, none, right, wrong)

// One reading of a number. `carrier` is a code such as "ups"; of a number of the postal union
// (S10) it is that of the country's post, "post_gb".
struct Candidate {
  std::string carrier, name, format;
  CheckDigit check_digit{};
  std::optional<std::string> country;  // of the post
  std::optional<std::string> tracking_url;
};
BOOST_DESCRIBE_STRUCT(Candidate, (), (carrier, name, format, check_digit, country, tracking_url))

// A number without spaces and hyphens, in capitals.
std::string normalised(std::string_view number);
// Every reading, those with a right check digit first and those with a wrong one last.
std::vector<Candidate> candidates(std::string_view number);

// The code of a carrier by its code or its name, in capitals or not; none for one that is not
// known.
std::optional<std::string> find_carrier(std::string_view text);

// What is to be written on a shipment.
struct Label {
  std::string carrier;  // as it was given, else the code of the only one that it can be
  std::optional<std::string> tracking_url;
  std::vector<std::string> warnings;
};
// Throws Error(invalid) where there is no carrier, and the number does not tell which it is.
Label label(const std::optional<std::string>& carrier, const std::optional<std::string>& number);

// The answer to somebody who asks about a number.
struct Recognised {
  std::string number;
  std::vector<Candidate> candidates;
  std::vector<std::string> warnings;
};
BOOST_DESCRIBE_STRUCT(Recognised, (), (number, candidates, warnings))
Recognised recognise(std::string_view number);

// Sent with nobody who tracks it: a letter, or by hand.
inline constexpr std::string_view kOther = "other";

}  // namespace bottega::carriers
