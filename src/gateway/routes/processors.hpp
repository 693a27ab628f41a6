#pragma once
// The way in of what processors tell: events that come at once are kept together.
#include "gateway/group_commit.hpp"

namespace bottega::gateway {

// For the GroupCommit of App.
GroupCommit::Write event_writer();

}  // namespace bottega::gateway
