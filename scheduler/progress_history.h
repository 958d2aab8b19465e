// ProgressHistory: a job's speed and loss over time, as curves of a few hundred points however long it runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/event_loop.h"

namespace capstan {

class ProgressHistory {
 public:
  static constexpr std::size_t kPointsMax = 512;

  // Kept at most once a second; when there are too many every second one is dropped, and from then on points
  // are twice as far apart. loss: NaN while there is none.
  void note(Instant now, std::uint64_t examples, double examples_per_second, double loss);
  // {"every_seconds": 1.0, "points": [[seconds since the start, examples, examples a second, loss], ...]}
  std::string json(Instant started) const;

 private:
  struct Point {
    Instant at{};
    std::uint64_t examples = 0;
    double rate = 0.0, loss = 0.0;
  };
  std::vector<Point> points_;
  Duration every_ = std::chrono::seconds(1);
};

}  // namespace capstan
