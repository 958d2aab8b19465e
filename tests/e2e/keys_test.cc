// Clusters whose links are encrypted, and who is kept out of them.
#include <filesystem>

#include "tests/e2e/ledger_scene.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class Keys : public LedgerScene {
 protected:
  Keys() { make_keys("keys"); }

  void make_keys(const std::string& folder) {
    const Outcome made = run({"keys", "new", "--keys", path(folder)});
    ASSERT_EQ(made.code, 0) << made.err;
  }
  std::vector<std::string> words_before(const std::string&) const override {
    return {"/usr/bin/env", "CAPSTAN_KEYS=" + path("keys")};
  }
  // It waits for nodes.
  void start_scheduler() {
    write_job("pipeline_depth: 3");
    scheduler_ =
        start_node("scheduler", {"scheduler", path("job.yaml"), "--endpoint-file", path("endpoint")});
    endpoint_ = endpoint_in("endpoint", *scheduler_);
    ASSERT_NE(endpoint_, "") << scheduler_->err();
  }
  Outcome run_with_keys(std::vector<std::string> args) {
    args.insert(args.end(), {"--keys", path("keys")});
    return run(std::move(args));
  }
};

TEST_F(Keys, NothingIsLostWhenAServerOfAnEncryptedClusterDies) {
  write_job("pipeline_depth: 3", 3, 2);
  ASSERT_NO_FATAL_FAILURE(start_cluster(false));
  ASSERT_TRUE(goes_on(20));
  EXPECT_THAT(scheduler_->err(), HasSubstr("scheduler of job " + job() + " at tcp://127.0.0.1:"));
  const Outcome seen = run_with_keys(with_target({"status"}));
  EXPECT_EQ(seen.code, 0) << seen.err;
  kill_node("ps-1");
  start_server("ps-1");
  expect_job_ends_well();
  expect_rows_exact();
}

TEST_F(Keys, WhoHasNoneIsKeptOutAndToldWhy) {
  ASSERT_NO_FATAL_FAILURE(start_scheduler());
  const std::string bare = endpoint_.substr(0, endpoint_.rfind('/'));
  const Outcome plain = run({"status", "--scheduler", bare, "--job", job()});
  EXPECT_NE(plain.code, 0);
  EXPECT_THAT(plain.err, HasSubstr("it asks for keys (--keys)"));
  EXPECT_THAT(run(with_target({"status"})).err, HasSubstr("it asks for keys: give --keys DIR"));
  make_keys("others");
  const Outcome stranger =
      run({"status", "--scheduler", endpoint_, "--job", job(), "--keys", path("others")});
  EXPECT_NE(stranger.code, 0);
  EXPECT_THAT(stranger.err, HasSubstr("s: tcp://"));
  EXPECT_THAT(stranger.err, HasSubstr("does not allow our key"));
  EXPECT_THAT(stranger.err, Not(HasSubstr("is it running")));
  const Outcome worker = run({"worker", "--scheduler", endpoint_, "--job", job(), "--keys", path("others"),
                              "--startup-timeout", "2s"});
  EXPECT_EQ(worker.code, 1);
  EXPECT_THAT(worker.err, ContainsRegex("no scheduler has answered at .*: .*does not allow our key"));
  EXPECT_THAT(worker.err, Not(HasSubstr("is it running")));
  EXPECT_THAT(scheduler_->err(), AllOf(HasSubstr("a greeting at"), HasSubstr("was refused: its key")));
  scheduler_->signal(SIGTERM);
  EXPECT_EQ(scheduler_->wait(kPatience), 1) << scheduler_->err();
}

TEST_F(Keys, AWorkersKeyIsNoServers) {
  ASSERT_NO_FATAL_FAILURE(start_scheduler());
  std::filesystem::create_directories(path("thief"));
  std::filesystem::copy(path("keys/allowed"), path("thief/allowed"));
  std::filesystem::copy(path("keys/worker.key"), path("thief/server.key"));
  const Outcome thief = run({"ps", "--scheduler", endpoint_, "--job", job(), "--keys", path("thief")});
  EXPECT_EQ(thief.code, 1);
  EXPECT_THAT(thief.err, HasSubstr("is not one of a server"));
  EXPECT_THAT(scheduler_->err(), HasSubstr("a peer greets as a server, but its key is that of worker"));
  scheduler_->signal(SIGTERM);
  EXPECT_EQ(scheduler_->wait(kPatience), 1) << scheduler_->err();
}

TEST_F(Keys, ARunMakesItsOwn) {
  const std::vector<std::string> words = {"run", ratings_job("{passes: 1}"), "--set",
                                          "cluster.security=curve"};
  const Outcome ended = run(words);
  EXPECT_EQ(ended.code, 0) << ended.err;
  const Outcome shown = run({"keys", "show", "--keys", path("work/keys")});
  EXPECT_THAT(shown.out,
              AllOf(HasSubstr("scheduler"), HasSubstr("server"), HasSubstr("worker"), HasSubstr("tool")));
  EXPECT_EQ(run(words).code, 0) << "and uses them again";
}

TEST_F(Keys, AListThatCannotBeReadIsNotCalledMissing) {
  std::filesystem::create_directories(path("odd/allowed"));
  for (const char* what : {"show", "new"}) {
    const Outcome odd = run({"keys", what, "--keys", path("odd")});
    EXPECT_EQ(odd.code, 1) << what << odd.out;
    EXPECT_THAT(odd.err, HasSubstr("read " + path("odd/allowed") + ": Is a directory")) << what;
  }
}

TEST_F(Keys, WithoutKeysNobodyListensBeyondThisHost) {
  const Outcome open = run({"scheduler", ratings_job("{passes: 1}"), "--bind", "tcp://0.0.0.0:0"});
  EXPECT_EQ(open.code, 1);
  EXPECT_THAT(open.err, AllOf(HasSubstr("capstan keys new"), HasSubstr("--insecure")));
}

}  // namespace
}  // namespace capstan
