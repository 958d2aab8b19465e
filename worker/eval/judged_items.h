// Which items of the catalogue a user's test items are ranked among.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "worker/data/dataset.h"
#include "worker/eval/history.h"

namespace capstan {

// Full ranking: every item that the user has not seen before the split. Sampled: the user's test items among
// negatives, which are the dataset's candidates at test when it has them, else as many as asked for, drawn
// uniformly without repetition from the items that the user has nowhere.
struct JudgedItems {
  EvalSplit split = EvalSplit::kTest;
  std::uint32_t sampled_negatives = 0;  // 0: full ranking
  std::uint64_t seed = 42;
  std::optional<double> positive_from = {};  // of the data: lower ratings left no trace, and count as unseen

  // Ascending. A given candidate that is seen or a test item is left out; one that is given twice stands
  // twice.
  std::vector<std::uint32_t> of(const Dataset& dataset, std::uint32_t user,
                                std::span<const std::uint32_t> seen) const;
  bool sampled(const Dataset& dataset) const;
  // "full ranking, seen removed", "sampled: 99 negatives", "sampled: 99 given negatives" or, when users have
  // unlike many, "sampled: 60 to 99 given negatives".
  std::string protocol(const Dataset& dataset) const;

 private:
  bool given(const Dataset& dataset) const;
};

}  // namespace capstan
