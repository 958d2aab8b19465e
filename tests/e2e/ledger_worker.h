// A worker process that runs the ledger's program (sim/ledger_program.h) over real sockets. The test program
// itself becomes one when it is started with kLedgerWorkerFlag.
#pragma once

#include <cstdint>
#include <string>

#include "sim/ledger.h"

namespace capstan {

inline constexpr const char* kLedgerWorkerFlag = "--ledger-worker";

// Beside the workers' folders, and in a worker's own for it alone: how many milliseconds a batch takes to
// compute at the least, so that a pass lasts long enough to be killed in.
inline constexpr const char* kPaceFile = "pace";

struct LedgerWorkerArgs {
  std::string scheduler, job, name;
  // Gets `computed` (one byte a training batch) and, for each evaluated partition, a file of `rows-N`: key
  // and floats of table "ledger", one after the other.
  std::string folder;
};

// The test's ledger and the workers' is a function of the job's settings alone. kLongSeed: servers may come
// and go meanwhile. kChaosSeed + n: a job of sums that outlasts n faults.
inline constexpr std::uint64_t kShortSeed = 11, kLongSeed = 12, kChaosSeed = 1000;
LedgerShape ledger_shape(std::uint64_t seed);

// Gives the exit code.
int run_ledger_worker(const LedgerWorkerArgs& args);

}  // namespace capstan
