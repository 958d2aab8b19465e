#include "common/adapters/key_ring.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace capstan {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class KeyRingTest : public ::testing::Test {
 protected:
  KeyRingTest() { fs::create_directories(folder_); }
  ~KeyRingTest() override { fs::remove_all(folder_); }

  CurveKey add(Role role, const std::string& name) { return add_key(folder_, role, name).value(); }
  void write_allowed(const std::string& text) {
    std::ofstream(folder_ / kAllowedFile) << text;
    // Coarse clocks of file systems must not hide the change.
    fs::last_write_time(folder_ / kAllowedFile,
                        fs::file_time_type::clock::now() + std::chrono::seconds(++changes_));
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("key_ring_" + std::to_string(getpid()) + "_" +
                                   ::testing::UnitTest::GetInstance()->current_test_info()->name());
  int changes_ = 0;
};

TEST_F(KeyRingTest, AKeyGoesToHexAndBack) {
  const CurvePair pair = new_curve_pair();
  EXPECT_EQ(parse_curve_key(to_hex(pair.public_key)), pair.public_key);
  EXPECT_NE(pair.public_key, pair.secret_key);
  EXPECT_NE(new_curve_pair().secret_key, pair.secret_key);
  EXPECT_FALSE(parse_curve_key(to_hex(pair.public_key) + "0").has_value());
  EXPECT_FALSE(parse_curve_key(std::string(64, 'g')).has_value());
}

TEST_F(KeyRingTest, ANodesOwnKeyGoesBeforeItsRoles) {
  const CurveKey shared = add(Role::kWorker, "worker"), own = add(Role::kWorker, "w-7");
  EXPECT_EQ(KeyRing::open(folder_, Role::kWorker, "w-7")->own().public_key, own);
  EXPECT_EQ(KeyRing::open(folder_, Role::kWorker, "w-8")->own().public_key, shared);
  const auto none = KeyRing::open(folder_, Role::kServer, "ps-0");
  ASSERT_FALSE(none.ok());
  EXPECT_THAT(none.error().message, HasSubstr("neither ps-0.key nor server.key: `capstan keys new"));
}

TEST_F(KeyRingTest, KnowsRolesByKeyAndFollowsTheList) {
  const CurveKey worker = add(Role::kWorker, "worker"), scheduler = add(Role::kScheduler, "scheduler");
  KeyRing ring = KeyRing::open(folder_, Role::kWorker, "w-1").value();
  ASSERT_NE(ring.find(worker), nullptr);
  EXPECT_EQ(*ring.find(worker), (AllowedKey{Role::kWorker, worker, "worker"}));
  EXPECT_EQ(ring.keys_of(Role::kScheduler), std::vector<CurveKey>{scheduler});
  write_allowed("# rotated\n\n scheduler " + to_hex(scheduler) + " scheduler  # the old one\nscheduler " +
                to_hex(worker) + " next\n");
  EXPECT_EQ(ring.find(worker)->role, Role::kScheduler);
  EXPECT_EQ(ring.keys_of(Role::kScheduler), (std::vector<CurveKey>{scheduler, worker}));
  write_allowed("scheduler 12 short\n");
  EXPECT_NE(ring.find(worker), nullptr) << "the last good list stays in force";
  EXPECT_THAT(ring.trouble(), HasSubstr("allowed:1: a line is `ROLE KEY NAME`"));
  write_allowed("");
  EXPECT_EQ(ring.find(worker), nullptr);
  EXPECT_EQ(ring.trouble(), "");
}

TEST_F(KeyRingTest, SecretsAreForTheirOwnerAlone) {
  add(Role::kTool, "tool");
  const fs::path secret = folder_ / "tool.key";
  EXPECT_EQ(fs::status(secret).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  const auto refused = [&] {
    const auto ring = KeyRing::open(folder_, Role::kTool, "tool");
    return ring.ok() ? "" : ring.error().message;
  };
  fs::permissions(secret, fs::perms::others_read, fs::perm_options::add);
  EXPECT_THAT(refused(), HasSubstr("chmod 600"));
  fs::permissions(secret, fs::perms::others_read, fs::perm_options::remove);
  fs::permissions(secret, fs::perms::group_read, fs::perm_options::add);
  if (geteuid() == 0) {
    EXPECT_EQ(refused(), "") << "root's, for a group: how Kubernetes gives a secret";
    ASSERT_EQ(chown(secret.c_str(), 4321, 4321), 0);
  }
  EXPECT_THAT(refused(), HasSubstr("chmod 600"));
}

TEST_F(KeyRingTest, NothingIsOverwritten) {
  add(Role::kTool, "tool");
  EXPECT_THAT(add_key(folder_, Role::kTool, "tool").error().message, HasSubstr("tool.key: File exists"));
  EXPECT_FALSE(add_key(folder_, Role::kTool, "../tool").ok());
  EXPECT_EQ(parse_allowed("", "f").value().size(), 0U);
}

TEST_F(KeyRingTest, AFileThatIsNoKeyIsNamed) {
  add(Role::kTool, "tool");
  std::ofstream(folder_ / "tool.key") << "public 12\n";
  EXPECT_THAT(KeyRing::open(folder_, Role::kTool, "tool").error().message,
              HasSubstr("tool.key: not a key of `capstan keys new`"));
}

}  // namespace
}  // namespace capstan
