#include "cli/offline_job.h"

#include <ostream>

#include "cli/journal_reader.h"
#include "common/config/fingerprint.h"
#include "common/config/load_job.h"

namespace capstan {

namespace {

// What rows are read by; how they were trained and began does not matter any more.
std::string row_difference(const TableSpec& before, TableSpec after) {
  after.init = before.init;
  after.optimizer = before.optimizer;
  after.min_count = before.min_count;
  after.max_rows = before.max_rows;
  after.ttl_seconds = before.ttl_seconds;
  return difference(before, after);
}

// The data that the checkpoint was trained on is not what the job prepares now.
std::string data_difference(const Manifest& manifest, const JobConfig& job) {
  const auto before = load_job_text(manifest.job_text, "the checkpoint's job");
  const std::string setting = before.ok() ? difference(before->config, job) : "";
  return setting.empty() ? "the contents of its files changed" : setting;
}

// The program, and whether the rows are of its tables.
Status prepare_program(OfflineJob& offline, const JobConfig& job) {
  CAPSTAN_ASSIGN(offline.program, ModelProgram::create(job));
  const CheckpointTables& tables = *offline.tables;
  const Manifest& manifest = tables.manifest();
  if (manifest.data_fingerprint != offline.program->info().data_fingerprint) {
    return make_error(ErrorCode::kInvalid,
                      tables.directory() + " was trained on other data: " + data_difference(manifest, job));
  }
  const auto& specs = offline.program->tables();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const std::string changed = i < manifest.tables.size() ? row_difference(manifest.tables[i], specs[i])
                                                           : "table " + specs[i].name + " is new";
    if (!changed.empty()) {
      return make_error(ErrorCode::kInvalid, tables.directory() + " has another model: " + changed);
    }
  }
  return ok_status();
}

}  // namespace

Result<std::unique_ptr<OfflineJob>> open_offline(const JobConfig& job, const std::string& checkpoint) {
  auto offline = std::make_unique<OfflineJob>();
  const std::string path = checkpoint.empty() ? job.checkpoint.path : checkpoint;
  if (path.empty()) {
    return make_error(ErrorCode::kInvalid,
                      "the job keeps no checkpoints (checkpoint.path); name one with --checkpoint");
  }
  // Of the job's own folder the journal says which run is the newest; a damaged manifest does not.
  std::uint32_t run_began = 0;
  if (checkpoint.empty()) {
    const auto journal = read_journal(job, offline->files);
    if (journal.ok()) run_began = newest_run(*journal);
  }
  CAPSTAN_ASSIGN(CheckpointTables tables, CheckpointTables::open(offline->files, path, run_began));
  offline->tables = std::make_unique<CheckpointTables>(std::move(tables));
  CAPSTAN_TRY(prepare_program(*offline, job));
  return offline;
}

Result<std::unique_ptr<OfflineJob>> open_offline_of(const std::string& checkpoint) {
  auto offline = std::make_unique<OfflineJob>();
  CAPSTAN_ASSIGN(CheckpointTables tables, CheckpointTables::open(offline->files, checkpoint));
  offline->tables = std::make_unique<CheckpointTables>(std::move(tables));
  CAPSTAN_ASSIGN(const LoadedJob job,
                 load_job_text(offline->tables->manifest().job_text, "the checkpoint's job"));
  CAPSTAN_TRY(prepare_program(*offline, job.config));
  return offline;
}

void say_notes(const CheckpointTables& tables, Console console) {
  for (const std::string& note : tables.notes()) console.err << "capstan: warning: " << note << "\n";
}

int complain(const Error& error, Console console) {
  console.err << "capstan: " << error.message << "\n";
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
}

}  // namespace capstan
