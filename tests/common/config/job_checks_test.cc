// What one setting demands of another, case by case.
#include "common/config/job_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/load_job.h"

namespace capstan {
namespace {

using Overrides = std::vector<std::string>;

constexpr std::string_view kRanking = R"(job: films
task: ranking
data: {format: movielens, train: films, negatives: {per_positive: 4}, split: {method: ratio_by_user}}
model: {type: mf, loss: bpr}
)";
constexpr std::string_view kClicks = R"(job: clicks
task: ctr
data: {format: csv, train: a.csv, label: click}
model: {type: deepfm}
)";
constexpr std::string_view kStars = R"(job: stars
task: rating
data: {format: csv, train: a.csv, label: stars, user: u, item: i}
model: {type: mf}
)";

constexpr std::string_view kDirect = R"(job: rows
task: direct
tables: {items: {dim: 8}}
)";

std::vector<std::string> messages(std::string_view text, const Overrides& overrides) {
  const auto outcome = read_job(text, "job.yaml", overrides, [](const auto&) { return std::nullopt; });
  std::vector<std::string> found;
  for (const ConfigError& error : outcome.errors.all) found.push_back(error.message);
  return found;
}

struct Case {
  std::string_view job;
  Overrides overrides;
  std::string message;
};

void expect_each(const std::vector<Case>& cases) {
  for (const Case& one : cases) {
    EXPECT_THAT(messages(one.job, one.overrides), testing::ElementsAre(testing::HasSubstr(one.message)))
        << testing::PrintToString(one.overrides);
  }
}

TEST(JobChecks, TheJobsThatTheCasesStartFromAreFine) {
  for (const auto job : {kRanking, kClicks, kStars, kDirect}) {
    EXPECT_THAT(messages(job, {}), testing::IsEmpty());
  }
}

TEST(JobChecks, JobsWithoutDataOfTheirOwn) {
  expect_each({
      {kDirect, {"tables={default: {dim: 4}}"}, "needs its tables"},
      {kDirect, {"data.train=a.csv"}, "programs compute by themselves"},
      {kDirect, {"model.type=lr"}, "programs compute by themselves"},
      {kDirect, {"cluster.workers=2"}, "programs compute by themselves"},
      {kDirect, {"train.consistency=sync"}, "`consistency: async`"},
      {kRanking, {"cluster.workers=0"}, "at least one worker"},
  });
}

TEST(JobChecks, SplitsBeside) {
  expect_each({
      {kRanking, {"evaluate.beside=[global_cutt]"}, "(did you mean 'global_cut'?)"},
      {kRanking, {"data.format=item_lists", "evaluate.beside=[global_cut]"}, "no time that two users share"},
      {kRanking, {"data.format=item_lists", "data.split.method=global_time"}, "no time that two users share"},
      {kRanking, {"evaluate.beside=[leave_one_out, leave_one_out]"}, "leave_one_out stands there twice"},
      {kRanking,
       {"evaluate.beside=[global_cut]", "data.split.method=global_time"},
       "global_cut is the job's own split"},
      {kRanking,
       {"evaluate.beside=[global_cut]", "data.split.method=files", "data.test=[b]"},
       "evaluate.beside splits data.train"},
      {kClicks, {"evaluate.beside=[global_cut]", "data.time=t"}, "evaluate.beside needs `task: ranking`"},
  });
  EXPECT_THAT(messages(kRanking, {"evaluate.beside=[leave_one_out, global_cut]"}), testing::IsEmpty());
}

TEST(JobChecks, Data) {
  expect_each({
      {kClicks, {"data.train=[]"}, "data.train must name the training files"},
      {kClicks, {"data.header=false"}, "without a header data.columns must name the columns"},
      {kClicks, {"data.header=false", "data.columns=[clik, a]"}, "no column 'click' (did you mean 'clik'?)"},
      {kClicks, {"data.columns=[click, a]"}, "add `header: false` or leave it out"},
      {kClicks, {"data.label=''"}, "data.label must name the label's column"},
      {kClicks, {"data.delimiter=''"}, "data.delimiter is empty"},
      {kClicks, {"data.positive_from=4"}, "needs `task: ranking`"},
      {kClicks, {"data.split.method=leave_one_out", "data.time=t"}, "a split by user needs data.user"},
      {kClicks, {"data.split.method=global_time"}, "a split by time needs data.time"},
      {kClicks, {"data.split.method=files"}, "needs data.test or data.valid"},
      {kClicks, {"data.split={method: kfold, fold: 5}"}, "must be below folds (5)"},
      {kClicks, {"data.split={method: ratio, test: 1}"}, "nothing would be left to train on"},
      {kClicks, {"data.clean=[{column: a, type: float, min: 2, max: 1}]"}, "max is below min"},
      {kClicks,
       {"data.clean=[{column: a, type: float, clip_low: 0.5, clip_high: 0.5}]"},
       "must be above clip_low"},
      {kClicks, {"data.clean=[{min: 2}]"}, "a rule needs its column"},
      {kStars, {"data.user=''"}, "`task: rating` needs data.user"},
      {kRanking, {"data.user=usr"}, "no column 'usr' (did you mean 'user'?)"},
  });
}

TEST(JobChecks, Features) {
  expect_each({
      {kClicks, {"features=[{column: a}, {column: b, name: a}]"}, "two features are named 'a'"},
      {kClicks, {"features=[{transform: vocab}]"}, "a feature needs a name"},
      {kClicks, {"features=[{column: a, transform: cross}]"}, "'cross' needs at least two columns"},
      {kClicks, {"features=[{column: a, transform: history}]", "data.user=u"}, "'history' needs data.time"},
      {kClicks,
       {"features=[{column: a, transform: {counter: {of: item}}}]", "data.time=t"},
       "'counter' needs data.item"},
      {kRanking,
       {"features=[{name: past, column: item, transform: [history, vocab]}]"},
       "'vocab' cannot follow 'history', which already gives keys"},
      {kClicks,
       {"features=[{name: past, column: i, transform: [vocab, {history: {n: 3}}, vocab]}]", "data.time=t",
        "data.user=u", "data.item=i"},
       "'vocab' cannot follow 'history', which already gives keys"},
      {kClicks,
       {"features=[{name: past, column: i, transform: [split, history]}]", "data.time=t", "data.user=u",
        "data.item=i"},
       "'history' cannot follow 'split', which already gives keys"},
      {kClicks, {"features=[{column: a, transform: [log, vocab]}]"}, "'vocab' cannot follow 'log'"},
      {kClicks, {"features=[{column: a}]", "tables.b.dim=4"}, "no table 'b'"},
      {kClicks, {"features=[{column: a}]", "tables.mlp_0.dim=4"}, "the model decides the size of a layer"},
      {kRanking, {"tables.usr.dim=4"}, "no table 'usr' (did you mean 'user'?)"},
  });
  const std::string count = "features=[{name: n, column: user, transform: {counter: {of: ";
  expect_each({
      {kRanking, {count + "item}}}]"}, "a ranking job cannot count `of: item`"},
      {kRanking, {count + "pair}}}]"}, "count `of: user`, or use `task: ctr` or `task: rating`"},
  });
  EXPECT_THAT(messages(kRanking, {count + "user}}}]"}), testing::IsEmpty());
  EXPECT_THAT(
      messages(kStars, {"data.time=t", "features=[{name: n, column: u, transform: {counter: {of: item}}}]"}),
      testing::IsEmpty());
  EXPECT_THAT(messages(kClicks, {"features=[{name: past, column: a, transform: [history, vocab]}]",
                                 "data.time=t", "data.user=u", "data.item=i"}),
              testing::IsEmpty());
  EXPECT_THAT(messages(kRanking, {"tables.user_bias.min_count=4"}), testing::IsEmpty());
}

// Each with its own numbers, a row of the table would belong to two values.
TEST(JobChecks, FeaturesOfOneTableHaveTheSameKeys) {
  const auto clicks = [](const std::string& item, const std::string& past) {
    return messages(kClicks, {"features=[{name: item, column: i, transform: " + item +
                                  "}, {name: past, column: i, table: item, transform: " + past + "}]",
                              "data.time=t", "data.user=u", "data.item=i"});
  };
  const auto refused =
      testing::ElementsAre(testing::HasSubstr("features 'item' and 'past' share table item"));
  EXPECT_THAT(clicks("vocab", "[vocab, {history: {n: 5}}]"), testing::IsEmpty());
  EXPECT_THAT(clicks("hash", "[{history: {n: 5}}, hash]"), testing::IsEmpty());
  EXPECT_THAT(clicks("hash", "[hash, {history: {n: 5}}]"), testing::IsEmpty());
  EXPECT_THAT(clicks("vocab", "[{history: {n: 5}}, vocab]"), refused);
  EXPECT_THAT(clicks("vocab", "{history: {n: 5}}"), refused);
  EXPECT_THAT(clicks("{vocab: {min_count: 2}}", "[vocab, history]"), refused);
  const std::string ids = "{name: film, column: item}, {name: past, column: item, table: film, transform: ";
  EXPECT_THAT(messages(kRanking, {"features=[" + ids + "history}]"}), testing::IsEmpty());
  EXPECT_THAT(messages(kRanking, {"features=[" + ids + "{vocab: {min_count: 3}}}]"}),
              testing::ElementsAre(testing::HasSubstr("the first has its keys from the ids of item")));
}

TEST(JobChecks, WhatTheServersWouldRefuse) {
  expect_each({
      {kClicks,
       {"optimizer.sparse={type: ftrl, l2_mode: decayed, l2: 0.5}"},
       "ftrl has l2 in its formula: not with l2_mode decayed"},
      {kClicks, {"optimizer.dense={type: ftrl, schedule: {type: cosine}}"}, "it takes no schedule"},
      {kClicks, {"optimizer.dense={type: adam, schedule: {type: step}}"}, "need decay_steps"},
      {kClicks, {"optimizer.dense={type: adam, beta2: 1}"}, "must be 0 to 0.9999999, not '1'"},
      {kClicks,
       {"features=[{column: a}]", "tables.a.optimizer={type: adam, epsilon: 0}"},
       "adam needs a positive epsilon"},
      {kClicks, {"features=[{column: a}]", "tables.a.min_count=256"}, "tables.a.min_count must be 0 to 255"},
      {kClicks, {"tables.default.max_rows=255"}, "max_rows is at least cluster.num_shards, 256"},
      {kClicks,
       {"features=[{column: a}]", "tables.mlp_0.ttl=1d"},
       "are for sparse tables, and mlp_0 is a layer"},
  });
  EXPECT_THAT(
      messages(kClicks, {"features=[{column: a}]", "tables.default.max_rows=256", "tables.a.max_rows=0"}),
      testing::IsEmpty());
}

TEST(JobChecks, WhatWouldOnlyFailInMidRun) {
  const auto feature = [](const std::string& rest) {
    return "features=[{column: a, transform: " + rest + "}]";
  };
  expect_each({
      {kClicks, {"features=[{column: click}]"}, "column click is the label"},
      {kClicks, {feature("{split: {separator: ''}}")}, "split needs a separator that is not empty"},
      {kClicks, {feature("{ngrams: {min: 3, max: 2}}")}, "ngrams with min 3 and max 2 are none"},
      {kClicks,
       {feature("{bucketise: {boundaries: [1, 3, 2.5]}}")},
       "boundaries must rise: 2.5 comes after 3"},
      {kClicks, {"data.clean=[{column: a, missing: mean}]"}, "need column a to be numbers"},
      {kClicks, {feature("split, pooling: none, length: 3")}, "model deepfm reads one vector a feature"},
      {kClicks, {feature("split, pooling: none"), "model.type=mlp"}, "needs length"},
      {kRanking,
       {"train={early_stop_patience: 1, early_stop_metric: ndcg@7}"},
       "early_stop_metric ndcg@7 is not among what is computed"},
      {kRanking,
       {"train={early_stop_patience: 1, early_stop_metric: mrr}", "evaluate.metrics=[ndcg]"},
       "early_stop_metric mrr is not among what is computed"},
  });
  EXPECT_THAT(messages(kRanking, {"train={early_stop_patience: 1, early_stop_metric: ndcg@7}",
                                  "evaluate={metrics: [ndcg@7, hr], at: [10]}"}),
              testing::IsEmpty());
  EXPECT_THAT(messages(kClicks, {feature("split, pooling: none, length: 3"), "model.type=mlp"}),
              testing::IsEmpty());
}

TEST(JobChecks, ModelAndLoss) {
  expect_each({
      {kClicks, {"model.type=mf"}, "model mf needs users and items"},
      {kStars, {"model.type=ials"}, "model ials needs `task: ranking`"},
      {kClicks, {"model.hidden=[]"}, "model deepfm needs at least one hidden layer"},
      {kRanking, {"model={type: neumf, use_gmf: false, use_mlp: false}"}, "neumf needs use_gmf or use_mlp"},
      {kRanking, {"model={type: neumf, hidden: []}"}, "neumf with use_mlp needs at least one hidden layer"},
      {kClicks, {"model={type: dcn_v2, hidden: []}"}, "model dcn_v2 needs at least one hidden layer"},
      {kClicks,
       {"model={type: finalmlp, hidden: [8], hidden2: [8, 6], heads: 4}"},
       "into `heads` equal parts: 6 is no multiple of 4"},
      {kClicks, {"model.type=sequence"}, "model sequence needs `task: ranking`"},
      {kRanking,
       {"model={type: sequence, embedding_dim: 6, heads: 4}"},
       "into `heads` equal parts: 6 is no multiple of 4"},
      {kRanking, {"model={type: sequence, activation: prelu}"}, "no slopes to learn"},
      {kRanking,
       {"model={type: sequence, encoder: caser, filters: 0, vertical_filters: 0}"},
       "encoder caser needs filters or vertical_filters"},
      {kRanking,
       {"model={type: sequence, loss: sampled_softmax}", "data.negatives.sampler=in_batch",
        "train.batch_size=512"},
       "train.batch_size at most 327, each a sequence of up to model.max_length events"},
      {kRanking, {"model.loss=ultragcn"}, "needs `data.negatives: {sampler: in_batch}`"},
      {kClicks, {"model.loss=bpr"}, "this loss needs `task: ranking`"},
      {kRanking, {"model.loss=mse"}, "a ranking job has no numbers to fit"},
      {kStars, {"model.loss=bce"}, "a rating job fits numbers"},
      {kRanking, {"data.negatives.per_positive=0"}, "needs data.negatives.per_positive of at least 1"},
      {kRanking, {"data.negatives.sampler=in_batch"}, "needs `loss: sampled_softmax`"},
      {kRanking,
       {"data.negatives.sampler=in_batch", "model.loss=sampled_softmax", "model.type=neumf"},
       "needs model mf"},
  });
}

TEST(JobChecks, TrainAndEvaluate) {
  expect_each({
      {kClicks, {"train.consistency=bounded"}, "needs train.staleness of at least 1"},
      {kClicks, {"train.staleness=2"}, "train.staleness needs `consistency: bounded`"},
      {kRanking, {"model.type=ials", "train.consistency=sync"}, "model ials makes no gradient steps"},
      {kClicks, {"train.early_stop_patience=2"}, "early stopping needs a validation split"},
      {kRanking, {"train={early_stop_patience: 2, include_valid: true}"}, "that is not trained on"},
      {kRanking, {"train.early_stop_metric=ndgc@10"}, "(did you mean 'ndcg'?)"},
      {kRanking, {"train.early_stop_metric=coverage"}, "train.early_stop_metric cannot be 'coverage'"},
      {kRanking, {"evaluate.metrics=[auc]"}, "metric auc does not fit `task: ranking`"},
      {kClicks, {"evaluate.metrics=[gauc]"}, "metric gauc needs data.user"},
      {kClicks, {"evaluate.metrics=[auc@10]"}, "a metric, or a ranking metric with its length"},
      {kRanking, {"evaluate.metrics=[ndcg@0]"}, "a metric, or a ranking metric with its length"},
      {kClicks, {"evaluate.baselines=[ease]"}, "baselines need `task: ranking`"},
      {kRanking, {"evaluate.baselines=[item_knm]"}, "(did you mean 'item_knn'?)"},
      {kRanking, {"evaluate.at=[]"}, "evaluate.at needs a length"},
      {kRanking, {"evaluate.sampled_negatives=9", "data.test_candidates=f"}, "give one of them"},
      {kClicks, {"checkpoint.every=30s"}, "checkpoints need checkpoint.path"},
  });
}

TEST(JobChecks, Cluster) {
  expect_each({
      {kClicks, {"cluster.num_shards=100"}, "must be a power of two, not 100"},
      {kClicks, {"cluster.num_shards=2", "cluster.servers=3"}, "must be at least 3 for 3 servers"},
      {kClicks, {"cluster.replicas=2"}, "2 replicas need as many servers, not 1"},
      {kClicks,
       {"cluster.scheduler=localhost"},
       "must be tcp://host:port with a port from 0 to 65535, not 'localhost'"},
      {kClicks, {"cluster.scheduler='tcp://a:99999'"}, "must be tcp://host:port"},
  });
}

// A checkpoint goes on any number of servers that its shards suffice for.
TEST(JobChecks, ServersMayHaveFewShards) {
  EXPECT_THAT(messages(kClicks, {"cluster.num_shards=32", "cluster.servers=3"}), testing::IsEmpty());
  EXPECT_THAT(messages(kClicks, {"cluster.num_shards=4", "cluster.servers=4"}), testing::IsEmpty());
}

TEST(JobChecks, AWrongSettingIsNotComplainedAboutTwice) {
  EXPECT_THAT(messages(kRanking, {"task=rankin"}),
              testing::ElementsAre(testing::HasSubstr("cannot be 'rankin'")));
  EXPECT_THAT(messages(kStars, {"data.usr=x", "data.user=''"}).size(), 1U);
}

}  // namespace
}  // namespace capstan
