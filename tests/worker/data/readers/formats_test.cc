// What each format of lines refuses, and in which words.
#include <gtest/gtest.h>

#include "worker/data/readers/read_files.h"

namespace capstan {
namespace {

// The first refusal, or the cells of all rows joined.
std::string read(DataFormat kind, std::string_view text, std::vector<std::string> wanted = {}) {
  FileFormat format;
  format.kind = kind;
  format.wanted = std::move(wanted);
  BadLines bad(0, "");
  const auto table = read_text(text, "f", format, bad, 1);
  if (!table.ok()) return table.error().message;
  std::string rows;
  for (std::uint64_t row = 0; row < table->rows(); ++row) {
    if (row > 0) rows += ';';
    rows += table->row_text(row);
  }
  return rows;
}

TEST(LibsvmLines, LabelAndPairs) {
  const auto kind = DataFormat::kLibsvm;
  EXPECT_EQ(read(kind, "+1 1:2  3:-0.5 # why\n-1\n0.5 7:1e-3\r\n"), "+1\t1:2  3:-0.5;-1\t;0.5\t7:1e-3");
  EXPECT_EQ(read(kind, "1\t1:2\t 3:4\t\n"), "1\t1:2  3:4");
  EXPECT_EQ(read(kind, "yes 1:2\n"), "f:1: the label 'yes' is not a number");
  EXPECT_EQ(read(kind, "1 1:2 x\n"), "f:1: 'x' is not index:value");
  EXPECT_EQ(read(kind, "1 -3:2\n"), "f:1: '-3:2' is not index:value");
  EXPECT_EQ(read(kind, "1 3:two\n"), "f:1: '3:two' is not index:value");
  EXPECT_EQ(read(kind, "1 3:inf\n"), "f:1: '3:inf' is not a finite number");
}

TEST(LibffmLines, FieldsBecomeColumns) {
  const auto kind = DataFormat::kLibffm;
  EXPECT_EQ(read(kind, "1 0:3:1 2:4:0.5 2:5:1\n0 1:9:2\n"), "1\t3:1\t\t4:0.5 5:1;0\t\t9:2\t");
  EXPECT_EQ(read(kind, "1\t0:3:1\t2:4:0.5 \t2:5:1\n"), "1\t3:1\t\t4:0.5 5:1");
  EXPECT_EQ(read(kind, "1 0:3:1 4:1\n"), "f:1: '1' is not index:value");
  EXPECT_EQ(read(kind, "1 x:3:1\n"), "f:1: 'x:3:1' is not field:index:value with a field below 4096");
  EXPECT_EQ(read(kind, "1 5000:3:1\n"), "f:1: '5000:3:1' is not field:index:value with a field below 4096");
}

TEST(CriteoLines, FortyColumns) {
  const auto line = [](std::string_view first_integer) {
    std::string text = "0\t";
    text += first_integer;
    for (int i = 2; i <= 39; ++i) text += "\t";
    return text + "\n";
  };
  const auto kind = DataFormat::kCriteo;
  EXPECT_EQ(read(kind, line("-7"), {"label", "I1", "C26"}), "0\t-7\t");
  EXPECT_EQ(read(kind, line("x")), "f:1: I1 is 'x', not a number");
  EXPECT_EQ(read(kind, line("nan")), "f:1: I1 is 'nan', not a number");
  EXPECT_EQ(read(kind, "0\t1\n"), "f:1: 2 columns instead of 40 (label, I1-I13, C1-C26)");
}

TEST(ItemLists, ARowForEachItem) {
  const auto kind = DataFormat::kItemLists;
  EXPECT_EQ(read(kind, "7 3 1\r\n9\t3  2 \n"), "7\t3\t1;7\t1\t2;9\t3\t1;9\t2\t2");
  EXPECT_EQ(read(kind, "a x y\n", {"item"}), "x;y");
  EXPECT_EQ(read(kind, "7 3\n8\n"), "f:2: user '8' has no items");
}

TEST(JsonLines, FlatObjects) {
  const auto kind = DataFormat::kJsonl;
  EXPECT_EQ(read(kind, "{\"a\": 1, \"b\": \"x\\ty\"}\n{\"b\": null, \"a\": -2.50, \"c\": 3}\n"),
            "1\tx\ty\t;-2.5\t\t3")
      << "every line's keys are columns";
  EXPECT_EQ(read(kind, "{\"a\": 1}\n[1]\n"), "f:2: the line is not one JSON object");
  EXPECT_EQ(read(kind, "{\"a\": 1}\n{\"a\": 1\n"), "f:2: the line is not one JSON object");
  EXPECT_EQ(read(kind, "{\"a\": 1}\n{\"a\": [1]}\n"), "f:2: 'a' is a list or an object");
  EXPECT_EQ(read(kind, "{\"a\": 1, \"n\": {}}\n", {"a"}), "1");
  EXPECT_EQ(read(kind, "nothing\n"), "f: the first line is not a JSON object");
}

TEST(SeparatedLines, WrongColumnCountNamesTheColumns) {
  EXPECT_EQ(read(DataFormat::kCsv, "a,b\n1,2,3\n"), "f:2: 3 columns instead of 2 (a, b)");
  EXPECT_EQ(read(DataFormat::kCsv, "a,b\n1,\"2\"x\n"),
            "f:2: a quoted cell is not closed before its separator");
  EXPECT_EQ(read(DataFormat::kCsv, "a,b\n,\n"), "\t");
}

}  // namespace
}  // namespace capstan
