#include "worker/nn/ops/layer_norm.h"

#include <cmath>

#include "common/assert.h"

namespace capstan {
namespace {

struct Gradients {
  Matrix x, parameters;
};

// With h = (x - mean) / σ and g = gain · dy: dx = (g - mean(g) - h · mean(g · h)) / σ.
void backward_row(std::uint32_t i, ConstMatrix normal, const float* gain, float inverse, ConstMatrix dy,
                  Gradients d) {
  const float* const h = normal.row(i);
  const float* const dy_row = dy.row(i);
  const auto width = static_cast<float>(normal.cols);
  float mean_g = 0.0F;
  float mean_gh = 0.0F;
  for (std::uint32_t j = 0; j < normal.cols; ++j) {
    mean_g += gain[j] * dy_row[j] / width;
    mean_gh += gain[j] * dy_row[j] * h[j] / width;
  }
  for (std::uint32_t j = 0; j < normal.cols; ++j) {
    if (d.x.data != nullptr) d.x.at(i, j) += inverse * (gain[j] * dy_row[j] - mean_g - h[j] * mean_gh);
    if (d.parameters.data == nullptr) continue;
    d.parameters.at(0, j) += dy_row[j] * h[j];
    d.parameters.at(1, j) += dy_row[j];
  }
}

}  // namespace

Var layer_norm(Tape& tape, Var x, Var parameters) {
  const ConstMatrix in = tape.value(x);
  const ConstMatrix p = tape.value(parameters);
  CAPSTAN_ASSERT(p.rows == 2 && p.cols == in.cols, "layer_norm: a gain and a shift a column");
  const Matrix normal = tape.arena().matrix(in.rows, in.cols);
  const Matrix inverse = tape.arena().matrix(in.rows, 1);
  const auto [out, y] = tape.make("layer_norm", {x, parameters}, in.rows, in.cols);
  const auto width = static_cast<float>(in.cols);
  for (std::uint32_t i = 0; i < in.rows; ++i) {
    float mean = 0.0F;
    for (std::uint32_t j = 0; j < in.cols; ++j) mean += in.at(i, j) / width;
    float variance = 0.0F;
    for (std::uint32_t j = 0; j < in.cols; ++j) {
      const float centred = in.at(i, j) - mean;
      variance += centred * centred / width;
    }
    inverse.data[i] = 1.0F / std::sqrt(variance + kLayerNormEpsilon);
    for (std::uint32_t j = 0; j < in.cols; ++j) {
      normal.at(i, j) = (in.at(i, j) - mean) * inverse.data[i];
      y.at(i, j) = p.at(0, j) * normal.at(i, j) + p.at(1, j);
    }
  }
  const Gradients gradients{tape.gradient(x), tape.gradient(parameters)};
  const auto backward = [normal, inverse, gain = p.row(0), gradients, dy = tape.gradient(out)] {
    for (std::uint32_t i = 0; i < normal.rows; ++i)
      backward_row(i, normal, gain, inverse.data[i], dy, gradients);
  };
  tape.on_backward(out, backward);
  return out;
}

}  // namespace capstan
