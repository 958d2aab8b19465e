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
  Admission admission(3, 256);
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
  Admission admission(kMinCount, 256);
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
  Admission admission(2, 1U << 13);  // the narrowest sketch: ages after 512 different keys
  EXPECT_FALSE(admission.admit(1));
  for (Key key = 1000; key < 3000; ++key) admission.admit(key);
  EXPECT_FALSE(admission.admit(1));
  EXPECT_TRUE(admission.admit(1));
}

TEST(Admission, GoesOnAfterSaveAndRestore) {
  Rng rng(3);
  Admission original(3, 256);
  for (int i = 0; i < 5000; ++i) original.admit(rng.below(3000));
  std::vector<std::byte> saved;
  original.save(saved);
  Admission copy(3, 256);
  ASSERT_TRUE(copy.restore(saved).ok());
  for (int i = 0; i < 5000; ++i) {
    const Key key = rng.below(3000);
    ASSERT_EQ(original.admit(key), copy.admit(key));
  }
}

TEST(Admission, RefusesBytesOfAnotherSize) {
  Admission admission(3, 256);
  admission.admit(1);
  std::vector<std::byte> saved;
  admission.save(saved);
  EXPECT_FALSE(Admission(3, 1024).restore(saved).ok());
  EXPECT_FALSE(Admission(0, 256).restore(saved).ok());
  saved.pop_back();
  EXPECT_FALSE(admission.restore(saved).ok());
  EXPECT_FALSE(admission.restore({}).ok());
  EXPECT_FALSE(admission.admit(1));
  EXPECT_TRUE(admission.admit(1));
}

}  // namespace
}  // namespace capstan
