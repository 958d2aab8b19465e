// Job: streams of processes that pull and push by themselves, and jobs that have no other work.
#include "common/direct_stream.h"
#include "common/planted_bugs.h"
#include "scheduler/direct_tables.h"
#include "scheduler/job.h"

namespace capstan {

// Asked again, because the answer was lost, it is told of the same stream.
Message Job::grant_direct(const Node& node) {
  if (stepped()) {
    return Refusal{
        RefusalReason::kOtherRole,
        "a step has fixed slots, and a process without work items is none of them: it can pull and "
        "push only in jobs with `train.consistency: async`"};
  }
  if (ended_ || facts_.state != JobState::kRunning) return NoWork{100, waits_for_};
  auto term = direct_.term_of(node.id);
  if (!term.has_value()) {
    term = work_.next_term();
    if (!record(WorkGranted{direct_.cursor(*term), node.id})) return NoWork{100, waits_for_};
    direct_.open(node.id, *term);
    context_.log.info("{} pulls and pushes by itself, under term {:x}", node.name, *term);
  }
  WorkGrant grant;
  grant.work = direct_.cursor(CAPSTAN_PLANTED(kDirectStreamsTakenOver) ? 1 : *term).work;
  grant.term = *term;
  grant.steps = steps_so_far();
  return grant;
}

// A report that is repeated, since its answer was lost, finds the stream closed: that is what it asks for.
Message Job::close_direct(const Node& node, const WorkCursor& cursor) {
  if (direct_.progress(node.id, cursor)) {
    if (!record(WorkFinished{direct_.cursor(cursor.term), node.id})) return WorkDoneReply{false};
    direct_.close(cursor.term);
    context_.log.info("{} has left; {} batches of it are in the rows", node.name, cursor.watermark);
    context_.membership.leave(node.id);
  }
  return WorkDoneReply{true};
}

// Their holders are gone, or will be told that they are taken for it. Nobody waits for their streams, so
// there is time: a scheduler that was away for a while must not cost a program its work.
void Job::close_silent_direct() {
  const auto grace = std::chrono::milliseconds(options().config.cluster.scheduler_grace_ms);
  for (const std::uint64_t term : direct_.silent_since(context_.loop.now() - grace)) {
    if (!record(WorkFinished{direct_.cursor(term), direct_.streams().at(term).holder})) return;
    direct_.close(term);
  }
}

TablesAgreed Job::agreed_of_direct() const {
  TablesAgreed agreed;
  agreed.tables = direct_tables(options().config);
  return agreed;
}

bool Job::is_direct() const {
  return options().config.task == Task::kDirect;
}

}  // namespace capstan
