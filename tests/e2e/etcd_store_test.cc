// The client, the lead and the journal against a real etcd.
#include "common/adapters/etcd_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "cli/etcd_lead.h"
#include "common/adapters/asio_loop.h"
#include "scheduler/etcd_journal.h"
#include "tests/e2e/etcd_process.h"
#include "tests/temp_dir.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class EtcdStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string missing = EtcdProcess::missing(); !missing.empty()) GTEST_SKIP() << missing;
    etcd.start();
    ASSERT_TRUE(etcd.answers()) << etcd.log();
  }

  EtcdStore& store() {
    if (!store_) store_ = std::make_unique<EtcdStore>(std::vector{etcd.endpoint()}, 60s);
    return *store_;
  }
  EtcdStore& hasty_store() {
    if (!hasty_) hasty_ = std::make_unique<EtcdStore>(std::vector{etcd.endpoint()}, 300ms);
    return *hasty_;
  }
  Leadership lead_of(const std::string& holder) {
    return Leadership({"/capstan/job/leader", holder, 60, [this] { return loop.now(); }});
  }
  EtcdJournal journal_of(Leadership& leadership) { return journal_in(store(), leadership); }
  EtcdJournal journal_in(EtcdStore& store, Leadership& leadership) {
    return EtcdJournal(store, &leadership, silent, {"/capstan/job", 1s, [this] { return loop.now(); }});
  }

  TempDir folder;
  EtcdProcess etcd{folder.path()};
  AsioLoop loop;
  Log silent = Log::silent();

 private:
  std::unique_ptr<EtcdStore> store_, hasty_;
};

StoreCommit put(const std::string& key, const std::string& value) {
  StoreCommit commit;
  commit.puts.push_back({key, value, 0});
  return commit;
}

std::string bytes_of_all_kinds() {
  std::string bytes;
  for (int n = 0; n < 256; ++n) bytes += static_cast<char>(n);
  return bytes;
}

TEST_F(EtcdStoreTest, KeysComeBackAsTheyWerePutInOrder) {
  const std::string odd = bytes_of_all_kinds();
  for (const std::string& value : {odd, std::string("a"), std::string("ab"), std::string()}) {
    ASSERT_TRUE(store().commit(put("/k", value))->taken);
    const auto back = store().read("/k", end_of_prefix("/k"), 10);
    ASSERT_TRUE(back.ok()) << back.error().message;
    ASSERT_EQ(back->size(), 1U);
    EXPECT_EQ((*back)[0].value, value);
  }
  for (const char* key : {"/n/3", "/n/1", "/n/2"}) ASSERT_TRUE(store().commit(put(key, key))->taken);
  const auto some = store().read("/n/", end_of_prefix("/n/"), 2);
  ASSERT_EQ(some->size(), 2U);
  EXPECT_EQ((*some)[0].key, "/n/1");
  EXPECT_EQ((*some)[1].key, "/n/2");
}

TEST_F(EtcdStoreTest, AGuardDecidesAboutTheWholeCommit) {
  StoreCommit first = put("/guard", "one");
  first.guard = "/guard";
  const auto made = store().commit(first);
  ASSERT_TRUE(made.ok() && made->taken);
  const auto again = store().commit(first);
  ASSERT_TRUE(again.ok() && !again->taken);
  EXPECT_EQ(again->guard->value, "one");
  EXPECT_EQ(again->guard->created, made->revision);

  StoreCommit under = put("/x", "1");
  under.guard = "/guard";
  under.guard_created = made->revision;
  under.removes = {"/n/", "/n0"};
  ASSERT_TRUE(store().commit(put("/n/1", ""))->taken);
  EXPECT_TRUE(store().commit(under)->taken);
  EXPECT_TRUE(store().read("/n/", "/n0", 10)->empty());
  under.guard_created += 1;
  under.puts[0].value = "2";
  EXPECT_FALSE(store().commit(under)->taken);
  EXPECT_EQ((*store().read("/x", "/y", 1))[0].value, "1");
}

TEST_F(EtcdStoreTest, AKeyGoesWithItsLease) {
  const auto lease = store().grant(60);
  ASSERT_TRUE(lease.ok()) << lease.error().message;
  StoreCommit commit = put("/leased", "here");
  commit.puts[0].lease = *lease;
  ASSERT_TRUE(store().commit(commit)->taken);
  EXPECT_EQ((*store().read("/leased", "/m", 1))[0].lease, *lease);
  EXPECT_EQ(*store().keep_alive(*lease), 60s);
  EXPECT_TRUE(store().revoke(*lease).ok());
  EXPECT_TRUE(store().read("/leased", "/m", 1)->empty());
  EXPECT_EQ(*store().keep_alive(*lease), 0s);
  EXPECT_TRUE(store().revoke(*lease).ok()) << "it has ended, and that is what was wanted";
  commit.guard = "/leased";
  EXPECT_THAT(store().commit(commit).error().message, HasSubstr("requested lease not found"));
}

TEST_F(EtcdStoreTest, WhatEtcdRefusesIsSaidInItsWords) {
  const auto refused = store().commit(put("/big", std::string(2'000'000, 'x')));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr(etcd.endpoint() + ": etcdserver: request is too large"));
}

TEST_F(EtcdStoreTest, AMemberThatIsGoneIsPassedOver) {
  const std::string nobody = "http://127.0.0.1:" + std::to_string(free_port());
  EtcdStore two({nobody, etcd.endpoint()});
  EXPECT_TRUE(two.commit(put("/k", "v")).ok());
  EtcdStore none({nobody});
  const auto failed = none.commit(put("/k", "v"));
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(failed.error().code, ErrorCode::kUnavailable) << "nothing was sent";
  for (const char* words : {"no answer from etcd", nobody.c_str(), "refused", "client addresses"}) {
    EXPECT_THAT(failed.error().message, HasSubstr(words));
  }
}

TEST_F(EtcdStoreTest, OneThatIsSilentMayHaveTakenIt) {
  ASSERT_TRUE(store().commit(put("/k", "before")).ok());
  etcd.stop();
  const auto uncertain = hasty_store().commit(put("/k", "after"));
  etcd.go_on();
  ASSERT_FALSE(uncertain.ok());
  EXPECT_EQ(uncertain.error().code, ErrorCode::kTimeout);
  ASSERT_TRUE(etcd.answers());
  EXPECT_TRUE(eventually([&] { return hasty_store().commit(put("/k", "later")).ok(); }, 60s)) << "anew";
}

TEST_F(EtcdStoreTest, AConnectionThatEtcdClosedIsMadeAnew) {
  ASSERT_TRUE(store().commit(put("/k", "1")).ok());
  etcd.kill();
  etcd.start();
  ASSERT_TRUE(etcd.answers()) << etcd.log();
  EXPECT_TRUE(store().commit(put("/k", "2")).ok());
}

TEST_F(EtcdStoreTest, ANameThatIsNoHostIsAnError) {
  EtcdStore nowhere({"http://no-such-host.invalid:2379"}, 2s);
  EXPECT_EQ(nowhere.grant(3).error().code, ErrorCode::kUnavailable);
}

TEST_F(EtcdStoreTest, OneLeadsAndTheOtherIsToldWho) {
  Leadership a = lead_of("a"), b = lead_of("b");
  ASSERT_TRUE(a.campaign(store()).ok());
  EXPECT_GT(a.until(), loop.now());
  EXPECT_TRUE(a.campaign(store()).ok()) << "as after a lost answer";
  const Status refused = b.campaign(store());
  ASSERT_EQ(refused.error().code, ErrorCode::kTaken);
  EXPECT_EQ(refused.error().message, "a");
  EXPECT_TRUE(a.renew(store()).ok());
  a.resign(store());
  EXPECT_TRUE(b.campaign(store()).ok());
  EXPECT_EQ(a.renew(store()).error().code, ErrorCode::kRefused);
  EXPECT_THAT(a.lost(), HasSubstr("it is led by b"));
}

std::vector<std::string> texts(const Result<std::vector<JournalRecord>>& records) {
  std::vector<std::string> all;
  if (!records.ok()) return {records.error().message};
  for (const JournalRecord& record : *records) all.push_back(to_json_text(record));
  return all;
}

TEST_F(EtcdStoreTest, OnlyTheLeaderWritesTheJournal) {
  Leadership a = lead_of("a"), b = lead_of("b");
  ASSERT_TRUE(a.campaign(store()).ok());
  EtcdJournal old = journal_of(a);
  EXPECT_TRUE(old.read(JournalLines::kAll)->empty());
  ASSERT_TRUE(old.begin({GenerationRaised{1}}).ok());
  ASSERT_TRUE(old.append(StateReached{"running", 0, ""}).ok());
  ASSERT_TRUE(store().revoke(a.lease()).ok());
  ASSERT_TRUE(b.campaign(store()).ok());
  EtcdJournal next = journal_of(b);
  auto records = next.read(JournalLines::kAll);
  ASSERT_EQ(records->size(), 2U);
  records->emplace_back(GenerationRaised{2});
  ASSERT_TRUE(next.begin(*records).ok());
  const Status late = old.append(StateReached{"done", 0, "by one who does not lead"});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kRefused);
  EXPECT_THAT(late.error().message, HasSubstr("refuses what this scheduler writes: it is led by b"));
  EXPECT_EQ(old.lost_lead().empty(), false);
  EXPECT_EQ(texts(journal_of(b).read(JournalLines::kAll)), texts(*records));
}

// A map of many shards does not fit into one request.
TEST_F(EtcdStoreTest, ALargeRecordIsSplit) {
  MapChanged map;
  for (std::uint32_t shard = 0; shard < 65536; ++shard) map.shards.push_back({shard, ~0ULL >> 1, {1, 2, 3}});
  ASSERT_GT(journal_line(map).size(), 3 * EtcdJournalOptions().value_bytes_max);
  Leadership a = lead_of("a");
  ASSERT_TRUE(a.campaign(store()).ok());
  EtcdJournal journal = journal_of(a);
  ASSERT_TRUE(journal.begin({GenerationRaised{1}}).ok());
  for (const JournalRecord& record : {JournalRecord(map), JournalRecord(NodeDrains{3})}) {
    const Status taken = journal.append(record);
    ASSERT_TRUE(taken.ok()) << taken.error().message;
  }
  const auto back = journal_of(a).read(JournalLines::kAll);
  ASSERT_EQ(back->size(), 3U);
  EXPECT_EQ(to_json_text((*back)[1]), to_json_text(map));
}

TEST_F(EtcdStoreTest, AnAppendWaitsForEtcdAndGivesUpInTheEnd) {
  Leadership a = lead_of("a");
  ASSERT_TRUE(a.campaign(store()).ok());
  EtcdJournal journal = journal_in(hasty_store(), a);
  ASSERT_TRUE(eventually([&] { return journal.begin({GenerationRaised{1}}).ok(); }, 60s));
  etcd.stop();
  const Status given_up = journal.append(NodeDrains{1});
  etcd.go_on();
  ASSERT_FALSE(given_up.ok());
  EXPECT_EQ(given_up.error().code, ErrorCode::kTimeout);
  EXPECT_THAT(given_up.error().message, HasSubstr("append to journal: no answer from etcd"));
  EXPECT_FALSE(journal.append(NodeDrains{2}).ok()) << "nothing more after a failure";
}

// The thread that renews the lead must not keep it for a loop that answers nobody.
TEST_F(EtcdStoreTest, ASchedulerWhoseLoopStandsStillLosesTheLead) {
  JobConfig job;
  job.name = "job";
  job.scheduler.endpoints = {etcd.endpoint()};
  job.scheduler.lease_seconds = 2;
  EtcdLead lead(job, "one that hangs", loop, silent);
  ASSERT_TRUE(lead.wait());
  Timer timer(loop);
  Leadership other = lead_of("another");
  bool kept = false, taken = false;
  timer.start(3s, [&] {
    kept = other.campaign(store()).error().code == ErrorCode::kTaken;
    for (const Instant until = loop.now() + 30s; !taken && loop.now() < until;) {
      std::this_thread::sleep_for(100ms);  // the loop, meanwhile
      taken = other.campaign(store()).ok();
    }
    loop.stop();
  });
  loop.run();
  EXPECT_TRUE(kept) << "while the loop runs";
  EXPECT_TRUE(taken);
  const std::function<void()> look = [&] {
    lead.journal().lost_lead().empty() ? timer.start(100ms, look) : loop.stop();
  };
  look();
  loop.run();
  EXPECT_THAT(lead.journal().lost_lead(), HasSubstr("another"));
}

}  // namespace
}  // namespace capstan
