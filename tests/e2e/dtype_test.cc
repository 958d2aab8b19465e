// `capstan run` with weights in 16 bits: trained, checkpointed, resumed, copied, exported and read.
#include <spdlog/fmt/fmt.h>

#include <fstream>

#include "tests/e2e/scene.h"

namespace capstan {
namespace {

class DtypeJob : public Scene {
 protected:
  std::string job_with(const std::string& dtype, const std::string& train, std::uint32_t replicas = 1) const {
    return write("job.yaml", fmt::format(R"(job: {0}
task: ctr
data:
  format: csv
  train: [{1}/data/train.csv]
  test: [{1}/data/test.csv]
  label: label
model: {{type: deepfm, embedding_dim: 5, hidden: [16]}}
tables:
  default: {{dtype: {2}}}
optimizer:
  sparse: {{type: adam, learning_rate: 0.01}}
  dense: {{type: adam, learning_rate: 0.01}}
train: {{batch_size: 256, {3}}}
evaluate: {{metrics: [auc]}}
cluster: {{servers: 2, workers: 2, threads: 1, replicas: {4}, memory_limit: 256MiB}}
checkpoint: {{path: {1}/checkpoints}}
work_dir: {1}/work
report: {1}/report.json
)",
                                         job(), path(), dtype, train, replicas));
  }
  double auc() const { return at(json("report.json"), "test.model").at("auc").to_number<double>(); }
};

TEST_F(DtypeJob, LearnsAsWellAndIsReadInAllWays) {
  ASSERT_EQ(
      run({"generate", "ctr", "--out", path() + "/data", "--rows", "20000", "--test-rows", "5000"}).code, 0);
  const Outcome wide = run({"run", job_with("float32", "passes: 3")});
  ASSERT_EQ(wide.code, 0) << wide.err << wide.out;
  const double wide_auc = auc();
  for (const std::string dtype : {"bfloat16", "float16"}) {
    SCOPED_TRACE(dtype);
    std::filesystem::remove_all(path() + "/checkpoints");
    const Outcome brief = run({"run", job_with(dtype, "passes: 3", 2)});
    ASSERT_EQ(brief.code, 0) << brief.err << brief.out;
    EXPECT_GT(auc(), wide_auc - 0.02);
    const Outcome again = run({"eval", path() + "/job.yaml"});
    EXPECT_EQ(again.code, 0) << again.err;
    EXPECT_NE(again.out.find(fmt::format("{:.4f}", auc())), std::string::npos) << again.out;
    const Outcome net = run({"export", path() + "/checkpoints", "--onnx", "--out", path() + "/" + dtype});
    EXPECT_EQ(net.code, 0) << net.err << net.out;
    const Outcome changed =
        run({"run", job_with(dtype == "float16" ? "bfloat16" : "float16", "passes: 4", 2), "--resume"});
    EXPECT_NE(changed.code, 0);
    EXPECT_NE(changed.err.find("dtype"), std::string::npos) << changed.err;
  }
}

}  // namespace
}  // namespace capstan
