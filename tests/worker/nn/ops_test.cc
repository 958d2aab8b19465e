// Every operation of the tape against finite differences, through one list.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/paths.h"
#include "tests/worker/nn/finite_difference.h"
#include "worker/nn/gradients.h"
#include "worker/nn/ops/activation.h"
#include "worker/nn/ops/concat.h"
#include "worker/nn/ops/cross_scores.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/dot.h"
#include "worker/nn/ops/dropout.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/embedding.h"
#include "worker/nn/ops/fm_interaction.h"
#include "worker/nn/ops/layer_norm.h"
#include "worker/nn/ops/numeric_embedding.h"
#include "worker/nn/ops/prelu.h"
#include "worker/nn/ops/sum_blocks.h"
#include "worker/nn/tape.h"

namespace capstan {
namespace {

using Shape = std::pair<std::uint32_t, std::uint32_t>;
using Vars = std::span<const Var>;

struct OpCase {
  std::string file;  // worker/nn/ops/FILE.cc
  std::string name;
  std::vector<Shape> inputs;
  std::vector<Shape> tables;  // sparse; the batch has fields 0, 1, … reading table i
  std::function<Var(Tape&, const MicroBatch&, Vars)> run;
};

const std::vector<std::uint64_t> kSeeds = {11, 12, 13, 14, 15};

// 4 examples, two fields: one key each, and a list with an empty example, a repeated key and weights.
BatchData example_batch() {
  BatchData batch;
  batch.size = 4;
  batch.fields.resize(2);
  batch.fields[0].positions = {2, 0, 2, 1};
  batch.fields[1].offsets = {0, 3, 3, 5, 6};
  batch.fields[1].positions = {0, 1, 1, 3, 2, 0};
  batch.fields[1].weights = {0.5F, -1.5F, 2.0F, 1.0F, 0.75F, 1.25F};
  return batch;
}

OpCase embedding_case(const std::string& name, Pooling pooling, std::uint32_t length) {
  return {"embedding",
          "embedding " + name,
          {},
          {{3, 2}, {4, 3}},
          [pooling, length](Tape& tape, const MicroBatch& batch, Vars) {
            const std::vector<EmbeddingInput> inputs{{0, 0, pooling, 1}, {1, 1, pooling, length}};
            return embedding(tape, batch, inputs);
          }};
}

OpCase activation_case(const std::string& name, Activation activation) {
  return {"activation", name, {{3, 4}}, {}, [activation](Tape& tape, const MicroBatch&, Vars in) {
            return activate(tape, in[0], activation);
          }};
}

std::vector<OpCase> layers() {
  return {
      {"dense",
       "dense",
       {{5, 3}, {4, 2}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return dense(t, in[0], in[1]); }},
      {"dense",
       "dense without inputs",
       {{5, 0}, {1, 2}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return dense(t, in[0], in[1]); }},
      {"concat",
       "concat",
       {{3, 2}, {3, 1}, {3, 4}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return concat(t, in); }},
      {"concat",
       "concat of the same",
       {{3, 2}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) {
         const std::vector<Var> twice{in[0], in[0]};
         return concat(t, twice);
       }},
      {"prelu",
       "prelu",
       {{4, 3}, {1, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return prelu(t, in[0], in[1]); }},
      {"dropout",
       "dropout",
       {{5, 4}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return dropout(t, in[0], 0.4, kSeeds, 3); }},
      {"layer_norm",
       "layer norm",
       {{3, 5}, {2, 5}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return layer_norm(t, in[0], in[1]); }},
      {"dense",
       "chain with a shared layer",
       {{4, 3}, {4, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) {
         const Var hidden = activate(t, dense(t, in[0], in[1]), Activation::kTanh);
         return add(t, dense(t, hidden, in[1]), in[0]);
       }},
  };
}

std::vector<OpCase> interactions() {
  return {
      {"fm_interaction",
       "fm interaction",
       {{4, 6}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return fm_interaction(t, in[0], 2); }},
      {"dot",
       "dot",
       {{4, 3}, {4, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return dot(t, in[0], in[1]); }},
      {"dot",
       "dot with itself",
       {{4, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return dot(t, in[0], in[0]); }},
      {"elementwise",
       "add",
       {{4, 3}, {4, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return add(t, in[0], in[1]); }},
      {"elementwise",
       "add a row",
       {{4, 3}, {1, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return add(t, in[0], in[1]); }},
      {"elementwise",
       "scale",
       {{4, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return scale(t, in[0], -2.5F); }},
      {"elementwise",
       "multiply",
       {{4, 3}, {4, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return multiply(t, in[0], in[1]); }},
      {"sum_blocks",
       "sum of blocks",
       {{4, 6}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return sum_blocks(t, in[0], 2); }},
      {"numeric_embedding",
       "numeric embedding",
       {{4, 3}, {3, 2}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return numeric_embedding(t, in[0], in[1]); }},
      {"cross_scores",
       "cross scores",
       {{3, 2}, {5, 2}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return cross_scores(t, in[0], in[1]); }},
  };
}

std::vector<OpCase> all_ops() {
  std::vector<OpCase> ops = layers();
  for (OpCase& op : interactions()) ops.push_back(std::move(op));
  ops.push_back(activation_case("relu", Activation::kRelu));
  ops.push_back(activation_case("sigmoid", Activation::kSigmoid));
  ops.push_back(activation_case("tanh", Activation::kTanh));
  ops.push_back(activation_case("gelu", Activation::kGelu));
  ops.push_back(embedding_case("sum", Pooling::kSum, 1));
  ops.push_back(embedding_case("mean", Pooling::kMean, 1));
  ops.push_back(embedding_case("max", Pooling::kMax, 1));
  ops.push_back(embedding_case("none", Pooling::kNone, 2));
  return ops;
}

class OpFixture {
 public:
  OpFixture(const OpCase& op, std::uint64_t seed)
      : op_(op), data_(example_batch()), batch_(data_.view()), rng_(seed) {
    for (const auto& [rows, cols] : op.inputs) inputs_.push_back(random(rows, cols));
    for (const auto& [rows, cols] : op.tables) tables_.push_back(random(rows, cols));
  }

  void check() {
    const ConstMatrix out = run(Tape::Mode::kTrain);
    weights_.resize(out.size());
    fill_random(weights_, rng_);
    tape_.backward(result_, {weights_.data(), out.rows, out.cols});
    std::vector<std::vector<float>> gradients;
    for (const Var input : vars_) {
      const auto values = tape_.gradient(input).values();
      gradients.emplace_back(values.begin(), values.end());
    }
    const auto of_tables = table_gradients();

    const auto f = [this] { return weighted_sum(); };
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      expect_gradient(op_.name + ", input " + std::to_string(i), inputs_[i], gradients[i], f);
    }
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      expect_gradient(op_.name + ", table " + std::to_string(i), tables_[i], of_tables[i], f);
    }
  }

 private:
  std::vector<float> random(std::uint32_t rows, std::uint32_t cols) {
    std::vector<float> values(std::size_t{rows} * cols);
    fill_random(values, rng_);
    return values;
  }
  ConstMatrix table(std::size_t i) const {
    return {tables_[i].data(), op_.tables[i].first, op_.tables[i].second};
  }
  ConstMatrix run(Tape::Mode mode) {
    std::vector<ConstMatrix> tables;
    for (std::size_t i = 0; i < tables_.size(); ++i) tables.push_back(table(i));
    tape_.start(tables, mode);
    vars_.clear();
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      vars_.push_back(tape_.variable({inputs_[i].data(), op_.inputs[i].first, op_.inputs[i].second}));
    }
    result_ = op_.run(tape_, batch_, vars_);
    return tape_.value(result_);
  }
  double weighted_sum() {
    const ConstMatrix out = run(Tape::Mode::kTrain);
    double sum = 0.0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += static_cast<double>(weights_[i]) * out.data[i];
    return sum;
  }
  std::vector<std::vector<float>> table_gradients() {
    std::vector<std::vector<float>> gradients;
    std::vector<GradientTarget> targets;
    for (std::uint32_t i = 0; i < tables_.size(); ++i) {
      gradients.emplace_back(tables_[i].size());
      targets.push_back(
          {false, i, 0.0F, table(i), {gradients[i].data(), op_.tables[i].first, op_.tables[i].second}});
    }
    const std::vector<GradientCombiner::Part> parts{{&tape_, &batch_}};
    GradientCombiner().combine(targets, parts);
    return gradients;
  }

  const OpCase& op_;
  BatchData data_;
  MicroBatch batch_;
  Rng rng_;
  std::vector<std::vector<float>> inputs_, tables_;
  std::vector<float> weights_;
  Tape tape_;
  std::vector<Var> vars_;
  Var result_;
};

TEST(Ops, AgreeWithFiniteDifferences) {
  for (const OpCase& op : all_ops()) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
      SCOPED_TRACE(op.name + ", seed " + std::to_string(seed));
      OpFixture(op, seed).check();
    }
  }
}

TEST(Ops, AreAllListed) {
  std::set<std::string> listed;
  for (const OpCase& op : all_ops()) listed.insert(op.file);
  std::set<std::string> present;
  for (const auto& entry : std::filesystem::directory_iterator(source_dir() / "worker/nn/ops")) {
    if (entry.path().extension() == ".cc") present.insert(entry.path().stem().string());
  }
  EXPECT_EQ(listed, present);
}

std::vector<float> values_of(const Tape& tape, Var var) {
  const auto values = tape.value(var).values();
  return {values.begin(), values.end()};
}

TEST(Ops, EmbeddingByHand) {
  BatchData data = example_batch();
  const MicroBatch batch = data.view();
  const std::vector<float> rows{1, -2, 3, 4, -5, 6, 7, 8};  // [4, 2]
  const std::vector<ConstMatrix> tables{{rows.data(), 4, 2}};
  const auto run = [&](Pooling pooling, std::uint32_t length) {
    Tape tape;
    tape.start(tables, Tape::Mode::kPredict);
    const std::vector<EmbeddingInput> inputs{{0, 1, pooling, length}};
    return values_of(tape, embedding(tape, batch, inputs));
  };
  // Example 0 has 0.5·[1, -2], -1.5·[3, 4], 2·[3, 4]; 1 none; 2 has [7, 8], 0.75·[-5, 6]; 3 has 1.25·[1, -2].
  EXPECT_EQ(run(Pooling::kSum, 1), (std::vector<float>{2, 1, 0, 0, 3.25, 12.5, 1.25, -2.5}));
  EXPECT_EQ(run(Pooling::kMax, 1), (std::vector<float>{6, 8, 0, 0, 7, 8, 1.25, -2.5}));
  const auto mean = run(Pooling::kMean, 1);
  EXPECT_FLOAT_EQ(mean[0], 2.0F / 3);
  EXPECT_FLOAT_EQ(mean[5], 6.25F);
  EXPECT_EQ(run(Pooling::kNone, 2),
            (std::vector<float>{0.5, -1, -4.5, -6, 0, 0, 0, 0, 7, 8, -3.75, 4.5, 1.25, -2.5, 0, 0}));
}

TEST(Ops, FmInteractionIsTheSumOverPairs) {
  Rng rng(5);
  std::vector<float> x(3 * 12);
  fill_random(x, rng);
  Tape tape;
  tape.start({}, Tape::Mode::kPredict);
  const auto result = values_of(tape, fm_interaction(tape, tape.constant({x.data(), 3, 12}), 3));
  for (std::size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (std::size_t f = 0; f < 4; ++f) {
      for (std::size_t g = f + 1; g < 4; ++g) {
        for (std::size_t d = 0; d < 3; ++d)
          sum += static_cast<double>(x[i * 12 + f * 3 + d]) * x[i * 12 + g * 3 + d];
      }
    }
    EXPECT_NEAR(result[i], sum, 1e-5);
  }
}

TEST(Ops, ActivationsHaveKnownValues) {
  const std::vector<float> x{-1.0F, 0.0F, 2.0F, -200.0F, 200.0F};
  Tape tape;
  tape.start({}, Tape::Mode::kPredict);
  const auto f = [&](Activation a) {
    return values_of(tape, activate(tape, tape.constant({x.data(), 1, 5}), a));
  };
  EXPECT_EQ(f(Activation::kRelu), (std::vector<float>{0, 0, 2, 0, 200}));
  EXPECT_NEAR(f(Activation::kSigmoid)[0], 0.26894142, 1e-6);
  EXPECT_EQ(f(Activation::kSigmoid)[3], 0.0F);
  EXPECT_EQ(f(Activation::kSigmoid)[4], 1.0F);
  EXPECT_NEAR(f(Activation::kTanh)[2], 0.96402758, 1e-6);
  EXPECT_NEAR(f(Activation::kGelu)[0], -0.15865525, 1e-6);
  EXPECT_NEAR(f(Activation::kGelu)[2], 1.95449974, 1e-6);
}

TEST(Ops, ActivationsDoNotHideNan) {
  const std::vector<float> x{std::numeric_limits<float>::quiet_NaN()};
  for (const Activation a : {Activation::kRelu, Activation::kSigmoid, Activation::kTanh, Activation::kGelu}) {
    Tape tape;
    tape.start({}, Tape::Mode::kPredict);
    EXPECT_TRUE(std::isnan(values_of(tape, activate(tape, tape.constant({x.data(), 1, 1}), a))[0]));
  }
}

TEST(Ops, DropoutDependsOnExampleAndUnitOnly) {
  const std::vector<float> ones(5 * 400, 1.0F);
  const auto run = [&](std::uint32_t first, std::uint32_t count, std::uint64_t salt) {
    Tape tape;
    tape.start({}, Tape::Mode::kTrain);
    const Var x = tape.constant({ones.data(), count, 400});
    return values_of(tape, dropout(tape, x, 0.3, std::span(kSeeds).subspan(first, count), salt));
  };
  const auto all = run(0, 5, 1);
  const auto third = run(2, 1, 1);
  EXPECT_TRUE(std::equal(third.begin(), third.end(), all.begin() + 800));
  EXPECT_NE(run(2, 1, 2), third);
  EXPECT_NE(run(3, 1, 1), third);
  const auto dropped = static_cast<double>(std::count(all.begin(), all.end(), 0.0F)) / 2000;
  EXPECT_NEAR(dropped, 0.3, 0.04);  // deviation 0.0102
  for (const float value : all) EXPECT_TRUE(value == 0.0F || value == static_cast<float>(1 / 0.7));
}

TEST(Ops, DropoutDoesNothingInPrediction) {
  const std::vector<float> x{1, 2, 3, 4, 5};
  Tape tape;
  tape.start({}, Tape::Mode::kPredict);
  const Var in = tape.constant({x.data(), 5, 1});
  EXPECT_EQ(dropout(tape, in, 0.9, kSeeds, 0).id, in.id);
}

}  // namespace
}  // namespace capstan
