#include "worker/eval/auc.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "common/assert.h"

namespace capstan {
namespace {

// `rows` are sorted by score.
std::optional<double> auc_of_sorted(std::span<const std::uint64_t> rows, std::span<const float> scores,
                                    std::span<const float> labels) {
  double negatives_below = 0.0, wins = 0.0, positives = 0.0;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    double tied_positives = 0.0, tied_negatives = 0.0;
    for (; end < rows.size() && scores[rows[end]] == scores[rows[begin]]; ++end) {
      (labels[rows[end]] > 0.5F ? tied_positives : tied_negatives) += 1.0;
    }
    wins += tied_positives * (negatives_below + 0.5 * tied_negatives);
    positives += tied_positives;
    negatives_below += tied_negatives;
    begin = end;
  }
  if (positives == 0.0 || negatives_below == 0.0) return std::nullopt;
  return wins / (positives * negatives_below);
}

std::vector<std::uint64_t> all_rows(std::size_t size) {
  std::vector<std::uint64_t> rows(size);
  std::iota(rows.begin(), rows.end(), std::uint64_t{0});
  return rows;
}

}  // namespace

std::optional<double> auc(std::span<const float> scores, std::span<const float> labels) {
  CAPSTAN_ASSERT(scores.size() == labels.size(), "a label a score");
  auto rows = all_rows(scores.size());
  std::sort(rows.begin(), rows.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
  return auc_of_sorted(rows, scores, labels);
}

std::optional<double> gauc(std::span<const float> scores, std::span<const float> labels,
                           std::span<const std::uint32_t> users) {
  CAPSTAN_ASSERT(scores.size() == labels.size() && scores.size() == users.size(),
                 "a label and a user a score");
  auto rows = all_rows(scores.size());
  std::sort(rows.begin(), rows.end(), [&](auto a, auto b) {
    return users[a] != users[b] ? users[a] < users[b] : scores[a] < scores[b];
  });
  double sum = 0.0, weight = 0.0;
  for (std::size_t begin = 0; begin < rows.size();) {
    std::size_t end = begin;
    while (end < rows.size() && users[rows[end]] == users[rows[begin]]) ++end;
    const auto of_user = auc_of_sorted(std::span(rows).subspan(begin, end - begin), scores, labels);
    if (of_user) {
      sum += *of_user * static_cast<double>(end - begin);
      weight += static_cast<double>(end - begin);
    }
    begin = end;
  }
  if (weight == 0.0) return std::nullopt;
  return sum / weight;
}

}  // namespace capstan
