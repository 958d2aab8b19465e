#include "common/section_chains.h"

#include <gtest/gtest.h>

namespace capstan {
namespace {

ShardSection section(std::uint32_t shard, std::uint64_t base, const std::string& folder = "") {
  ShardSection each;
  each.shard = shard;
  each.base = base;
  each.file = "ps-0.rows";
  each.folder = folder;
  return each;
}

TEST(SectionChains, AShardsSectionsStandTogether) {
  const std::vector<ShardSection> sections = {section(1, 0), section(1, 4), section(1, 5),
                                              section(3, 0), section(7, 0), section(7, 5)};
  const auto chains = chains_of(sections);
  ASSERT_EQ(chains.size(), 3U);
  EXPECT_EQ(chains[0].size(), 3U);
  EXPECT_EQ(chains[1].size(), 1U);
  EXPECT_EQ(chains[2].back().base, 5U);
  EXPECT_TRUE(chains_of({}).empty());
  EXPECT_EQ(chain_of(sections, 1).data(), sections.data());
  EXPECT_EQ(chain_of(sections, 1).size(), 3U);
  EXPECT_EQ(chain_of(sections, 7).size(), 2U);
  for (const std::uint32_t none : {0U, 2U, 9U}) EXPECT_TRUE(chain_of(sections, none).empty()) << none;
}

TEST(SectionChains, FilesStandInTheFolderOrBesideIt) {
  EXPECT_EQ(section_path("a/ckpt-000005", section(0, 0)), "a/ckpt-000005/ps-0.rows");
  EXPECT_EQ(section_path("a/ckpt-000005", section(0, 0, "ckpt-000004")), "a/ckpt-000004/ps-0.rows");
  EXPECT_EQ(section_path("ckpt-000005", section(0, 0, "ckpt-000004")), "ckpt-000004/ps-0.rows");
  EXPECT_EQ(folder_name("a/b/ckpt-000004"), "ckpt-000004");
  EXPECT_EQ(folder_name("ckpt-000004"), "ckpt-000004");
}

}  // namespace
}  // namespace capstan
