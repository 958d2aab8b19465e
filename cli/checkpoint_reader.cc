#include "cli/checkpoint_reader.h"

#include <spdlog/fmt/fmt.h>

#include <ostream>

namespace capstan {
namespace {

constexpr std::uint64_t kReportEvery = std::uint64_t{1} << 30;  // bytes read

double in_gib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(1U << 30);
}

std::uint64_t bytes_of(const std::vector<ListedCheckpoint>& all) {
  std::map<SectionPlace, std::uint64_t> lengths;
  for (const ListedCheckpoint& each : all) {
    if (!each.manifest.has_value()) continue;
    for (const ShardSection& section : each.manifest->sections) {
      lengths[{section_path(each.directory, section), section.offset}] = section.length;
    }
  }
  std::uint64_t total = 0;
  for (const auto& [place, length] : lengths) total += length;
  return total;
}

}  // namespace

CheckpointReader::CheckpointReader(Storage& storage, const std::vector<ListedCheckpoint>& all,
                                   std::ostream& progress)
    : storage_(storage), progress_(progress), total_(bytes_of(all)) {}

Result<CheckpointBytes> CheckpointReader::read(const ListedCheckpoint& checkpoint) {
  CheckpointBytes all;
  for (const ShardSection& section : checkpoint.manifest->sections) {
    const auto [place, news] = read_.try_emplace(
        {section_path(checkpoint.directory, section), section.offset}, std::vector<SectionDamage>());
    if (news) {
      CAPSTAN_ASSIGN(place->second, damage_of(storage_, checkpoint.directory, section));
      tell(section.length);
    }
    all.damage.insert(all.damage.end(), place->second.begin(), place->second.end());
    all.blocks += blocks_of(section);
    all.bytes += section.length;
  }
  return all;
}

void CheckpointReader::tell(std::uint64_t bytes) {
  done_ += bytes;
  if (done_ - told_ < kReportEvery) return;
  told_ = done_;
  progress_ << fmt::format("read {:.1f} of {:.1f} GiB\n", in_gib(done_), in_gib(total_)) << std::flush;
}

}  // namespace capstan
