// Job: starting anew, from the journal, or from a checkpoint.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/config/fingerprint.h"
#include "common/config/load_job.h"
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
  const bool recovers = options().start == StartMode::kRecover && !old.empty() && !has_ended(old);
  std::vector<JournalRecord> records = recovers ? old : std::vector<JournalRecord>{};
  if (options().start == StartMode::kResume) {
    CAPSTAN_TRY(find_checkpoint());
    records = resume_records();
  }
  ++facts_.generation;
  work_ = WorkList(facts_.generation);
  last_request_id_ = std::uint64_t{facts_.generation} << 32;
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
  settings.keeps_checkpoints = keeps_checkpoints();
  for (const EvaluatePart& part : facts_.agreed->parts) {
    if (part.partitions == 0) continue;
    if (part.name == "valid") settings.has_valid = true;
    if (is_test(part)) settings.has_tests = true;
  }
  if (options().evaluate_only) {
    settings.passes = static_cast<std::uint32_t>(facts_.passes.size());
    settings.validate_every = 0;
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
    const auto kept = [&](bool best) {
      return std::any_of(
          facts_.checkpoints.begin(), facts_.checkpoints.end(),
          [&](const CheckpointFact& fact) { return fact.passes == pass.pass + 1 && fact.best == best; });
    };
    const PlanStep::Kind next = plan_->next().kind;
    if (next == PlanStep::Kind::kKeepBest && kept(true)) plan_->note_kept(true);
    if (next == PlanStep::Kind::kKeepLast && kept(false)) plan_->note_kept(true);
  }
  facts_.best_pass = plan_->best_pass();
}

// Goes on where the journal ends. Nodes are taken to be alive for one lease; those that are will greet again.
void Job::recover(const std::vector<JournalRecord>& records) {
  const Instant now = context_.loop.now();
  std::string state, resumed_from;
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
      if (state == "restoring") resumed_from = reached->text;
    } else if (const auto* finished = std::get_if<PassFinished>(&record)) {
      facts_.passes.push_back(*finished);
    } else if (const auto* validated = std::get_if<PassValidated>(&record)) {
      facts_.validations.push_back(*validated);
    } else if (const auto* begun = std::get_if<CutBegun>(&record)) {
      last_checkpoint_ = std::max(last_checkpoint_, begun->checkpoint);
    } else if (const auto* kept = std::get_if<CheckpointPublished>(&record)) {
      const std::string directory = checkpoint_directory(options().config.checkpoint.path, kept->checkpoint);
      if (read_manifest(context_.storage, directory).ok()) {
        facts_.checkpoints.push_back({kept->checkpoint, directory, kept->passes, kept->best, 0, 0});
      }
    }
  }
  context_.log.info("generation {}: going on from the journal, {}", facts_.generation,
                    state.empty() ? "before the first pass" : state);
  if (state == "restoring") load_again(resumed_from);
  if (ended_) return;
  if (map_.empty()) {
    facts_.agreed.reset();  // died in between: the workers' word is asked for again
    ready_.clear();
  }
  if (!facts_.agreed.has_value()) return;
  facts_.num_partitions = facts_.agreed->num_partitions;
  make_plan();
  if (state.empty() || state == "restoring") return declare_tables();
  facts_.resumed_from = resumed_from;
  facts_.pass = pass;
  step_ = plan_->next();
  if (step_.kind == PlanStep::Kind::kTrain && state == "running") {
    begin_pass(step_.pass);
    recover_work(records);
  } else {
    carry_out();
  }
}

// The scheduler died between finding a checkpoint and having it restored.
void Job::load_again(const std::string& directory) {
  auto manifest = read_manifest(context_.storage, directory);
  if (!manifest.ok()) return finish(false, fmt::format("cannot resume: {}", manifest.error().message));
  resume_directory_ = directory;
  resume_ = std::move(manifest).value();
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
    } else if (const auto* greeted = std::get_if<NodeGreeted>(&record)) {
      // Another process under that name: it holds nothing of what its forerunner was given.
      for (auto& [work, item] : items) {
        if (item.worker == greeted->id && !item.done) item.worker = 0;
      }
    }
  }
  std::multimap<std::uint64_t, const Item*> by_term;  // 0: not granted since a checkpoint
  for (const auto& [work, item] : items) {
    if (work.pass == facts_.pass) by_term.emplace(item.cursor.term, &item);
  }
  for (const auto& [term, item] : by_term) work_.recover(item->cursor, item->worker, item->done);
  if (work_.all_done()) end_pass();
}

// Chooses the checkpoint to go on from, and refuses one that the job can no longer use.
Status Job::find_checkpoint() {
  const std::string& path = options().config.checkpoint.path;
  if (path.empty()) return make_error(ErrorCode::kInvalid, "resuming needs checkpoint.path in the job file");
  FoundCheckpoint found;
  if (options().resume_from.empty()) {
    CAPSTAN_ASSIGN(found, newest_checkpoint(context_.storage, path));
  } else {
    found.directory = options().resume_from;
    CAPSTAN_ASSIGN(found.manifest, read_manifest(context_.storage, found.directory));
  }
  for (const std::string& why : found.skipped) {
    context_.log.warn("passed over a checkpoint: {}", why);
    facts_.warn("passed over a checkpoint: " + why);
  }
  CAPSTAN_ASSIGN(const std::vector<CheckpointName> names, list_checkpoints(context_.storage, path));
  for (const CheckpointName& name : names) {
    auto each = read_manifest(context_.storage, name.directory);
    if (!each.ok()) continue;
    const auto passes = static_cast<std::uint32_t>(each->passes.size());
    facts_.checkpoints.push_back({name.checkpoint, name.directory, passes, each->best, 0, 0});
    const bool chosen = options().evaluate_only && options().resume_from.empty() && each->best;
    if (chosen) found = FoundCheckpoint{name.directory, std::move(each).value(), {}};
  }
  if (const std::string why = cannot_use(found.manifest); !why.empty()) {
    return make_error(ErrorCode::kInvalid, fmt::format("cannot resume from {}: {}", found.directory, why));
  }
  facts_.generation = std::max(facts_.generation, found.manifest.generation);
  facts_.passes = found.manifest.passes;
  facts_.validations = found.manifest.validations;
  if (!found.manifest.streams.empty()) facts_.num_partitions = found.manifest.num_partitions;
  resume_directory_ = found.directory;
  resume_ = std::move(found.manifest);
  return ok_status();
}

std::string Job::cannot_use(const Manifest& manifest) const {
  const JobConfig& config = options().config;
  if (manifest.job != config.name) return fmt::format("it is of job {}", manifest.job);
  if (manifest.num_shards != config.cluster.num_shards) {
    return fmt::format("cluster.num_shards: {} became {}", manifest.num_shards, config.cluster.num_shards);
  }
  if (manifest.job_text == options().job_text) return "";
  const auto before = load_job_text(manifest.job_text, "the checkpoint's job");
  if (!before.ok()) return before.error().message;
  return difference(before->config, config);
}

// What a journal would hold if the work up to the checkpoint had been done under it.
std::vector<JournalRecord> Job::resume_records() const {
  std::vector<JournalRecord> records;
  for (const PassFinished& pass : facts_.passes) records.emplace_back(pass);
  for (const PassValidated& validated : facts_.validations) records.emplace_back(validated);
  for (const CheckpointFact& fact : facts_.checkpoints) {
    records.emplace_back(CheckpointPublished{fact.checkpoint, fact.passes, fact.best});
  }
  CutBegun cut{resume_->checkpoint, {}};
  for (const StreamState& stream : resume_->streams) cut.cursors.push_back(stream.cursor);
  records.emplace_back(std::move(cut));
  for (const StreamState& stream : resume_->streams) {
    if (stream.done) records.emplace_back(WorkFinished{stream.cursor, 0});
  }
  records.emplace_back(
      StateReached{"restoring", static_cast<std::uint32_t>(facts_.passes.size()), resume_directory_});
  return records;
}

}  // namespace capstan
