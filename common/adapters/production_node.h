// ProductionNode: the seams of a real process, made in the right order and taken down in it.
#pragma once

#include <cstdint>

#include "common/adapters/asio_loop.h"
#include "common/adapters/disk_files.h"
#include "common/adapters/tbb_task_pool.h"
#include "common/adapters/zmq_transport.h"

namespace capstan {

struct ProductionOptions {
  ZmqOptions transport;
  std::uint32_t threads = 0;  // of the task pool; 0: as many as this process may run on
  std::uint32_t lanes = 0;    // 0: twice the threads
};

// The node's logic is made after this and destroyed before it. Before that, finish_tasks() sees to it that no
// task still runs on the logic's state.
class ProductionNode {
 public:
  explicit ProductionNode(ProductionOptions options);

  AsioLoop& loop() { return loop_; }
  ZmqTransport& transport() { return transport_; }
  TbbTaskPool& tasks() { return tasks_; }
  DiskFiles& storage() { return storage_; }

  // Returns after loop().stop(); SIGINT and SIGTERM are whoever's who called loop().on_signal().
  void run() { loop_.run(); }
  // Waits for the work given so far; what was to be done after it is dropped.
  void finish_tasks() { tasks_.finish(); }

 private:
  AsioLoop loop_;
  DiskFiles storage_;
  TbbTaskPool tasks_;
  ZmqTransport transport_;
};

}  // namespace capstan
