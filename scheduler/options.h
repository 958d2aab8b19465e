// What a scheduler is told at its start.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "scheduler/journal.h"

namespace capstan {

enum class StartMode {
  kNew,      // from the first pass; an old journal gives only its generation
  kRecover,  // go on from the journal, beside nodes that may still be at work; without one, like kNew
  kRebuild,  // without the journal, beside servers that live: from what they say and the last checkpoint
  kResume,   // from the newest checkpoint that verifies, with new nodes
};

struct SchedulerOptions {
  JobConfig config;
  std::string job_text;        // the effective job file, as nodes and manifests get it
  std::string bind;            // empty: config.cluster.scheduler
  Journal* journal = nullptr;  // borrowed; nullptr: the file config.work_dir + "/journal"
  StartMode start = StartMode::kNew;
  std::string version;                     // of the program, for the report
  std::function<std::string()> wall_time;  // for the report and the manifest only; may be empty
  // kResume: this checkpoint's directory instead of the newest (evaluate_only: the newest best, if there is
  // one).
  std::string resume_from;
  std::vector<std::string> without;     // kRebuild: servers that are given up
  bool evaluate_only = false;           // kResume: no training, only the parts
  std::vector<std::string> only_parts;  // evaluate these; empty: all that the workers name but "valid"
};

}  // namespace capstan
