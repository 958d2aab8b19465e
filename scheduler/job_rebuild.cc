// Job: going on without a journal, from what the servers say and the last checkpoint of the same run. Their
// rows stay as they are; work is done again from the checkpoint's cursors, and shards acknowledge again what
// they hold.
#include <spdlog/fmt/fmt.h>

#include "scheduler/job.h"

namespace capstan {

// On an error this scheduler stops, and the servers keep their rows.
void Job::hear_of_shards(const Hello& hello, const MapUpdate& map) {
  if (!rebuild_.has_value() || ended_) return;
  if (const Status heard = rebuild_->hear(hello, map); !heard.ok()) return halt(heard.error());
  const std::string waits = rebuild_->waits_for();
  if (waits != waits_for_) context_.log.info("{}", waits);
  waits_for_ = waits;
  if (!rebuild_->complete()) return;
  const auto found = rebuild_->found();
  const auto lease = std::chrono::milliseconds(options().config.cluster.lease_ms);
  // A process that another one has the name of may only stand still, and lead by a lease of the last
  // scheduler's. Servers greet again until they are welcomed.
  if (found.ok() && found->loses_members && context_.loop.now() - facts_.started < lease) return;
  const Status rebuilt = found.ok() ? rebuild(*found) : Status(found.error());
  rebuild_.reset();
  if (!rebuilt.ok()) return halt(rebuilt.error());
}

Status Job::rebuild(const Rebuild::Found& found) {
  // Schedulers that no server was greeted by may have given out work, and shards may have it under their
  // terms.
  constexpr std::uint32_t kUnheard = 1000;
  facts_.generation = found.generation + kUnheard;
  run_began_ = found.run;
  goes_on_ = true;
  CAPSTAN_TRY(find_cursors());
  begin_generation();
  map_.apply(found.newest);
  const std::vector<ShardEntry> left = map_.changes(found.entries, facts_.generation);
  map_.apply(left);
  std::vector<JournalRecord> records = {RunBegun{run_began_}, GenerationRaised{facts_.generation}};
  std::vector<NodeGreeted> known = found.servers;
  known.insert(known.end(), found.others.begin(), found.others.end());
  for (const NodeGreeted& server : known) records.emplace_back(server);
  records.emplace_back(MapChanged{found.newest});
  if (!left.empty()) records.emplace_back(MapChanged{left});
  if (resume_.has_value()) {
    for (JournalRecord& record : resume_records()) records.push_back(std::move(record));
  }
  records.emplace_back(StateReached{std::string(kRebuiltState), 0, resume_directory_});
  CAPSTAN_TRY(context_.journal.begin(records));
  journal_begun_ = true;
  for (const NodeGreeted& server : known) take_in(server);
  rebuilt_sketch_width_ = found.sketch_width;
  context_.log.info("generation {}: rebuilt from {} servers, {}", facts_.generation, found.servers.size(),
                    resume_.has_value() ? "with the cursors of " + resume_directory_
                                        : "without a checkpoint: every batch is offered again");
  return ok_status();
}

// Nobody would be told of a journal that is passed over.
Status Job::begin_rebuild() {
  CAPSTAN_ASSIGN(const std::vector<JournalRecord> old, context_.journal.read(JournalLines::kKnown));
  if (tables_agreed(old)) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{} is there: --recover goes on from it. Without it (move it "
                                  "away) --rebuild asks the servers",
                                  context_.journal.place()));
  }
  rebuild_.emplace(options().config.cluster.num_shards, options().without);
  waits_for_ = rebuild_->waits_for();
  context_.log.info("{}", waits_for_);
  return ok_status();
}

// Of the newest checkpoint of the servers' own run, if there is one. No older one will do: shards forget the
// batches of passes that a published checkpoint knows as finished. Its rows are not needed, so nothing of
// them can be wrong.
Status Job::find_cursors() {
  if (!keeps_checkpoints()) return ok_status();
  CAPSTAN_ASSIGN(const std::vector<CheckpointName> names,
                 list_checkpoints(context_.storage, options().config.checkpoint.path));
  FoundCheckpoint newest;
  for (const CheckpointName& name : names) {
    CAPSTAN_ASSIGN(const bool published, is_published(context_.storage, name.directory));
    if (!published) continue;
    auto manifest = read_manifest_alone(context_.storage, name.directory);
    if (!manifest.ok()) return manifest.error().wrap("whose cursors are needed to rebuild");
    if (manifest->run != run_began_) continue;
    facts_.checkpoints.push_back(fact_of(*manifest, name.directory));
    newest = {name.directory, std::move(manifest).value(), {}};
  }
  return newest.directory.empty() ? ok_status() : adopt(std::move(newest));
}

// The scheduler died again before it gave out work.
void Job::recover_streams(const std::string& directory) {
  if (directory.empty()) return;
  auto manifest = read_manifest_alone(context_.storage, directory);
  if (!manifest.ok()) return finish(false, "cannot go on: " + manifest.error().message);
  resume_streams_ = std::move(manifest->streams);
}

// The rows are where they are; every entry is said anew under this generation.
void Job::keep_chains() {
  if (resume_.has_value()) resume_streams_ = std::move(resume_->streams);
  resume_.reset();
  std::set<std::uint32_t> all;
  for (std::uint32_t shard = 0; shard < map_.num_shards(); ++shard) all.insert(shard);
  if (!change_map(map_.entries(), all)) return;
  tell_map();
  declare_tables();
}

}  // namespace capstan
