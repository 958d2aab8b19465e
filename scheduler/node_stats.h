// The counters that nodes send in their heartbeats, added up. Included by .cc files.
#pragma once

#include <string>

#include "scheduler/json.h"
#include "scheduler/membership.h"

namespace capstan {

// The counters of one node; an empty object when it sent none or something else.
json::object stats_of(const Node& node);
// Numbers by name, summed over the nodes of `role`; arrays of numbers (histograms) element by element.
// Objects and texts are left out.
json::object sum_stats(const Membership& membership, Role role);

}  // namespace capstan
