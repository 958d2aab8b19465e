// A step of training allocates as often for many examples as for few.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <vector>

#include "common/rng.h"
#include "tests/allocations.h"
#include "worker/models/backprop.h"
#include "worker/models/batch_builder.h"
#include "worker/models/registry.h"

namespace capstan {
namespace {

constexpr std::uint32_t kFields = 6, kShards = 16, kMicroBatch = 64;

std::uint64_t allocations_of_a_step(std::uint32_t examples) {
  std::vector<FieldInfo> fields(kFields);
  for (std::uint32_t f = 0; f < kFields; ++f) {
    fields[f].name = fields[f].table = fmt::format("f{}", f);
    fields[f].source = FieldSource::kEvent;
  }
  JobConfig job;
  job.model.type = "deepfm";
  job.model.embedding_dim = 8;
  const auto model = std::move(make_model(job, fields)).value();
  BatchBuilder builder(model->tables(), kShards);
  Rng rng(1);
  const auto fill = [&] {
    builder.data().size = examples;
    for (std::uint32_t i = 0; i < examples; ++i) {
      for (std::uint32_t f = 0; f < kFields; ++f) {
        const Key key = rng.below(100);
        builder.add(f, {&key, 1}, {});
      }
      builder.data().labels.push_back(static_cast<float>(rng.below(2)));
      builder.data().dropout_seeds.push_back(i);
    }
  };
  fill();
  auto step = builder.finish();
  for (StepTable& table : step)
    table.rows.assign(table.keys.size() * model->tables().all()[table.table].spec.dim, 0.1F);
  Backprop backprop(*model, loss_of(job), kMicroBatch);
  const auto train = [&] { EXPECT_TRUE(backprop.train(builder.data().view(), step, 1.0F).ok()); };
  for (int warm_up = 0; warm_up < 4; ++warm_up) train();
  const std::uint64_t before = allocations_so_far();
  train();
  return allocations_so_far() - before;
}

TEST(Allocations, OfAStepDoNotGrowWithItsExamples) {
  const std::uint64_t few = allocations_of_a_step(256), many = allocations_of_a_step(4096);
  EXPECT_LE(many, few + 16) << few << " for 256 examples";
}

}  // namespace
}  // namespace capstan
