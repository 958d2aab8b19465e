#include "tests/fuzz/fuzz_bytes.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace capstan {
namespace {

std::string valid_bytes() {
  std::string text(100, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i);
  return text;
}

TEST(ByteFuzzer, ASeedFixesTheDamage) {
  const Buffer valid = Buffer::copy_of(valid_bytes());
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    EXPECT_EQ(ByteFuzzer(seed).damage(valid.bytes()).text(), ByteFuzzer(seed).damage(valid.bytes()).text());
  }
}

TEST(ByteFuzzer, DamageIsOfEveryKind) {
  const std::string valid = valid_bytes();
  std::set<std::string> distinct;
  int shorter = 0, longer = 0, same_size = 0, intact = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Buffer damaged = ByteFuzzer(seed).damage(Buffer::copy_of(valid).bytes());
    distinct.emplace(damaged.text());
    shorter += damaged.size() < valid.size();
    longer += damaged.size() > valid.size();
    same_size += damaged.size() == valid.size();
    intact += damaged.text() == valid;
  }
  EXPECT_GT(shorter, 100);
  EXPECT_GT(longer, 100);
  EXPECT_GT(same_size, 100);
  EXPECT_LT(intact, 50);
  EXPECT_GT(distinct.size(), 900U);
}

TEST(ByteFuzzer, FramesAreLostDoubledAndDamaged) {
  const Frames valid{Buffer::copy_of("header"), Buffer::copy_of("keys and more"), Buffer::allocate(0)};
  std::set<std::size_t> counts;
  int header_damaged = 0, others_damaged = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Frames damaged = ByteFuzzer(seed).damage(valid);
    counts.insert(damaged.size());
    if (damaged.size() != valid.size()) continue;
    header_damaged += damaged[0].text() != valid[0].text();
    others_damaged += damaged[1].text() != valid[1].text();
  }
  EXPECT_EQ(counts, (std::set<std::size_t>{2, 3, 4, 5}));
  EXPECT_GT(header_damaged, 200);
  EXPECT_GT(others_damaged, 100);
  for (std::uint64_t seed = 0; seed < 100; ++seed) ByteFuzzer(seed).damage(Frames{});
}

}  // namespace
}  // namespace capstan
