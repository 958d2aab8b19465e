// A scheduler whose journal is also its right to lead: while that is not sure it answers nobody, and when it
// is lost it goes without a word.
#include <gtest/gtest.h>

#include "tests/scheduler/scenario.h"

namespace capstan {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Scenario;

class LentJournal : public Journal {
 public:
  Result<std::vector<JournalRecord>> read(JournalLines) override { return records; }
  Status begin(const std::vector<JournalRecord>& all) override {
    records = all;
    return ok_status();
  }
  Status append(const JournalRecord& record) override {
    if (!lost.empty()) return make_error(ErrorCode::kRefused, lost);
    if (silent) return make_error(ErrorCode::kTimeout, "no answer");
    records.push_back(record);
    return ok_status();
  }
  std::string place() const override { return "the test"; }
  std::string engine() const override { return "the engine"; }
  Instant leads_until() const override { return until; }
  std::string lost_lead() const override { return noticed ? lost : ""; }

  std::vector<JournalRecord> records;
  Instant until = Instant::max() - seconds(1);
  std::string lost;
  bool noticed = true;
  bool silent = false;
};

class SchedulerLeadTest : public ::testing::Test, public Scenario {
 protected:
  SchedulerLeadTest() {
    options.journal = &journal;
    options.config.train.partitions = 2;
  }
  std::uint32_t lease_granted(PeerId peer) {
    Heartbeat heartbeat;
    heartbeat.node_id = node_ids[peer];
    heartbeat.incarnation = 1;
    const auto answers = tell(peer, heartbeat);
    const auto* reply = first<HeartbeatReply>(answers);
    return reply == nullptr ? 0 : reply->lease_ms;
  }

  LentJournal journal;
};

TEST_F(SchedulerLeadTest, GrantsNoLeaseBeyondItsOwn) {
  ASSERT_TRUE(start().ok());
  gather();
  EXPECT_EQ(lease_granted(server(0)), options.config.cluster.lease_ms);
  journal.until = loop.now() + milliseconds(700);
  EXPECT_EQ(lease_granted(server(0)), 700U);
  loop.advance(milliseconds(600));
  EXPECT_EQ(lease_granted(server(0)), 100U);
}

TEST_F(SchedulerLeadTest, StandsStillWhileItMayNotLeadAndThenGoesOn) {
  ASSERT_TRUE(start().ok());
  gather();
  pass(seconds(1), {server(0), worker(0)});
  const auto grant = ask(0);
  journal.until = loop.now() + milliseconds(100);
  loop.advance(milliseconds(100));
  const std::size_t said = net->sent.size();
  EXPECT_EQ(lease_granted(server(0)), 0U);
  EXPECT_FALSE(done(0, *grant));
  loop.advance(seconds(30));
  EXPECT_EQ(net->sent.size(), said) << "not a word";
  journal.until = loop.now() + seconds(60);
  EXPECT_TRUE(done(0, *grant)) << "and nobody was taken for dead meanwhile";
  loop.advance(milliseconds(200));
  EXPECT_GT(lease_granted(server(0)), 0U);
  EXPECT_EQ(work_off(0).size(), 1U);
  EXPECT_EQ(state(), JobState::kDone);
}

TEST_F(SchedulerLeadTest, ALostLeadEndsItWithoutAWord) {
  ASSERT_TRUE(start().ok());
  gather();
  const std::size_t said = net->sent.size();
  journal.lost = "led by another";
  EXPECT_EQ(lease_granted(server(0)), 0U);
  loop.advance(seconds(5));
  EXPECT_EQ(net->sent.size(), said);
  EXPECT_TRUE(finished && scheduler->job().halted() && scheduler->job().replaced());
  EXPECT_NE(text.find("led by another. This scheduler stops, without a word"), std::string::npos) << text;
}

TEST_F(SchedulerLeadTest, ARefusedRecordEndsItWithoutAWord) {
  ASSERT_TRUE(start().ok());
  gather();
  const std::size_t said = net->sent.size();
  journal.lost = "led by another";
  journal.noticed = false;
  EXPECT_FALSE(ask(0).has_value());
  loop.advance(seconds(5));
  EXPECT_EQ(net->sent.size(), said);
  EXPECT_TRUE(finished && scheduler->job().replaced());
}

// Whoever is late is not given up for one that spoke and may be dead by now.
TEST_F(SchedulerLeadTest, ServersHaveTwoLeasesToFindWhoLeadsNow) {
  options.config.cluster.servers = options.config.cluster.replicas = 2;
  ASSERT_TRUE(start().ok());
  gather();
  const auto members = [&] {
    std::size_t least = 2;
    for (const Chain& chain : scheduler->job().map().chains()) least = std::min(least, chain.size());
    return least;
  };
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  pass(milliseconds(3500), {server(0)});
  EXPECT_EQ(members(), 2U);
  pass(seconds(1), {server(0)});
  EXPECT_EQ(members(), 1U) << "from then on it counts as lost";
}

TEST_F(SchedulerLeadTest, NobodyIsGivenUpForAServerThatOnlyTheJournalKnows) {
  options.config.cluster.servers = options.config.cluster.replicas = 2;
  ASSERT_TRUE(start().ok());
  gather();
  options.start = StartMode::kRecover;
  ASSERT_TRUE(start().ok());
  greet_server(0);
  pass(milliseconds(3500), {});  // its lease has ended, the first term of the other one has not
  for (const Chain& chain : scheduler->job().map().chains()) EXPECT_EQ(chain.size(), 2U);
}

// Who leads next would wait for nodes that were told to go.
TEST_F(SchedulerLeadTest, AnEndThatIsNotWrittenIsNotTold) {
  for (const bool unanswered : {false, true}) {
    journal = LentJournal();
    ASSERT_TRUE(start().ok());
    node_ids.clear();
    gather();
    const auto a = ask(0), b = ask(0);
    EXPECT_TRUE(done(0, *a));
    journal.noticed = false;
    journal.silent = unanswered;
    if (!unanswered) journal.lost = "led by another";
    scheduler->stop("enough", false);
    loop.advance(seconds(5));
    EXPECT_EQ(count_sent<JobEnded>(), 0U);
    EXPECT_TRUE(finished && scheduler->job().halted());
    EXPECT_EQ(scheduler->job().replaced(), !unanswered);
  }
}

}  // namespace
}  // namespace capstan
