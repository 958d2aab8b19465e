#include "ps/table/spec_check.h"

#include <gtest/gtest.h>

#include <string>

namespace capstan {
namespace {

std::string message(void (*change)(TableSpec&)) {
  TableSpec spec;
  spec.name = "item";
  spec.dim = 8;
  change(spec);
  const Status status = check_table_spec(spec);
  return status.ok() ? "" : status.error().message;
}

TEST(SpecCheck, AcceptsAPlainTable) {
  EXPECT_EQ(message([](TableSpec&) {}), "");
}

TEST(SpecCheck, NamesTableAndSetting) {
  EXPECT_EQ(message([](TableSpec& s) { s.dim = 0; }), "table item: dim must be 1 to 65536, is 0");
  EXPECT_EQ(message([](TableSpec& s) { s.min_count = 256; }), "table item: min_count is at most 255, is 256");
  EXPECT_EQ(message([](TableSpec& s) { s.dense = true; }), "table item: a dense table needs num_rows");
  EXPECT_EQ(message([](TableSpec& s) {
              s.dense = true;
              s.num_rows = 4;
              s.max_rows = 2;
            }),
            "table item: min_count, ttl and max_rows are for sparse tables");
  EXPECT_EQ(message([](TableSpec& s) { s.init.kind = static_cast<InitKind>(77); }),
            "table item: unknown initialiser");
  EXPECT_NE(message([](TableSpec& s) { s.optimizer.learning_rate = -1.0F; }).find("learning_rate"),
            std::string::npos);
  EXPECT_NE(message([](TableSpec& s) { s.ttl_seconds = 1ULL << 40; }), "");
}

}  // namespace
}  // namespace capstan
