#include "common/merged_report.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

TEST(MergedReport, ComesBackWithAndWithoutValues) {
  using namespace std::string_literals;
  const std::string values = "PK\0\1\0npz"s;
  MergedReport back = decode_merged_report(encode({R"({"a":1})", Buffer::copy_of(values)}));
  EXPECT_EQ(back.json, R"({"a":1})");
  EXPECT_EQ(back.values.text(), values);
  back = decode_merged_report(encode({R"({"a":1})", {}}));
  EXPECT_EQ(back.json, R"({"a":1})");
  EXPECT_TRUE(back.values.empty());
}

TEST(MergedReport, PlainJsonIsOneWithoutValues) {
  EXPECT_EQ(decode_merged_report(Buffer::copy_of("{}")).json, "{}");
}

TEST(MergedReport, ValuesStandBesideTheReport) {
  EXPECT_EQ(values_path("out/report.json"), "out/report.values.npz");
  EXPECT_EQ(values_path("/dev/stdout"), "");
}

}  // namespace
}  // namespace capstan
