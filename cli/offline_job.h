// A job's program and its checkpoint, opened together for commands that need no cluster.
#pragma once

#include <memory>
#include <string>

#include "cli/checkpoint_tables.h"
#include "cli/job_option.h"
#include "common/adapters/any_storage.h"
#include "worker/program/model_program.h"

namespace capstan {

struct OfflineJob {
  AnyStorage files;
  std::unique_ptr<ModelProgram> program;
  std::unique_ptr<CheckpointTables> tables;
};

// checkpoint: a path; empty: the job's checkpoint.path. kInvalid when the checkpoint is of other tables or
// data.
Result<std::unique_ptr<OfflineJob>> open_offline(const JobConfig& job, const std::string& checkpoint);

// The job that the checkpoint itself holds. Its data must still be there.
Result<std::unique_ptr<OfflineJob>> open_offline_of(const std::string& checkpoint);

// Says which checkpoints were passed over for this one, and why.
void say_notes(const CheckpointTables& tables, Console console);

// Prints the error as every command does, and gives its exit code.
int complain(const Error& error, Console console);

}  // namespace capstan
