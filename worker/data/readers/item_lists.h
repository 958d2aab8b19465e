// The item_lists format: a user a line, the items of the user's events in their order.
#pragma once

#include <memory>

#include "worker/data/readers/line_format.h"

namespace capstan {

// Lines `user item item …`, split by blanks; a row for each item, with columns user, item and time: the
// item's place in the line, from 1. A user without items is a bad line.
std::unique_ptr<LineFormat> make_item_lists();

}  // namespace capstan
