#include "cli/job_watch.h"

#include <spdlog/fmt/fmt.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json.hpp>
#include <csignal>
#include <cstdio>
#include <map>
#include <optional>
#include <random>
#include <utility>

#include "cli/journal_reader.h"
#include "cli/progress_view.h"
#include "cli/tool_link.h"
#include "common/adapters/any_storage.h"
#include "common/adapters/asio_loop.h"
#include "common/adapters/zmq_transport.h"
#include "scheduler/manifest.h"

namespace capstan {
namespace {

using namespace std::chrono_literals;
constexpr Duration kLookEvery = 250ms;
constexpr auto kGoodbye = 3000ms, kGoodbyeOnFailure = 1000ms;  // for children to end by themselves
constexpr auto kForceAfter = 1000ms;                           // once they were asked to
// From Ctrl-C: until the scheduler must have said how the job ended, until children are asked to end, and
// until they are ended by force. Five seconds are promised.
constexpr auto kStopLimit = 4000ms, kStopAsk = 4300ms, kStopForce = 4600ms;
constexpr Duration kLastWord = 1s;           // for the scheduler to say how the job ended
constexpr std::uint32_t kReplacedMost = 10;  // a node
constexpr Duration kPause = 1s, kPauseMost = 30s;
constexpr std::size_t kTailLines = 15;

// Watches over the children and the job's status until the job has ended.
class JobWatch {
 public:
  JobWatch(const JobConfig& job, JobCluster& cluster, WatchArgs args)
      : job_(job),
        cluster_(cluster),
        say_(args.say),
        view_(stdout, isatty(STDOUT_FILENO) != 0, args.quiet),
        transport_(loop_, ZmqOptions{.node = "run",
                                     .max_frame_bytes = job.cluster.max_frame_bytes,
                                     .max_frames = 4096,
                                     .security = std::move(args.security)}),
        link_(
            loop_, transport_, job.name, std::random_device{}() + 1ULL,
            {.on_greeted = [] {},
             .on_refused = [this](const std::string& why) { end(false, "the scheduler refused us: " + why); },
             .on_job_ended = [this](bool ok, const std::string& text) { end(ok, text); }}),
        look_timer_(loop_),
        stop_timer_(loop_) {}

  // From here on a Ctrl-C is the loop's.
  int watch(const std::string& endpoint, HeldSignals& held) {
    if (const Status started = link_.start(endpoint); !started.ok()) {
      std::fprintf(stderr, "%s\n", started.error().message.c_str());
      return 1;
    }
    loop_.on_signal([this](int signal) { on_signal(signal); });
    held.release();
    look();
    loop_.run();
    view_.finish();
    wait_for_children();
    while (text_.ends_with('\n')) text_.pop_back();
    if (!text_.empty() && (say_ || !ok_)) std::fprintf(ok_ ? stdout : stderr, "%s\n", text_.c_str());
    if (!ok_) std::fprintf(stderr, "logs: %s\n", cluster_.log_dir().c_str());
    return ok_ ? 0 : 1;
  }

 private:
  // After a signal one that hangs does not hold up the end.
  void wait_for_children() {
    auto patience = ok_ ? kGoodbye : kGoodbyeOnFailure, force_after = kForceAfter;
    if (stopping_at_.has_value()) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(*stopping_at_ + kStopAsk - loop_.now());
      patience = std::clamp(left, 0ms, patience);
      force_after = kStopForce - kStopAsk;
    }
    cluster_.wait(patience, force_after);
  }

  void look() {
    look_timer_.start(kLookEvery, [this] { look(); });
    cluster_.tend();
    for (ChildProcess* child : cluster_.newly_ended()) on_child_ended(*child);
    replace_due();
    if (!link_.greeted()) return;
    link_.status([this](const Result<std::string>& status) {
      if (!status.ok()) return;
      view_.show(*status);
      add_servers(*status);
    });
  }

  // As many as `capstan scale` has asked the scheduler for.
  void add_servers(const std::string& status) {
    const auto wanted =
        boost::json::parse(status).as_object().at("servers_wanted").to_number<std::uint32_t>();
    while (!ended_ && cluster_.servers_added() < wanted) {
      const Status started = cluster_.start_server();
      if (started.ok()) continue;
      view_.finish();
      std::fprintf(stderr, "%s\n", started.error().message.c_str());
      return;
    }
  }

  // Whoever was killed is replaced. Of those that end by themselves a worker's work goes to the others;
  // without a server that holds what nobody else does this job cannot go on here.
  void on_child_ended(ChildProcess& child) {
    if (ended_) return;
    const std::string how =
        fmt::format("{}{} ended: {}", child.name(), cluster_.whereabouts(child.name()), *child.ended());
    const bool worker = child.name().starts_with("worker");
    const bool server = child.name().starts_with("ps-");
    if (server && child.ended_well()) return;  // drained, or the job has ended
    view_.finish();
    if (replace(child, how)) return;
    if (worker && ++workers_lost_ < job_.cluster.workers) {
      std::fprintf(stderr, "%s; its work goes on with the other workers\n%s", how.c_str(),
                   child.log_tail(kTailLines).c_str());
      return;
    }
    if (server && job_.cluster.replicas > 1) {
      std::fprintf(stderr, "%s; its shards go on at their backups, if they have one left\n%s", how.c_str(),
                   child.log_tail(kTailLines).c_str());
      return;
    }
    // The scheduler says why all end and how to go on from there: give it the word if it has one.
    lost_ = fmt::format("{}\n{}", how, child.log_tail(kTailLines));
    if (server) link_.stop_job(how, false);
    stop_timer_.start(kLastWord, [this] { end(false, how_to_go_on()); });
  }

  // One that ended by itself had its reasons, and would end again.
  bool replace(const ChildProcess& child, const std::string& how) {
    if (!cluster_.lost(child) || stopping_at_.has_value()) return false;
    std::uint32_t& times = replaced_[child.name()];
    if (times == kReplacedMost) return false;
    const Duration pause = std::min<Duration>(kPauseMost, kPause * ((1 << times) - 1));
    ++times;
    due_[child.name()] = loop_.now() + pause;
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(pause).count();
    std::fprintf(stderr, "%s; another one %s%s\n", how.c_str(),
                 child.name() == "scheduler" ? "goes on from its journal" : "takes its place",
                 seconds == 0 ? "" : fmt::format(" in {} s", seconds).c_str());
    return true;
  }

  void replace_due() {
    for (auto each = due_.begin(); each != due_.end() && !ended_ && !stopping_at_.has_value();) {
      if (each->second > loop_.now()) {
        ++each;
        continue;
      }
      if (const Status started = cluster_.replace(each->first); !started.ok())
        std::fprintf(stderr, "%s\n", started.error().message.c_str());
      each = due_.erase(each);
    }
  }

  // For want of the scheduler's word.
  std::string how_to_go_on() const {
    if (!cluster_.whereabouts("scheduler").empty())
      return "Run again with --resume to go on from the newest checkpoint, if there is one";
    AnyStorage files(s3_settings_from_environment(), kBriefS3Limits);
    const auto journal = read_journal(job_, files);
    if (job_.checkpoint.path.empty() || !journal.ok()) return "There is no checkpoint to resume from";
    const auto found =
        newest_checkpoint(files, job_.checkpoint.path, {.generation_min = newest_run(*journal)});
    return found.ok() ? "Run again with --resume to go on from " + found->directory
                      : "There is no checkpoint of this run to resume from";
  }

  void on_signal(int signal) {
    if (stopping_at_.has_value() && signal == SIGHUP)
      return;  // a terminal that closes may say so several times
    view_.finish();
    if (stopping_at_.has_value()) {
      end(false, "stopped at once");
      return;
    }
    stopping_at_ = loop_.now();
    std::fprintf(stderr, "stopping: a checkpoint first; Ctrl-C again stops at once\n");
    link_.stop_job(signal == SIGHUP ? "its terminal closed" : "stopped by Ctrl-C", true);
    stop_timer_.start(kStopLimit,
                      [this] { end(false, "stopped; the cluster did not end in time and was killed"); });
  }

  void end(bool ok, const std::string& text) {
    if (ended_) return;
    ended_ = true;
    ok_ = ok && lost_.empty();
    text_ = lost_.empty() || ok ? text : lost_ + text;
    loop_.stop();
  }

  const JobConfig& job_;
  JobCluster& cluster_;
  bool say_;  // the result, when all went well
  ProgressView view_;
  AsioLoop loop_;
  ZmqTransport transport_;
  ToolLink link_;
  Timer look_timer_;
  Timer stop_timer_;
  std::uint32_t workers_lost_ = 0;
  std::map<std::string, std::uint32_t> replaced_;  // how often, by node
  std::map<std::string, Instant> due_;             // nodes that are started again then
  std::optional<Instant> stopping_at_;             // since a signal asked for it
  bool ended_ = false;
  bool ok_ = false;
  std::string text_;
  std::string lost_;
};

}  // namespace

int watch_job(const JobConfig& job, JobCluster& cluster, const std::string& endpoint, HeldSignals& held,
              WatchArgs args) {
  return JobWatch(job, cluster, std::move(args)).watch(endpoint, held);
}

}  // namespace capstan
