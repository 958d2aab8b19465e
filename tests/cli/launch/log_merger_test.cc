#include "cli/launch/log_merger.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

namespace capstan {
namespace {

TEST(LogMerger, PutsWholeLinesBehindTheirHostAndNode) {
  std::string folder = std::filesystem::temp_directory_path() / "capstan_logs_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  {
    LogMerger merger(folder + "/all.log", nullptr);
    merger.add(folder + "/a.log", "h1 a | ");
    merger.add(folder + "/b.log", "h2 b | ");
    merger.pump();
    std::ofstream a(folder + "/a.log"), b(folder + "/b.log");
    a << "one\ntw" << std::flush;
    merger.pump();
    b << "three\n" << std::flush;
    a << "o\n" << std::flush;
    merger.pump();
  }
  std::ostringstream all;
  all << std::ifstream(folder + "/all.log").rdbuf();
  EXPECT_EQ(all.str(), "h1 a | one\nh1 a | two\nh2 b | three\n");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace capstan
