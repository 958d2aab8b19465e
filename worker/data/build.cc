#include "worker/data/build.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "worker/data/assemble.h"
#include "worker/data/candidates.h"
#include "worker/data/clean/rows.h"
#include "worker/data/clean/rules.h"
#include "worker/data/events.h"
#include "worker/data/features.h"
#include "worker/data/side_rows.h"
#include "worker/data/sources.h"
#include "worker/data/split/split.h"

namespace capstan {
namespace {

std::string summarise(const Dataset& data, std::uint64_t lines, const BadLines& bad,
                      const DropCounts& drops) {
  std::string text = fmt::format("{} events: {} train, {} valid, {} test",
                                 data.train.size + data.valid.size + data.test.size, data.train.size,
                                 data.valid.size, data.test.size);
  if (data.num_users > 0) text += fmt::format("; {} users, {} items", data.num_users, data.num_items);
  return text + fmt::format("\n{} lines read, {} bad", lines, bad.count()) + bad.reasons(drops);
}

// Files that were named to judge by must leave something to judge by.
Status check_given_files(const DataConfig& data, const Events& events) {
  const auto left = [&](Part part) {
    return std::find(events.parts.begin(), events.parts.end(), part) != events.parts.end();
  };
  if (!data.valid.empty() && !left(Part::kValid))
    return make_error(ErrorCode::kInvalid, "data.valid: no usable line in its files");
  if (!data.test.empty() && !left(Part::kTest))
    return make_error(ErrorCode::kInvalid, "data.test: no usable line in its files");
  return ok_status();
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
  const std::uint64_t lines = sources.events.rows() + bad.count();
  report("clean", 0.4);
  CAPSTAN_ASSIGN(const auto rules, effective_rules(job));
  CAPSTAN_TRY(clean_rows(rules, sources, bad, drops));
  CAPSTAN_ASSIGN(Events events, make_events(job.task, sources, bad, drops));
  if (sources.data.exclude_test_from_train) CAPSTAN_TRY(exclude_test_rows(sources, events, drops));
  CAPSTAN_TRY(drop_duplicates(sources.data.unique, sources, events, drops));
  complete_side_rows(rules, events, sources, drops);
  report("split", 0.6);
  CAPSTAN_TRY(assign_parts(sources.data.split, job.seed, sources.origin, events).wrap("split"));
  CAPSTAN_TRY(check_given_files(sources.data, events));
  CAPSTAN_TRY(fill_and_clip(rules, events, sources, drops));
  report("transform", 0.7);
  CAPSTAN_ASSIGN(auto fields, build_features(job, sources, events));
  report("assemble", 0.9);
  CAPSTAN_ASSIGN(Dataset data, assemble(job.task, sources, events, std::move(fields)));
  if (!sources.data.test_candidates.empty()) {
    if (data.num_users == 0)
      return make_error(ErrorCode::kInvalid, "data.test_candidates needs data.user and data.item");
    CAPSTAN_ASSIGN(data.candidates,
                   read_candidates(sources.data.test_candidates, sources.data.test_ids_are_indices, events,
                                   data.test_items, bad));
  }
  CAPSTAN_TRY(bad.close());
  data.summary = summarise(data, lines, bad, drops);
  report("assemble", 1.0);
  return data;
}

}  // namespace capstan
