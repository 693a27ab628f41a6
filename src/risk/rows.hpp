#pragma once
// What the files of this module share.
#include "bottega/risk/limits.hpp"

namespace bottega::risk {

// The first of the hours that count for a merchant's 7 days.
Instant week_before(Instant now);

}  // namespace bottega::risk
