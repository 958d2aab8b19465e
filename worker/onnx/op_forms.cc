#include "worker/onnx/op_forms.h"

#include <spdlog/fmt/fmt.h>

#include <array>
#include <numbers>

#include "worker/nn/ops/layer_norm.h"
#include "worker/nn/ops/unit_rows.h"

namespace capstan {
namespace {

using Sizes = std::vector<std::int64_t>;

// A size of 0 is the input's own, which keeps the number of rows free.
std::string reshaped(const OnnxOp& op, const std::string& x, const Sizes& sizes) {
  return op.node("Reshape", {x, op.graph.whole_numbers(sizes)});
}

std::string transposed(const OnnxOp& op, const std::string& x, const Sizes& order) {
  return op.node("Transpose", {x}, {{"perm", order}});
}

std::string sum_over(const OnnxOp& op, const std::string& x, std::int64_t axis, bool keep) {
  return op.node("ReduceSum", {x, op.graph.whole_numbers({axis})}, {{"keepdims", std::int64_t{keep}}});
}

std::string number(const OnnxOp& op, float value) {
  return op.graph.weights(fmt::format("/number_{}", value), {&value, 1, 1});
}

// x [n, m·c] as [n, m, c].
std::string blocks_of(const OnnxOp& op, std::size_t input, std::uint32_t width) {
  return reshaped(op, op.in(input), {0, op.cols(input) / width, width});
}

// The same row for every example of the batch.
std::string repeated(const OnnxOp& op, const std::string& row) {
  const std::string shape = op.node("Shape", {std::string(op.first_input)});
  const std::string rows =
      op.node("Slice", {shape, op.graph.whole_numbers({0}), op.graph.whole_numbers({1})});
  const std::string sizes =
      op.node("Concat", {rows, op.graph.whole_numbers({op.width})}, {{"axis", std::int64_t{0}}});
  return op.node("Expand", {row, sizes});
}

std::string dense(const OnnxOp& op) {
  const ConstMatrix& all = op.inputs[1].value;
  const std::string& table = op.inputs[1].table;
  const std::uint32_t in = all.rows - 1;
  const std::string bias = op.graph.weights(table + "/bias", all.rows_from(in, 1));
  if (in == 0) return repeated(op, bias);
  return op.node("Gemm", {op.in(0), op.graph.weights(table + "/weights", all.rows_from(0, in)), bias});
}

std::string concat(const OnnxOp& op) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) {
    if (op.cols(i) > 0) parts.push_back(op.in(i));
  }
  return parts.size() == 1 ? parts[0] : op.node("Concat", parts, {{"axis", std::int64_t{1}}});
}

template <const char* kType>
std::string one_node(const OnnxOp& op) {
  std::vector<std::string> inputs;
  for (std::size_t i = 0; i < op.inputs.size(); ++i) inputs.push_back(op.in(i));
  return op.node(kType, inputs);
}
constexpr char kAdd[] = "Add", kMul[] = "Mul", kPRelu[] = "PRelu", kRelu[] = "Relu", kSigmoid[] = "Sigmoid",
               kTanh[] = "Tanh";

std::string scale(const OnnxOp& op) {
  return op.node("Mul", {op.in(0), number(op, static_cast<float>(op.number))});
}

std::string gelu(const OnnxOp& op) {
  const std::string erf =
      op.node("Erf", {op.node("Div", {op.in(0), number(op, std::numbers::sqrt2_v<float>)})});
  const std::string normal = op.node("Mul", {op.node("Add", {erf, number(op, 1.0F)}), number(op, 0.5F)});
  return op.node("Mul", {op.in(0), normal});
}

std::string softmax(const OnnxOp& op) {
  return op.node("Softmax", {op.in(0)}, {{"axis", std::int64_t{1}}});
}

std::string dot(const OnnxOp& op) {
  return sum_over(op, op.node("Mul", {op.in(0), op.in(1)}), 1, true);
}

std::string sum_blocks(const OnnxOp& op) {
  return sum_over(op, blocks_of(op, 0, op.width), 1, false);
}

std::string fm_interaction(const OnnxOp& op) {
  const std::string vectors = blocks_of(op, 0, static_cast<std::uint32_t>(op.number));
  const std::string sum = sum_over(op, vectors, 1, false);
  const std::string of_sums = sum_over(op, op.node("Mul", {sum, sum}), 1, true);
  const std::string squares = sum_over(op, op.node("Mul", {op.in(0), op.in(0)}), 1, true);
  return op.node("Mul", {op.node("Sub", {of_sums, squares}), number(op, 0.5F)});
}

// Of all products of two vectors [n, m·m] those above the diagonal.
std::string pairwise_dots(const OnnxOp& op) {
  const auto dim = static_cast<std::uint32_t>(op.number);
  const std::int64_t m = op.cols(0) / dim;
  const std::string vectors = blocks_of(op, 0, dim);
  const std::string all = op.node("MatMul", {vectors, transposed(op, vectors, {0, 2, 1})});
  Sizes above;
  for (std::int64_t f = 0; f < m; ++f) {
    for (std::int64_t g = f + 1; g < m; ++g) above.push_back(f * m + g);
  }
  return op.node("Gather", {reshaped(op, all, {0, m * m}), op.graph.whole_numbers(above)},
                 {{"axis", std::int64_t{1}}});
}

// numbers [n, m] times vectors that broadcast to [n, m, c], as [n, m·c].
std::string times_blocks(const OnnxOp& op, const std::string& numbers, const std::string& vectors) {
  const std::string columns = op.node("Unsqueeze", {numbers, op.graph.whole_numbers({2})});
  return reshaped(op, op.node("Mul", {columns, vectors}), {0, op.width});
}

std::string numeric_embedding(const OnnxOp& op) {
  return times_blocks(op, op.in(0), op.in(1));
}

std::string scale_blocks(const OnnxOp& op) {
  return times_blocks(op, op.in(1), blocks_of(op, 0, op.cols(0) / op.cols(1)));
}

// [blocks, n, in] times [blocks, in, out].
std::string block_product(const OnnxOp& op) {
  const auto blocks = static_cast<std::uint32_t>(op.number);
  if (blocks == 1) return op.node("MatMul", {op.in(0), op.in(1)});
  const std::uint32_t width = op.cols(0) / blocks;
  const std::string weights =
      op.graph.weights(op.inputs[1].table + "/blocks", op.inputs[1].value, {blocks, width, op.cols(1)});
  const std::string packed = transposed(op, blocks_of(op, 0, width), {1, 0, 2});
  return reshaped(op, transposed(op, op.node("MatMul", {packed, weights}), {1, 0, 2}), {0, op.width});
}

// Written out, because LayerNormalization came with operator set 17.
std::string layer_norm(const OnnxOp& op) {
  const auto mean = [&](const std::string& x) { return op.node("ReduceMean", {x}, {{"axes", Sizes{1}}}); };
  const ConstMatrix& parameters = op.inputs[1].value;
  const std::string& table = op.inputs[1].table;
  const std::string centred = op.node("Sub", {op.in(0), mean(op.in(0))});
  const std::string variance = mean(op.node("Mul", {centred, centred}));
  const std::string epsilon = op.graph.weights("/epsilon", {&kLayerNormEpsilon, 1, 1});
  const std::string normal =
      op.node("Div", {centred, op.node("Sqrt", {op.node("Add", {variance, epsilon})})});
  const std::string scaled =
      op.node("Mul", {normal, op.graph.weights(table + "/gain", parameters.rows_from(0, 1))});
  return op.node("Add", {scaled, op.graph.weights(table + "/shift", parameters.rows_from(1, 1))});
}

std::string unit_rows(const OnnxOp& op) {
  const std::string squares = sum_over(op, op.node("Mul", {op.in(0), op.in(0)}), 1, true);
  const std::string sums = op.node("Add", {squares, number(op, kUnitRowsEpsilon)});
  return op.node("Div", {op.in(0), op.node("Sqrt", {sums})});
}

constexpr std::array<OnnxForm, 20> kForms = {{
    {"add", one_node<kAdd>},
    {"block_product", block_product, true},
    {"concat", concat},
    {"dense", dense, true},
    {"dot", dot},
    {"fm_interaction", fm_interaction},
    {"gelu", gelu},
    {"layer_norm", layer_norm, true},
    {"multiply", one_node<kMul>},
    {"numeric_embedding", numeric_embedding},
    {"pairwise_dots", pairwise_dots},
    {"prelu", one_node<kPRelu>},
    {"relu", one_node<kRelu>},
    {"scale", scale},
    {"scale_blocks", scale_blocks},
    {"sigmoid", one_node<kSigmoid>},
    {"softmax", softmax},
    {"sum_blocks", sum_blocks},
    {"tanh", one_node<kTanh>},
    {"unit_rows", unit_rows},
}};

}  // namespace

std::string OnnxOp::in(std::size_t i) const {
  const Input& input = inputs[i];
  return input.table.empty() ? input.name : graph.weights(input.table, input.value);
}

std::span<const OnnxForm> all_onnx_forms() {
  return kForms;
}

}  // namespace capstan
