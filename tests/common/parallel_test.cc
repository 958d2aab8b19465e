#include "common/parallel.h"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace capstan {
namespace {

TEST(ParallelFor, DoesEachIndexOnceAndIsDoneWhenItReturns) {
  for (const std::size_t count : {0U, 1U, 2U, 7U, 1000U}) {
    std::vector<int> done(count, 0);
    parallel_for(count, [&](std::size_t i) { ++done[i]; });
    EXPECT_EQ(done, std::vector<int>(count, 1));
  }
}

TEST(ParallelFor, BodiesMayHaveLoopsOfTheirOwn) {
  constexpr std::size_t kRows = 20, kColumns = 30;
  std::vector<std::size_t> cells(kRows * kColumns, 0);
  parallel_for(kRows, [&](std::size_t row) {
    parallel_for(kColumns, [&](std::size_t column) { cells[row * kColumns + column] = row * column; });
  });
  // (0 + .. + 19) * (0 + .. + 29)
  EXPECT_EQ(std::accumulate(cells.begin(), cells.end(), std::size_t{0}), 190U * 435U);
}

}  // namespace
}  // namespace capstan
