// Checkpoints that are encrypted at rest: made, read, gone on from, and closed to who has no key.
#include <algorithm>
#include <filesystem>
#include <string>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class EncryptedCheckpoints : public Scene {
 protected:
  EncryptedCheckpoints() : place_("encrypted:" + path("checkpoints")) {
    const Outcome made = run({"keys", "new", "--role", "checkpoint", "--keys", path("keys")});
    EXPECT_EQ(made.code, 0) << made.err;
    job_file_ = ratings_job("{passes: 3, batch_size: 64}");
  }
  std::vector<std::string> with_place(std::vector<std::string> args) const {
    args.insert(args.end(), {job_file_, "--set", "checkpoint.path=" + place_});
    return args;
  }
  // With the key in its environment.
  Outcome run_with_key(std::vector<std::string> args) {
    args.insert(args.begin(), {"CAPSTAN_CHECKPOINT_KEY=" + path("keys/checkpoint.key"), capstan_binary()});
    const auto process = start(std::move(args), "/usr/bin/env");
    const int code = process->wait(kPatience);
    return {code, process->out(), process->err()};
  }

  std::string place_, job_file_;
};

TEST_F(EncryptedCheckpoints, AJobGoesOnFromThemAndCommandsReadThem) {
  const Outcome first = run_with_key(with_place({"run"}));
  ASSERT_EQ(first.code, 0) << first.err;
  const Outcome second = run_with_key(with_place({"run", "--resume", "--set", "train.passes=5"}));
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(serialize(at(json("report.json"), "resumed_from")), HasSubstr("encrypted:"));
  const Outcome whole = run_with_key({"checkpoint", "verify", place_});
  EXPECT_EQ(whole.code, 0) << whole.out << whole.err;
  EXPECT_EQ(run_with_key({"checkpoint", "ls", place_}).code, 0);
  EXPECT_EQ(run_with_key({"checkpoint", "prune", place_, "--keep", "1"}).code, 0);
  const Outcome evaluated = run_with_key(with_place({"eval"}));
  EXPECT_EQ(evaluated.code, 0) << evaluated.err;
  for (const auto& file : fs::recursive_directory_iterator(path("checkpoints"))) {
    if (!file.is_regular_file() || file.path().extension() == ".lock") continue;
    const std::string bytes = text_of(file.path().string());
    EXPECT_EQ(bytes.substr(0, 8), "CAPCRYP1") << file.path();
    EXPECT_THAT(bytes, Not(HasSubstr(job()))) << file.path();
  }
}

TEST_F(EncryptedCheckpoints, WithoutTheKeyAJobDoesNotBegin) {
  const Outcome none = run(with_place({"run"}));
  EXPECT_NE(none.code, 0);
  EXPECT_THAT(none.err, AllOf(HasSubstr("checkpoint.path cannot be used"),
                              HasSubstr("capstan keys new --role checkpoint")));
  EXPECT_FALSE(fs::exists(path("report.json")));
}

TEST_F(EncryptedCheckpoints, WhoHasAnotherKeyOrNoneIsToldSo) {
  ASSERT_EQ(run_with_key(with_place({"run"})).code, 0);
  EXPECT_THAT(run({"checkpoint", "verify", place_}).err, HasSubstr("CAPSTAN_CHECKPOINT_KEY=FILE says where"));
  EXPECT_THAT(run({"checkpoint", "ls", path("checkpoints")}).err, HasSubstr("name the checkpoints with"));
  fs::rename(path("keys"), path("former"));
  ASSERT_EQ(run({"keys", "new", "--role", "checkpoint", "--keys", path("keys")}).code, 0);
  EXPECT_THAT(run_with_key({"checkpoint", "verify", place_}).err, HasSubstr("encrypted with another key"));
}

TEST_F(EncryptedCheckpoints, ADamagedByteIsFoundAndTheOneBeforeIsTaken) {
  ASSERT_EQ(run_with_key(with_place({"run", "--set", "checkpoint.every_steps=20"})).code, 0);
  std::vector<fs::path> kept;
  for (const auto& each : fs::directory_iterator(path("checkpoints")))
    if (each.is_directory()) kept.push_back(each.path());
  std::sort(kept.begin(), kept.end());
  ASSERT_GE(kept.size(), 2U);
  std::string file;
  for (const auto& each : fs::directory_iterator(kept.back()))
    if (each.path().extension() == ".rows") file = each.path().string();
  ASSERT_NE(file, "");
  std::string bytes = text_of(file);
  bytes[bytes.size() / 2] ^= 1;
  write(fs::relative(file, path()).string(), bytes);
  const Outcome damaged = run_with_key({"checkpoint", "verify", place_});
  EXPECT_EQ(damaged.code, 1) << damaged.out;
  const Outcome second = run_with_key(with_place({"run", "--resume", "--set", "train.passes=5"}));
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_THAT(serialize(at(json("report.json"), "resumed_from")),
              Not(HasSubstr(kept.back().filename().string())));
}

}  // namespace
}  // namespace capstan
