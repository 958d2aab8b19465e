// Addresses of processes: tcp://host:port.
#pragma once

#include <string_view>

#include "common/result.h"

namespace capstan {

// kInvalid with what is wrong in words. Port 0, which lets the system choose, is for those who listen.
Status check_endpoint(std::string_view endpoint, bool listens);

}  // namespace capstan
