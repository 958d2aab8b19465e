// Learner: trains a model on examples in memory and judges it, all within one test.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/worker/nn/models/local_cluster.h"
#include "worker/eval/auc.h"

namespace capstan {

// Steps of Adagrad over all examples at once.
class Learner {
 public:
  Learner(const JobConfig& job, const std::vector<FieldInfo>& fields)
      : model_(std::move(make_model(job, fields)).value()),
        loss_(loss_of(job)),
        cluster_(model_->tables()),
        backprop_(*model_, loss_, 32) {}

  // The mean loss of the last pass.
  double train(const std::vector<TestExample>& examples, int passes, float rate, std::uint32_t group = 1) {
    double loss = 0.0;
    for (int pass = 0; pass < passes; ++pass) {
      BatchBuilder builder(model_->tables(), 4);
      fill(builder, model_->tables(), examples);
      builder.data().group = group;
      auto step = builder.finish();
      cluster_.pull(step);
      const MicroBatch batch = builder.data().view();
      const auto count = static_cast<double>(loss_.count(batch));
      const auto trained = backprop_.train(batch, step, static_cast<float>(1 / count));
      EXPECT_TRUE(trained.ok());
      loss = trained.value().loss_sum / count;
      cluster_.push(step, rate);
    }
    return loss;
  }
  double auc(const std::vector<TestExample>& examples) {
    BatchBuilder builder(model_->tables(), 4);
    fill(builder, model_->tables(), examples);
    auto step = builder.finish();
    cluster_.pull(step);
    std::vector<float> scores(examples.size());
    backprop_.score(builder.data().view(), step, scores);
    return capstan::auc(scores, builder.data().labels).value();
  }

 private:
  std::unique_ptr<Model> model_;
  const Loss& loss_;
  LocalCluster cluster_;
  Backprop backprop_;
};

}  // namespace capstan
