#include "bench/layer_products.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "worker/nn/gemm.h"

namespace capstan {
namespace {

struct Layer {
  Layer(std::uint32_t examples, std::uint32_t inputs, std::uint32_t outputs)
      : in(inputs),
        out(outputs),
        x(std::size_t{examples} * in, 0.5F),
        w(std::size_t{in} * out, 0.25F),
        y(std::size_t{examples} * out),
        dx(x),
        dw(w) {}

  void multiply(std::uint32_t examples) {
    const Matrix mx{x.data(), examples, in}, mw{w.data(), in, out}, my{y.data(), examples, out};
    gemm(mx, Transpose::kNo, mw, Transpose::kNo, 0.0F, my);
    gemm(mx, Transpose::kYes, my, Transpose::kNo, 0.0F, Matrix{dw.data(), in, out});
    gemm(my, Transpose::kNo, mw, Transpose::kYes, 0.0F, Matrix{dx.data(), examples, in});
  }

  std::uint32_t in, out;
  std::vector<float> x, w, y, dx, dw;
};

}  // namespace

double product_examples_per_second(const std::vector<std::uint32_t>& widths, std::uint32_t batch) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kWarm(100), kMeasured(500);
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::uint32_t examples = batch / cores;
  std::vector<double> rates(cores);
  const auto work = [&](std::uint32_t core) {
    std::vector<Layer> layers;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i)
      layers.emplace_back(examples, widths[i], widths[i + 1]);
    const auto repeat = [&](std::chrono::milliseconds time) {
      const auto begin = Clock::now();
      std::uint64_t steps = 0;
      for (; Clock::now() - begin < time; ++steps) {
        for (Layer& layer : layers) layer.multiply(examples);
      }
      return static_cast<double>(steps * examples) /
             std::chrono::duration<double>(Clock::now() - begin).count();
    };
    repeat(kWarm);
    rates[core] = repeat(kMeasured);
  };
  std::vector<std::thread> crew;
  for (std::uint32_t core = 0; core < cores; ++core) crew.emplace_back(work, core);
  for (std::thread& each : crew) each.join();
  double sum = 0.0;
  for (const double rate : rates) sum += rate;
  return sum;
}

}  // namespace capstan
