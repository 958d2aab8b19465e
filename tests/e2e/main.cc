// The program of the tests that start processes. With kLedgerWorkerFlag it is one of those processes.
#include <gtest/gtest.h>

#include <cstdio>
#include <string_view>

#include "tests/e2e/ledger_worker.h"

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == capstan::kLedgerWorkerFlag) {
    if (argc != 8) {
      std::fprintf(stderr, "%s FOLDER --scheduler ENDPOINT --name NAME JOB\n", capstan::kLedgerWorkerFlag);
      return 2;
    }
    return capstan::run_ledger_worker({argv[4], argv[7], argv[6], argv[2]});
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
