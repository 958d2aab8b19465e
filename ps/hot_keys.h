// HotKeys: which rows are pulled most, estimated from a sample of the keys of pulls. Pure.
//
// Space-Saving (Metwally, Agrawal and El Abbadi, ICDT 2005): a fixed number of counters; a key that has none
// takes over the least one and its count, which is then the most that the key is counted too high by.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "common/hash.h"

namespace capstan {

class HotKeys {
 public:
  struct Hot {
    std::uint32_t table = 0;
    Key key = 0;
    double rows_per_second = 0.0;  // at least
  };

  // Every key counts alike; one in kSampled is looked at.
  void note(std::uint32_t table, std::span<const Key> keys);
  // The hottest since the last call, the first first, at most `most`; counting begins anew.
  std::vector<Hot> take(double seconds, std::size_t most);

 private:
  static constexpr std::size_t kCounters = 256;
  static constexpr std::uint64_t kSampled = 64;

  struct Counter {
    std::uint32_t table = 0;
    Key key = 0;
    std::uint64_t count = 0, too_high = 0;
  };
  struct Place {
    std::uint32_t table;
    Key key;
    bool operator==(const Place&) const = default;
  };
  struct PlaceHash {
    std::size_t operator()(const Place& place) const { return combine(place.table, place.key); }
  };

  void count(std::uint32_t table, Key key);

  std::vector<Counter> counters_;
  std::unordered_map<Place, std::size_t, PlaceHash> at_;  // in counters_
  std::uint64_t skip_ = 0, drawn_ = 0;
};

}  // namespace capstan
