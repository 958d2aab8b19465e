// The limit of a parameter server on this machine: rows over plain ZeroMQ, with nothing promised. One server
// process with an open-addressing index and a slab of rows on 2 MiB pages, one client in this process, a
// window of unanswered messages, every frame sent from where it lies. No shards, no epochs, no numbered
// slices, no checks.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/hash.h"

namespace capstan {

struct BareRate {
  double rows_per_second = 0.0;
  std::vector<double> answers;  // seconds that each message took
};

class BareZmq {
 public:
  // Starts the server, which makes rows 0 to rows - 1 under `key_of`.
  BareZmq(std::uint64_t rows, std::uint32_t dim, const std::string& endpoint);
  ~BareZmq();
  BareZmq(const BareZmq&) = delete;
  BareZmq& operator=(const BareZmq&) = delete;

  // Sends these batches in turn for so long, `window` at a time.
  BareRate pull(const std::vector<std::span<const Key>>& batches, std::size_t window, double seconds);
  BareRate push(const std::vector<std::span<const Key>>& batches, std::size_t window, double seconds);

 private:
  BareRate exchange(bool push, const std::vector<std::span<const Key>>& batches, std::size_t window,
                    double seconds);

  std::uint32_t dim_;
  void* context_ = nullptr;
  void* socket_ = nullptr;
  pid_t server_ = 0;
};

// In main(), first of all: this process may have been started as such a server, and then never returns.
void be_bare_server(int argc, char** argv);

}  // namespace capstan
