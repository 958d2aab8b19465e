// One step of re-ranking as a user writes it: "mmr=0.5", "mmr=0,0.5,1@genres", "cap=2@genres", "random=0.1".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace capstan {

enum class RerankType : std::uint8_t { kMmr, kDpp, kCalibrated, kCap, kRandom };

struct RerankStep {
  RerankType type = RerankType::kMmr;
  // mmr, dpp, calibrated: weight of the scores, 1 keeps their order; random: share of the list; cap: items of
  // a category. Several: a curve, one setting each.
  std::vector<double> values;
  std::string by;  // an item's column of categories; empty (mmr and dpp only): the model's item vectors
};

// kInvalid says what is wrong with the text and what would be right.
Result<RerankStep> parse_rerank_step(std::string_view text);

// One setting of all steps: each has one value.
struct RerankSetting {
  std::string name;  // "mmr 0.5, cap 2"; "model": no steps
  std::vector<RerankStep> steps;
  double value = 1.0;  // of the step with several, or of the first
};

// kInvalid when more than one step has several values.
Result<std::vector<RerankSetting>> rerank_settings(const std::vector<RerankStep>& steps);

}  // namespace capstan
