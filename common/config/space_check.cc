#include "common/config/space_check.h"

#include <spdlog/fmt/fmt.h>

#include "common/config/complete.h"
#include "common/config/job_checks.h"
#include "common/config/overrides.h"
#include "common/config/schema.h"

namespace capstan {
namespace {

// The first mistake of the job with the setting; empty: none.
std::string mistake_with(const YamlNode& root, const std::string& override_text) {
  ReadContext context;
  YamlNode changed = root;
  std::erase_if(changed.entries, [](const YamlNode::Entry& entry) { return entry.key == "tune"; });
  apply_overrides(changed, {override_text}, context.errors());
  JobConfig job;
  read_section(*job_schema(), &job, changed, "", context);
  complete(job, context);
  check_job(job, context);
  return context.errors().empty() ? "" : context.errors().front().message;
}

}  // namespace

std::string range_number(double value) {
  return fmt::format("{:.4g}", value);
}

std::vector<std::string> extremes_of(const SearchRange& range) {
  if (range.kind == RangeKind::kChoices) return range.choices;
  if (range.kind == RangeKind::kInt || range.kind == RangeKind::kLogInt)
    return {fmt::format("{:.0f}", range.low), fmt::format("{:.0f}", range.high)};
  return {range_number(range.low), range_number(range.high)};
}

void check_space(const YamlNode& root, const TuneConfig& tune, ReadContext& context) {
  if (!context.errors().empty()) return;
  for (const auto& [path, range] : tune.space) {
    for (const std::string& value : extremes_of(range)) {
      const std::string mistake = mistake_with(root, path + "=" + value);
      if (mistake.empty()) continue;
      context.fail_at("tune.space." + path,
                      fmt::format("tune.space: {} may not be {}: {}", path, value, mistake));
    }
  }
}

}  // namespace capstan
