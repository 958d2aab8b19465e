#include "sim/rare_paths.h"

#include <spdlog/fmt/fmt.h>

#include <type_traits>

namespace capstan {
namespace {

constexpr double kChance = 0.4;

// From least to least * 2^doublings, each order of magnitude as often as any other.
std::uint64_t draw_size(Rng& rng, std::uint64_t least, std::uint32_t doublings) {
  const std::uint64_t size = least << rng.below(doublings);
  return size + rng.below(size);
}

}  // namespace

RarePaths draw_rare_paths(Rng& rng, Consistency mode, std::uint32_t schedulers) {
  RarePaths rare;
  const auto drawn = [&](auto& setting, std::uint64_t value) {
    if (rng.chance(kChance)) setting = static_cast<std::remove_reference_t<decltype(setting)>>(value);
  };
  drawn(rare.chunk_bytes, draw_size(rng, 64, 6));
  RequestLimits few;
  few.requests = 1 + static_cast<std::uint32_t>(rng.below(6));
  few.bytes = draw_size(rng, 1 << 10, 6);
  if (rng.chance(kChance) && mode != Consistency::kSync) rare.requests = few;
  drawn(rare.slice_percent, 100 + rng.below(200));
  drawn(rare.record_frame_bytes, draw_size(rng, 16 << 10, 2));
  drawn(rare.snapshot_bytes_per_second, draw_size(rng, 2 << 10, 7));
  drawn(rare.catch_up_rate, rng.chance(0.2) ? 0 : draw_size(rng, 32 << 10, 7));
  drawn(rare.learner_backlog_bytes, draw_size(rng, 16 << 10, 5));
  drawn(rare.scheduler_grace_ms, 10'000 + rng.below(20'000));
  const std::uint64_t value_bytes = draw_size(rng, 256, 4);
  if (schedulers > 1) drawn(rare.journal_value_bytes, value_bytes);
  return rare;
}

void draw_segments(Rng& rng, Consistency mode, LedgerShape& shape) {
  constexpr std::uint32_t kLength = static_cast<std::uint32_t>(Segments::kLeastBatches), kOfAPass = 320;
  const auto whole = 1 + static_cast<std::uint32_t>(rng.below(6));
  const auto rest = 1 + static_cast<std::uint32_t>(rng.below(3));
  if (!rng.chance(kChance) || mode != Consistency::kAsync) return;
  shape.batches = whole * kLength + rest;
  shape.partitions = (kOfAPass + shape.batches - 1) / shape.batches;
}

std::string to_string(const RarePaths& rare) {
  const RarePaths usual;
  std::string text;
  const auto add = [&](bool differs, const std::string& words) {
    if (differs) text += ", " + words;
  };
  add(rare.chunk_bytes != usual.chunk_bytes, fmt::format("chunks of {} bytes", rare.chunk_bytes));
  add(rare.requests.requests != usual.requests.requests,
      fmt::format("at most {} requests of {} bytes", rare.requests.requests, rare.requests.bytes));
  add(rare.slice_percent != 0, fmt::format("messages of {} % of a slice", rare.slice_percent));
  add(rare.learner_backlog_bytes != usual.learner_backlog_bytes,
      fmt::format("{} bytes kept for a learner", rare.learner_backlog_bytes));
  add(rare.record_frame_bytes != usual.record_frame_bytes,
      fmt::format("records in messages of {} bytes", rare.record_frame_bytes));
  add(rare.snapshot_bytes_per_second != usual.snapshot_bytes_per_second,
      fmt::format("snapshots of {} bytes a second", rare.snapshot_bytes_per_second));
  add(rare.catch_up_rate != usual.catch_up_rate,
      rare.catch_up_rate == 0 ? "learners at any rate"
                              : fmt::format("learners at {} bytes a second", rare.catch_up_rate));
  add(rare.scheduler_grace_ms != usual.scheduler_grace_ms,
      fmt::format("a grace of {:.1f} s", static_cast<double>(rare.scheduler_grace_ms) / 1000.0));
  add(rare.journal_value_bytes != usual.journal_value_bytes,
      fmt::format("journal values of {} bytes", rare.journal_value_bytes));
  return text;
}

}  // namespace capstan
