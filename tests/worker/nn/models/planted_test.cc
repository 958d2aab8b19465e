// Clicks with a planted truth: what a model's distinctive term is worth, and that it finds nothing where
// there is nothing.
#include <gtest/gtest.h>
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "tests/worker/nn/models/learner.h"

namespace capstan {
namespace {

constexpr std::uint32_t kFields = 6, kValues = 20, kFactors = 3;

std::vector<FieldInfo> planted_fields() {
  std::vector<FieldInfo> fields{make_field("user", FieldSource::kUser),
                                make_field("item", FieldSource::kItem)};
  for (std::uint32_t f = 2; f < kFields; ++f)
    fields.push_back(make_field(fmt::format("c{}", f), FieldSource::kEvent));
  return fields;
}

// logit = Σ <v_f, v_g> over all pairs of fields, with a vector for each value: no field says anything alone.
std::vector<TestExample> planted_clicks(std::uint32_t count, std::uint64_t seed) {
  Rng truth(1);
  std::vector<double> factors(std::size_t{kFields} * kValues * kFactors);
  for (double& factor : factors) factor = truth.normal();
  Rng rng(seed);
  std::vector<TestExample> examples(count);
  for (TestExample& example : examples) {
    double sums[kFactors] = {}, logit = 0.0;
    for (std::uint32_t f = 0; f < kFields; ++f) {
      const Key value = rng.below(kValues);
      example.keys.push_back({value});
      for (std::uint32_t k = 0; k < kFactors; ++k) {
        const double factor = factors[(f * kValues + value) * kFactors + k];
        logit += factor * sums[k];
        sums[k] += factor;
      }
    }
    example.label = rng.chance(1.0 / (1.0 + std::exp(-logit))) ? 1.0F : 0.0F;
  }
  return examples;
}

JobConfig planted_job(const std::string& type) {
  JobConfig job;
  job.seed = 11;
  job.model.type = type;
  job.model.embedding_dim = 4;
  job.model.hidden = {16, 8};
  job.tables["default"].init = InitSpec{.kind = InitKind::kNormal, .scale = 0.3F};
  return job;
}

double auc_of(const JobConfig& job, const std::vector<TestExample>& train,
              const std::vector<TestExample>& test, int passes) {
  Learner learner(job, planted_fields());
  learner.train(train, passes, 0.1F);
  return learner.auc(test);
}

// Two models that differ in one term, and how much AUC the term is worth at least.
struct Ablation {
  std::string what;
  std::string with, without;  // model types
  double margin;
  std::function<void(ModelConfig&)> of_with = [](ModelConfig&) {};
  std::function<void(ModelConfig&)> of_without = [](ModelConfig&) {};
};

// One layer of crosses beside or below a small net.
std::function<void(ModelConfig&)> crosses(std::uint32_t layers, CrossStructure structure,
                                          std::uint32_t rank) {
  return [layers, structure, rank](ModelConfig& m) {
    m.cross_layers = layers, m.cross_structure = structure, m.cross_rank = rank;
    m.cross_experts = 2, m.hidden = {8};
  };
}

std::function<void(ModelConfig&)> heads(std::uint32_t count) {
  return [count](ModelConfig& m) { m.heads = count, m.hidden = {4}, m.activation = Activation::kTanh; };
}

std::vector<Ablation> ablations() {
  constexpr auto kBeside = CrossStructure::kParallel;
  constexpr auto kBelow = CrossStructure::kStacked;
  return {
      {"fm: products of pairs", "fm", "lr", 0.2},
      {"deepfm: its FM", "deepfm", "wide_deep", 0.08},
      {"dcn_v2: crosses", "dcn_v2", "dcn_v2", 0.05, crosses(1, kBeside, 0), crosses(0, kBeside, 0)},
      {"dcn_v2: crosses of low rank", "dcn_v2", "dcn_v2", 0.02, crosses(1, kBeside, 8),
       crosses(0, kBeside, 0)},
      {"dcn_v2: crosses below the net", "dcn_v2", "dcn_v2", 0.05, crosses(1, kBelow, 0),
       crosses(0, kBelow, 0)},
      {"dlrm: products of pairs", "dlrm", "mlp", 0.04},
      {"finalmlp: product of the streams", "finalmlp", "finalmlp", 0.03, heads(1), heads(0)},
  };
}

TEST(Planted, EachModelsOwnTermIsWorthItsMargin) {
  const auto train = planted_clicks(6000, 2);
  const auto test = planted_clicks(6000, 3);
  for (const Ablation& ablation : ablations()) {
    JobConfig with = planted_job(ablation.with);
    JobConfig without = planted_job(ablation.without);
    if (ablation.of_with) ablation.of_with(with.model);
    if (ablation.of_without) ablation.of_without(without.model);
    const double kept = auc_of(with, train, test, 60);
    const double removed = auc_of(without, train, test, 60);
    EXPECT_GT(kept, removed + ablation.margin) << ablation.what;
  }
}

// Labels that say nothing of the examples: whoever does better than chance has seen them.
TEST(Planted, ShuffledLabelsTeachNothing) {
  auto all = planted_clicks(42'000, 4);
  Rng rng(5);
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1].label, all[rng.below(i)].label);
  const std::vector<TestExample> test(all.begin() + 2000, all.end());
  all.resize(2000);
  for (const ModelEntry& entry : all_models()) {
    if (entry.type == "sequence") continue;  // sequence_test.cc has its own clicks
    const double auc = auc_of(planted_job(std::string(entry.type)), all, test, 40);
    EXPECT_NEAR(auc, 0.5, 0.01) << entry.type;  // deviation .003
  }
}

}  // namespace
}  // namespace capstan
