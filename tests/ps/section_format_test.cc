#include "ps/section_format.h"

#include <gtest/gtest.h>

#include <cstring>
#include <map>

#include "common/hash.h"

namespace capstan {
namespace {

using Rows = std::map<Key, std::uint32_t>;  // a row is one number
using Keys = std::vector<Key>;

constexpr std::uint32_t kRecord = sizeof(Key) + sizeof(std::uint32_t);

struct Table {
  std::string name;
  Keys removed;
  std::vector<std::pair<Key, std::uint32_t>> rows;
  std::string state = "s";
};

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

Buffer section(std::uint64_t checkpoint, std::uint64_t base, const std::vector<Table>& tables,
               const std::string& state = "state", std::uint32_t shard = 5) {
  ByteWriter out;
  put_section(out, {shard, checkpoint, base}, bytes_of(state), tables.size());
  for (const Table& table : tables) {
    const SectionTable head{
        table.name, kRecord, std::as_bytes(std::span(table.removed)), bytes_of(table.state), {}};
    std::byte* at = put_table(out, head, table.rows.size() * kRecord).data();
    for (const auto& [key, row] : table.rows) {
      std::memcpy(at, &key, sizeof(key));
      std::memcpy(at + sizeof(key), &row, sizeof(row));
      at += kRecord;
    }
  }
  return out.take();
}

SectionContent parsed(const Buffer& bytes) {
  ByteReader in(bytes.bytes());
  auto content = get_section(in);
  EXPECT_TRUE(content.ok() && in.finish().ok());
  return content.ok() ? std::move(content).value() : SectionContent{};
}

Rows rows_of(const SectionTable& table) {
  Rows rows;
  for (std::size_t at = 0; at < table.records.size(); at += kRecord) {
    Key key = 0;
    std::uint32_t row = 0;
    std::memcpy(&key, table.records.data() + at, sizeof(key));
    std::memcpy(&row, table.records.data() + at + sizeof(key), sizeof(row));
    EXPECT_TRUE(rows.emplace(key, row).second) << "a key stands there twice";
  }
  return rows;
}

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(MergeSections, TheNewestOfEveryRowCounts) {
  const std::vector<Buffer> chain = {
      section(1, 0, {{"a", {}, {{1, 10}, {2, 20}, {3, 30}}}, {"b", {}, {{1, 5}}}}, "old"),
      section(2, 1, {{"a", {3}, {{2, 21}, {4, 40}}}, {"b", {}, {}}}),
      section(4, 2, {{"a", {2, 9}, {{3, 32}, {4, 41}}}, {"b", {1}, {}, "t"}}, "new")};
  const auto merged = merge_sections(chain);
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  const SectionContent content = parsed(*merged);
  EXPECT_EQ(content.head.shard, 5U);
  EXPECT_EQ(content.head.checkpoint, 4U);
  EXPECT_EQ(content.head.base, 0U);
  EXPECT_EQ(text(content.state), "new");
  ASSERT_EQ(content.tables.size(), 2U);
  EXPECT_EQ(rows_of(content.tables[0]), (Rows{{1, 10}, {3, 32}, {4, 41}}));
  EXPECT_EQ(rows_of(content.tables[1]), Rows{});
  EXPECT_EQ(text(content.tables[1].state), "t");
  EXPECT_TRUE(content.tables[0].removed.empty());
}

TEST(MergeSections, ARowThatWentAndCameBackIsTheNewOne) {
  const std::vector<Buffer> chain = {section(1, 0, {{"a", {}, {{1, 10}, {2, 20}}}}),
                                     section(2, 1, {{"a", {1}, {{1, 11}}}}), section(3, 2, {{"a", {2}, {}}})};
  EXPECT_EQ(rows_of(parsed(*merge_sections(chain)).tables[0]), (Rows{{1, 11}}));
}

TEST(MergeSections, ATableMayBeNew) {
  const std::vector<Buffer> chain = {section(1, 0, {{"a", {}, {{1, 10}}}}),
                                     section(2, 1, {{"new", {}, {{7, 1}}}, {"a", {}, {}}})};
  const auto merged = merge_sections(chain);
  ASSERT_TRUE(merged.ok());
  const SectionContent content = parsed(*merged);
  EXPECT_EQ(rows_of(content.tables[0]), (Rows{{7, 1}}));
  EXPECT_EQ(rows_of(content.tables[1]), (Rows{{1, 10}}));
}

TEST(MergeSections, OneAloneIsItself) {
  const std::vector<Buffer> whole = {section(1, 0, {{"a", {}, {{1, 10}}}})};
  EXPECT_EQ(merge_sections(whole)->text(), whole[0].text());
}

TEST(MergeSections, RefusesWhatDoesNotBelongTogether) {
  const Buffer whole = section(1, 0, {{"a", {}, {{1, 10}}}});
  const Buffer change = section(2, 1, {{"a", {}, {{1, 11}}}});
  const auto refused = [](const std::vector<Buffer>& chain) { return !merge_sections(chain).ok(); };
  EXPECT_FALSE(refused({whole, change}));
  EXPECT_TRUE(refused({}));
  EXPECT_TRUE(refused({change})) << "without what it changes";
  EXPECT_TRUE(refused({whole, section(3, 2, {})})) << "one between them is missing";
  EXPECT_TRUE(refused({whole, whole}));
  EXPECT_TRUE(refused({change, whole}));
  EXPECT_TRUE(refused({whole, section(2, 1, {}, "", 6)})) << "another shard";
  ByteWriter wide;
  put_section(wide, {5, 2, 1}, {}, 1);
  put_table(wide, {"a", kRecord + 4, {}, {}, {}}, 0);
  EXPECT_TRUE(refused({whole, wide.take()})) << "rows of another size";
  for (std::size_t size = 0; size < change.size(); ++size) {
    EXPECT_TRUE(refused({whole, change.slice(0, size)})) << size;
  }
}

TEST(MergeSections, ATablesRowsMustBeWhole) {
  for (const auto& [record, removed, records] :
       {std::tuple{kRecord, 8U, kRecord + 1}, {kRecord, 7U, kRecord}, {4U, 0U, 4U}, {0U, 0U, 0U}}) {
    ByteWriter out;
    put_section(out, {5, 1, 0}, {}, 1);
    const std::string keys(removed, 'x');
    put_table(out, {"a", record, bytes_of(keys), {}, {}}, records);
    const Buffer bytes = out.take();
    ByteReader in(bytes.bytes());
    EXPECT_FALSE(get_section(in).ok()) << record << " " << removed << " " << records;
  }
}

}  // namespace
}  // namespace capstan
