// What can this machine do? The limits that the other programs are measured against.
//   bench_limits [rounds=5]
// Random rows of 16 floats out of 10 M, as in raw_memory.h; copying memory; a stream of bytes over tcp on the
// loopback, plain and as ZeroMQ frames of 1 MiB; and the products of a layer of 429 x 400 with 4,096
// examples, forward and both backward, on one core and on all. Medians, with the least and the most.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <spdlog/fmt/fmt.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

#include "bench/raw_memory.h"
#include "common/assert.h"
#include "worker/nn/gemm.h"

namespace capstan {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void print(const char* what, const char* unit, std::size_t rounds, const std::function<double()>& rate) {
  std::vector<double> rates;
  for (std::size_t round = 0; round < rounds; ++round) rates.push_back(rate());
  std::sort(rates.begin(), rates.end());
  std::printf("%-44s %8.1f %s (%.1f to %.1f)\n", what, rates[rounds / 2], unit, rates.front(), rates.back());
}

double copy_rate() {
  static std::vector<char> from(512 * kMiB, 1), to(512 * kMiB, 2);
  return static_cast<double>(from.size()) /
         seconds_of([] { std::memcpy(to.data(), from.data(), from.size()); }) / 1e9;
}

constexpr std::size_t kStreamed = 2048 * kMiB;

double tcp_rate() {
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* name = reinterpret_cast<sockaddr*>(&address);
  CAPSTAN_ASSERT(bind(listener, name, size) == 0 && listen(listener, 1) == 0, "a port is free");
  getsockname(listener, name, &size);
  std::thread sender([&] {
    const int out = socket(AF_INET, SOCK_STREAM, 0);
    CAPSTAN_ASSERT(connect(out, name, size) == 0, "the listener is there");
    const std::vector<char> bytes(kMiB, 1);
    for (std::size_t sent = 0; sent < kStreamed;) {
      const ssize_t n = write(out, bytes.data(), bytes.size());
      CAPSTAN_ASSERT(n > 0, "the connection holds");
      sent += static_cast<std::size_t>(n);
    }
    close(out);
  });
  const int in = accept(listener, nullptr, nullptr);
  std::vector<char> bytes(kMiB);
  const double took = seconds_of([&] {
    while (read(in, bytes.data(), bytes.size()) > 0) {
    }
  });
  sender.join();
  close(in);
  close(listener);
  return static_cast<double>(kStreamed) / took / 1e9;
}

double zmq_rate() {
  void* context = zmq_ctx_new();
  void* in = zmq_socket(context, ZMQ_PULL);
  CAPSTAN_ASSERT(zmq_bind(in, "tcp://127.0.0.1:*") == 0, "a port is free");
  char endpoint[256];
  std::size_t size = sizeof(endpoint);
  zmq_getsockopt(in, ZMQ_LAST_ENDPOINT, endpoint, &size);
  static const std::vector<char> frame(kMiB, 1);
  std::thread sender([&] {
    void* out = zmq_socket(context, ZMQ_PUSH);
    const int few = 16;
    zmq_setsockopt(out, ZMQ_SNDHWM, &few, sizeof(few));
    zmq_connect(out, endpoint);
    for (std::size_t sent = 0; sent < kStreamed; sent += kMiB) {
      zmq_msg_t message;
      zmq_msg_init_data(
          &message, const_cast<char*>(frame.data()), frame.size(), [](void*, void*) {}, nullptr);
      zmq_msg_send(&message, out, 0);
    }
    zmq_close(out);
  });
  const double took = seconds_of([&] {
    for (std::size_t received = 0; received < kStreamed;) {
      zmq_msg_t message;
      zmq_msg_init(&message);
      zmq_msg_recv(&message, in, 0);
      received += zmq_msg_size(&message);
      zmq_msg_close(&message);
    }
  });
  sender.join();
  zmq_close(in);
  zmq_ctx_term(context);
  return static_cast<double>(kStreamed) / took / 1e9;
}

// GFLOP/s of c = a b, c = aᵀ b and c = a bᵀ together: a layer's forward and backward pass, each thread with
// examples of its own.
double gemm_rate(std::size_t threads) {
  constexpr std::uint32_t kExamples = 2048, kIn = 429, kOut = 400;
  constexpr int kTimes = 20;
  const auto work = [] {
    std::vector<float> x(kExamples * kIn, 0.5F), w(kIn * kOut, 0.25F), y(kExamples * kOut), dw(w), dx(x);
    const Matrix mx{x.data(), kExamples, kIn}, mw{w.data(), kIn, kOut}, my{y.data(), kExamples, kOut};
    for (int i = 0; i < kTimes; ++i) {
      gemm(mx, Transpose::kNo, mw, Transpose::kNo, 0.0F, my);
      gemm(mx, Transpose::kYes, my, Transpose::kNo, 0.0F, Matrix{dw.data(), kIn, kOut});
      gemm(my, Transpose::kNo, mw, Transpose::kYes, 0.0F, Matrix{dx.data(), kExamples, kIn});
    }
  };
  const double took = seconds_of([&] {
    std::vector<std::thread> crew;
    for (std::size_t i = 0; i < threads; ++i) crew.emplace_back(work);
    for (std::thread& each : crew) each.join();
  });
  return static_cast<double>(threads) * kTimes * 3 * 2.0 * kExamples * kIn * kOut / took / 1e9;
}

void run(std::size_t rounds) {
  constexpr std::size_t kRows = 10'000'000, kDim = 16, kBatches = 300;
  measure_raw_gathers(kRows, kDim, [&](const char* what, const std::function<void()>& gather) {
    print(what, "M rows/s", rounds, [&] {
      const double begin = processor_seconds();
      for (std::size_t i = 0; i < kBatches; ++i) gather();
      return static_cast<double>(kBatches * kGatherBatch) / (processor_seconds() - begin) / 1e6;
    });
  });
  print("memory copied", "GB/s", rounds, copy_rate);
  print("tcp over the loopback", "GB/s", rounds, tcp_rate);
  print("ZeroMQ over the loopback, frames of 1 MiB", "GB/s", rounds, zmq_rate);
  print("products of a layer, one core", "GFLOP/s", rounds, [] { return gemm_rate(1); });
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  print(fmt::format("the same, {} cores", cores).c_str(), "GFLOP/s", rounds,
        [&] { return gemm_rate(cores); });
}

}  // namespace
}  // namespace capstan

int main(int argc, char** argv) {
  capstan::run(argc > 1 ? std::max(1UL, std::strtoul(argv[1], nullptr, 10)) : 5);
  return 0;
}
