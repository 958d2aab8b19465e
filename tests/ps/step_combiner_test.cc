#include "ps/step_combiner.h"

#include <gtest/gtest.h>

#include "common/rng.h"
#include "tests/ps/pushed.h"

namespace capstan {
namespace {

struct Slot {
  PushedSlice slice;
  std::vector<Key> keys;
  std::vector<float> gradients;
};

// Two tables of 1 and 3 floats; each slot gives some of them, with ascending keys.
Slot random_slot(Rng& rng, const std::vector<TableSpec>& specs) {
  Slot slot;
  for (std::uint32_t table = 0; table < specs.size(); ++table) {
    std::uint32_t count = 0;
    for (Key key = 0; key < 12; ++key) {
      if (!rng.chance(0.4)) continue;
      ++count;
      slot.keys.push_back(key);
      for (std::uint32_t d = 0; d < specs[table].dim; ++d) {
        slot.gradients.push_back(static_cast<float>(rng.normal()));
      }
    }
    if (count > 0) slot.slice.sections.push_back({table, count});
  }
  return slot;
}

TEST(StepCombiner, SumsEveryRowOverTheSlotsInTheirOrder) {
  const std::vector<TableSpec> specs = {sum_table("a", 1), sum_table("b", 3)};
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng(seed);
    std::vector<Slot> slots;
    for (std::uint64_t i = 0; i < 1 + seed % 5; ++i) slots.push_back(random_slot(rng, specs));
    std::vector<const PushedSlice*> parts;
    std::map<std::pair<std::uint32_t, Key>, std::vector<float>> expected;
    for (Slot& slot : slots) {
      slot.slice.keys = slot.keys.data();
      slot.slice.gradients = slot.gradients.data();
      parts.push_back(&slot.slice);
      std::size_t key = 0, at = 0;
      for (const Section& section : slot.slice.sections) {
        for (std::uint32_t i = 0; i < section.count; ++i, ++key) {
          auto& row = expected[{section.table, slot.keys[key]}];
          const bool first = row.empty();
          row.resize(specs[section.table].dim);
          for (float& value : row) {
            const float part = slot.gradients[at++];
            value = first ? part : value + part;
          }
        }
      }
    }
    const CombinedStep step = combine_slots(parts, specs);
    std::map<std::pair<std::uint32_t, Key>, std::vector<float>> found;
    std::size_t key = 0, at = 0;
    for (const Section& section : step.sections) {
      for (std::uint32_t i = 0; i < section.count; ++i, ++key) {
        EXPECT_TRUE(i == 0 || step.keys[key - 1] < step.keys[key]) << "seed " << seed;
        auto& row = found[{section.table, step.keys[key]}];
        for (std::uint32_t d = 0; d < specs[section.table].dim; ++d) row.push_back(step.gradients[at++]);
      }
    }
    EXPECT_EQ(found, expected) << "seed " << seed;
    EXPECT_EQ(at, step.gradients.size());
  }
}

TEST(StepCombiner, OfNothingIsNothing) {
  const std::vector<TableSpec> specs = {sum_table()};
  const PushedSlice empty;
  const std::vector<const PushedSlice*> parts = {&empty, &empty};
  EXPECT_TRUE(combine_slots(parts, specs).sections.empty());
}

}  // namespace
}  // namespace capstan
