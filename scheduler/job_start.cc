// Job: starting anew, from the journal, or from a checkpoint.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "scheduler/agreement.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

constexpr std::uint32_t kPartitionsPerWorker = 4;  // async: so that a lost worker's part is small

std::uint32_t last_generation(const std::vector<JournalRecord>& records) {
  std::uint32_t generation = 0;
  for (const JournalRecord& record : records) {
    if (const auto* raised = std::get_if<GenerationRaised>(&record)) {
      generation = std::max(generation, raised->generation);
    }
  }
  return generation;
}

bool has_ended(const std::vector<JournalRecord>& records) {
  for (auto record = records.rbegin(); record != records.rend(); ++record) {
    if (const auto* reached = std::get_if<StateReached>(&*record)) {
      return reached->state == "done" || reached->state == "failed";
    }
  }
  return false;
}

}  // namespace

Status Job::start() {
  const ClusterConfig& cluster = options().config.cluster;
  map_ = MapLedger(cluster.num_shards);
  facts_.num_partitions = default_partitions();
  return open_journal();
}

std::uint32_t Job::default_partitions() const {
  const TrainConfig& train = options().config.train;
  if (train.partitions > 0) return train.partitions;
  return std::max(options().config.cluster.workers, 1U) * (stepped() ? 1 : kPartitionsPerWorker);
}

Status Job::open_journal() {
  const std::string path =
      options().journal_path.empty() ? options().config.work_dir + "/journal" : options().journal_path;
  CAPSTAN_ASSIGN(const std::vector<JournalRecord> old, Journal::read(context_.storage, path));
  facts_.generation = last_generation(old);
  if (options().start == StartMode::kResume) CAPSTAN_TRY(load_checkpoint());
  ++facts_.generation;
  work_ = WorkList(facts_.generation);
  last_request_id_ = std::uint64_t{facts_.generation} << 32;
  const bool recovers = options().start == StartMode::kRecover && !old.empty() && !has_ended(old);
  std::vector<JournalRecord> records = recovers ? old : std::vector<JournalRecord>{};
  records.emplace_back(GenerationRaised{facts_.generation});
  CAPSTAN_ASSIGN(journal_, Journal::start(context_.storage, path, records));
  if (recovers) recover(old);
  return ok_status();
}

void Job::make_plan() {
  const JobConfig& config = options().config;
  PlanSettings settings;
  settings.passes = config.train.passes;
  settings.validate_every = config.evaluate.every_passes;
  settings.patience = config.train.early_stop_patience;
  settings.keeps_checkpoints = !config.checkpoint.path.empty();
  for (const EvaluatePart& part : facts_.agreed->parts) {
    if (part.partitions == 0) continue;
    (part.name == "valid" ? settings.has_valid : settings.has_tests) = true;
  }
  if (settings.validate_every > 0 && !settings.has_valid) {
    facts_.warn("evaluate.every_passes is set, but the data has no validation part");
  }
  if (settings.patience > 0 && !settings.keeps_checkpoints) {
    facts_.warn("early stopping without checkpoint.path: the last pass is evaluated, not the best");
  }
  plan_.emplace(settings);
  for (const PassFinished& pass : facts_.passes) {
    plan_->note_pass(pass.pass);
    for (const PassValidated& validated : facts_.validations) {
      if (validated.pass == pass.pass) plan_->note_validated(validated.pass, validated.better);
    }
    for (const CheckpointFact& fact : facts_.checkpoints) {
      if (fact.passes == pass.pass + 1 && fact.best) plan_->note_kept(true);
    }
  }
}

// Goes on where the journal ends. Nodes are taken to be alive for one lease; those that are will greet again.
void Job::recover(const std::vector<JournalRecord>& records) {
  const Instant now = context_.loop.now();
  std::string state;
  std::uint32_t pass = 0;
  for (const JournalRecord& record : records) {
    if (const auto* greeted = std::get_if<NodeGreeted>(&record)) {
      Node node;
      node.id = greeted->id;
      node.role = greeted->role;
      node.name = greeted->name;
      node.endpoint = greeted->endpoint;
      node.host = greeted->host;
      node.incarnation = greeted->incarnation;
      node.memory_limit = greeted->memory_limit;
      if (node.role == Role::kServer) map_.set_address({node.id, node.name, node.endpoint});
      context_.membership.recover(std::move(node), now);
    } else if (const auto* ready = std::get_if<NodeReady>(&record)) {
      ready_[ready->id] = ready->incarnation;
    } else if (const auto* agreed = std::get_if<TablesAgreed>(&record)) {
      facts_.agreed = *agreed;
    } else if (const auto* changed = std::get_if<MapChanged>(&record)) {
      map_.apply(changed->shards);
    } else if (const auto* reached = std::get_if<StateReached>(&record)) {
      state = reached->state;
      pass = reached->pass;
    } else if (const auto* finished = std::get_if<PassFinished>(&record)) {
      facts_.passes.push_back(*finished);
    } else if (const auto* validated = std::get_if<PassValidated>(&record)) {
      facts_.validations.push_back(*validated);
    } else if (const auto* kept = std::get_if<CheckpointPublished>(&record)) {
      const std::string directory = checkpoint_directory(options().config.checkpoint.path, kept->checkpoint);
      if (context_.storage.exists(directory + "/" + std::string(kManifestName)).ok()) {
        facts_.checkpoints.push_back({kept->checkpoint, directory, kept->passes, kept->best, 0, 0});
      }
    }
  }
  context_.log.info("generation {}: going on from the journal, {}", facts_.generation,
                    state.empty() ? "before the first pass" : state);
  if (!facts_.agreed.has_value()) return;
  if (map_.empty()) {
    facts_.agreed.reset();  // died in between: the workers' word is asked for again
    ready_.clear();
    return;
  }
  make_plan();
  if (state.empty()) return declare_tables();
  step_ = plan_->next();
  facts_.pass = pass;
  if (step_.kind == PlanStep::Kind::kTrain && state == "running") {
    begin_pass(step_.pass);
    recover_work(records);
  } else {
    carry_out();
  }
}

// The items of the running pass: those that are done, those that somebody held, and where the last cut found
// them.
void Job::recover_work(const std::vector<JournalRecord>& records) {
  struct Item {
    WorkCursor cursor;
    NodeId worker = 0;
    bool done = false;
  };
  std::map<WorkId, Item> items;
  for (const JournalRecord& record : records) {
    if (const auto* cut = std::get_if<CutBegun>(&record)) {
      for (const WorkCursor& cursor : cut->cursors) {
        Item& item = items[cursor.work];
        const std::uint64_t term = item.cursor.term;
        if (!item.done) item.cursor = cursor;
        item.cursor.term = term;
      }
    } else if (const auto* granted = std::get_if<WorkGranted>(&record)) {
      Item& item = items[granted->work];
      item.cursor.work = granted->work;
      item.cursor.term = granted->term;
      item.worker = granted->worker;
    } else if (const auto* finished = std::get_if<WorkFinished>(&record)) {
      items[finished->cursor.work] = {finished->cursor, finished->worker, true};
    }
  }
  for (const auto& [work, item] : items) {
    if (work.pass == facts_.pass) work_.recover(item.cursor, item.worker, item.done);
  }
  if (work_.all_done()) end_pass();
}

Status Job::load_checkpoint() {
  const std::string& path = options().config.checkpoint.path;
  if (path.empty()) return make_error(ErrorCode::kInvalid, "--resume needs checkpoint.path in the job file");
  CAPSTAN_ASSIGN(FoundCheckpoint found, newest_checkpoint(context_.storage, path));
  for (const std::string& why : found.skipped) {
    context_.log.warn("passed over a checkpoint: {}", why);
    facts_.warn("passed over a checkpoint: " + why);
  }
  Manifest& manifest = found.manifest;
  const auto refuse = [&](std::string_view why) {
    return make_error(ErrorCode::kInvalid, fmt::format("cannot resume from {}: {}", found.directory, why));
  };
  if (manifest.job != options().config.name) return refuse(fmt::format("it is of job {}", manifest.job));
  if (manifest.num_shards != options().config.cluster.num_shards) {
    return refuse(fmt::format("cluster.num_shards {} became {}", manifest.num_shards,
                              options().config.cluster.num_shards));
  }
  if (options().job_difference) {
    const std::string why = options().job_difference(manifest.job_text, options().job_text);
    if (!why.empty()) return refuse(why);
  }
  facts_.generation = std::max(facts_.generation, manifest.generation);
  facts_.passes = manifest.passes;
  facts_.validations = manifest.validations;
  if (!manifest.streams.empty()) facts_.num_partitions = manifest.num_partitions;
  CAPSTAN_ASSIGN(const std::vector<CheckpointName> names, list_checkpoints(context_.storage, path));
  for (const CheckpointName& name : names) {
    const auto each = read_manifest(context_.storage, name.directory);
    if (!each.ok()) continue;
    facts_.checkpoints.push_back(
        {name.checkpoint, name.directory, static_cast<std::uint32_t>(each->passes.size()), each->best, 0, 0});
  }
  resume_directory_ = found.directory;
  resume_ = std::move(manifest);
  return ok_status();
}

}  // namespace capstan
