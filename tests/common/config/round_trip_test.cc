// Property tests: the effective job means the same again, and no text whatever breaks the loader.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <fstream>
#include <sstream>

#include "common/config/load_job.h"
#include "common/config/schema.h"
#include "common/config/yaml_emit.h"
#include "common/config/yaml_parse.h"
#include "common/rng.h"

namespace capstan {
namespace {

const std::string kFullJob = R"(job: full
task: ranking
seed: 18446744073709551615
data:
  format: csv
  train: ["a, b.csv", 'it''s $${HOME}', "tab\there", null_file, "null", "007", "ünï", "#no", "a: b"]
  columns: [user, item, rating, time, genres]
  header: false
  delimiter: "\x01"
  label: rating
  user: user
  item: item
  time: time
  positive_from: 0.1
  clean:
    - {column: rating, type: float, min: -1e-300, max: 5, missing: median, clip_low: 0.01, clip_high: 0.99}
    - {column: user, required: true}
  unique: [user, item]
  split: {method: global_time, test: 0.30000000000000004, valid: 0.1}
  negatives: {per_positive: 4, sampler: popularity, alpha: 0.3333333333333333}
features:
  - {column: user}
  - {columns: [user, item], name: pair, transform: {cross: {buckets: 1000}}, table: crossed, pooling: mean}
  - {column: time, transform: [log, {bucketise: {boundaries: [-1, 0.5, 1e6]}}]}
  - {column: genres, name: seen, transform: [{history: {n: 10}}, {vocab: {min_count: 2}}]}
model: {type: neumf, hidden: [32, 16, 8], dropout: 0.1, activation: gelu}
optimizer:
  sparse: {type: adagrad, learning_rate: 0.1, l2: 1e-5, l2_mode: decayed}
  dense: {type: adam, learning_rate: 3e-4, schedule: {type: cosine, decay_steps: 1000, floor: 0.05}}
tables:
  default: {init: {type: uniform, scale: 0.05}}
  item: {dim: 8, min_count: 3, ttl: 36h, max_rows: 1000000, optimizer: {learning_rate: 0.7}}
train: {consistency: bounded, staleness: 3, passes: 2, early_stop_patience: 2, early_stop_metric: ndcg@10}
evaluate: {metrics: [ndcg, hr@5], at: [5, 10], every_passes: 1, baselines: [most_popular, ease]}
tune:
  space:
    model.dropout: {uniform: [0, 0.5]}
    tables.item.optimizer.learning_rate: {log_uniform: [1e-4, 1]}
    model.hidden: [[32, 16, 8], [16]]
  trials: 5
  metric: ndcg@10
checkpoint: {path: out/full, every: 90s, every_steps: 100}
cluster: {servers: 2, workers: 3, replicas: 2, lease: 1500ms, memory_limit: 1000001}
scheduler: {store: etcd, endpoints: [http://a:2379, http://b:2379], lease: 4s}
report: ${REPORT:-out/full.json}
)";

LoadOutcome read(const std::string& text) {
  return read_job(text, "full.yaml", {}, [](const std::string&) { return std::nullopt; });
}

TEST(RoundTrip, TheEffectiveJobLoadsToAnEqualOne) {
  const LoadOutcome first = read(kFullJob);
  ASSERT_TRUE(first.job) << first.errors.text();
  EXPECT_EQ(first.job->config.data.train[1], "it's ${HOME}");
  EXPECT_EQ(first.job->config.data.delimiter, "\x01");
  const LoadOutcome second = read(first.job->effective_yaml);
  ASSERT_TRUE(second.job) << second.errors.text() << first.job->effective_yaml;
  EXPECT_EQ(second.job->config, first.job->config);
  EXPECT_EQ(second.job->effective_yaml, first.job->effective_yaml);
}

// Sets one setting of the schema to a value of the kind its type names.
std::string random_value(const TypeSpec& type, Rng& rng) {
  if (!type.words.empty()) return type.words[rng.below(type.words.size())].word;
  if (type.name == "true or false") return rng.chance(0.5) ? "true" : "false";
  if (type.name == "number") return rng.chance(0.5) ? "0.625" : "0.1";
  if (type.name.find("integer") != std::string::npos) return std::to_string(rng.below(100));
  if (type.name == "duration") return std::to_string(rng.below(1000)) + "s";
  if (type.name == "size") return std::to_string(rng.below(1000)) + "MiB";
  return "\"text: " + std::to_string(rng.below(1000)) + "\"";
}

void collect(const SectionSpec& section, const std::string& path,
             std::vector<std::pair<std::string, TypeSpec>>& all) {
  for (const KeySpec& key : section.keys) {
    const std::string here = join_path(path, key.name);
    if (key.type.section == nullptr) {
      all.emplace_back(here, key.type);
    } else if (key.type.name == "section") {
      collect(*key.type.section, here, all);
    }
  }
}

TEST(RoundTrip, HoldsForAnySettings) {
  std::vector<std::pair<std::string, TypeSpec>> settings;
  collect(*job_schema(), "", settings);
  ASSERT_GT(settings.size(), 100U);
  Rng rng(20261124);
  int loaded = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<std::string> overrides;
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n) {
      const auto& [path, type] = settings[rng.below(settings.size())];
      overrides.push_back(path + "=" + random_value(type, rng));
    }
    const LoadOutcome first =
        read_job(kFullJob, "full.yaml", overrides, [](const auto&) { return std::nullopt; });
    if (!first.job) continue;
    ++loaded;
    const LoadOutcome second = read(first.job->effective_yaml);
    ASSERT_TRUE(second.job) << "round " << round << ": " << overrides[0] << "\n" << second.errors.text();
    ASSERT_EQ(second.job->config, first.job->config) << "round " << round << ": " << overrides[0];
  }
  EXPECT_GT(loaded, 100);
}

// One random change of a text: of a byte, a run, a line, or a word for another one.
std::string mutate(std::string text, Rng& rng) {
  static constexpr std::string_view kNasty[] = {"{",      "}",   "[",     "]",  ":",     "- ", "&a ",  "*a",
                                                "!!int ", "|\n", "\t",    "${", "\"",    "'",  "\xff", "\r\n",
                                                "? ",     "~",   "---\n", "%",  "1e999", "@"};
  const std::size_t at = rng.below(text.size() + 1);
  const std::size_t length = std::min<std::size_t>(rng.below(20), text.size() - at);
  switch (rng.below(6)) {
    case 0:
      return text.erase(at, length);
    case 1:
      return text.insert(at, text.substr(rng.below(text.size() + 1), rng.below(60)));
    case 2:
      return text.insert(at, kNasty[rng.below(std::size(kNasty))]);
    case 3:
      return text.insert(at, 1, static_cast<char>(rng.below(256)));
    case 4:
      if (at < text.size()) text[at] = static_cast<char>(rng.below(128));
      return text;
    default:
      return text.substr(0, at);
  }
}

TEST(Fuzz, AnyTextGivesAJobOrErrorsWithPlaces) {
  constexpr std::uint64_t kSeed = 7;
  Rng rng(kSeed);
  int refused = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string text = kFullJob;
    for (std::uint64_t n = 1 + rng.below(4); n > 0; --n) text = mutate(std::move(text), rng);
    const LoadOutcome outcome = read(text);
    ASSERT_EQ(outcome.job.has_value(), outcome.errors.all.empty()) << "seed " << kSeed << " round " << round;
    if (outcome.job) continue;
    ++refused;
    for (const ConfigError& error : outcome.errors.all) {
      ASSERT_GE(error.place.line, 1) << "seed " << kSeed << " round " << round << ": " << error.text();
      ASSERT_GE(error.place.column, 1) << "seed " << kSeed << " round " << round << ": " << error.text();
      ASSERT_FALSE(error.message.empty());
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(Fuzz, DeepAndWideTextsAreRefused) {
  for (const char bracket : {'[', '{'}) {
    std::string deep(100000, bracket);
    deep.insert(0, "job: ");
    EXPECT_FALSE(read(deep).job);
  }
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string ten =
        fmt::format("*a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}, *a{0}", i - 1);
    bomb += fmt::format("a{0}: &a{0} [{1}]\n", i, ten);
  }
  const LoadOutcome outcome = read(bomb);
  ASSERT_FALSE(outcome.job);
  EXPECT_EQ(outcome.errors.all[0].message, "more than 200000 values");
}

}  // namespace
}  // namespace capstan
