// How much memory this process may count on.
#pragma once

#include <cstdint>

namespace capstan {

// Bytes: the machine's, or of the container or control group that it runs in, if that has fewer.
std::uint64_t host_memory();

// The share of it that servers take for rows when nobody says: 70 %.
std::uint64_t usual_memory_limit();

}  // namespace capstan
