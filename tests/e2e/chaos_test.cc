// Chaos: real processes are killed, stopped and woken, one after the other, while they train; in the end
// every row is the sum of what was acknowledged. CAPSTAN_CHAOS_FAULTS=200 runs so many faults in place of the
// few of every build.
#include "tests/e2e/chaos_scene.h"

namespace capstan {
namespace {

class Chaos : public ChaosScene {
 protected:
  static constexpr std::uint32_t kFaults = 6;  // each role is killed and stopped in turn

  Chaos() : ChaosScene(faults_wanted(kFaults), faults_wanted(kFaults)) {}

  Strike next_strike() {
    constexpr std::uint32_t kDownMost = 3600;
    const std::string role = faults_ / 2 % 3 == 0 ? "server" : faults_ / 2 % 3 == 1 ? "worker" : "scheduler";
    const std::string node = role == "server" ? any_server() : role == "worker" ? any_worker() : role;
    const auto down = a_while(kDownMost);
    if (faults_ % 2 == 0) return {"kill -9 of a " + role, [this, node, down] { kill_and_start(node, down); }};
    return {"stop of a " + role, [this, node, down] { stop_and_wake(node, down); }};
  }
};

TEST_F(Chaos, NothingAcknowledgedIsLostOrDoubled) {
  write_job(train_settings(), kServers, kReplicas);
  ASSERT_NO_FATAL_FAILURE(start_training());
  while (!struck_enough(kFaults)) ASSERT_NO_FATAL_FAILURE(strike(next_strike()));
  ASSERT_NO_FATAL_FAILURE(finish("kills and stops"));
}

}  // namespace
}  // namespace capstan
