// Job: choosing the checkpoint to go on from, and another one when its files turn out damaged.
#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/config/fingerprint.h"
#include "common/config/load_job.h"
#include "common/text.h"
#include "scheduler/agreement.h"
#include "scheduler/job.h"

namespace capstan {

namespace {

std::string data_files(const DataConfig& data) {
  constexpr std::size_t kNamedMax = 10;
  std::vector<std::string> files;
  for (const auto* each : {&data.train, &data.valid, &data.test}) {
    files.insert(files.end(), each->begin(), each->end());
  }
  for (const auto* side : {&data.items, &data.users}) {
    if (!side->empty()) files.push_back(*side);
  }
  if (files.size() > kNamedMax) {
    const std::size_t more = files.size() - kNamedMax;
    files.resize(kNamedMax);
    files.push_back(fmt::format("{} more", more));
  }
  return join(files, ", ");
}

}  // namespace

// A run that begins anew beside the checkpoints of earlier ones says so: it will not go on from them.
Status Job::mention_earlier_checkpoints() {
  if (!keeps_checkpoints()) return ok_status();
  const std::string& path = options().config.checkpoint.path;
  CAPSTAN_ASSIGN(const std::vector<CheckpointName> names, list_checkpoints(context_.storage, path));
  if (names.empty()) return ok_status();
  last_checkpoint_ = names.back().checkpoint;
  context_.log.warn(
      "{} has {} checkpoints of earlier runs, the newest {}; this run begins anew, and --resume will not "
      "take "
      "them (--resume-from does)",
      path, names.size(), names.back().directory);
  return ok_status();
}

Status Job::find_checkpoint() {
  const std::string& path = options().config.checkpoint.path;
  if (path.empty()) return make_error(ErrorCode::kInvalid, "resuming needs checkpoint.path in the job file");
  FoundCheckpoint found;
  if (options().resume_from.empty()) {
    CAPSTAN_ASSIGN(found, newest_checkpoint(context_.storage, path, {.generation_min = run_began_}));
  } else {
    found.directory = options().resume_from;
    auto manifest = read_manifest(context_.storage, found.directory);
    if (!manifest.ok() && manifest.error().code == ErrorCode::kNotFound) {
      return make_error(
          ErrorCode::kNotFound,
          fmt::format("{} is no checkpoint: name a folder such as {}/ckpt-000001", found.directory, path));
    }
    CAPSTAN_ASSIGN(found.manifest, std::move(manifest));
  }
  for (const std::string& why : found.skipped) pass_over(why);
  CAPSTAN_ASSIGN(const std::vector<CheckpointName> names, list_checkpoints(context_.storage, path));
  if (!names.empty()) last_checkpoint_ = names.back().checkpoint;
  for (const CheckpointName& name : names) {
    auto each = read_manifest(context_.storage, name.directory);
    if (!each.ok() || (each->generation < run_began_ && name.directory != found.directory)) continue;
    facts_.checkpoints.push_back(fact_of(*each, name.directory));
    const bool chosen = options().evaluate_only && options().resume_from.empty() && each->best;
    if (chosen) found = FoundCheckpoint{name.directory, std::move(each).value(), {}};
  }
  CAPSTAN_TRY(adopt(std::move(found)));
  facts_.generation = std::max(facts_.generation, resume_->generation);
  if (run_began_ == 0) run_began_ = resume_->run;  // the journal is gone
  return ok_status();
}

void Job::pass_over(const std::string& why) {
  warn("passed over a checkpoint: " + why);
}

// Sets all that a checkpoint says about the work done. kInvalid when the job can no longer use it.
Status Job::adopt(FoundCheckpoint found) {
  if (const std::string why = cannot_use(found.manifest); !why.empty()) {
    return make_error(ErrorCode::kInvalid, fmt::format("cannot resume from {}: {}", found.directory, why));
  }
  facts_.passes = found.manifest.passes;
  kept_passes_ = static_cast<std::uint32_t>(facts_.passes.size());
  facts_.validations = found.manifest.validations;
  facts_.num_partitions =
      found.manifest.streams.empty() ? default_partitions() : found.manifest.num_partitions;
  resume_directory_ = found.directory;
  resume_ = std::move(found.manifest);
  return ok_status();
}

// A server found the files of the checkpoint damaged: the newest before it that does not need the damaged
// part is tried. What has been restored of the damaged one is replaced.
void Job::fall_back(const std::string& damage, const RestoreReply& reply) {
  errands_.clear();
  pass_over(damage);
  const std::uint64_t damaged = resume_->checkpoint;
  if (!reply.damaged_file.empty()) damaged_.insert({reply.damaged_file, reply.damaged_offset});
  std::erase_if(facts_.checkpoints, [&](const CheckpointFact& fact) {
    if (fact.checkpoint == damaged) return true;
    const auto manifest = read_manifest_alone(context_.storage, fact.directory);
    return manifest.ok() && !needs_damaged(*manifest, fact.directory, damaged_).empty();
  });
  auto older = newest_checkpoint(context_.storage, options().config.checkpoint.path,
                                 {.generation_min = run_began_, .below = damaged, .damaged = damaged_});
  if (!older.ok()) return finish(false, fmt::format("{}; {}", damage, older.error().message));
  for (const std::string& why : older->skipped) pass_over(why);
  if (take_up(std::move(older).value())) declare_tables();
}

// In the middle of a run: journals that the checkpoint is restored next. False: the job has ended.
bool Job::take_up(FoundCheckpoint found) {
  const auto give_up = [this](const std::string& why) {
    finish(false, why);
    return false;
  };
  if (const Status adopted = adopt(std::move(found)); !adopted.ok()) return give_up(adopted.error().message);
  TablesAgreed agreed = *facts_.agreed;
  if (const std::string why = cannot_hold(agreed); !why.empty()) return give_up(why);
  agreed.num_partitions = facts_.num_partitions;
  for (const JournalRecord& each : resume_records()) {
    if (!record(each)) return false;
  }
  if (!record(agreed)) return false;
  facts_.agreed = std::move(agreed);
  make_plan();
  enter(JobState::kPreparing);
  return true;
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
  std::string why = difference(before->config, config);
  if (!why.empty() || manifest.streams.empty()) return why;
  why = mid_pass_difference(before->config, manifest.num_partitions, config);
  return why.empty() ? "" : why + ", in the middle of a pass";
}

// Why the checkpoint's rows and cursors do not fit what the workers have prepared; empty: they do.
std::string Job::cannot_hold(const TablesAgreed& agreed) const {
  std::string why = table_difference(resume_->tables, agreed.tables);
  const bool same = resume_->data_fingerprint == agreed.data_fingerprint &&
                    resume_->train_examples == agreed.train_examples;
  if (why.empty() && !same) {
    why = fmt::format(
        "the settings of the data are the same, but the contents of one of its files or more changed ({}); "
        "{}",
        data_files(options().config.data),
        resume_->train_examples == agreed.train_examples
            ? fmt::format("there still are {} training examples", agreed.train_examples)
            : fmt::format("{} training examples became {}", resume_->train_examples, agreed.train_examples));
  }
  return why.empty() ? "" : fmt::format("cannot resume from {}: {}", resume_directory_, why);
}

// What a journal would hold if the work up to the checkpoint had been done under it.
std::vector<JournalRecord> Job::resume_records() const {
  std::vector<JournalRecord> records;
  records.emplace_back(
      StateReached{"restoring", static_cast<std::uint32_t>(facts_.passes.size()), resume_directory_});
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
  return records;
}

}  // namespace capstan
