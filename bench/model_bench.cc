// What does a model's step cost a worker, against DeepFM's and against its own weights?
//   taskset -c 0 bench_model
// Gradients of batches of 1,024 examples with 20 fields of 200 values, embeddings of 8 floats, hidden [64,
// 32], as in configs/ctr_deepfm.yaml; reading, pull and push apart. Of several runs the shortest, in
// processor time.
#include <spdlog/fmt/fmt.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include "common/rng.h"
#include "worker/models/backprop.h"
#include "worker/models/batch_builder.h"
#include "worker/models/registry.h"

namespace capstan {
namespace {

constexpr std::uint32_t kFields = 20, kValues = 200, kExamples = 1024, kShards = 256, kRounds = 50;

struct Candidate {
  const char* name;
  const char* type;
  std::function<void(ModelConfig&)> settings = [](ModelConfig&) {};
};

const std::vector<Candidate> kCandidates = {
    {"deepfm", "deepfm"},
    {"mlp", "mlp"},
    {"wide_deep", "wide_deep"},
    {"dcn_v2, 2 layers", "dcn_v2", [](auto& m) { m.cross_layers = 2; }},
    {"dcn_v2, 2 layers, 4 x rank 16", "dcn_v2", [](auto& m) { m.cross_layers = 2, m.cross_rank = 16; }},
    {"dlrm", "dlrm"},
    {"finalmlp, 4 heads", "finalmlp", [](auto& m) { m.heads = 4; }},
};

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

std::vector<FieldInfo> fields() {
  std::vector<FieldInfo> result(kFields);
  for (std::uint32_t f = 0; f < kFields; ++f) {
    result[f].name = result[f].table = fmt::format("f{}", f);
    result[f].source = FieldSource::kEvent;
  }
  return result;
}

void fill(BatchBuilder& builder, Rng& rng) {
  builder.data().size = kExamples;
  for (std::uint32_t i = 0; i < kExamples; ++i) {
    for (std::uint32_t f = 0; f < kFields; ++f) {
      const Key key = rng.below(kValues);
      builder.add(f, {&key, 1}, {});
    }
    builder.data().labels.push_back(static_cast<float>(rng.below(2)));
    builder.data().dropout_seeds.push_back(i);
  }
}

struct Cost {
  double microseconds = 0.0;  // an example
  double weights = 0.0;       // of layers: as many multiply-adds an example, three times
};

Cost cost_of(const Candidate& candidate) {
  JobConfig job;
  job.model.type = candidate.type;
  job.model.embedding_dim = 8;
  candidate.settings(job.model);
  const auto model = std::move(make_model(job, fields())).value();
  BatchBuilder builder(model->tables(), kShards);
  Rng rng(1);
  fill(builder, rng);
  auto step = builder.finish();
  Cost cost;
  for (StepTable& table : step) {
    const TableSpec& spec = model->tables().all()[table.table].spec;
    table.rows.resize(table.keys.size() * spec.dim);
    for (float& value : table.rows) value = static_cast<float>(0.1 * rng.normal());
    if (spec.dense) cost.weights += static_cast<double>(table.rows.size());
  }
  Backprop backprop(*model, loss_of(job), job.train.micro_batch);
  double best = 1e9;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const double begin = processor_seconds();
    if (!backprop.train(builder.data().view(), step, 1.0F / kExamples).ok()) std::abort();
    best = std::min(best, processor_seconds() - begin);
  }
  cost.microseconds = best * 1e6 / kExamples;
  return cost;
}

void run() {
  std::printf("%-32s %12s %12s %10s %10s\n", "", "us/example", "weights", "time", "weights");
  Cost first;
  for (const Candidate& candidate : kCandidates) {
    const Cost cost = cost_of(candidate);
    if (first.weights == 0.0) first = cost;
    std::printf("%-32s %12.2f %12.0f %8.2f x %8.2f x\n", candidate.name, cost.microseconds, cost.weights,
                cost.microseconds / first.microseconds, cost.weights / first.weights);
  }
}

}  // namespace
}  // namespace capstan

int main() {
  capstan::run();
  return 0;
}
