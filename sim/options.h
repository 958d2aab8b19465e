// SimOptions: how unkind a simulated world is. Every draw comes from the world's seed.
#pragma once

#include <cstdint>

#include "common/event_loop.h"

namespace capstan {

// Chances are per message and hold only while the world's faults are on; delays always do.
struct NetworkOptions {
  Duration delay_min = std::chrono::microseconds(50);
  Duration delay_max = std::chrono::milliseconds(2);  // most messages come well below it
  double slow = 0.0;                                  // takes up to slow_max instead
  Duration slow_max = std::chrono::milliseconds(500);
  double loss = 0.0;       // this message alone vanishes
  double duplicate = 0.0;  // arrives twice
  double reorder = 0.0;    // does not wait for those sent before it
  double busy = 0.0;       // send() says kBusy with room left
  double disconnect =
      0.0;  // the connection breaks: what is on its way is lost, both ends find each other again
  std::uint64_t bytes_per_second = 0;   // 0: size costs no time
  std::uint32_t queue_messages = 1000;  // a connection, a direction; then kBusy
  std::uint32_t max_frames = 16;
  Duration reconnect_min = std::chrono::milliseconds(50);
  Duration reconnect_max = std::chrono::seconds(2);
  Duration heartbeat_timeout = std::chrono::seconds(30);  // a connection that was cut off for longer breaks
};

struct TaskOptions {
  std::uint32_t lanes = 16;
  Duration work_min = std::chrono::microseconds(5);
  Duration work_max = std::chrono::microseconds(500);
  Duration done_max = std::chrono::microseconds(100);  // from the end of the work to its `done`
};

struct DiskOptions {
  double sync_failure = 0.0;   // a file's sync() fails, while faults are on
  double write_failure = 0.0;  // append() fails with kIo, while faults are on
};

struct SimOptions {
  NetworkOptions network;
  TaskOptions tasks;
  DiskOptions disk;
  std::int64_t drift_ppm_max = 0;  // each node's clock runs up to so much faster or slower
  Duration timer_late_max = std::chrono::microseconds(200);
};

}  // namespace capstan
