// TuneJournal: what trials have given so far, a line of JSON each, so that a search goes on where it stopped.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cli/tune/search_space.h"
#include "common/result.h"
#include "common/storage.h"

namespace capstan {

// What a trial had after so many passes.
struct TrialOutcome {
  std::uint32_t trial = 0, rung = 0, passes = 0;
  Settings settings;
  double better = 0.0;          // the best of validation so far, larger is better
  double value = 0.0;           // the same as the metric itself
  std::uint32_t best_pass = 0;  // from 1
  double seconds = 0.0;
  std::string failed;  // why there are no figures; empty: there are
};

class TuneJournal {
 public:
  // Begins the file, or reads it. key: of all that the outcomes depend on; kInvalid when the file was begun
  // under another. A line that was cut off by a crash is left out; any other damage is kCorrupt.
  static Result<TuneJournal> open(Storage& storage, const std::string& path, const std::string& key);

  const std::vector<TrialOutcome>& outcomes() const { return outcomes_; }
  Status append(TrialOutcome outcome);  // durable on return

 private:
  std::unique_ptr<WritableFile> file_;
  std::vector<TrialOutcome> outcomes_;
};

}  // namespace capstan
