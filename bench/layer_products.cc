#include "bench/layer_products.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "bench/raw_memory.h"
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

ProductCost product_cost(const std::vector<std::uint32_t>& widths, std::uint32_t batch) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kWarm(100), kMeasured(500);
  const std::uint32_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::uint32_t examples = batch / cores;
  std::vector<ProductCost> costs(cores);
  const auto work = [&](std::uint32_t core) {
    std::vector<Layer> layers;
    for (std::size_t i = 0; i + 1 < widths.size(); ++i)
      layers.emplace_back(examples, widths[i], widths[i + 1]);
    const auto repeat = [&](std::chrono::milliseconds time) {
      const auto begin = Clock::now();
      const double processor = processor_seconds();
      double done = 0.0;
      for (; Clock::now() - begin < time; done += examples) {
        for (Layer& layer : layers) layer.multiply(examples);
      }
      const double took = std::chrono::duration<double>(Clock::now() - begin).count();
      return ProductCost{done / took, 1e6 * (processor_seconds() - processor) / done};
    };
    repeat(kWarm);
    costs[core] = repeat(kMeasured);
  };
  std::vector<std::thread> crew;
  for (std::uint32_t core = 0; core < cores; ++core) crew.emplace_back(work, core);
  for (std::thread& each : crew) each.join();
  ProductCost all;
  for (const ProductCost& cost : costs) {
    all.examples_per_second += cost.examples_per_second;
    all.processor_us += cost.processor_us / cores;
  }
  return all;
}

}  // namespace capstan
