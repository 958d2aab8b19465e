// Every operation of the tape against finite differences, through one list.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/paths.h"
#include "tests/worker/nn/finite_difference.h"
#include "tests/worker/nn/op_examples.h"
#include "worker/nn/gradients.h"
#include "worker/nn/ops/activation.h"
#include "worker/nn/ops/block_product.h"
#include "worker/nn/ops/causal_attention.h"
#include "worker/nn/ops/concat.h"
#include "worker/nn/ops/cross_scores.h"
#include "worker/nn/ops/dense.h"
#include "worker/nn/ops/dot.h"
#include "worker/nn/ops/dropout.h"
#include "worker/nn/ops/elementwise.h"
#include "worker/nn/ops/embedding.h"
#include "worker/nn/ops/fm_interaction.h"
#include "worker/nn/ops/gru.h"
#include "worker/nn/ops/layer_norm.h"
#include "worker/nn/ops/mix_blocks.h"
#include "worker/nn/ops/numeric_embedding.h"
#include "worker/nn/ops/pairwise_dots.h"
#include "worker/nn/ops/positions.h"
#include "worker/nn/ops/prelu.h"
#include "worker/nn/ops/scale_blocks.h"
#include "worker/nn/ops/sequence_embedding.h"
#include "worker/nn/ops/softmax.h"
#include "worker/nn/ops/sum_blocks.h"
#include "worker/nn/ops/take_rows.h"
#include "worker/nn/ops/unit_rows.h"
#include "worker/nn/ops/windows.h"
#include "worker/nn/tape.h"
#include "worker/onnx/op_forms.h"

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
      {"unit_rows",
       "unit rows",
       {{3, 4}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return unit_rows(t, in[0]); }},
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

std::vector<OpCase> blocks() {
  return {
      {"block_product",
       "block product",
       {{5, 6}, {6, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return block_product(t, in[0], in[1], 2); }},
      {"block_product",
       "product without a bias",
       {{4, 3}, {3, 2}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return block_product(t, in[0], in[1], 1); }},
      {"scale_blocks",
       "scaled blocks",
       {{4, 6}, {4, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return scale_blocks(t, in[0], in[1]); }},
      {"softmax",
       "softmax",
       {{4, 3}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return softmax(t, in[0]); }},
      {"pairwise_dots",
       "pairwise dots",
       {{3, 8}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return pairwise_dots(t, in[0], 2); }},
      {"pairwise_dots",
       "pairwise dots of one vector",
       {{3, 2}},
       {},
       [](Tape& t, const MicroBatch&, Vars in) { return pairwise_dots(t, in[0], 2); }},
  };
}

// Of field 1's lists, which are sequences of 3, 2 and 1 items, and an example without.
OpCase sequence_case(const std::string& file, const std::string& name, std::vector<Shape> inputs,
                     const std::function<Var(Tape&, const Sequences&, Vars)>& run) {
  return {file, name, std::move(inputs), {}, [run](Tape& tape, const MicroBatch& batch, Vars in) {
            return run(tape, pack(tape.arena(), batch, 1, 10), in);
          }};
}

std::vector<OpCase> of_sequences() {
  return {
      {"sequence_embedding",
       "rows of sequences",
       {},
       {{3, 2}, {4, 3}},
       [](Tape& t, const MicroBatch& batch, Vars) {
         return sequence_embedding(t, batch, 1, 1, pack(t.arena(), batch, 1, 2));
       }},
      sequence_case("positions", "positions", {{6, 3}, {4, 3}},
                    [](auto& t, auto& s, auto in) { return add_positions(t, in[0], in[1], s); }),
      sequence_case("take_rows", "last rows", {{6, 3}},
                    [](auto& t, auto& s, auto in) { return take_rows(t, in[0], s.last); }),
      sequence_case("causal_attention", "causal attention", {{6, 12}},
                    [](auto& t, auto& s, auto in) { return causal_attention(t, in[0], 2, s); }),
      sequence_case("gru", "gru", {{6, 9}, {3, 6}, {3, 3}},
                    [](auto& t, auto& s, auto in) { return gru(t, in[0], in[1], in[2], s); }),
      sequence_case("windows", "windows", {{6, 3}},
                    [](auto& t, auto& s, auto in) { return windows(t, in[0], 2, s); }),
      sequence_case("windows", "largest in windows", {{6, 3}},
                    [](auto& t, auto& s, auto in) { return windows_max(t, in[0], 2, s); }),
      sequence_case("mix_blocks", "mixed blocks", {{5, 6}, {3, 4}},
                    [](auto& t, auto&, auto in) { return mix_blocks(t, in[0], in[1]); }),
  };
}

std::vector<OpCase> all_ops() {
  std::vector<OpCase> ops = layers();
  for (OpCase& op : interactions()) ops.push_back(std::move(op));
  for (OpCase& op : blocks()) ops.push_back(std::move(op));
  for (OpCase& op : of_sequences()) ops.push_back(std::move(op));
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

  // What a prediction writes down.
  Trace trace() {
    Trace trace;
    trace_ = &trace;
    run(Tape::Mode::kPredict);
    trace_ = nullptr;
    return trace;
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
    if (trace_ != nullptr) tape_.trace_to(*trace_);
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
  Trace* trace_ = nullptr;
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

// Leaves and embeddings are inputs of an exported net; no net for one example mixes those of a batch, nor has
// it a form for lists of any length.
TEST(Ops, HaveAnOnnxForm) {
  std::set<std::string_view> computed, forms;
  for (const OpCase& op : all_ops()) {
    for (const TracedValue& value : OpFixture(op, 1).trace()) computed.insert(value.op);
  }
  for (const std::string_view outside :
       {kConstantLeaf, std::string_view("embedding"), std::string_view("cross_scores")})
    EXPECT_EQ(computed.erase(outside), 1U) << outside;
  for (const OpCase& op : of_sequences()) {
    for (const TracedValue& value : OpFixture(op, 1).trace()) computed.erase(value.op);
  }
  for (const OnnxForm& form : all_onnx_forms()) forms.insert(form.op);
  EXPECT_EQ(computed, forms);
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

}  // namespace
}  // namespace capstan
