#include "bench/bare_zmq.h"

#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include <array>
#include <bit>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>

#include "bench/cluster.h"
#include "bench/pusher.h"

namespace capstan {
namespace {

constexpr const char* kServerWord = "--bare-server";
constexpr std::size_t kAhead = 16;  // keys whose memory is on its way

struct Header {
  std::uint32_t push = 0, count = 0;
};

void check(bool done, const char* what) {
  if (!done) give_up(fmt::format("{}: {}", what, zmq_strerror(zmq_errno())));
}

template <typename T>
T* huge_array(std::size_t count) {
  constexpr std::size_t kPage = std::size_t{2} << 20;
  const std::size_t bytes = (count * sizeof(T) + kPage - 1) / kPage * kPage;
  void* memory = std::aligned_alloc(kPage, bytes);
  madvise(memory, bytes, MADV_HUGEPAGE);
  std::memset(memory, 0, bytes);
  return static_cast<T*>(memory);
}

// Buffers come back from ZeroMQ's thread and are used again: pages stay mapped.
class Pool {
 public:
  explicit Pool(std::size_t bytes) : bytes_(bytes) {}
  void* take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return std::malloc(bytes_);
    void* buffer = free_.back();
    free_.pop_back();
    return buffer;
  }
  static void give_back(void* buffer, void* pool) {
    auto& self = *static_cast<Pool*>(pool);
    const std::lock_guard lock(self.mutex_);
    self.free_.push_back(buffer);
  }

 private:
  std::size_t bytes_;
  std::mutex mutex_;
  std::vector<void*> free_;
};

class Rows {
 public:
  Rows(std::uint64_t rows, std::uint32_t dim)
      : dim_(dim),
        mask_(std::bit_ceil(rows * 2) - 1),
        index_(huge_array<Entry>(mask_ + 1)),
        slab_(huge_array<float>(rows * dim)) {
    for (std::uint64_t row = 0; row < rows; ++row) {
      const Key key = bench_key(row);
      std::uint64_t at = mix64(key) & mask_;
      while (index_[at].row != 0) at = (at + 1) & mask_;
      index_[at] = {key, row + 1};
    }
  }
  // `use` gets each row of the keys, in their order.
  template <typename Use>
  void each(std::span<const Key> keys, const Use& use) {
    slots_.resize(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i + kAhead < keys.size()) __builtin_prefetch(index_ + (mix64(keys[i + kAhead]) & mask_));
      std::uint64_t at = mix64(keys[i]) & mask_;
      while (index_[at].key != keys[i]) at = (at + 1) & mask_;
      slots_[i] = index_[at].row - 1;
    }
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i + kAhead < keys.size()) prefetch(slots_[i + kAhead]);
      use(i, slab_ + slots_[i] * dim_);
    }
  }

 private:
  struct Entry {
    Key key = 0;
    std::uint64_t row = 0;  // + 1; 0: empty
  };
  void prefetch(std::uint64_t slot) const {
    constexpr std::size_t kLineFloats = 16;
    for (std::size_t at = 0; at < dim_; at += kLineFloats) __builtin_prefetch(slab_ + slot * dim_ + at);
  }

  std::uint32_t dim_;
  std::uint64_t mask_;
  Entry* index_;
  float* slab_;
  std::vector<std::uint64_t> slots_;
};

class Frame {
 public:
  Frame() { zmq_msg_init(&message_); }
  ~Frame() { zmq_msg_close(&message_); }
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;
  void receive(void* socket) { check(zmq_msg_recv(&message_, socket, 0) >= 0, "receive"); }
  template <typename T>
  const T* as() {
    return static_cast<const T*>(zmq_msg_data(&message_));
  }
  std::size_t size() { return zmq_msg_size(&message_); }

 private:
  zmq_msg_t message_;
};

void send_copy(void* socket, const void* data, std::size_t size, bool more) {
  check(zmq_send(socket, data, size, more ? ZMQ_SNDMORE : 0) >= 0, "send");
}

void send_there(void* socket, void* data, std::size_t size, zmq_free_fn* free, void* hint, bool more) {
  zmq_msg_t message;
  zmq_msg_init_data(&message, data, size, free, hint);
  check(zmq_msg_send(&message, socket, more ? ZMQ_SNDMORE : 0) >= 0, "send");
}

void keep(void*, void*) {}

[[noreturn]] void serve(std::uint64_t rows, std::uint32_t dim, const std::string& endpoint) {
  constexpr std::size_t kBatchMax = 1 << 16;
  Rows table(rows, dim);
  Pool pool(kBatchMax * dim * sizeof(float));
  void* context = zmq_ctx_new();
  void* socket = zmq_socket(context, ZMQ_ROUTER);
  check(zmq_bind(socket, endpoint.c_str()) == 0, "bind");
  for (;;) {
    Frame peer, header, keys, gradients;
    peer.receive(socket);
    header.receive(socket);
    keys.receive(socket);
    const Header asked = *header.as<Header>();
    const std::span wanted(keys.as<Key>(), asked.count);
    const std::size_t row_bytes = dim * sizeof(float);
    if (asked.push != 0) {
      gradients.receive(socket);
      const float* gradient = gradients.as<float>();
      table.each(wanted, [&](std::size_t i, float* row) {
        constexpr float kRate = 0.01F;
        for (std::uint32_t d = 0; d < dim; ++d) row[d] -= kRate * gradient[i * dim + d];
      });
      send_copy(socket, peer.as<char>(), peer.size(), true);
      send_copy(socket, &asked, sizeof(asked), false);
      continue;
    }
    auto* out = static_cast<char*>(pool.take());
    table.each(wanted,
               [&](std::size_t i, const float* row) { std::memcpy(out + i * row_bytes, row, row_bytes); });
    send_copy(socket, peer.as<char>(), peer.size(), true);
    send_copy(socket, &asked, sizeof(asked), true);
    send_there(socket, out, asked.count * row_bytes, Pool::give_back, &pool, false);
  }
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

void be_bare_server(int argc, char** argv) {
  constexpr int kWords = 5;
  if (argc != kWords || std::string(argv[1]) != kServerWord) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  serve(std::strtoull(argv[2], nullptr, 10), static_cast<std::uint32_t>(std::strtoul(argv[3], nullptr, 10)),
        argv[4]);
}

BareZmq::BareZmq(std::uint64_t rows, std::uint32_t dim, const std::string& endpoint) : dim_(dim) {
  std::array<std::string, 5> words = {"bare", kServerWord, std::to_string(rows), std::to_string(dim),
                                      endpoint};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  server_ = fork();
  if (server_ == 0) {
    execv("/proc/self/exe", argv.data());
    _exit(127);
  }
  context_ = zmq_ctx_new();
  socket_ = zmq_socket(context_, ZMQ_DEALER);
  check(zmq_connect(socket_, endpoint.c_str()) == 0, "connect");
  const Key first = bench_key(0);
  pull({std::span(&first, 1)}, 1, 0.0);  // it is there
}

BareZmq::~BareZmq() {
  const int no_wait = 0;
  zmq_setsockopt(socket_, ZMQ_LINGER, &no_wait, sizeof(no_wait));
  zmq_close(socket_);
  zmq_ctx_term(context_);
  kill(server_, SIGKILL);
  waitpid(server_, nullptr, 0);
}

BareRate BareZmq::pull(const std::vector<std::span<const Key>>& batches, std::size_t window, double seconds) {
  return exchange(false, batches, window, seconds);
}

BareRate BareZmq::push(const std::vector<std::span<const Key>>& batches, std::size_t window, double seconds) {
  return exchange(true, batches, window, seconds);
}

BareRate BareZmq::exchange(bool push, const std::vector<std::span<const Key>>& batches, std::size_t window,
                           double seconds) {
  std::size_t largest = 0;
  for (const auto& batch : batches) largest = std::max(largest, batch.size());
  std::vector<float> gradients(largest * dim_, 0.01F);
  std::deque<std::pair<double, std::size_t>> sent;  // when, rows
  std::size_t next = 0;
  const double begun = seconds_now();
  BareRate rate;
  std::uint64_t rows = 0;
  double now = begun;
  do {
    while (sent.size() < window) {
      const auto& batch = batches[next++ % batches.size()];
      const Header header{push ? 1U : 0U, static_cast<std::uint32_t>(batch.size())};
      send_copy(socket_, &header, sizeof(header), true);
      sent.emplace_back(seconds_now(), batch.size());
      send_there(socket_, const_cast<Key*>(batch.data()), batch.size_bytes(), keep, nullptr, push);
      if (push)
        send_there(socket_, gradients.data(), batch.size() * dim_ * sizeof(float), keep, nullptr, false);
    }
    Frame header, values;
    header.receive(socket_);
    if (!push) values.receive(socket_);
    now = seconds_now();
    rate.answers.push_back(now - sent.front().first);
    rows += sent.front().second;
    sent.pop_front();
  } while (now - begun < seconds);
  rate.rows_per_second = static_cast<double>(rows) / (now - begun);
  for (; !sent.empty(); sent.pop_front()) {
    Frame header, values;
    header.receive(socket_);
    if (!push) values.receive(socket_);
  }
  return rate;
}

}  // namespace capstan
