#include "worker/models/model_tables.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/worker/nn/models/local_cluster.h"
#include "worker/models/registry.h"

namespace capstan {
namespace {

std::vector<FieldInfo> fields() {
  std::vector<FieldInfo> result{
      make_field("user", FieldSource::kUser), make_field("item", FieldSource::kItem),
      make_field("price", FieldSource::kItem, false, true), make_field("recent", FieldSource::kUser, true)};
  result[3].table = "item";
  return result;
}

std::map<std::string, TableSpec> tables_of(const JobConfig& job) {
  const auto model = make_model(job, fields());
  EXPECT_TRUE(model.ok()) << model.error().message;
  std::map<std::string, TableSpec> result;
  for (const ModelTable& table : (*model)->tables().all()) {
    EXPECT_TRUE(result.emplace(table.spec.name, table.spec).second) << table.spec.name;
  }
  return result;
}

std::set<std::string> names(const std::map<std::string, TableSpec>& tables) {
  std::set<std::string> result;
  for (const auto& [name, spec] : tables) result.insert(name);
  return result;
}

JobConfig job_of(const std::string& type) {
  JobConfig job;
  job.model.type = type;
  job.model.embedding_dim = 8;
  job.model.hidden = {64, 32};
  return job;
}

TEST(ModelTables, OfEachModel) {
  using Names = std::set<std::string>;
  EXPECT_EQ(names(tables_of(job_of("lr"))), (Names{"user_linear", "item_linear", "linear"}));
  EXPECT_EQ(names(tables_of(job_of("fm"))),
            (Names{"user_linear", "item_linear", "linear", "user", "item", "numeric"}));
  EXPECT_EQ(names(tables_of(job_of("mlp"))), (Names{"user", "item", "mlp_0", "mlp_1", "mlp_out"}));
  EXPECT_EQ(names(tables_of(job_of("wide_deep"))),
            (Names{"user_linear", "item_linear", "linear", "user", "item", "mlp_0", "mlp_1", "mlp_out"}));
  EXPECT_EQ(names(tables_of(job_of("deepfm"))), (Names{"user_linear", "item_linear", "linear", "user", "item",
                                                       "numeric", "mlp_0", "mlp_1", "mlp_out"}));
  EXPECT_EQ(names(tables_of(job_of("mf"))), (Names{"user", "item", "user_bias", "item_bias", "bias"}));
  EXPECT_EQ(names(tables_of(job_of("neumf"))),
            (Names{"user_gmf", "item_gmf", "gmf_out", "user_mlp", "item_mlp", "mlp_0", "mlp_1", "mlp_out"}));
  JobConfig job = job_of("mf");
  job.model.use_bias = false;
  EXPECT_EQ(names(tables_of(job)), (Names{"user", "item"}));
  job = job_of("neumf");
  job.model.use_mlp = false;
  EXPECT_EQ(names(tables_of(job)), (Names{"user_gmf", "item_gmf", "gmf_out"}));
  job = job_of("neumf");
  job.model.use_gmf = false;
  EXPECT_EQ(names(tables_of(job)), (Names{"user_mlp", "item_mlp", "mlp_0", "mlp_1", "mlp_out"}));
  const InitSpec h = tables_of(job_of("neumf")).at("gmf_out").init;
  EXPECT_EQ(h.kind, InitKind::kConstant) << "GMF starts as a dot product";
  EXPECT_EQ(h.scale, 1.0F);
  EXPECT_EQ(h.zero_from_key, 8U) << "without a bias";
  job = job_of("dcn_v2");
  job.model.cross_layers = 1;
  EXPECT_EQ(names(tables_of(job)), (Names{"user", "item", "cross_0", "mlp_0", "mlp_1", "mlp_out"}));
  job.model.cross_rank = 2;
  EXPECT_EQ(names(tables_of(job)), (Names{"user", "item", "cross_0_v", "cross_0_c", "cross_0_gate", "cross_0",
                                          "mlp_0", "mlp_1", "mlp_out"}));
  EXPECT_EQ(names(tables_of(job_of("dlrm"))),
            (Names{"user", "item", "bottom_0", "bottom_1", "mlp_0", "mlp_1", "mlp_out"}));
  job = job_of("finalmlp");
  job.model.gate2 = {"user", "recent"};
  EXPECT_EQ(names(tables_of(job)), (Names{"user", "item", "user_gate1", "item_gate1", "gate1_0", "gate1_out",
                                          "user_gate2", "item_gate2", "gate2_0", "gate2_out", "mlp1_0",
                                          "mlp1_1", "mlp2_0", "mlp2_1", "fusion", "fusion_bilinear"}));
  job.model.use_gates = false;
  job.model.heads = 0;
  EXPECT_EQ(names(tables_of(job)), (Names{"user", "item", "mlp1_0", "mlp1_1", "mlp2_0", "mlp2_1", "fusion"}));
  job = job_of("mlp");
  job.model.layer_norm = true;
  job.model.activation = Activation::kPrelu;
  EXPECT_TRUE(tables_of(job).contains("mlp_0_norm"));
  EXPECT_TRUE(tables_of(job).contains("mlp_1_slope"));
}

TEST(ModelTables, LayersHaveTheirShapesAndInitialisers) {
  const auto tables = tables_of(job_of("mlp"));
  const TableSpec& first = tables.at("mlp_0");
  EXPECT_TRUE(first.dense);
  EXPECT_EQ(first.num_rows, 3 * 8 + 1 + 1U);  // three embeddings, one number, the bias
  EXPECT_EQ(first.dim, 64U);
  EXPECT_EQ(first.init.kind, InitKind::kHeNormal);
  EXPECT_EQ(first.init.fan_in, 25U);
  EXPECT_EQ(first.init.fan_out, 64U);
  EXPECT_EQ(first.init.zero_from_key, 25U);
  EXPECT_EQ(tables.at("mlp_1").num_rows, 65U);
  EXPECT_EQ(tables.at("mlp_out").dim, 1U);
  EXPECT_EQ(tables.at("mlp_out").init.kind, InitKind::kXavierUniform);
  EXPECT_FALSE(tables.at("user").dense);
  EXPECT_EQ(tables.at("user").dim, 8U);
}

TEST(ModelTables, SettingsGoFromGeneralToParticular) {
  JobConfig job = job_of("fm");
  job.sparse_optimizer.learning_rate = 0.1F;
  job.dense_optimizer.learning_rate = 0.2F;
  OptimizerSpec ftrl;
  ftrl.kind = OptimizerKind::kFtrl;
  job.tables["default"].min_count = 3;
  job.tables["default"].dim = 4;
  job.tables["default"].init = InitSpec{.kind = InitKind::kUniform, .scale = 0.5F};
  job.tables["item"].min_count = 5;
  job.tables["item"].ttl_seconds = 60;
  job.tables["item_linear"].optimizer = ftrl;
  job.tables["user_linear"].init = InitSpec{.kind = InitKind::kConstant, .scale = 1.0F};
  job.tables["linear"].optimizer = ftrl;
  job.tables["user_linear"].min_count = 0;
  const auto tables = tables_of(job);
  EXPECT_EQ(tables.at("user").min_count, 3U);
  EXPECT_EQ(tables.at("user_linear").min_count, 0U) << "said, not left out";
  EXPECT_EQ(tables.at("user").dim, 4U);
  EXPECT_EQ(tables.at("user").init.kind, InitKind::kUniform);
  EXPECT_EQ(tables.at("item").min_count, 5U);
  EXPECT_EQ(tables.at("item_linear").min_count, 5U);
  EXPECT_EQ(tables.at("item_linear").ttl_seconds, 60U);
  EXPECT_EQ(tables.at("item_linear").dim, 1U);
  EXPECT_EQ(tables.at("item_linear").init.kind, InitKind::kZero);
  EXPECT_EQ(tables.at("item_linear").optimizer.kind, OptimizerKind::kFtrl);
  EXPECT_EQ(tables.at("user_linear").init.kind, InitKind::kConstant);
  EXPECT_EQ(tables.at("user_linear").optimizer.learning_rate, 0.1F);
  EXPECT_EQ(tables.at("linear").optimizer.kind, OptimizerKind::kFtrl);
  EXPECT_EQ(tables.at("numeric").optimizer.learning_rate, 0.2F);
  EXPECT_EQ(tables.at("numeric").min_count, 0U);
}

TEST(ModelTables, SeedsComeFromTheJobAndTheName) {
  const auto tables = tables_of(job_of("fm"));
  std::set<std::uint64_t> seeds;
  for (const auto& [name, spec] : tables) seeds.insert(spec.init.seed);
  EXPECT_EQ(seeds.size(), tables.size());
  EXPECT_EQ(tables_of(job_of("deepfm")).at("user").init.seed, tables.at("user").init.seed);
  JobConfig other = job_of("fm");
  other.seed = 43;
  EXPECT_NE(tables_of(other).at("user").init.seed, tables.at("user").init.seed);
}

TEST(ModelTables, TablesOfOneFieldTableShareAKeySet) {
  const auto model = std::move(make_model(job_of("fm"), fields())).value();
  const ModelTables& tables = model->tables();
  EXPECT_EQ(tables.key_sets(), (std::vector<std::string>{"user", "item"}));
  EXPECT_EQ(tables.key_set_of(0), 0U);
  EXPECT_EQ(tables.key_set_of(1), 1U);
  EXPECT_FALSE(tables.key_set_of(2).has_value());
  EXPECT_EQ(tables.key_set_of(3), 1U);
  for (const ModelTable& table : tables.all()) {
    if (table.spec.dense) continue;
    EXPECT_EQ(table.key_set, table.spec.name.starts_with("item") ? 1U : 0U) << table.spec.name;
  }
}

std::string refusal(const JobConfig& job, const std::vector<FieldInfo>& of) {
  const auto model = make_model(job, of);
  return model.ok() ? "" : model.error().message;
}

TEST(ModelTables, WhatDoesNotFitIsRefused) {
  EXPECT_EQ(refusal(job_of("deep_fm"), fields()),
            "model type deep_fm is none of lr, fm, wide_deep, deepfm, mlp, mf, neumf, dcn_v2, dlrm, "
            "finalmlp, sequence");
  EXPECT_EQ(refusal(job_of("mf"), {make_field("user", FieldSource::kUser)}),
            "model mf needs a feature of the user and one of the item");
  JobConfig job = job_of("fm");
  job.tables["item"].dim = 5;
  EXPECT_EQ(refusal(job, fields()), "model fm: all embeddings need one dim, but user has 8 and item has 5");
  job.model.type = "mlp";
  EXPECT_EQ(refusal(job, fields()), "");
  auto lists = fields();
  lists[3].pooling = Pooling::kNone;
  EXPECT_EQ(
      refusal(job_of("mlp"), lists),
      "feature recent: a list with pooling none needs `length`, the vectors that are laid side by side");
  job = job_of("neumf");
  job.model.use_gmf = job.model.use_mlp = false;
  EXPECT_EQ(refusal(job, fields()), "model neumf: use_gmf and use_mlp are both off");
  job = job_of("finalmlp");
  job.model.gate2 = {"item", "price"};
  EXPECT_EQ(refusal(job, fields()),
            "model finalmlp: gate1 and gate2 name features with keys, and 'price' is none");
  EXPECT_EQ(refusal(job_of("dlrm"), {make_field("user", FieldSource::kUser)}),
            "model dlrm multiplies pairs: it needs two features with keys, or one and numbers");
  job = job_of("mf");
  job.task = Task::kRanking;
  job.data.negatives.sampler = Sampler::kInBatch;
  EXPECT_EQ(refusal(job, fields()), "negatives in_batch need loss sampled_softmax or ultragcn");
  job.model.loss = LossKind::kSampledSoftmax;
  EXPECT_EQ(refusal(job, fields()), "");
  job.model.type = "neumf";
  EXPECT_EQ(refusal(job, fields()),
            "negatives in_batch need model mf or sequence: neumf has no vectors of users and items");
}

}  // namespace
}  // namespace capstan
