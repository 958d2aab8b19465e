// `capstan tune`: the search as a whole, from the journal to the best job's file.
#pragma once

#include "cli/command.h"
#include "cli/tune/trial.h"

namespace capstan {

// Gives the exit code: 0 the search is done, 1 it was stopped or every trial failed.
int tune(const TunedJob& job, Console console);

// The outcomes of all trials as a table, best first: each trial with its furthest.
std::string trials_table(const std::vector<TrialOutcome>& outcomes, const std::string& metric);
// The best of all that have figures; null: none has.
const TrialOutcome* best_outcome(const std::vector<TrialOutcome>& outcomes);

}  // namespace capstan
