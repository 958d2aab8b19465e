// AUC and GAUC: how well scores order positives before negatives.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace capstan {

// The chance that a random positive scores above a random negative, a tie counting one half; exact.
// labels: positive above 0.5. Nothing when one class is absent. REQUIRES: no NaN.
// Source: Fawcett, "An introduction to ROC analysis" (2006), by the rank sum of Mann and Whitney.
std::optional<double> auc(std::span<const float> scores, std::span<const float> labels);

// The mean of each user's AUC, weighted by the user's examples; users with one class are left out.
// users: any order. Nothing when no user has both classes.
// Source: Zhu et al., "Optimized Cost per Click in Taobao Display Advertising" (KDD 2017).
std::optional<double> gauc(std::span<const float> scores, std::span<const float> labels,
                           std::span<const std::uint32_t> users);

}  // namespace capstan
