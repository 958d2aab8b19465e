// What a process says of itself when it greets.
#pragma once

#include <cstdint>
#include <string>

namespace capstan {

std::uint64_t fresh_incarnation();  // a number that no other start of this process has
std::string host_name();

}  // namespace capstan
