// `capstan export` without a job that was run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/table_files.h"
#include "tests/cli/made_checkpoints.h"
#include "tests/cli/run_here.h"
#include "tests/npz_file.h"

namespace capstan {
namespace {

using testing::HasSubstr;

TEST(Export, WritesEachTable) {
  MadeCheckpoints made;
  made.set(0, 7, 0.5F);
  made.cut(1);
  const std::string out = made.dir.path("out");
  const Outcome exported = run({"export", made.root(), "--out", out});
  EXPECT_EQ(exported.code, kExitOk) << exported.err;
  const auto zip = made.files.read(out + "/users.npz");
  ASSERT_TRUE(zip.ok());
  const std::string bytes(zip->text());
  EXPECT_EQ(array_in<std::uint64_t>(bytes, "keys"), std::vector<std::uint64_t>{7});
  EXPECT_EQ(array_in<float>(bytes, "weights"), (std::vector<float>{0.5F, 0.5F}));
  EXPECT_TRUE(std::filesystem::exists(out + "/items.npz"));
  const Outcome unknown = run({"export", made.root(), "--out", out, "--table", "prices"});
  EXPECT_EQ(unknown.code, kExitFailed);
  EXPECT_THAT(unknown.err, HasSubstr("no table prices; there are users, items"));
}

TEST(Export, OfTheNetNeedsTheJobOfTheCheckpoint) {
  MadeCheckpoints made;
  made.set(0, 7, 0.5F);
  made.cut(1);
  const std::string out = made.dir.path("out");
  const Outcome exported = run({"export", made.root(), "--out", out, "--onnx"});
  EXPECT_EQ(exported.code, kExitUsage);
  EXPECT_THAT(exported.err, HasSubstr("the checkpoint's job"));
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST(Export, GivesDifferentTablesDifferentFiles) {
  EXPECT_EQ(file_name("user_linear"), "user_linear");
  EXPECT_EQ(file_name("a/b"), "a%2Fb");
  EXPECT_EQ(file_name("a%2Fb"), "a%252Fb");
  EXPECT_EQ(file_name(".."), "%2E.");
}

}  // namespace
}  // namespace capstan
