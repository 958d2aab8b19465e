#include "scheduler/scheduler_metrics.h"

#include <cmath>

#include "common/units.h"

namespace capstan {
namespace {

double number(auto count) {
  return static_cast<double>(count);
}

void add_nodes(const Job& job, const Membership& membership, Metrics& out) {
  for (const auto& [id, node] : membership.nodes()) {
    const bool server = node.role == Role::kServer;
    const Metrics::Labels labels{{"node", node.name}, {"role", server ? "ps" : "worker"}};
    out.gauge("capstan_node_up", "1: its lease holds.", node.alive ? 1.0 : 0.0, labels);
    if (!server) {
      out.gauge("capstan_node_items", "Work items that a worker holds.", number(job.work().held_by(id)),
                labels);
      continue;
    }
    out.gauge("capstan_node_rows", "Rows of the shards that a server leads.", number(node.rows), labels);
    out.gauge("capstan_node_bytes", "Memory of a server's tables.", number(node.bytes), labels);
  }
}

void add_shards(const Job& job, std::uint32_t replicas, Metrics& out) {
  std::uint64_t short_of_copies = 0, learning = 0;
  for (const ShardEntry& entry : job.map().entries()) {
    short_of_copies += !entry.chain.empty() && entry.chain.size() < replicas ? 1 : 0;
    learning += entry.learner != 0 ? 1 : 0;
  }
  out.gauge("capstan_shards", "Shards of the job.", number(job.map().entries().size()));
  out.gauge("capstan_shards_short_of_copies", "Shards with fewer copies than cluster.replicas.",
            number(short_of_copies));
  out.gauge("capstan_shards_learning", "Shards that a server is learning.", number(learning));
  out.gauge("capstan_moves_open", "Shards on their way from one server to another.",
            number(job.open_moves().size()));
  out.gauge("capstan_map_version", "Version of the shard map, below its generation.",
            number(job.map().version() & 0xffffffff));
}

void add_training(const Job& job, const Speed& speed, Metrics& out) {
  const JobFacts& facts = job.facts();
  out.counter("capstan_examples_total", "Examples trained, over all passes.", number(job.examples_so_far()));
  out.counter("capstan_steps_total", "Batches trained; in sync steps.", number(job.steps_so_far()));
  out.gauge("capstan_examples_per_second", "Over the last seconds of training.",
            facts.state == JobState::kRunning ? speed.per_second() : 0.0);
  out.gauge("capstan_pass", "The pass in training, from 1.", number(facts.pass + 1));
  out.gauge("capstan_pass_fraction", "How much of that pass is done, 0 to 1.", job.work().fraction_done());
  if (const double loss = job.loss(); !std::isnan(loss))
    out.gauge("capstan_loss", "Mean loss of an example in the running pass, or in the last one.", loss);
}

void add_checkpoints(const Job& job, Instant now, Metrics& out) {
  const JobFacts& facts = job.facts();
  out.gauge("capstan_checkpoints_kept", "Published checkpoints that are kept.",
            number(facts.checkpoints.size()));
  if (facts.checkpoints.empty()) return;
  const CheckpointFact& newest = facts.checkpoints.back();
  out.gauge("capstan_checkpoint_rows", "Rows in the newest one.", number(newest.rows));
  out.gauge("capstan_checkpoint_bytes", "Bytes that it added.", number(newest.bytes));
  out.gauge("capstan_checkpoint_duration_seconds", "How long it took.", newest.seconds);
  if (facts.published != Instant{}) {
    out.gauge("capstan_checkpoint_age_seconds", "Since this scheduler has published one.",
              seconds_of(now - facts.published));
  }
}

}  // namespace

void add_job_metrics(const Job& job, const Membership& membership, const Peers& peers, const Speed& speed,
                     Instant now, Metrics& out) {
  const JobFacts& facts = job.facts();
  for (const JobState state :
       {JobState::kWaiting, JobState::kPreparing, JobState::kRestoring, JobState::kRunning,
        JobState::kValidating, JobState::kEvaluating, JobState::kDone, JobState::kFailed}) {
    out.gauge("capstan_job_state", "1 for the state that the job is in.", facts.state == state ? 1.0 : 0.0,
              {{"state", std::string(to_string(state))}});
  }
  out.gauge("capstan_generation", "How often a scheduler of the job has begun.", number(facts.generation));
  out.gauge("capstan_warnings", "Warnings that `capstan status` shows.", number(facts.warnings.size()));
  add_training(job, speed, out);
  add_checkpoints(job, now, out);
  add_shards(job, job.replicas_wanted(), out);
  add_nodes(job, membership, out);
  out.refusals(peers.refusals());
}

}  // namespace capstan
