// Counts what is allocated, in the test programs that allocations.cc is linked to.
#pragma once

#include <cstdint>

namespace capstan {

// Calls of operator new on all threads so far.
std::uint64_t allocations_so_far();

}  // namespace capstan
