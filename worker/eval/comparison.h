// Comparison: a model and its baselines judged on the same users, from partitions to one JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"
#include "worker/eval/bootstrap.h"
#include "worker/eval/ranking_part.h"

namespace capstan {

struct Judged {
  std::string name;         // "model", "item_knn"
  std::string description;  // with its settings: "item_knn (k 20, shrink 10)"
  RankingPart part;
};

// All that was judged in one partition of the users, as one run of bytes.
Buffer encode(const std::vector<Judged>& judged);
// kCorrupt for bytes that encode() cannot have made.
Result<std::vector<Judged>> decode_judged(std::span<const std::byte> bytes);

// partitions: each holds the same names in the same order; the first name is the model. Gives
// {"model": {"description": ..., "protocol": ..., "recall@10": x, ...}, "item_knn": {...},
//  "model_against": {"item_knn": {"recall@10": {"difference": [x, low, high], "ratio": [x, low, high]},
//  ...}}}
// with 95 % intervals (or options.confidence) of every metric that each user has. kInvalid when names, users
// or metrics do not agree.
Result<std::string> comparison_json(const std::vector<std::vector<Judged>>& partitions,
                                    const BootstrapOptions& options);

}  // namespace capstan
