#include "ps/table/admission.h"

#include <gtest/gtest.h>

#include <unordered_map>
#include <vector>

#include "common/rng.h"

namespace capstan {
namespace {

TEST(Admission, ZeroAndOneAdmitAtOnceWithoutMemory) {
  for (const std::uint32_t min_count : {0U, 1U}) {
    Admission admission(min_count, 1);
    EXPECT_TRUE(admission.admit(5));
    EXPECT_EQ(admission.bytes(), 0U);
  }
}

TEST(Admission, TheNthPushIsAdmitted) {
  Admission admission(3, 1U << 15);
  EXPECT_EQ(admission.bytes(), 0U);
  EXPECT_FALSE(admission.admit(5));
  EXPECT_FALSE(admission.admit(5));
  EXPECT_FALSE(admission.admit(6));
  EXPECT_TRUE(admission.admit(5));
  EXPECT_FALSE(admission.admit(6));
  EXPECT_TRUE(admission.admit(6));
}

TEST(Admission, NeverTooLateAndRarelyTooEarly) {
  constexpr std::uint32_t kMinCount = 4;
  Rng rng(21);
  Admission admission(kMinCount, 1U << 15);
  std::unordered_map<Key, std::uint32_t> counts;
  std::size_t early = 0, pushes = 0;
  for (; counts.size() < 12000; ++pushes) {
    const Key key = rng.below(20000);
    const std::uint32_t count = ++counts[key];
    const bool admitted = admission.admit(key);
    if (count >= kMinCount) {
      ASSERT_TRUE(admitted) << key;
    } else if (admitted) {
      ++early;
    }
  }
  EXPECT_LT(early, pushes / 50);
}

TEST(Admission, AgesWhenItHoldsTooManyKeys) {
  Admission admission(2, 1U << 10);  // ages after 512 different keys
  EXPECT_FALSE(admission.admit(1));
  for (Key key = 1000; key < 3000; ++key) admission.admit(key);
  EXPECT_FALSE(admission.admit(1));
  EXPECT_TRUE(admission.admit(1));
}

TEST(Admission, GoesOnAfterSaveAndRestore) {
  Rng rng(3);
  Admission original(3, 1U << 15);
  for (int i = 0; i < 5000; ++i) original.admit(rng.below(3000));
  std::vector<std::byte> saved;
  original.save(saved);
  Admission copy(3, 1U << 15);
  ASSERT_TRUE(copy.restore(saved).ok());
  for (int i = 0; i < 5000; ++i) {
    const Key key = rng.below(3000);
    ASSERT_EQ(original.admit(key), copy.admit(key));
  }
}

// A job that goes on with other memory counts with another width.
TEST(Admission, ASketchOfAnotherWidthForgetsNoKey) {
  for (const std::uint32_t width : {1U << 8, 1U << 15}) {
    Admission original(3, 1U << 12);
    for (Key key = 0; key < 100; ++key) {
      for (Key times = 0; times < key % 3; ++times) original.admit(key);
    }
    std::vector<std::byte> saved;
    original.save(saved);
    Admission copy(3, width);
    ASSERT_TRUE(copy.restore(saved).ok());
    EXPECT_EQ(copy.bytes(), 4U * width);
    std::size_t early = 0;
    for (Key key = 0; key < 100; ++key) {
      const bool admitted = copy.admit(key);
      if (key % 3 == 2) {
        EXPECT_TRUE(admitted) << key << " was counted twice before, width " << width;
      } else {
        early += admitted ? 1 : 0;
      }
    }
    EXPECT_LE(early, 10U) << width;
  }
}

TEST(Admission, RefusesBytesThatAreNoSketch) {
  Admission admission(3, 1U << 10);
  admission.admit(1);
  std::vector<std::byte> saved;
  admission.save(saved);
  EXPECT_FALSE(Admission(0, 1U << 10).restore(saved).ok()) << "this table counts nothing";
  std::vector<std::byte> odd = saved;
  odd[5] = std::byte{3};  // three quarters as many counters as there are
  EXPECT_FALSE(admission.restore(odd).ok());
  odd.resize(8 + 3 * 256);
  EXPECT_FALSE(admission.restore(odd).ok()) << "a width that is no power of two";
  saved.pop_back();
  EXPECT_FALSE(admission.restore(saved).ok());
  EXPECT_FALSE(admission.restore({}).ok());
  EXPECT_FALSE(admission.admit(1));
  EXPECT_TRUE(admission.admit(1));
}

}  // namespace
}  // namespace capstan
