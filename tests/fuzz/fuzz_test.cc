// Every reader of foreign bytes, with its seeds and with damage to them.
#include <gtest/gtest.h>

#include "common/log.h"
#include "tests/fuzz/fuzz_bytes.h"
#include "tests/fuzz/fuzz_target.h"

namespace capstan {

void PrintTo(const FuzzTarget& target, std::ostream* out) {
  *out << target.name;
}

namespace {

class Fuzz : public testing::TestWithParam<FuzzTarget> {};

TEST_P(Fuzz, AnyBytesAreAnAnswer) {
  const FuzzTarget& target = GetParam();
  const std::vector<Buffer> seeds = target.seeds();
  ASSERT_FALSE(seeds.empty());
  for (const Buffer& valid : seeds) target.run(valid.bytes());
  for (std::uint64_t seed = 0; seed < 1500; ++seed) {
    SCOPED_TRACE(seed);
    ByteFuzzer fuzzer(seed);
    target.run(fuzzer.damage(seeds[seed % seeds.size()].bytes()).bytes());
  }
}

INSTANTIATE_TEST_SUITE_P(Readers, Fuzz, testing::ValuesIn(fuzz_targets()),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace capstan
