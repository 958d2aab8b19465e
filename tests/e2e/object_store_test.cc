// Checkpoints in an object store: a job that dies and goes on from there, a store that is away for a while,
// one that refuses us. Scheduler, servers, workers and store are processes of their own.
#include <stdlib.h>

#include <csignal>
#include <regex>

#include "common/adapters/s3_storage.h"
#include "tests/e2e/scene.h"
#include "tests/fault_proxy.h"
#include "tests/s3_server.h"

namespace capstan {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr const char* kLong = "{passes: 1000, batch_size: 64}";  // never ends by itself in a test

class ObjectStore : public Scene {
 protected:
  void SetUp() override {
    if (const std::string why = S3Server::missing(); !why.empty()) GTEST_SKIP() << why;
    ASSERT_TRUE(store_.start()) << store_.log();
    ASSERT_TRUE(store_.make_bucket("models"));
    ASSERT_EQ(setenv("AWS_ACCESS_KEY_ID", S3Server::kAccessKey, 1), 0);
    ASSERT_EQ(setenv("AWS_SECRET_ACCESS_KEY", S3Server::kSecret, 1), 0);
    ASSERT_EQ(setenv("AWS_ENDPOINT_URL_S3", store_.endpoint().c_str(), 1), 0);
  }

  static std::string kept(const std::string& how, const std::string& where = "s3://models/job") {
    return "checkpoint: {path: '" + where + "', " + how + "}";
  }
  // With few shards: each section of a checkpoint is a request of its own when it is read.
  std::string small_job(const std::string& train, const std::string& checkpoint) const {
    std::string text = text_of(ratings_job(train, checkpoint));
    const std::string cluster = "cluster: {";
    return write("job.yaml", text.insert(text.find(cluster) + cluster.size(), "num_shards: 32, "));
  }
  static std::size_t count(const std::string& pattern, const std::string& text) {
    const std::regex wanted(pattern);
    return static_cast<std::size_t>(
        std::distance(std::sregex_iterator(text.begin(), text.end(), wanted), {}));
  }
  // Waits until the scheduler's log says so `times`.
  bool logged(const std::string& pattern, Process& run, std::size_t times = 1) {
    return eventually([&] { return run.ended() || count(pattern, log()) >= times; }, kPatience);
  }
  std::string log() const { return text_of(path("work/logs/scheduler.log")); }
  void kill_all(Process& run) {
    run.signal(SIGKILL);
    for (const RunningProcess& process : processes()) kill(process.pid, SIGKILL);
    EXPECT_EQ(run.wait(kPatience), 128 + SIGKILL);
    EXPECT_TRUE(all_gone());
  }

  S3Server store_;
};

TEST_F(ObjectStore, AJobThatIsKilledGoesOnFromIt) {
  const std::string job = small_job(kLong, kept("every_steps: 50, keep: 2, full_every: 3"));
  const auto first = start({"run", job});
  ASSERT_TRUE(logged("checkpoint \\d+: \\d+ rows", *first, 4)) << log();
  ASSERT_FALSE(first->ended()) << first->err() << log();
  kill_all(*first);

  const Outcome listed = run({"checkpoint", "ls", "s3://models/job"});
  EXPECT_EQ(listed.code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("ckpt-"));
  const Outcome whole = run({"checkpoint", "verify", "s3://models/job"});
  EXPECT_EQ(whole.code, 0) << whole.err << whole.out;

  const Outcome second = run({"run", job, "--resume", "--set", "train.passes=25"});
  EXPECT_EQ(second.code, 0) << second.err << second.out << log();
  EXPECT_THAT(serialize(at(json("report.json"), "resumed_from")), HasSubstr("s3://models/job/ckpt-"));
  EXPECT_EQ(number_at(json("report.json"), "pushes.lost"), 0.0);

  const Outcome verified = run({"checkpoint", "verify", "s3+" + store_.endpoint() + "/models/job"});
  EXPECT_EQ(verified.code, 0) << verified.err << verified.out;
  const Outcome got = run({"get", "user", "1", "--checkpoint", "s3://models/job"});
  EXPECT_THAT(got.out, HasSubstr("weights")) << got.err;
  const Outcome judged = run({"eval", job, "--set", "train.passes=25"});
  EXPECT_EQ(judged.code, 0) << judged.err;
  EXPECT_THAT(judged.out, HasSubstr("checkpoint s3://models/job/ckpt-"));
  const Outcome exported = run({"export", "s3://models/job", "--out", path("tables"), "--format", "tsv"});
  EXPECT_EQ(exported.code, 0) << exported.err;
  const Outcome pruned = run({"checkpoint", "prune", "s3://models/job", "--keep", "1"});
  EXPECT_EQ(pruned.code, 0) << pruned.err;
}

// The newest checkpoint loses a file's end, then a file, then its manifest: each is named, the one before
// read.
TEST_F(ObjectStore, DamagedCheckpointsAreNamedAndPassedOver) {
  const std::string job =
      small_job("{passes: 12, batch_size: 64}", kept("every_steps: 20, keep: 4, full_every: 1"));
  const Outcome trained = run({"run", job});
  ASSERT_EQ(trained.code, 0) << trained.err << trained.out;
  S3Storage storage(store_.settings());
  const auto names = storage.list("s3://models/job").value();
  ASSERT_GE(names.size(), 4U);
  const auto directory = [&](std::size_t back) { return "s3://models/job/" + names[names.size() - back]; };
  const Buffer rows = storage.read(directory(1) + "/ps-0.rows").value();
  ASSERT_TRUE(storage.publish(directory(1) + "/ps-0.rows", rows.bytes().first(100)).ok());
  ASSERT_TRUE(storage.remove(directory(2) + "/ps-1.rows").ok());
  ASSERT_TRUE(storage.remove(directory(3) + "/MANIFEST.json").ok());
  const Outcome verified = run({"checkpoint", "verify", "s3://models/job"});
  EXPECT_EQ(verified.code, 1);
  EXPECT_THAT(verified.out, AllOf(HasSubstr(directory(1) + "/ps-0.rows is not whole: 100 of"),
                                  HasSubstr(directory(2) + "/ps-1.rows is not there"),
                                  HasSubstr(directory(3) + " has no MANIFEST.json")));
  const Outcome got = run({"get", "user", "1", "--checkpoint", "s3://models/job"});
  EXPECT_EQ(got.code, 0) << got.err;
  EXPECT_THAT(got.err, HasSubstr(directory(4) + " is read instead"));
  store_.stop();
  const Outcome away = run({"get", "user", "1", "--checkpoint", directory(1)});
  EXPECT_EQ(away.code, 1);
  EXPECT_THAT(away.err, HasSubstr(store_.endpoint())) << "no checkpoint is called damaged for this";
}

TEST_F(ObjectStore, AStoreThatIsAwayStopsNoTraining) {
  const auto job = start({"run", small_job(kLong, kept("every: 1s, keep: 2"))});
  ASSERT_TRUE(logged("checkpoint \\d+: \\d+ rows", *job, 2)) << job->err() << log();
  store_.stop();
  ASSERT_TRUE(logged("checkpoint failed: .*training goes on, the last good one is kept", *job, 2)) << log();
  ASSERT_FALSE(job->ended()) << job->err();
  EXPECT_THAT(log(), ContainsRegex("at " + store_.endpoint()));
  const std::size_t before = count("pass \\d+/", job->out());
  EXPECT_TRUE(eventually([&] { return count("pass \\d+/", job->out()) > before; }, kPatience)) << "it trains";
  ASSERT_TRUE(store_.start()) << store_.log();
  const std::size_t published = count("checkpoint \\d+: \\d+ rows", log());
  EXPECT_TRUE(logged("checkpoint \\d+: \\d+ rows", *job, published + 1)) << log();
  EXPECT_FALSE(job->ended()) << job->err();
  kill_all(*job);
  const Outcome whole = run({"checkpoint", "verify", "s3://models/job"});
  EXPECT_EQ(whole.code, 0) << whole.out << whole.err;
}

TEST_F(ObjectStore, FaultsOfTheStoreAreTriedAgain) {
  FaultProxy proxy(store_.port());
  proxy.decide([n = 0](const std::string&) mutable {
    ++n;
    if (n % 3 == 0) return HttpFault{.status = n % 2 == 0 ? 500 : 503};
    return n % 7 == 0    ? HttpFault{.cut_response = 40}
           : n % 11 == 0 ? HttpFault{.cut_request = 10}
                         : HttpFault{};
  });
  const std::string where = "s3+" + proxy.endpoint() + "/models/job";
  const std::string job = small_job("{passes: 20, batch_size: 64}", kept("every_steps: 100", where));
  const Outcome done = run({"run", job});
  EXPECT_EQ(done.code, 0) << done.err << done.out << log();
  EXPECT_EQ(log().find("checkpoint failed"), std::string::npos) << log();
  EXPECT_GT(proxy.requests(), 30U);
  const Outcome whole = run({"checkpoint", "verify", where});
  EXPECT_EQ(whole.code, 0) << whole.out << whole.err;
}

TEST_F(ObjectStore, AWrongSecretIsSaidAtTheStart) {
  ASSERT_EQ(setenv("AWS_SECRET_ACCESS_KEY", "wrong", 1), 0);
  const Outcome refused = run({"run", small_job(kLong, kept("every: 1h"))});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err,
              AllOf(HasSubstr("checkpoint.path cannot be used"), HasSubstr("SignatureDoesNotMatch"),
                    HasSubstr("check AWS_SECRET_ACCESS_KEY")));
  const Outcome listed = run({"checkpoint", "ls", "s3://models/job"});
  EXPECT_EQ(listed.code, 1);
  EXPECT_THAT(listed.err, HasSubstr("check AWS_SECRET_ACCESS_KEY"));
}

}  // namespace
}  // namespace capstan
