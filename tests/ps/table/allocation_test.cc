// Pulls and pushes of rows that are there allocate nothing, however many there are.
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "common/rng.h"
#include "ps/table/embedding_table.h"
#include "tests/allocations.h"

namespace capstan {
namespace {

TEST(Allocations, NoneForRowsThatAreThere) {
  constexpr std::uint32_t kDim = 16;
  constexpr std::size_t kKeys = 5000;
  for (const OptimizerKind kind :
       {OptimizerKind::kSgd, OptimizerKind::kAdagrad, OptimizerKind::kRowwiseAdagrad, OptimizerKind::kAdam,
        OptimizerKind::kFtrl}) {
    TableSpec spec;
    spec.name = "rows";
    spec.dim = kDim;
    spec.optimizer.kind = kind;
    spec.optimizer.clip_norm = kind == OptimizerKind::kAdam ? 1.0F : 0.0F;
    EmbeddingTable table(spec, 1);
    std::vector<Key> keys(kKeys);
    for (std::size_t i = 0; i < kKeys; ++i) keys[i] = mix64(i);
    std::vector<float> values(kKeys * kDim, 0.1F);
    table.apply(keys, values.data(), {1, 0});
    const std::uint64_t before = allocations_so_far();
    table.apply(keys, values.data(), {2, 0});
    EXPECT_EQ(table.gather(keys, values.data()), kKeys);
    EXPECT_EQ(allocations_so_far(), before) << "optimizer " << static_cast<int>(kind);
  }
  const std::uint64_t before = allocations_so_far();
  const auto one = std::make_unique<int>(1);
  EXPECT_EQ(allocations_so_far(), before + 1) << "it counts";
}

}  // namespace
}  // namespace capstan
