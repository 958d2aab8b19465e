// Scheduler: the node that knows who is there, leads the one job, and answers everybody's questions about it.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>

#include "common/event_loop.h"
#include "common/log.h"
#include "common/message.h"
#include "common/metrics.h"
#include "common/storage.h"
#include "common/transport.h"
#include "scheduler/file_journal.h"
#include "scheduler/job.h"
#include "scheduler/membership.h"
#include "scheduler/options.h"
#include "scheduler/peers.h"
#include "scheduler/progress_history.h"
#include "scheduler/speed.h"
#include "scheduler/trace_run.h"

namespace capstan {

class Scheduler {
 public:
  using EndHandler = std::function<void(bool ok, const std::string& text)>;

  Scheduler(EventLoop& loop, Transport& transport, Storage& storage, Log log, SchedulerOptions options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Journals its generation, then listens. Returns the endpoint. `on_finished` runs once, on the loop, a
  // moment after everybody was told that the job has ended; or when job().halted(), and nobody was told.
  // While its journal does not say that it leads, it answers nobody.
  Result<std::string> start(EndHandler on_finished);
  // As the StopJob message.
  void stop(const std::string& reason, bool checkpoint) { job_.stop(reason, checkpoint); }
  ChangeServersReply change_servers(const ChangeServers& wish) { return job_.change_servers(wish); }

  std::string status() const;
  // What its web page asks for.
  std::string page_status() const;
  std::string page_history() const { return history_.json(job_.facts().started); }
  // It leads, as far as its clock and its store say.
  bool ready() const { return !job_.halted() && loop_.now() < journal_.leads_until(); }
  void add_metrics(Metrics& out) const;
  const Job& job() const { return job_; }
  const Membership& membership() const { return membership_; }
  const Peers& peers() const { return peers_; }

 private:
  void on_frames(PeerId from, const Frames& frames);
  void on_hello(PeerId from, std::uint64_t request_id, const Hello& hello);
  bool knows_more(const Hello& hello) const;
  void ask_for_map(PeerId from, std::uint64_t request_id, const Hello& hello);
  void on_waiting(PeerId from, std::uint64_t request_id, const Message& message);
  void on_member(PeerId from, std::uint64_t request_id, const Node& node, const Message& message);
  std::optional<Message> answer(const Node& node, std::uint64_t request_id, const Message& message);
  std::optional<Message> answer_anyone(const Message& message);
  Message on_heartbeat(const Node& node, const Heartbeat& heartbeat);
  void tick();
  Hello within_limit(Hello hello) const;
  void note_history();
  bool leads();
  std::uint32_t lease_ms() const;
  void on_job_end(bool ok, const std::string& text);
  // The report wants every node's last counters.
  void ask_for_stats();
  void on_stats(const Node& node, const StatusReply& reply);
  void report_and_tell();
  void give_up_counting(const Node& node);

  EventLoop& loop_;
  Transport& transport_;
  Storage& storage_;
  Log log_;
  SchedulerOptions options_;
  FileJournal file_journal_;
  Journal& journal_;  // that one, or the options'
  Membership membership_;
  Peers peers_;
  Job job_;
  Speed speed_;
  TraceRun trace_;
  ProgressHistory history_;
  EndHandler on_finished_;
  Instant last_tick_{};
  bool stands_still_ = false;  // the lead has run out by our clock, and nobody has said whether it is lost
  bool ok_ = false;
  std::string end_text_;
  bool told_ = false;  // everybody knows that the job has ended
  struct Waiting {
    std::uint64_t request_id = 0;
    Hello hello;
  };
  std::map<PeerId, Waiting> waiting_;  // nodes that greeted while the job is rebuilt
  std::set<NodeId> uncounted_;         // nodes whose last counters have not come
  Instant count_by_{};
  Timer tick_timer_;
  Timer end_timer_;
};

}  // namespace capstan
