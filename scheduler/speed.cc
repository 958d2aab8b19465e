#include "scheduler/speed.h"

#include "common/units.h"

namespace capstan {

void Speed::note(Instant now, std::uint64_t examples) {
  if (!samples_.empty() && examples < samples_.back().second) samples_.clear();
  if (!samples_.empty() && now - samples_.back().first < kStep) return;
  samples_.emplace_back(now, examples);
  while (samples_.size() > 2 && now - samples_.front().first > kWindow) samples_.pop_front();
}

double Speed::per_second() const {
  if (samples_.size() < 2) return 0.0;
  const double seconds = seconds_of(samples_.back().first - samples_.front().first);
  return static_cast<double>(samples_.back().second - samples_.front().second) / seconds;
}

}  // namespace capstan
