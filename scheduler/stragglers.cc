#include "scheduler/stragglers.h"

#include <algorithm>
#include <limits>

#include "common/units.h"

namespace capstan {

namespace {

using namespace std::chrono_literals;
constexpr Duration kMeasuredAtLeast = 500ms;
constexpr Duration kMarkEvery = 2s;
constexpr Duration kWishLasts = 2s;  // ten reports of its holder
constexpr double kSecondsLeft = 2.0;
constexpr double kTimesSlower = 2.0;

}  // namespace

void Stragglers::on_grant(NodeId worker, const WorkGrant& grant, Instant now) {
  if (grant.work.kind != kTrainWork) return;
  Pace& pace = paces_[worker];
  pace.work = grant.work;
  pace.term = grant.term;
  pace.old = pace.young = {now, grant.first_batch};
}

void Stragglers::on_report(NodeId worker, const WorkCursor& cursor, Instant now) {
  if (cursor.work.kind != kTrainWork) return;
  Pace& pace = paces_[worker];
  if (pace.work != cursor.work || pace.term != cursor.term) {  // from before this scheduler's start
    pace = {cursor.work, cursor.term, {now, cursor.watermark}, {now, cursor.watermark}, pace.per_second};
    return;
  }
  if (cursor.watermark < pace.young.watermark) return;  // a report that was overtaken
  const Duration spent = now - pace.old.at;
  const bool finished = cursor.watermark == cursor.end && spent > Duration(0);
  if (spent >= kMeasuredAtLeast || finished) {
    pace.per_second = static_cast<double>(cursor.watermark - pace.old.watermark) / seconds_of(spent);
  }
  if (now - pace.young.at < kMarkEvery) return;
  pace.old = pace.young;
  pace.young = {now, cursor.watermark};
}

std::optional<double> Stragglers::pace(NodeId worker) const {
  const auto found = paces_.find(worker);
  return found == paces_.end() ? std::nullopt : found->second.per_second;
}

std::optional<double> Stragglers::fastest() const {
  std::optional<double> fastest;
  for (const auto& [worker, pace] : paces_) {
    if (pace.per_second > fastest) fastest = pace.per_second;
  }
  return fastest;
}

// alone: the seconds that the holder needs by itself.
std::optional<Stragglers::Wish> Stragglers::wish_for(const WorkEntry& entry, NodeId holder, double idle_pace,
                                                     double& alone) const {
  const auto held = paces_.find(holder);
  if (entry.work.kind != kTrainWork || entry.batches == 0 || held == paces_.end()) return std::nullopt;
  const Pace& pace = held->second;
  if (pace.work != entry.work || pace.term != entry.term || !pace.per_second) return std::nullopt;
  const Segments segments(entry.batches);
  const std::uint64_t first_end = segments.next_begin(entry.watermark + 1);
  if (first_end >= entry.end) return std::nullopt;
  const auto left = static_cast<double>(entry.end - entry.watermark);
  alone = *pace.per_second > 0.0 ? left / *pace.per_second : std::numeric_limits<double>::infinity();
  if (alone < kSecondsLeft || alone < kTimesSlower * left / idle_pace) return std::nullopt;
  const double own = left * *pace.per_second / (*pace.per_second + idle_pace);
  const auto balanced = entry.watermark + static_cast<std::uint64_t>(own);
  const std::uint64_t end = segments.first_batch(segments.of(balanced));
  return Wish{entry.work, entry.term, std::max(end, first_end), 0, {}};
}

std::optional<Stragglers::Wish> Stragglers::choose(const WorkList& work, NodeId idle, Instant now) {
  std::erase_if(wishes_, [&](const auto& each) { return each.second.until <= now; });
  const auto for_it = [&](const auto& each) { return each.second.idle == idle; };
  if (std::any_of(wishes_.begin(), wishes_.end(), for_it)) return std::nullopt;
  const double idle_pace = pace(idle).value_or(fastest().value_or(0.0));
  if (idle_pace <= 0.0) return std::nullopt;
  std::optional<Wish> best;
  double longest = 0.0;
  for (const auto& [holder, items] : work.held()) {
    for (const WorkId& item : items) {
      double alone = 0.0;
      if (holder == idle || wishes_.contains(item)) continue;
      const auto wish = wish_for(*work.find(item), holder, idle_pace, alone);
      if (!wish.has_value() || alone <= longest) continue;
      best = wish;
      longest = alone;
    }
  }
  if (!best.has_value()) return std::nullopt;
  best->idle = idle;
  best->until = now + kWishLasts;
  wishes_[best->work] = *best;
  return best;
}

std::uint64_t Stragglers::wished_end(const WorkCursor& cursor, Instant now) const {
  const auto found = wishes_.find(cursor.work);
  if (found == wishes_.end() || found->second.term != cursor.term || found->second.until <= now) return 0;
  return found->second.end;
}

}  // namespace capstan
