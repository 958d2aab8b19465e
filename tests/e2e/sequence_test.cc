// `capstan run` of sequence models, from lists of items to the report.
#include <spdlog/fmt/fmt.h>

#include "common/rng.h"
#include "tests/e2e/scene.h"

namespace capstan {
namespace {

class SequenceJob : public Scene {
 protected:
  // Each user goes from item i to item i + 7 of 30, from somewhere on.
  std::string job_with(const std::string& encoder, const std::string& train) const {
    Rng rng(4);
    std::string lines;
    for (int user = 0; user < 300; ++user) {
      lines += fmt::format("u{}", user);
      std::uint64_t item = rng.below(30);
      for (std::uint64_t n = 6 + rng.below(5); n > 0; --n, item = (item + 7) % 30)
        lines += fmt::format(" {}", item);
      lines += "\n";
    }
    write("lists.txt", lines);
    return write("job.yaml", fmt::format(R"(job: {0}
task: ranking
data:
  format: item_lists
  train: [{1}/lists.txt]
  split: {{method: leave_one_out}}
  negatives: {{sampler: in_batch}}
features:
  - {{name: before, columns: [item], table: item, transform: [{{history: {{n: 20}}}}]}}
model: {{type: sequence, encoder: {2}, embedding_dim: 16, max_length: 20, loss: sampled_softmax}}
optimizer:
  sparse: {{type: adam, learning_rate: 0.01}}
  dense: {{type: adam, learning_rate: 0.01}}
train: {3}
evaluate: {{metrics: [hr], at: [1], baselines: [most_popular], bootstrap: 0}}
cluster: {{servers: 2, workers: 2, threads: 1, memory_limit: 256MiB}}
work_dir: {1}/work
report: {1}/report.json
)",
                                         job(), path(), encoder, train));
  }
  void expect_learnt(const std::string& encoder, const std::string& train) {
    SCOPED_TRACE(encoder);
    const Outcome outcome = run({"run", job_with(encoder, train)});
    ASSERT_EQ(outcome.code, 0) << outcome.err << outcome.out;
    const auto report = json("report.json");
    EXPECT_GT(at(report, "test.model").at("hr@1").to_number<double>(), 0.95);
    EXPECT_LT(at(report, "test.most_popular").at("hr@1").to_number<double>(), 0.2);
  }
};

TEST_F(SequenceJob, LearnsWhatComesNext) {
  for (const std::string encoder : {"sasrec", "gru4rec", "caser"})
    expect_learnt(encoder, "{passes: 40, batch_size: 32}");
}

TEST_F(SequenceJob, LearnsItInStepToo) {
  expect_learnt("sasrec", "{passes: 40, batch_size: 64, consistency: sync, include_valid: true}");
}

}  // namespace
}  // namespace capstan
