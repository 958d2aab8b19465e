#include "common/section_chains.h"

#include <algorithm>

namespace capstan {

std::vector<SectionChain> chains_of(std::span<const ShardSection> sections) {
  std::vector<SectionChain> chains;
  std::size_t begin = 0;
  for (std::size_t end = 1; end <= sections.size(); ++end) {
    if (end < sections.size() && sections[end].shard == sections[begin].shard) continue;
    chains.push_back(sections.subspan(begin, end - begin));
    begin = end;
  }
  return chains;
}

SectionChain chain_of(std::span<const ShardSection> sections, std::uint32_t shard) {
  const auto begin =
      std::lower_bound(sections.begin(), sections.end(), shard,
                       [](const ShardSection& each, std::uint32_t id) { return each.shard < id; });
  const auto end =
      std::find_if(begin, sections.end(), [&](const ShardSection& each) { return each.shard != shard; });
  return {begin, end};
}

std::string section_path(const std::string& directory, const ShardSection& section) {
  if (section.folder.empty()) return directory + "/" + section.file;
  const auto slash = directory.rfind('/');
  const std::string beside = slash == std::string::npos ? "" : directory.substr(0, slash + 1);
  return beside + section.folder + "/" + section.file;
}

std::string folder_name(const std::string& directory) {
  return directory.substr(directory.rfind('/') + 1);
}

}  // namespace capstan
