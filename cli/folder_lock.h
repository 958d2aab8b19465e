// One run at a time in a folder: two that write the same journal or checkpoints would destroy both.
#pragma once

#include <chrono>
#include <string>

#include "common/adapters/file_lock.h"

namespace capstan {

// Whose scheduler writes a folder's checkpoints holds this in it.
inline constexpr const char* kCheckpointsLock = "checkpoints.lock";

// Makes the folder if need be and locks `name` in it for as long as `lock` lives. kTaken when another process
// has it for longer than `patience`: one that was told to end may take a moment. `advice` says what the user
// may do then.
Status lock_folder(FileLock& lock, const std::string& folder, const std::string& name,
                   std::chrono::milliseconds patience, const std::string& advice);

// A job's work_dir is one run's at a time, here or on several hosts.
Status lock_run(FileLock& lock, const std::string& work_dir);

}  // namespace capstan
