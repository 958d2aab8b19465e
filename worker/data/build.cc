#include "worker/data/build.h"

#include <spdlog/fmt/fmt.h>

#include <set>

#include "worker/data/assemble.h"
#include "worker/data/events.h"
#include "worker/data/features.h"
#include "worker/data/sources.h"
#include "worker/data/split/split.h"

namespace capstan {
namespace {

void keep_rows(const std::vector<bool>& keep, Sources& sources, Events& events) {
  std::size_t kept = 0;
  for (std::size_t row = 0; row < keep.size(); ++row) {
    if (!keep[row]) continue;
    sources.origin[kept] = sources.origin[row];
    events.labels[kept] = events.labels[row];
    if (!events.users.empty()) events.users[kept] = events.users[row];
    if (!events.items.empty()) events.items[kept] = events.items[row];
    if (!events.times.empty()) events.times[kept] = events.times[row];
    ++kept;
  }
  sources.origin.resize(kept);
  events.labels.resize(kept);
  if (!events.users.empty()) events.users.resize(kept);
  if (!events.items.empty()) events.items.resize(kept);
  if (!events.times.empty()) events.times.resize(kept);
  sources.events.filter(keep);
}

// Training rows whose (user, item) is also a row of the test files.
void exclude_test(Sources& sources, Events& events, DropCounts& drops) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> test;
  for (std::uint64_t row = 0; row < events.rows(); ++row) {
    if (sources.origin[row] == Origin::kTest) test.emplace(events.users[row], events.items[row]);
  }
  std::vector<bool> keep(events.rows(), true);
  for (std::uint64_t row = 0; row < events.rows(); ++row) {
    if (sources.origin[row] == Origin::kTest || !test.contains({events.users[row], events.items[row]}))
      continue;
    keep[row] = false;
    ++drops["in the test files (exclude_test_from_train)"];
  }
  keep_rows(keep, sources, events);
}

std::string summarise(const Dataset& data, std::uint64_t lines, const BadLines& bad,
                      const DropCounts& drops) {
  std::string text = fmt::format("{} events: {} train, {} valid, {} test",
                                 data.train.size + data.valid.size + data.test.size, data.train.size,
                                 data.valid.size, data.test.size);
  if (data.num_users > 0) text += fmt::format("; {} users, {} items", data.num_users, data.num_items);
  text += fmt::format("\n{} lines read, {} bad", lines + bad.count(), bad.count());
  for (const auto& [kind, count] : bad.by_kind())
    text += fmt::format("\n  {:>10}  bad line: {}", count, kind);
  for (const auto& [reason, count] : drops) text += fmt::format("\n  {:>10}  dropped: {}", count, reason);
  return text;
}

}  // namespace

Result<Dataset> build_dataset(const JobConfig& job, const PrepareProgress& progress) {
  const auto report = [&](std::string_view stage, double done) {
    if (progress) progress(stage, done);
  };
  BadLines bad(job.data.max_bad_lines, job.data.reject_file);
  DropCounts drops;
  report("read", 0.0);
  CAPSTAN_ASSIGN(Sources sources, load_sources(job, bad));
  const std::uint64_t lines = sources.events.rows();
  report("clean", 0.4);
  CAPSTAN_ASSIGN(Events events, make_events(job.task, sources, bad, drops));
  if (sources.data.exclude_test_from_train) exclude_test(sources, events, drops);
  report("split", 0.6);
  CAPSTAN_TRY(assign_parts(sources.data.split, job.seed, sources.origin, events).wrap("split"));
  report("transform", 0.7);
  CAPSTAN_ASSIGN(auto fields, build_features(job, sources, events));
  report("assemble", 0.9);
  CAPSTAN_ASSIGN(Dataset data, assemble(job.task, sources, events, std::move(fields)));
  data.summary = summarise(data, lines, bad, drops);
  report("assemble", 1.0);
  return data;
}

}  // namespace capstan
