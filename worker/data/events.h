// Events: the rows of all splits as numbers: dense user and item indices, times, labels, and the split each
// is in.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/result.h"
#include "worker/data/bad_lines.h"
#include "worker/data/sources.h"

namespace capstan {

enum class Part : std::uint8_t { kTrain, kValid, kTest };

// Dense indices of ids, from 0 in the order of first appearance. Only looked up, never iterated.
class IdIndex {
 public:
  std::uint32_t add(std::string_view id);  // the id's index, new or old
  const std::uint32_t* find(std::string_view id) const;
  std::uint32_t size() const { return static_cast<std::uint32_t>(names_.size()); }
  const std::vector<std::string>& names() const { return names_; }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const;
  };
  std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> index_;
  std::vector<std::string> names_;
};

struct Events {
  IdIndex user_ids, item_ids;
  std::vector<float> labels;                // [rows]
  std::vector<std::uint32_t> users, items;  // [rows], or empty when the data has none
  std::vector<std::int64_t> times;          // [rows], or empty; only their order counts: where some have a
                                            // fraction these are ranks
  std::vector<float> ratings;  // [rows], or empty; ranking: what the label's column says, for people
  std::vector<Part> parts;     // [rows]

  std::uint64_t rows() const { return labels.size(); }
};

// Reads labels, ids and times out of the cleaned rows; a row with a bad one is a bad line and leaves both
// `sources` and the result. Ranking: rows below positive_from leave too. Users and items are numbered over
// all files in order, so that training files in their first order give known indices; with
// test_ids_are_indices test rows only refer to them. kInvalid when no row is left, with what became of all.
Result<Events> make_events(Task task, Sources& sources, BadLines& bad, DropCounts& drops);

}  // namespace capstan
