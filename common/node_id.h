// NodeId: the short name of a process in messages and maps.
#pragma once

#include <cstdint>

namespace capstan {

using NodeId = std::uint32_t;  // given by the scheduler, stable for a name within a job; 0: none

}  // namespace capstan
