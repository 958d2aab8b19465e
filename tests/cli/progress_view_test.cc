#include "cli/progress_view.h"

#include <gtest/gtest.h>

#include <memory>

namespace capstan {
namespace {

class ProgressViewTest : public ::testing::Test {
 protected:
  // Shows a running job that waits, as many times.
  void show(const std::string& waits_for, int times) {
    for (int n = 0; n < times; ++n) {
      view_.show(R"({"state": "running", "pass": 0, "passes": 2, "fraction_of_pass": 0.01, "waits_for": ")" +
                 waits_for + R"("})");
    }
  }
  // What was printed that has to do with waiting.
  std::string said() {
    std::rewind(out_.get());
    std::string text, line;
    for (int c = std::fgetc(out_.get()); c != EOF; c = std::fgetc(out_.get())) {
      line += static_cast<char>(c);
      if (c != '\n') continue;
      if (!line.starts_with("pass ")) text += line;
      line.clear();
    }
    return text;
  }

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out_{std::tmpfile(), &std::fclose};
  ProgressView view_{out_.get(), false, false};
};

TEST_F(ProgressViewTest, ARunningJobThatWaitsSaysForWhatOnceAndWhenItGoesOn) {
  show("training pass 1 of 2", 20);
  show("waiting for ps-0", 100);
  EXPECT_EQ(said(), "waiting for ps-0\n");
  show("waiting for ps-1", 100);
  show("training pass 1 of 2", 20);
  EXPECT_EQ(said(), "waiting for ps-0\nwaiting for ps-1\ngoes on: training pass 1 of 2\n");
}

TEST_F(ProgressViewTest, AMomentsWaitIsNotWorthALine) {
  for (int n = 0; n < 50; ++n) {
    show("waiting for ps-0 to write its part of a checkpoint", 3);
    show("training pass 1 of 2", 3);
  }
  EXPECT_EQ(said(), "");
}

}  // namespace
}  // namespace capstan
