#include "scheduler/job_facts.h"

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

void JobFacts::warn(std::string text) {
  if (warnings.size() == kWarningsMax) warnings.erase(warnings.begin());
  warnings.push_back(std::move(text));
}

}  // namespace capstan
