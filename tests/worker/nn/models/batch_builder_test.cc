#include "worker/models/batch_builder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "tests/worker/nn/models/local_cluster.h"

namespace capstan {
namespace {

constexpr std::uint32_t kShards = 16;

struct Fixture {
  std::vector<FieldInfo> fields{make_field("user", FieldSource::kUser),
                                make_field("item", FieldSource::kItem),
                                make_field("recent", FieldSource::kUser, true)};
  std::unique_ptr<Model> model;

  Fixture() {
    fields[2].table = "item";
    JobConfig job;
    job.model.type = "fm";
    model = std::move(make_model(job, fields)).value();
  }
};

TEST(BatchBuilder, PositionsLeadBackToTheKeys) {
  const Fixture fixture;
  BatchBuilder builder(fixture.model->tables(), kShards);
  Rng rng(1);
  std::vector<std::vector<std::vector<Key>>> added(3);  // [field][example]
  for (int i = 0; i < 300; ++i) {
    for (std::uint32_t field = 0; field < 3; ++field) {
      std::vector<Key> keys;
      for (std::uint64_t n = field == 2 ? rng.below(4) : 1; n > 0; --n) keys.push_back(mix64(rng.below(90)));
      builder.add(field, keys, {});
      added[field].push_back(keys);
    }
  }
  builder.data().size = 300;
  const auto step = builder.finish();
  const MicroBatch batch = builder.data().view();
  ASSERT_EQ(step.size(), fixture.model->tables().all().size());
  for (std::uint32_t t = 0; t < step.size(); ++t) {
    EXPECT_EQ(step[t].table, t);
    auto sorted = step[t].keys;
    sort_for_wire(sorted, kShards);
    EXPECT_EQ(step[t].keys, sorted);
    const ModelTable& table = fixture.model->tables().all()[t];
    if (table.spec.dense) {
      EXPECT_EQ(step[t].keys.size(), table.spec.num_rows);
      continue;
    }
    for (std::uint32_t field = 0; field < 3; ++field) {
      if (fixture.model->tables().key_set_of(field) != table.key_set) continue;
      const FieldEntries& entries = batch.fields[field];
      EXPECT_EQ(entries.offsets.empty(), field != 2);
      for (std::uint32_t i = 0; i < 300; ++i) {
        std::vector<Key> keys;
        for (std::uint32_t e = entries.begin(i); e < entries.end(i); ++e) {
          keys.push_back(step[t].keys[entries.positions[e]]);
        }
        EXPECT_EQ(keys, added[field][i]);
      }
    }
  }
}

TEST(BatchBuilder, WeightsMayBeginLate) {
  const Fixture fixture;
  BatchBuilder builder(fixture.model->tables(), kShards);
  const std::vector<Key> one{7}, two{7, 8};
  const std::vector<float> weights{0.5F, 2.0F};
  builder.add(2, one, {});
  builder.add(2, two, weights);
  builder.add(2, one, {});
  builder.finish();
  EXPECT_EQ(builder.data().fields[2].weights, (std::vector<float>{1.0F, 0.5F, 2.0F, 1.0F}));
  EXPECT_EQ(builder.data().fields[2].offsets, (std::vector<std::uint32_t>{0, 1, 3, 4}));
}

TEST(BatchBuilder, LeavesOutTablesWithoutKeys) {
  const Fixture fixture;
  BatchBuilder builder(fixture.model->tables(), kShards);
  builder.add(0, std::vector<Key>{3}, {});
  for (const StepTable& table : builder.finish()) {
    const TableSpec& spec = fixture.model->tables().all()[table.table].spec;
    EXPECT_TRUE(spec.dense || spec.name.starts_with("user")) << spec.name;
  }
}

}  // namespace
}  // namespace capstan
