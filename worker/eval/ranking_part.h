// RankingPart: ranking figures of some users, as bytes between workers; and their merge into one summary.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"
#include "worker/eval/bootstrap.h"

namespace capstan {

inline constexpr std::uint32_t kNoItem = 0xffffffffU;

struct RankingPart {
  std::string protocol;                      // "full ranking, seen removed"
  std::vector<std::string> metrics;          // the columns of values: "ndcg@10"
  std::vector<std::uint32_t> coverage_cuts;  // cut-offs of coverage ...
  std::vector<std::uint32_t> gini_cuts;      // ... and of Gini, at most list_length
  std::vector<std::uint32_t> users;          // ascending
  std::vector<double> values;                // [users, metrics]
  std::vector<double> warm_values;  // the same judged on warm test items alone; NaN for a user without any
  std::uint32_t list_length = 0;
  std::vector<std::uint32_t> lists;  // [users, list_length]: best first; kNoItem after the last
  std::uint32_t num_items = 0;
  std::uint64_t test_items = 0;       // of these users
  std::uint64_t cold_test_items = 0;  // of those, never seen in training
  std::uint64_t new_users = 0;        // of these users, without any event before the split
};

Buffer encode(const RankingPart& part);
// kCorrupt for bytes that encode() cannot have made.
Result<RankingPart> decode_ranking_part(std::span<const std::byte> bytes);

struct RankingSummary {
  std::map<std::string, double> metrics;    // means over users; coverage and Gini over their lists
  std::map<std::string, double> warm_only;  // means over users with a warm test item
  std::uint64_t warm_users = 0;
  RankingPart users;  // all parts together: what each user got
};

// The same part with its users ascending. REQUIRES: no user twice.
RankingPart sorted_by_user(const RankingPart& part);

// Parts may come in any order. kInvalid when they differ in protocol or metrics, or share a user.
Result<RankingSummary> merge(const std::vector<RankingPart>& parts);

// {"protocol": ..., "users": n, "test_items": n, "cold_test_items": n, "new_users": n, "recall@10": x, ...,
// "warm_only": {...}}
std::string to_json(const RankingSummary& summary);

struct Comparison {
  Interval difference, ratio;  // of model to baseline
};

// On the users of both, who must be the same (kInvalid). metric: a per-user one ("ndcg@10").
Result<Comparison> compare(const RankingPart& model, const RankingPart& baseline, std::string_view metric,
                           const BootstrapOptions& options);

// The column of one metric: [users].
Result<std::vector<double>> column(const RankingPart& part, std::string_view metric);

}  // namespace capstan
