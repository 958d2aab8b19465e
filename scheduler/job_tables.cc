// Job: what the workers agree on becomes tables on the servers.
#include <spdlog/fmt/fmt.h>

#include "common/planted_bugs.h"
#include "scheduler/agreement.h"
#include "scheduler/few_shards.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

constexpr std::chrono::seconds kQuickErrand{1};

}  // namespace

void Job::settle_tables() {
  const WorkerReady* first = nullptr;
  std::string first_name;
  for (const auto& [id, ready] : readies_) {
    const Node* node = context_.membership.find(id);
    if (node == nullptr || !is_ready(*node)) continue;
    if (first == nullptr) {
      first = &ready;
      first_name = node->name;
      continue;
    }
    const std::string why = disagreement(first_name, *first, node->name, ready);
    if (!why.empty()) return finish(false, why);
  }
  TablesAgreed agreed = is_direct() ? agreed_of_direct() : agreed_of(*first);
  if (resume_.has_value()) {
    if (const std::string why = cannot_hold(agreed); !why.empty()) return finish(false, why);
  }
  if (const std::string why = cannot_stop_early(agreed); !why.empty()) return finish(false, why);
  if (const std::string why = too_many_tables(agreed.tables.size(), options().config.cluster); !why.empty())
    return finish(false, why);
  agreed.num_partitions = facts_.num_partitions;
  if (map_.empty()) {
    const auto width = sketch_width(agreed.tables, sketch_room());
    if (!width.ok()) return finish(false, width.error().message);
    agreed.sketch_width = *width;
  } else {
    agreed.sketch_width = rebuilt_sketch_width_;  // the tables are there
  }
  if (!record(agreed)) return;
  facts_.agreed = std::move(agreed);
  readies_.clear();
  make_plan();
  map_.empty() ? place_shards() : keep_chains();
}

void Job::place_shards() {
  std::vector<PlacementNode> servers;
  for (const NodeId id : context_.membership.alive(Role::kServer)) {
    const Node* node = context_.membership.find(id);
    servers.push_back({id, node->memory_limit, node->host, false, node->zone});
    map_.set_address({id, node->name, node->endpoint, node->memory_limit});
  }
  const ClusterConfig& cluster = options().config.cluster;
  std::vector<ShardEntry> wanted(cluster.num_shards);
  const auto chains =
      evened_out(place(cluster.num_shards, cluster.replicas, servers, map_.chains()), servers);
  for (std::uint32_t shard = 0; shard < cluster.num_shards; ++shard)
    wanted[shard] = {shard, 0, chains[shard], 0};
  if (!change_map(wanted)) return;
  if (const std::string few = few_shards_note(servers.size(), cluster.num_shards); !few.empty()) warn(few);
  declare_tables();
}

SketchRoom Job::sketch_room() const {
  const ClusterConfig& cluster = options().config.cluster;
  SketchRoom room{0, cluster.num_shards, 0};
  for (const NodeId id : context_.membership.alive(Role::kServer)) {
    room.memory += context_.membership.find(id)->memory_limit;
    room.replicas = std::min(room.replicas + 1, cluster.replicas);
  }
  return room;
}

void Job::declare_tables() {
  errands_.clear();
  DeclareTables declare;
  declare.tables = facts_.agreed->tables;
  declare.num_slots = stepped() ? facts_.num_partitions : 0;
  declare.combine_steps = options().config.train.consistency == Consistency::kSync;
  declare.fence = std::uint64_t{CAPSTAN_PLANTED(kTermsStartAnew) ? 0 : facts_.generation} << 32;
  declare.sketch_width = facts_.agreed->sketch_width;
  begin_proof_of_folder(declare);
  for (const Chain& chain : map_.chains()) {
    for (const NodeId server : chain) {
      if (errands_.find(server) == nullptr) errands_.add(server, next_request_id(), declare, kQuickErrand);
    }
  }
  send_errands();
}

// A folder that cannot be written to is told of at the first checkpoint: until then a disk may get room.
void Job::begin_proof_of_folder(DeclareTables& declare) {
  if (!keeps_checkpoints()) return;
  auto proof =
      begin_proof(context_.storage, options().config.checkpoint.path, facts_.generation, next_request_id());
  if (!proof.ok()) return context_.log.warn("{}", proof.error().message);
  proof_ = std::move(proof).value();
  declare.proof_path = proof_.path;
  declare.proof_text = proof_.text;
}

void Job::on_tables_ready(const Node& node, std::uint64_t request_id, const TablesReady& ready) {
  if (ended_ || !errands_.answered(node.id, request_id)) return;
  if (!ready.error.empty()) return finish(false, fmt::format("{} is not ready: {}", node.name, ready.error));
  const Status shared = check_answer(context_.storage, proof_, node.name, ready.wrote);
  if (!shared.ok()) return finish(false, "checkpoint.path: " + shared.error().message);
  if (errands_.idle()) after_declared();
}

void Job::after_declared() {
  if (!proof_.path.empty())
    remove_proofs(context_.storage, options().config.checkpoint.path, facts_.generation);
  proof_ = {};
  if (resume_.has_value()) {
    enter(JobState::kRestoring);
    restore_from(*resume_, resume_directory_);
  } else {
    carry_out();
  }
}

}  // namespace capstan
