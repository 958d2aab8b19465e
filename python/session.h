// ClientSession: a DirectClient on a thread of its own, for other threads that wait for what it does.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "common/adapters/asio_loop.h"
#include "common/adapters/zmq_transport.h"
#include "worker/train/direct_client.h"

namespace capstan {

struct SessionOptions {
  std::string scheduler, job;
  std::string keys;  // folder; empty: no Curve
  Duration patience{0};
};

struct JobEnd {
  bool ok = false;
  std::string text;
};

// Thread-safe. Every call takes a question that is asked ten times a second while it waits: true ends the
// wait, and the call gives kCancelled. Arrays are the caller's, and not used any more once a call returns.
class ClientSession {
 public:
  using Interrupted = std::function<bool()>;

  // kTimeout when tables and a stream are not there within `patience`; kRefused, kUnavailable in the
  // cluster's words.
  static Result<std::unique_ptr<ClientSession>> connect(const SessionOptions& options,
                                                        const Interrupted& interrupted);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  const std::vector<TableSpec>& tables() const { return tables_; }

  // Writes each key's row to its place in `rows`, [keys, dim], straight from the message it came in. With
  // `after_pushes` it sees all of this session's pushes before it.
  Status pull(std::uint32_t table, std::span<const Key> keys, float* rows, bool after_pushes,
              const Interrupted& interrupted);
  // Sums `gradients`, [keys, dim], by key, and returns once the batch is numbered: from then on it counts
  // once.
  Status push(std::uint32_t table, std::span<const Key> keys, const float* gradients,
              const Interrupted& interrupted);
  Status flush(const Interrupted& interrupted);
  Status close(const Interrupted& interrupted);
  Result<JobEnd> end_job(const std::string& reason, const Interrupted& interrupted);
  Result<std::string> status(const Interrupted& interrupted);

 private:
  // What one thread waits for and another gives.
  struct Answer {
    std::mutex mutex;
    std::condition_variable come;
    std::optional<Status> status;
  };
  using AnswerRef = std::shared_ptr<Answer>;
  using Ask = std::function<void(DirectClient::Done done)>;

  ClientSession(const SessionOptions& options, SecurityOptions security);
  static void give(const AnswerRef& answer, const Status& status);
  static bool wait(const AnswerRef& answer, Duration most);
  Status run(const Ask& ask, const std::function<void()>& give_up, const Interrupted& interrupted);
  void run_on_loop(std::function<void()> what);
  void on_end(bool job_ended, bool ok, const std::string& text);

  AsioLoop loop_;
  ZmqTransport transport_;
  std::unique_ptr<DirectClient> client_;
  std::vector<TableSpec> tables_;
  std::uint32_t num_shards_ = 0;
  std::optional<JobEnd> end_;                 // on the loop's thread, until it has stopped
  std::optional<std::string> lost_;           // likewise
  DirectClient::Done on_ready_, on_job_end_;  // likewise
  std::thread thread_;
};

}  // namespace capstan
