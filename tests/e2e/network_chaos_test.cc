// Chaos with hosts: in the end every row is the sum of what was acknowledged. CAPSTAN_CHAOS_FAULTS=200
// (scripts/chaos.sh) runs so many faults in place of the few of every build.
#include "tests/e2e/network_chaos.h"

namespace capstan {
namespace {

TEST_F(NetworkChaos, NothingAcknowledgedIsLostOrDoubled) {
  write_job(train_settings(), kServers, kReplicas);
  ASSERT_NO_FATAL_FAILURE(start_training());
  run_faults("processes");
}

}  // namespace
}  // namespace capstan
