#include "worker/nn/ops/block_product.h"

#include <algorithm>

#include "common/assert.h"
#include "worker/nn/gemm.h"

namespace capstan {
namespace {

// Between [n, blocks·c], as operations have it, and [blocks·n, c], where each block is a matrix.
void pack(ConstMatrix x, Matrix packed) {
  const std::uint32_t blocks = x.cols / packed.cols;
  for (std::uint32_t b = 0; b < blocks; ++b) {
    for (std::uint32_t i = 0; i < x.rows; ++i) {
      std::copy_n(x.row(i) + std::size_t{b} * packed.cols, packed.cols,
                  packed.row(std::size_t{b} * x.rows + i));
    }
  }
}

void unpack(ConstMatrix packed, Matrix x) {
  const std::uint32_t blocks = x.cols / packed.cols;
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    for (std::uint32_t b = 0; b < blocks; ++b) {
      std::copy_n(packed.row(std::size_t{b} * x.rows + i), packed.cols,
                  x.row(i) + std::size_t{b} * packed.cols);
    }
  }
}

void unpack_add(ConstMatrix packed, Matrix x) {
  const std::uint32_t blocks = x.cols / packed.cols;
  for (std::uint32_t i = 0; i < x.rows; ++i) {
    for (std::uint32_t b = 0; b < blocks; ++b) {
      const float* const from = packed.row(std::size_t{b} * x.rows + i);
      float* const to = x.row(i) + std::size_t{b} * packed.cols;
      for (std::uint32_t j = 0; j < packed.cols; ++j) to[j] += from[j];
    }
  }
}

// The blocks of one operation. Its two packed matrices are overwritten on the way back.
struct Blocks {
  std::uint32_t count, n, in;
  ConstMatrix weights;
  Matrix inputs, outputs;  // [count·n, in], [count·n, out]

  Matrix input(std::uint32_t b) const { return inputs.rows_from(b * n, n); }
  Matrix output(std::uint32_t b) const { return outputs.rows_from(b * n, n); }
  ConstMatrix weight(std::uint32_t b) const { return weights.rows_from(b * in, in); }

  void forward() const {
    for (std::uint32_t b = 0; b < count; ++b)
      gemm(input(b), Transpose::kNo, weight(b), Transpose::kNo, 0.0F, output(b));
  }
  void backward(ConstMatrix dy, Matrix dx, Matrix dw) const {
    pack(dy, outputs);
    for (std::uint32_t b = 0; b < count; ++b) {
      if (dw.data != nullptr)
        gemm(input(b), Transpose::kYes, output(b), Transpose::kNo, 1.0F, dw.rows_from(b * in, in));
      if (dx.data != nullptr) gemm(output(b), Transpose::kNo, weight(b), Transpose::kYes, 0.0F, input(b));
    }
    if (dx.data != nullptr) unpack_add(inputs, dx);
  }
};

}  // namespace

Var block_product(Tape& tape, Var x, Var weights, std::uint32_t blocks) {
  const ConstMatrix in = tape.value(x);
  const ConstMatrix w = tape.value(weights);
  CAPSTAN_ASSERT(blocks > 0 && in.cols % blocks == 0 && w.rows == in.cols,
                 "block_product: whole blocks, and a row of weights a column");
  const std::uint32_t width = in.cols / blocks;
  const Blocks product{blocks,
                       in.rows,
                       width,
                       w,
                       tape.arena().matrix(blocks * in.rows, width),
                       tape.arena().matrix(blocks * in.rows, w.cols)};
  pack(in, product.inputs);
  product.forward();
  const auto [out, y] = tape.make("block_product", {x, weights}, in.rows, blocks * w.cols, blocks);
  unpack(product.outputs, y);
  const auto backward = [product, dx = tape.gradient(x), dw = tape.gradient(weights),
                         dy = tape.gradient(out)] { product.backward(dy, dx, dw); };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
