// Job: starting anew, from the journal, or from a checkpoint.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/planted_bugs.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

constexpr std::uint32_t kPartitionsPerWorker = 4;  // async: so that a lost worker's part is small

std::uint32_t newest_generation(const std::vector<JournalRecord>& records) {
  std::uint32_t generation = 0;
  for (const JournalRecord& record : records) {
    if (const auto* raised = std::get_if<GenerationRaised>(&record))
      generation = std::max(generation, raised->generation);
  }
  return generation;
}

const StateReached* newest_state(const std::vector<JournalRecord>& records) {
  const StateReached* newest = nullptr;
  for (const JournalRecord& record : records) {
    if (const auto* reached = std::get_if<StateReached>(&record)) newest = reached;
  }
  return newest;
}

// What it knew of the tables is not in the journal before the workers have spoken.
bool broke_off_rebuilding(const std::vector<JournalRecord>& records) {
  const StateReached* state = newest_state(records);
  return state != nullptr && state->state == kRebuiltState && !tables_agreed(records);
}

}  // namespace

Status Job::start() {
  const ClusterConfig& cluster = options().config.cluster;
  map_ = MapLedger(cluster.num_shards);
  loads_ = ShardLoads(cluster.num_shards);
  facts_.num_partitions = default_partitions();
  return options().start == StartMode::kRebuild ? begin_rebuild() : open_journal();
}

std::uint32_t Job::default_partitions() const {
  const TrainConfig& train = options().config.train;
  if (train.partitions > 0) return train.partitions;
  return std::max(options().config.cluster.workers, 1U) * (stepped() ? 1 : kPartitionsPerWorker);
}

Status Job::open_journal() {
  // A run that does not go on from the journal needs its generation only, whichever version wrote it.
  const auto lines = options().start == StartMode::kRecover ? JournalLines::kAll : JournalLines::kKnown;
  CAPSTAN_ASSIGN(const std::vector<JournalRecord> old, context_.journal.read(lines));
  facts_.generation = newest_generation(old);
  run_began_ = newest_run(old);
  const StateReached* end = ended_state(old);
  if (options().start == StartMode::kRecover && end != nullptr) {
    return make_error(
        ErrorCode::kInvalid,
        fmt::format("{} says that the job has ended ({}: {}): start it without --recover to train "
                    "anew, or with --resume to go on from its last checkpoint",
                    context_.journal.place(), end->state, end->text));
  }
  if (options().start == StartMode::kRecover && broke_off_rebuilding(old)) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{} is of a scheduler that died while it was rebuilding: start it with "
                                  "--rebuild again",
                                  context_.journal.place()));
  }
  const bool recovers = options().start == StartMode::kRecover && newest_run(old) != 0;
  goes_on_ = options().start == StartMode::kResume;
  std::vector<JournalRecord> records = recovers ? old : std::vector<JournalRecord>{};
  if (options().start == StartMode::kResume) CAPSTAN_TRY(find_checkpoint());
  begin_generation();
  if (!recovers) {
    const bool goes_on = options().start == StartMode::kResume && options().resume_from.empty();
    if (!goes_on) run_began_ = facts_.generation;
    records.emplace_back(RunBegun{run_began_});
    if (options().start != StartMode::kResume) CAPSTAN_TRY(mention_earlier_checkpoints());
  }
  if (resume_.has_value()) {
    for (JournalRecord& record : resume_records()) records.push_back(std::move(record));
  }
  records.emplace_back(GenerationRaised{facts_.generation});
  CAPSTAN_TRY(context_.journal.begin(records));
  journal_begun_ = true;
  if (recovers) {
    recover(old);
  } else if (options().start != StartMode::kResume) {
    began_anew_ = true;
    before_ = old;
  }
  return ok_status();
}

// Nobody's terms or requests from before are taken for new ones; epochs follow the generation by themselves.
void Job::begin_generation() {
  ++facts_.generation;
  last_request_id_ = std::uint64_t{facts_.generation} << 32;
  work_ = WorkList(CAPSTAN_PLANTED(kTermsStartAnew) ? 0 : facts_.generation);
}

// The generation stays raised: some may have heard of it. In etcd the journal cannot begin twice. Where the
// disk does not take the former journal it is tried again: the one that lies there now would pass for a
// job's.
void Job::give_way(const std::string& node) {
  gives_way_to_ = node;
  const bool knows_run = newest_run(before_) != 0;
  std::string why = fmt::format("{} lives, and a scheduler of this job has welcomed it of which ", node);
  if (began_anew_ && options().journal == nullptr && map_.empty()) {
    std::vector<JournalRecord> before = before_;
    before.emplace_back(GenerationRaised{facts_.generation});
    if (const Status back = context_.journal.begin(before); !back.ok()) {
      return context_.log.error("put the former journal back: {}", back.error().message);
    }
  }
  why += knows_run ? fmt::format("{} tells. Go on beside the nodes that live with --recover",
                                 context_.journal.place())
                   : fmt::format(
                         "{} knows nothing: the journal is lost. Go on beside the nodes that live with "
                         "--rebuild",
                         context_.journal.place());
  halt(make_error(ErrorCode::kStale, why + ", or end them to begin anew"));
}

std::string Job::cannot_stop_early(const TablesAgreed& agreed) const {
  if (options().config.train.early_stop_patience == 0 || options().evaluate_only) return "";
  const bool validates = std::any_of(agreed.parts.begin(), agreed.parts.end(), [](const EvaluatePart& part) {
    return part.name == "valid" && part.partitions > 0;
  });
  if (validates) return "";
  return "train.early_stop_patience is set, but the split left no validation events (a share of a user's few "
         "events can be none): raise data.split.valid, or name data.valid";
}

void Job::make_plan() {
  const JobConfig& config = options().config;
  PlanSettings settings;
  settings.passes = is_direct() ? static_cast<std::uint32_t>(facts_.passes.size()) + 1 : config.train.passes;
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
  std::string state, resumed_from;
  std::uint32_t pass = 0;
  for (const JournalRecord& record : records) {
    if (const auto* greeted = std::get_if<NodeGreeted>(&record)) {
      if (replaces_server(*greeted)) restarted_.push_back(greeted->id);
      take_in(*greeted);
    } else if (const auto* drains = std::get_if<NodeDrains>(&record)) {
      draining_.insert(drains->id);
    } else if (const auto* ready = std::get_if<NodeReady>(&record)) {
      ready_[ready->id] = ready->incarnation;
    } else if (const auto* agreed = std::get_if<TablesAgreed>(&record)) {
      facts_.agreed = *agreed;
    } else if (const auto* changed = std::get_if<MapChanged>(&record)) {
      map_.apply(changed->shards);
      restarted_.clear();
    } else if (const auto* reached = std::get_if<StateReached>(&record)) {
      state = reached->state;
      pass = reached->pass;
      goes_on_ = goes_on_ || state == "restoring" || state == kRebuiltState;
      if (state == "restoring") {  // what follows is what the checkpoint knows
        kept_passes_ = 0;
        restarted_.clear();
        resumed_from = reached->text;
        facts_.passes.clear();
        facts_.validations.clear();
        facts_.checkpoints.clear();
      }
    } else if (const auto* finished = std::get_if<PassFinished>(&record)) {
      facts_.passes.push_back(*finished);
      if (state == "restoring") ++kept_passes_;
    } else if (const auto* validated = std::get_if<PassValidated>(&record)) {
      facts_.validations.push_back(*validated);
    } else if (std::holds_alternative<WorkSplit>(record)) {
      ++facts_.splits;
    } else if (const auto* begun = std::get_if<CutBegun>(&record)) {
      last_checkpoint_ = std::max(last_checkpoint_, begun->checkpoint);
    } else if (const auto* kept = std::get_if<CheckpointPublished>(&record)) {
      if (state != "restoring") kept_passes_ = kept->passes;
      static_cast<void>(recover_checkpoint(kept->checkpoint));
    }
  }
  for (const JournalRecord& each : records) direct_.take_in(each);
  recover_published(records);
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
  if (state == kRebuiltState) {
    recover_streams(resumed_from);
    return ended_ ? void() : keep_chains();
  }
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

// What its forerunner held is gone. The record of who takes its place comes next, if there was time to write
// it.
bool Job::replaces_server(const NodeGreeted& greeted) const {
  const Node* known = context_.membership.find(greeted.id);
  return known != nullptr && known->role == Role::kServer && known->incarnation != greeted.incarnation;
}

void Job::take_in(const NodeGreeted& greeted) {
  Node node;
  node.id = greeted.id;
  node.role = greeted.role;
  node.name = greeted.name;
  node.endpoint = greeted.endpoint;
  node.host = greeted.host;
  node.zone = greeted.zone;
  node.incarnation = greeted.incarnation;
  node.memory_limit = greeted.memory_limit;
  draining_.erase(node.id);
  if (node.role == Role::kServer) map_.set_address({node.id, node.name, node.endpoint, node.memory_limit});
  context_.membership.recover(std::move(node), context_.loop.now());
}

// False: it is not there any more.
bool Job::recover_checkpoint(std::uint64_t checkpoint) {
  const std::string directory = checkpoint_directory(options().config.checkpoint.path, checkpoint);
  const auto manifest = read_manifest(context_.storage, directory);
  if (!manifest.ok()) return false;
  facts_.checkpoints.push_back(fact_of(*manifest, directory));
  return true;
}

// The scheduler died between publishing its newest checkpoint and writing so: it is there, and none after it
// may take away what it needs.
void Job::recover_published(const std::vector<JournalRecord>& records) {
  if (!keeps_checkpoints()) return;
  std::uint64_t begun = 0;
  for (const JournalRecord& record : records) {
    if (const auto* cut = std::get_if<CutBegun>(&record)) begun = cut->checkpoint;
  }
  if (!facts_.checkpoints.empty() && facts_.checkpoints.back().checkpoint >= begun) return;
  if (!recover_checkpoint(begun)) return;
  const CheckpointFact& fact = facts_.checkpoints.back();
  kept_passes_ = fact.passes;
  static_cast<void>(record(CheckpointPublished{fact.checkpoint, fact.passes, fact.best}));
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
    WorkTotals before;
    NodeId worker = 0;
    bool done = false;
  };
  std::map<WorkId, Item> items;
  for (const JournalRecord& record : records) {
    if (const auto* reached = std::get_if<StateReached>(&record)) {
      if (reached->state == "restoring") items.clear();
    } else if (const auto* cut = std::get_if<CutBegun>(&record)) {
      for (const WorkCursor& cursor : cut->cursors) {
        Item& item = items[cursor.work];
        const std::uint64_t term = item.cursor.term;
        if (!item.done) item.cursor = cursor;
        item.cursor.term = term;
      }
    } else if (const auto* split = std::get_if<WorkSplit>(&record)) {
      Item& item = items[split->kept.work];
      if (!item.done) item.cursor = split->kept;
      items[split->rest.work].cursor = split->rest;
    } else if (const auto* granted = std::get_if<WorkGranted>(&record)) {
      items[granted->cursor.work] = {granted->cursor, totals_of(granted->cursor), granted->worker, false};
    } else if (const auto* finished = std::get_if<WorkFinished>(&record)) {
      Item& item = items[finished->cursor.work];
      item = {finished->cursor, item.before, finished->worker, true};
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
  for (const auto& [term, item] : by_term)
    work_.recover(item->cursor, item->before, item->worker, item->done);
  if (work_.all_done() && !is_direct()) end_pass();
}

}  // namespace capstan
