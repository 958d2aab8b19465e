#include "cli/offline_job.h"

#include <ostream>

namespace capstan {

Result<std::unique_ptr<OfflineJob>> open_offline(const JobConfig& job, const std::string& checkpoint) {
  auto offline = std::make_unique<OfflineJob>();
  const std::string path = checkpoint.empty() ? job.checkpoint.path : checkpoint;
  if (path.empty()) {
    return make_error(ErrorCode::kInvalid,
                      "the job keeps no checkpoints (checkpoint.path); name one with --checkpoint");
  }
  CAPSTAN_ASSIGN(CheckpointTables tables, CheckpointTables::open(offline->files, path));
  offline->tables = std::make_unique<CheckpointTables>(std::move(tables));
  CAPSTAN_ASSIGN(offline->program, ModelProgram::create(job));
  const Manifest& manifest = offline->tables->manifest();
  if (manifest.data_fingerprint != offline->program->info().data_fingerprint) {
    return make_error(ErrorCode::kInvalid,
                      offline->tables->directory() + " was trained on other data or data settings");
  }
  const auto& specs = offline->program->tables();
  for (std::size_t i = 0; i < specs.size(); ++i) {
    const std::string changed = i < manifest.tables.size() ? difference(manifest.tables[i], specs[i])
                                                           : "table " + specs[i].name + " is new";
    if (!changed.empty()) {
      return make_error(ErrorCode::kInvalid, offline->tables->directory() + " has another model: " + changed);
    }
  }
  return offline;
}

int complain(const Error& error, Console console) {
  console.err << "capstan: " << error.message << "\n";
  return error.code == ErrorCode::kInvalid ? kExitUsage : kExitFailed;
}

}  // namespace capstan
