// What is done with the table of settings: reading, checking, showing.
#include "bottega/core/config.hpp"

#include <algorithm>

namespace bottega {
namespace {

using C = Config;

bool is_choice(std::string_view choices, std::string_view word) {
  while (!choices.empty()) {
    const auto bar = choices.find('|');
    if (choices.substr(0, bar) == word) return true;
    choices.remove_prefix(bar == choices.npos ? choices.size() : bar + 1);
  }
  return false;
}

struct Apply {
  const Setting& row;
  const std::string& text;
  Config& config;

  std::optional<std::string> operator()(std::int64_t C::*member) const {
    const auto value = Form<std::int64_t>::parse(text);
    if (!value) return "expected an integer";
    if (*value < row.least || *value > row.most)
      return "must be from " + std::to_string(row.least) + " to " + std::to_string(row.most);
    config.*member = *value;
    return std::nullopt;
  }
  std::optional<std::string> operator()(std::string C::*member) const {
    if (!row.choices.empty() && !is_choice(row.choices, text))
      return "must be one of " + std::string(row.choices);
    config.*member = text;
    return std::nullopt;
  }
  std::optional<std::string> operator()(Secret C::*member) const {
    config.*member = Secret(text);
    return std::nullopt;
  }
};

struct Show {
  const Config& config;
  std::string operator()(std::int64_t C::*member) const { return std::to_string(config.*member); }
  std::string operator()(std::string C::*member) const { return config.*member; }
  std::string operator()(Secret C::*member) const {
    return (config.*member).empty() ? "" : "********";
  }
};

void flatten(const Json& value, const std::string& prefix,
             std::map<std::string, std::string>& out) {
  if (value.is_object()) {
    for (const auto& [name, child] : value.items())
      flatten(child, prefix.empty() ? name : prefix + '.' + name, out);
  } else if (value.is_string()) {
    out[prefix] = value.get<std::string>();
  } else if (value.is_number_integer() || value.is_boolean()) {
    out[prefix] = value.dump();
  } else {
    throw Error(Code::invalid, "a setting must be a string or an integer: " + prefix);
  }
}

}  // namespace

std::string environment_name(std::string_view setting) {
  std::string name = "BOTTEGA_";
  for (const char c : setting)
    name += c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

std::vector<std::string> apply_settings(const std::map<std::string, std::string>& given,
                                        Config& config) {
  std::vector<std::string> mistakes;
  for (const auto& [name, text] : given) {
    const auto row = std::ranges::find(settings(), name, &Setting::name);
    if (row == settings().end()) {
      mistakes.push_back(name + ": there is no such setting");
      continue;
    }
    if (const auto mistake = std::visit(Apply{*row, text, config}, row->member))
      mistakes.push_back(name + ": " + *mistake);
  }
  return mistakes;
}

std::map<std::string, std::string> flatten_settings(const Json& file) {
  if (!file.is_object()) throw Error(Code::invalid, "the configuration must be a JSON object");
  std::map<std::string, std::string> out;
  flatten(file, "", out);
  return out;
}

std::string settings_page(const Config& config) {
  std::string page;
  for (const auto& row : settings()) {
    page += std::string(row.name) + " = " + std::visit(Show{config}, row.member) + "\n    " +
            std::string(row.about);
    if (row.most != 0)
      page += " (" + std::to_string(row.least) + " to " + std::to_string(row.most) + ")";
    if (!row.choices.empty()) page += " (" + std::string(row.choices) + ")";
    page += "\n    " + environment_name(row.name) + "\n";
  }
  return page;
}

}  // namespace bottega
