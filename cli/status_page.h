// A running job's status for people: `capstan status` prints it once, `capstan top` again and again.
#pragma once

#include <boost/json.hpp>
#include <string>

namespace capstan {

// `status` as the scheduler gives it. Throws what Boost.JSON throws when it is none.
std::string status_page(const boost::json::object& status);

}  // namespace capstan
