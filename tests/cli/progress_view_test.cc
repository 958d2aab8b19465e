#include "cli/progress_view.h"

#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace capstan {
namespace {

class ProgressViewTest : public ::testing::Test {
 protected:
  // Shows a running job that waits, as many times.
  void show(const std::string& waits_for, int times) {
    for (int n = 0; n < times; ++n) {
      view_.show(R"({"state": "running", "pass": 1, "passes": 2, "fraction_of_pass": 0.01, "waits_for": ")" +
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

// Each line is drawn over the one before, which a line of two rows would not be.
TEST(ProgressBar, FitsTheTerminal) {
  for (const unsigned short columns : std::initializer_list<unsigned short>{20, 60, 80, 90, 200}) {
    int outer = -1, inner = -1;
    winsize size{};
    size.ws_row = 24;
    size.ws_col = columns;
    if (openpty(&outer, &inner, nullptr, nullptr, &size) != 0) GTEST_SKIP() << "no pseudo terminals here";
    std::FILE* out = fdopen(inner, "w");
    ProgressView(out, true, false)
        .show(R"({"state": "running", "pass": 12, "passes": 40, "fraction_of_pass": 0.5, "loss": 0.25,
                  "examples_per_second": 123456, "eta_seconds": 61, "waits_for": "training pass 12 of 40"})");
    std::string drawn(4096, '\0');
    drawn.resize(static_cast<std::size_t>(std::max<ssize_t>(0, read(outer, drawn.data(), drawn.size()))));
    const auto line = drawn.substr(drawn.find('K') + 1);
    const auto width = std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; });
    EXPECT_LT(width, columns) << line;
    EXPECT_EQ(line.rfind("pass 12/40", 0), 0U);
    EXPECT_EQ(line.find("█") != std::string::npos, columns > 80) << line;
    std::fclose(out);
    close(outer);
  }
}

}  // namespace
}  // namespace capstan
