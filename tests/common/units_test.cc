#include "common/units.h"

#include <gtest/gtest.h>

#include "common/rng.h"

namespace capstan {
namespace {

using std::chrono::microseconds;

TEST(Units, Bytes) {
  EXPECT_EQ(parse_bytes("4096").value(), 4096U);
  EXPECT_EQ(parse_bytes("64MiB").value(), 64ULL << 20);
  EXPECT_EQ(parse_bytes("64 MB").value(), 64000000U);
  EXPECT_EQ(parse_bytes("1.5KiB").value(), 1536U);
  for (const char* bad : {"", "MiB", "-1", "1.0001B", "64M", "1e3", "64mib", "99999999999GiB", "nan"}) {
    EXPECT_FALSE(parse_bytes(bad).ok()) << bad;
  }
  EXPECT_EQ(format_bytes(64ULL << 20), "64MiB");
  EXPECT_EQ(format_bytes(1000), "1000");
  EXPECT_EQ(format_bytes(0), "0");
}

TEST(Units, Durations) {
  EXPECT_EQ(parse_duration("30").value(), microseconds(30000000));
  EXPECT_EQ(parse_duration("1.1s").value(), microseconds(1100000));
  EXPECT_EQ(parse_duration("500ms").value(), microseconds(500000));
  EXPECT_EQ(parse_duration("2h").value(), microseconds(7200000000));
  for (const char* bad : {"", "s", "-3s", "3 parsecs", "inf", "1e300d"})
    EXPECT_FALSE(parse_duration(bad).ok()) << bad;
  EXPECT_EQ(format_duration(microseconds(90000000)), "90s");
  EXPECT_EQ(format_duration(microseconds(0)), "0s");
  EXPECT_EQ(format_duration(microseconds(1500)), "1500us");
}

TEST(Units, FormattedValuesParseToThemselves) {
  constexpr std::uint64_t kSeed = 5;
  Rng rng(kSeed);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t value = rng.next() >> (1 + rng.below(63));
    ASSERT_EQ(parse_bytes(format_bytes(value)).value(), value) << "seed " << kSeed;
    const microseconds time(static_cast<std::int64_t>(value));
    ASSERT_EQ(parse_duration(format_duration(time)).value(), time) << "seed " << kSeed;
    const double number = rng.normal() * 1e10;
    ASSERT_EQ(*parse_finite_double(format_number(number)), number) << "seed " << kSeed;
    const auto small = static_cast<float>(rng.normal());
    ASSERT_EQ(*parse_finite_float(format_number(small)), small) << "seed " << kSeed;
  }
}

TEST(Units, NumbersAreFiniteAndWhole) {
  EXPECT_EQ(parse_finite_double("+1e-5"), 1e-5);
  for (const char* bad : {"nan", "inf", "-inf", "1e999", "1x", "", "0x10", "+-1"}) {
    EXPECT_FALSE(parse_finite_double(bad)) << bad;
    EXPECT_FALSE(parse_finite_float(bad)) << bad;
  }
  EXPECT_EQ(format_number(0.1F), "0.1");
}

TEST(Units, SuggestionNamesTheNearWordOrAll) {
  const std::vector<std::string> words = {"csv", "movielens"};
  EXPECT_EQ(suggestion("movielenz", words), " (did you mean 'movielens'?)");
  EXPECT_EQ(suggestion("parquet", words), " (one of: csv, movielens)");
  EXPECT_EQ(suggestion("x", {}), "");
}

}  // namespace
}  // namespace capstan
