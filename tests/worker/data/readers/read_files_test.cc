#include "worker/data/readers/read_files.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "common/rng.h"
#include "tests/temp_dir.h"
#include "worker/data/input.h"

namespace capstan {
namespace {

using Table = std::vector<std::vector<std::string>>;

Table cells(const RawTable& table) {
  Table rows(table.rows());
  for (std::uint64_t row = 0; row < table.rows(); ++row) {
    for (const auto& column : table.columns) rows[row].emplace_back(column[row]);
  }
  return rows;
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  std::string packed(text.size() + 200, '\0');
  stream.next_in = const_cast<Bytef*>(reinterpret_cast<const Bytef*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  deflate(&stream, Z_FINISH);
  packed.erase(packed.size() - stream.avail_out);
  deflateEnd(&stream);
  return packed;
}

std::string zstd(std::string_view text) {
  std::string packed(ZSTD_compressBound(text.size()), '\0');
  packed.erase(ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
  return packed;
}

class ReadFiles : public testing::Test {
 protected:
  Result<RawTable> read(std::string_view text, const FileFormat& format = {}, std::size_t ranges = 1) {
    return read_text(text, "f.csv", format, bad, ranges);
  }
  TempDir dir;
  BadLines bad{2, ""};
};

TEST_F(ReadFiles, CsvWithQuotesAndCarriageReturns) {
  const auto table =
      read("id,\"title, long\"\r\n1,\"say \"\"hi\"\", you\"\r\n2,\"\"\r\n3,plain \"inner\"\r\n4,\"a, b\"");
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(table->names, (std::vector<std::string>{"id", "title, long"}));
  EXPECT_EQ(cells(*table),
            (Table{{"1", "say \"hi\", you"}, {"2", ""}, {"3", "plain \"inner\""}, {"4", "a, b"}}));
  EXPECT_EQ(table->where(2), "f.csv:4");
}

TEST_F(ReadFiles, NamesMayBeGivenAndSeparatorsBeLong) {
  FileFormat format;
  format.header = false;
  format.delimiter = "::";
  format.columns = {"item", "title", "genres"};
  format.wanted = {"item", "genres"};
  const auto table = read("1::\"Quoted\" (1995)::A|B\n\n2::X::C\n", format);
  ASSERT_TRUE(table.ok()) << table.error().message;
  EXPECT_EQ(cells(*table), (Table{{"1", "A|B"}, {"2", "C"}}));
  EXPECT_EQ(table->lines, (std::vector<std::uint32_t>{1, 3}));
}

TEST_F(ReadFiles, BadLinesAreNamedAndCounted) {
  const auto table = read("a,b\n1,2\n1\n\xE9,2\n3,\"x\ny\",4\n");
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().message,
            "f.csv:5: a quoted cell is not closed before its separator; that is bad line 3, and "
            "max_bad_lines is 2");
  EXPECT_NE(bad.reasons({}).find("1  bad line: not UTF-8, first f.csv:"), std::string::npos);
  EXPECT_NE(bad.reasons({}).find("1  bad line: wrong column count, first f.csv:"), std::string::npos);
}

TEST_F(ReadFiles, RejectFileHoldsReasonAndText) {
  BadLines keeping(5, dir.path("rejected"));
  ASSERT_TRUE(read_text("a,b\n1,2\n7,8,9\n", "f.csv", {}, keeping, 1).ok());
  ASSERT_TRUE(keeping.close().ok());
  EXPECT_EQ(dir.read("rejected"), "f.csv:3\t3 columns instead of 2 (a, b)\t7,8,9\n");
}

TEST_F(ReadFiles, AMissingColumnIsNamedWithItsNearest) {
  FileFormat format;
  format.wanted = {"rating", "usr"};
  const auto table = read("user,item,rating\n1,2,3\n", format);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().message,
            "f.csv: no column 'usr' (did you mean 'user'?); its columns are user, item, rating");
}

TEST_F(ReadFiles, RangesGiveTheSameTable) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    std::string text = "a,b\n";
    for (std::uint64_t i = 0, n = 1 + rng.below(40); i < n; ++i) {
      text += rng.chance(0.05) ? "bad"
                               : "x" + std::to_string(i) + ",\"y," + std::to_string(rng.below(1000)) + "\"";
      text += rng.chance(0.5) ? "\r\n" : "\n";
      if (rng.chance(0.1)) text += "\n";
    }
    if (rng.chance(0.5)) text += "last,1";
    BadLines one(100, "");
    BadLines many(100, "");
    const auto whole = read_text(text, "f", {}, one, 1);
    const auto parts = read_text(text, "f", {}, many, 1 + rng.below(12));
    ASSERT_TRUE(whole.ok() && parts.ok());
    ASSERT_EQ(cells(*whole), cells(*parts));
    ASSERT_EQ(whole->lines, parts->lines);
    ASSERT_EQ(one.count(), many.count());
  }
}

TEST_F(ReadFiles, CompressedFilesGlobsAndMarks) {
  std::string long_text = "a,b\n";
  for (int i = 0; i < 300000; ++i) long_text += std::to_string(i) + ",x\n";
  dir.write("1.csv",
            "\xEF\xBB\xBF"
            "a,b\n-3,p\n");
  dir.write("2.csv.gz", gzip("a,b\n-2,q\n") + gzip("-1,r\n"));
  dir.write("3.csv.zst", zstd(long_text));
  const auto paths = expand_paths(std::vector<std::string>{dir.path("*.csv*")});
  ASSERT_TRUE(paths.ok());
  const auto table = read_files(*paths, {}, bad);
  ASSERT_TRUE(table.ok()) << table.error().message;
  ASSERT_EQ(table->rows(), 300003U);
  EXPECT_EQ(table->columns[0][2], "-1");
  EXPECT_EQ(table->columns[0][300002], "299999");
  EXPECT_EQ(table->where(2), dir.path("2.csv.gz:3"));
}

TEST_F(ReadFiles, BrokenFilesAreErrors) {
  const auto error = [&](std::string_view name, std::string_view text) {
    const auto result = load_text(dir.write(name, text));
    return result.ok() ? "none" : result.error().message.substr(dir.path().size() + 1);
  };
  const std::string packed = gzip("a,b\n1,2\n");
  using namespace std::string_view_literals;
  EXPECT_EQ(error("wide",
                  "\xFF\xFE"
                  "a\0"sv),
            "wide: the file is UTF-16, not UTF-8: iconv -f UTF-16 -t UTF-8 " + dir.path("wide"));
  EXPECT_EQ(error("unmarked", "\0a\0,"sv).substr(0, 28), "unmarked: the file is UTF-16");
  EXPECT_EQ(error("empty", ""), "empty: the file is empty");
  EXPECT_EQ(error("cut.gz", packed.substr(0, packed.size() - 5)),
            "cut.gz: broken gzip stream: the file is cut short");
  EXPECT_EQ(error("bad.gz", packed.substr(0, 12) + "!!!!" + packed.substr(16)).substr(0, 26),
            "bad.gz: broken gzip stream");
  const std::string z = zstd("a,b\n1,2\n");
  EXPECT_EQ(error("cut.zst", z.substr(0, z.size() - 3)),
            "cut.zst: broken zstd stream: the file is cut short");
  const auto missing = expand_paths(std::vector<std::string>{dir.path("no.csv")});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message, dir.path("no.csv: no such file or directory"));
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(ReadFiles, HeadersAreChecked) {
  EXPECT_EQ(read("a,\xE9\n1,2\n").error().message, "f.csv: the header is not UTF-8");
  EXPECT_EQ(read("a,b,a\n1,2,3\n").error().message, "f.csv: two columns are named 'a'");
  FileFormat format;
  format.header = false;
  EXPECT_EQ(read("1,2\n", format).error().message,
            "f.csv: without a header, data.columns must name the columns");
}

TEST_F(ReadFiles, AHeaderAloneIsNoData) {
  const std::string path = dir.write("h.csv", "a,b\n");
  const auto table = read_files(std::vector<std::string>{path}, {}, bad);
  ASSERT_FALSE(table.ok());
  EXPECT_EQ(table.error().message, path + ": no data lines");
  dir.write("h.csv", "a,b\n1,2,3\n");
  EXPECT_EQ(read_files(std::vector<std::string>{path}, {}, bad).error().message,
            path + ": no data lines\n           1  bad line: wrong column count, first " + path +
                ":2: 3 columns instead of 2 (a, b)");
}

}  // namespace
}  // namespace capstan
