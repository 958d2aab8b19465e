// The dashboard that is shipped asks for metrics that nodes have, and docs/METRICS.md lists them all.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "tests/paths.h"

namespace capstan {
namespace {

std::string text_at(const std::string& path) {
  std::ifstream in(source_dir() / path);
  EXPECT_TRUE(in.good()) << path;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::set<std::string> names_in(const std::string& text, const std::string& pattern) {
  std::set<std::string> names;
  const std::regex name(pattern);
  for (auto at = std::sregex_iterator(text.begin(), text.end(), name); at != std::sregex_iterator(); ++at) {
    names.insert((*at)[1]);
  }
  return names;
}

std::set<std::string> names_that_nodes_have() {
  std::set<std::string> names;
  for (const char* file :
       {"cli/node_page.cc", "cli/wire_keys.cc", "common/metrics.cc", "ps/server_metrics.cc",
        "scheduler/scheduler_metrics.cc", "worker/worker.cc", "worker/train/trainer.cc"}) {
    names.merge(names_in(text_at(file), "\"(capstan_[a-z_]+)\""));
  }
  return names;
}

TEST(Dashboard, AsksForMetricsThatNodesHave) {
  const std::set<std::string> have = names_that_nodes_have();
  const auto asked = names_in(text_at("packaging/monitoring/grafana-dashboard.json"), "(capstan_[a-z_]+)");
  EXPECT_GT(asked.size(), 15U);
  for (std::string name : asked) {
    if (name.ends_with("_bucket")) name.resize(name.size() - std::string("_bucket").size());
    EXPECT_TRUE(have.contains(name)) << name;
  }
}

TEST(Dashboard, TheDocsListEveryMetric) {
  const auto listed = names_in(text_at("docs/METRICS.md"), "`(capstan_[a-z_]+)`");
  EXPECT_EQ(listed, names_that_nodes_have());
}

}  // namespace
}  // namespace capstan
