// parallel_for: the one door to TBB's loops (a build for the thread sanitizer has plain threads behind it).
#pragma once

#include <cstddef>
#include <functional>

namespace capstan {

// Runs body(0) .. body(count - 1), each once, on the threads of the calling thread's TBB arena; returns when
// all are done. Bodies write disjoint places and use no state of a thread, so that the result is the same on
// any number of threads. Bodies should take at least some microseconds each.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body);

}  // namespace capstan
