#include "scheduler/job_facts.h"

#include "common/section_chains.h"
#include "scheduler/manifest.h"

namespace capstan {

std::string_view to_string(JobState state) {
  switch (state) {
    case JobState::kWaiting:
      return "waiting";
    case JobState::kPreparing:
      return "preparing";
    case JobState::kRestoring:
      return "restoring";
    case JobState::kRunning:
      return "running";
    case JobState::kValidating:
      return "validating";
    case JobState::kEvaluating:
      return "evaluating";
    case JobState::kDone:
      return "done";
    case JobState::kFailed:
      return "failed";
  }
  return "unknown";
}

CheckpointFact fact_of(const Manifest& manifest, const std::string& directory) {
  const auto passes = static_cast<std::uint32_t>(manifest.passes.size());
  CheckpointFact fact{manifest.checkpoint, directory, passes, manifest.best, 0, 0, manifest.builds_on, 0.0};
  for (const SectionChain chain : chains_of(manifest.sections)) fact.rows += chain.back().rows;
  for (const ShardSection& section : manifest.sections) {
    fact.bytes += section.folder.empty() ? section.length : 0;
  }
  return fact;
}

void JobFacts::warn(std::string text) {
  if (warnings.size() == kWarningsMax) warnings.erase(warnings.begin());
  warnings.push_back(std::move(text));
}

}  // namespace capstan
