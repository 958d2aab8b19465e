#include "ps/snapshot_pace.h"

#include <algorithm>
#include <utility>

namespace capstan {

void SnapshotPace::begin(std::uint64_t requests) {
  requests_ = requests;
  busy_ = true;
  next_ = Instant();
}

void SnapshotPace::note(Instant at, std::uint64_t bytes) {
  if (bytes_per_second_ == 0) return;
  const double seconds = static_cast<double>(bytes) / static_cast<double>(bytes_per_second_);
  next_ = at + Duration(static_cast<std::int64_t>(seconds * 1e6));
}

Duration SnapshotPace::rest(Instant now, std::uint64_t requests) {
  busy_ = std::exchange(requests_, requests) != requests;
  return busy_ ? std::max(Duration(0), next_ - now) : Duration(0);
}

}  // namespace capstan
