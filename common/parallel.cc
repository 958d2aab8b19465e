#include "common/parallel.h"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

namespace capstan {

#ifdef CAPSTAN_PLAIN_THREADS
// The thread sanitizer sees nothing of what happens inside a packaged TBB and takes its hand-overs for races;
// with plain threads it judges the bodies alone.
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  constexpr std::size_t kThreads = 4;
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < count; i = next++) body(i);
  };
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < std::min(count, kThreads); ++i) threads.emplace_back(work);
  work();
  for (std::thread& thread : threads) thread.join();
}
#else
void parallel_for(std::size_t count, const std::function<void(std::size_t)>& body) {
  if (count == 1) return body(0);
  tbb::parallel_for(std::size_t{0}, count, body);
}
#endif

}  // namespace capstan
