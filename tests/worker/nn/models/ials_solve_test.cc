#include "worker/models/ials_solve.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

using Dense = std::vector<std::vector<double>>;

// Gaussian elimination with pivoting.
std::vector<double> solve_plainly(Dense a, std::vector<double> b) {
  const std::size_t n = b.size();
  for (std::size_t column = 0; column < n; ++column) {
    std::size_t pivot = column;
    for (std::size_t i = column; i < n; ++i) {
      if (std::abs(a[i][column]) > std::abs(a[pivot][column])) pivot = i;
    }
    std::swap(a[pivot], a[column]);
    std::swap(b[pivot], b[column]);
    for (std::size_t i = 0; i < n; ++i) {
      if (i == column) continue;
      const double factor = a[i][column] / a[column][column];
      for (std::size_t j = column; j < n; ++j) a[i][j] -= factor * a[column][j];
      b[i] -= factor * b[column];
    }
  }
  for (std::size_t i = 0; i < n; ++i) b[i] /= a[i][i];
  return b;
}

struct Problem {
  std::uint32_t items, dim;
  std::vector<float> h;             // [items, dim]
  std::vector<std::uint32_t> seen;  // items of the user
  IalsSettings settings;

  Problem(std::uint32_t items_, std::uint32_t dim_, std::uint32_t seen_count, std::uint64_t seed)
      : items(items_), dim(dim_), h(items_ * dim_) {
    Rng rng(seed);
    for (float& value : h) value = static_cast<float>(rng.normal());
    for (std::uint32_t i = 0; i < seen_count; ++i) seen.push_back(i * 2);
    settings = {.weight = 0.2, .reg = 0.05, .exponent = 1.0, .opposite_rows = items};
  }
  std::vector<float> solve() {
    std::vector<float> rows, gramian(dim * dim, 0.0F), out(dim);
    for (const std::uint32_t item : seen) {
      rows.insert(rows.end(), h.begin() + item * dim, h.begin() + (item + 1) * dim);
    }
    add_gramian({h.data(), items, dim}, {gramian.data(), dim, dim});
    const auto count = static_cast<std::uint32_t>(seen.size());
    const Status status =
        IalsSolver(dim).solve({rows.data(), count, dim}, {gramian.data(), dim, dim}, settings, out);
    EXPECT_TRUE(status.ok()) << status.error().message;
    return out;
  }
  double score(std::uint32_t item, const std::vector<double>& w) const {
    double sum = 0.0;
    for (std::uint32_t j = 0; j < dim; ++j) sum += w[j] * h[item * dim + j];
    return sum;
  }
  // Σ_{i∈u} (<w, h_i> - 1)² + α₀ Σ_{i∈I} <w, h_i>² + λ (|u| + α₀ |I|)^ν |w|²
  double objective(const std::vector<double>& w) const {
    double sum = 0.0;
    for (const std::uint32_t item : seen) sum += std::pow(score(item, w) - 1.0, 2);
    for (std::uint32_t item = 0; item < items; ++item) sum += settings.weight * std::pow(score(item, w), 2);
    double norm = 0.0;
    for (const double value : w) norm += value * value;
    const double mass = static_cast<double>(seen.size()) + settings.weight * items;
    return sum + settings.reg * std::pow(mass, settings.exponent) * norm;
  }
};

TEST(IalsSolver, AgreesWithPlainNormalEquations) {
  for (const std::uint32_t dim : {1U, 2U, 7U, 33U, 64U}) {
    for (const double exponent : {0.0, 0.5, 1.0}) {
      Problem problem(90, dim, 20, dim);
      problem.settings.exponent = exponent;
      Dense a(dim, std::vector<double>(dim, 0.0));
      std::vector<double> b(dim, 0.0);
      for (std::uint32_t item = 0; item < problem.items; ++item) {
        const bool seen = item % 2 == 0 && item < 40;
        const float* const h = problem.h.data() + item * dim;
        for (std::uint32_t j = 0; j < dim; ++j) {
          if (seen) b[j] += h[j];
          for (std::uint32_t k = 0; k < dim; ++k)
            a[j][k] += (seen ? 1.2 : 0.2) * static_cast<double>(h[j]) * h[k];
        }
      }
      for (std::uint32_t j = 0; j < dim; ++j) a[j][j] += 0.05 * std::pow(20 + 0.2 * 90, exponent);
      const auto expected = solve_plainly(a, b);
      const auto actual = problem.solve();
      for (std::uint32_t j = 0; j < dim; ++j) EXPECT_NEAR(actual[j], expected[j], 1e-4) << dim;
    }
  }
}

TEST(IalsSolver, FindsTheMinimumOfTheObjective) {
  Problem problem(60, 5, 12, 3);
  const auto solved = problem.solve();
  std::vector<double> w(solved.begin(), solved.end());
  const double lowest = problem.objective(w);
  for (std::size_t j = 0; j < w.size(); ++j) {
    for (const double step : {-0.01, 0.01}) {
      auto moved = w;
      moved[j] += step;
      EXPECT_GT(problem.objective(moved), lowest);
    }
  }
}

TEST(IalsSolver, NothingSeenGivesZeros) {
  EXPECT_EQ(Problem(30, 4, 0, 1).solve(), std::vector<float>(4, 0.0F));
}

TEST(IalsSolver, RefusesWhatHasNoSolution) {
  const std::vector<float> nan(4, std::numeric_limits<float>::quiet_NaN());
  const std::vector<float> zeros(4, 0.0F);
  std::vector<float> out(2);
  IalsSolver solver(2);
  const IalsSettings settings{.weight = 0.1, .reg = 0.0, .exponent = 1.0, .opposite_rows = 5};
  EXPECT_FALSE(solver.solve({nan.data(), 2, 2}, {zeros.data(), 2, 2}, settings, out).ok());
  EXPECT_FALSE(solver.solve({zeros.data(), 2, 2}, {zeros.data(), 2, 2}, settings, out).ok());
}

}  // namespace
}  // namespace capstan
