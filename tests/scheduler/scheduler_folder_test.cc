// Servers that wrote a checkpoint where the scheduler does not find it.
#include <gtest/gtest.h>

#include "scheduler/manifest.h"
#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using testing::CheckpointScenario;

class SchedulerFolderTest : public ::testing::Test, public CheckpointScenario {};

// A server's folder has the right name and is its own: what it wrote is nowhere that a restore could find it.
TEST_F(SchedulerFolderTest, WithoutTheFilesThatServersHaveWrittenThereIsNone) {
  options.config.checkpoint.every_steps = 2;
  options.config.checkpoint.keep = 1;
  ASSERT_TRUE(start().ok());
  gather();
  const auto grant = ask(0);
  report(0, *grant, 2);
  tick();
  snapshot_done(0);
  for (const std::string& left : {std::string(), std::string(7, 'r')}) {
    report(0, *grant, grant->first_batch + 4 + 2 * left.size());
    tick();
    std::uint64_t id = 0;
    const Snapshot asked = *last_sent<Snapshot>(server(0), &id);
    SnapshotReply reply;
    reply.checkpoint = asked.checkpoint;
    reply.file = "ps-0.rows";
    reply.sections.push_back({0, 0, 8, 1, 2, "", "", 0});
    if (!left.empty()) disk.files[asked.directory + "/" + reply.file] = left;
    tell(server(0), reply, id);
    EXPECT_EQ(newest_checkpoint(disk, "ck")->directory, "ck/ckpt-000001") << "the last good one stays";
  }
  const auto& warnings = scheduler->job().facts().warnings;
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("ps-0.rows is not there: do the scheduler and all servers see the same folder"),
            std::string::npos)
      << warnings[0];
  EXPECT_NE(warnings[1].find("7 of 8 bytes are there"), std::string::npos) << warnings[1];
}

}  // namespace
}  // namespace capstan
