// Job: when no copy of a shard is left, the whole job goes back to its newest checkpoint. Rows and cursors
// are then those of one cut, so what is trained again counts once, in every consistency mode.
#include <spdlog/fmt/fmt.h>

#include "scheduler/job.h"

namespace capstan {

void Job::lose_shards(NodeId server, const std::string& what) {
  if (!may_go_back()) {
    return finish(false, fmt::format("{}: all since the last checkpoint is lost. {}", what, how_to_go_on()));
  }
  give_up_phase();
  if (!going_back_.has_value()) going_back_.emplace();
  going_back_->why = what;
  going_back_->lost.insert(server);
  go_back();
}

bool Job::may_go_back() const {
  const bool kept = !facts_.checkpoints.empty() || !resume_directory_.empty();
  return keeps_checkpoints() && kept && facts_.agreed.has_value() && !stop_by_.has_value();
}

// Waits for a server to go back with, and for the store that the checkpoints are in.
void Job::go_back() {
  std::vector<PlacementNode> here = servers();
  std::erase_if(here, [](const PlacementNode& node) { return node.leaving; });
  if (here.empty()) return enter(JobState::kWaiting);
  auto found = checkpoint_to_go_back_to();
  if (!found.ok() && is_unreachable(found.error())) return enter(JobState::kWaiting);
  const GoingBack what = *std::exchange(going_back_, std::nullopt);
  if (!found.ok()) return finish(false, fmt::format("{}, and {}", what.why, found.error().message));
  warn(fmt::format("{}: everything goes back to {}, and what was trained since is trained again", what.why,
                   found->directory));
  begin_generation();
  if (!record(GenerationRaised{facts_.generation})) return;
  for (const std::string& why : found->skipped) pass_over(why);
  std::erase_if(facts_.checkpoints,
                [&](const CheckpointFact& fact) { return fact.checkpoint > found->manifest.checkpoint; });
  if (!take_up(std::move(found).value()) || !place_orphans(what.lost, here)) return;
  tell_map();
  declare_tables();
}

// The newest of this run that verifies; before its first one, that with which it began.
Result<FoundCheckpoint> Job::checkpoint_to_go_back_to() const {
  auto found = newest_checkpoint(context_.storage, options().config.checkpoint.path,
                                 {.generation_min = run_began_, .damaged = damaged_});
  const bool none = !found.ok() && found.error().code == ErrorCode::kNotFound;
  if (!none || resume_directory_.empty()) return found;
  CAPSTAN_ASSIGN(Manifest manifest, read_manifest(context_.storage, resume_directory_));
  return FoundCheckpoint{resume_directory_, std::move(manifest), {}};
}

// All that is under way: it builds on rows that are no more.
void Job::give_up_phase() {
  errands_.clear();
  if (cut_.has_value()) {
    static_cast<void>(remove_checkpoint(context_.storage, cut_->directory()).ok());
    cut_.reset();
  }
  handovers_.clear();
  moves_.clear();
  ready_learners_.clear();
  stragglers_ = Stragglers();
  part_results_.clear();
  resume_streams_.clear();
  resume_.reset();
  work_.clear();
  direct_ = {};
  step_ = PlanStep();
  merging_ = cut_at_pass_end_ = kept_last_again_ = trains_ = false;
  facts_.rows_of_pass.reset();
  facts_.report_json.clear();
  facts_.report_values = {};
  facts_.final_text.clear();
}

// Survivors keep their shards, and a shard without any goes to one of those that are here. Everybody hears of
// every shard under the new generation.
bool Job::place_orphans(const std::set<NodeId>& lost, const std::vector<PlacementNode>& here) {
  std::vector<ShardEntry> wanted = map_.entries();
  for (const NodeId server : lost) wanted = without_node(std::move(wanted), server);
  std::vector<Chain> chains;
  for (const ShardEntry& entry : wanted) chains.push_back(entry.chain);
  const std::vector<Chain> places = place(map_.num_shards(), 1, here, chains);
  std::set<std::uint32_t> all;
  for (ShardEntry& entry : wanted) {
    all.insert(entry.shard);
    if (entry.chain.empty()) entry = {entry.shard, 0, places[entry.shard], 0};
  }
  return change_map(wanted, all);
}

}  // namespace capstan
