#pragma once
// What the routes of both desks have in common.
#include "gateway/routes/routes.hpp"
#include "bottega/support/times.hpp"

namespace bottega::gateway {

// A queue's order is by a time that may be missing, and the id.
inline std::string position_of(const support::SupportCase& item) {
  const auto due_at = item.work ? item.work->due_at : std::nullopt;
  return (due_at ? text_of(*due_at) : "-") + ' ' + text_of(item.id);
}

inline support::Position queue_position_in(const Call& call) {
  const auto text = call.cursor();
  if (!text) return {};
  const auto space = text->find(' ');
  if (space == text->npos) throw Error(Code::bad_cursor, "this cursor is of another list");
  support::Position position;
  const auto due_at = text->substr(0, space);
  position.due_at.reset();
  if (due_at != "-") position.due_at = from_text<Instant>(due_at, Code::bad_cursor);
  position.id = from_text<support::CaseId>(text->substr(space + 1), Code::bad_cursor);
  return position;
}

// ?assignee= is "me", "nobody" or an account's id.
inline support::Filter case_filter_in(const Call& call) {
  support::Filter filter;
  filter.state = call.parameter_as<support::State>("state");
  filter.priority = call.parameter_as<support::Priority>("priority");
  filter.subject = call.parameter_as<support::Subject>("subject");
  const auto assignee = call.parameter("assignee");
  if (assignee == "me")
    filter.assignee = call.who().account;
  else if (assignee == "nobody")
    filter.only_unassigned = true;
  else
    filter.assignee = call.parameter_as<support::AccountId>("assignee");
  return filter;
}

// The month that has passed, unless another period is asked for.
inline support::Days days_in(const Call& call, Instant now) {
  const auto to =
      call.parameter_as<Date>("to").value_or(std::chrono::floor<std::chrono::days>(now));
  return {call.parameter_as<Date>("from").value_or(to - std::chrono::days(30)), to};
}

}  // namespace bottega::gateway
