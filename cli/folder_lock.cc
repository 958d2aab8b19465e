#include "cli/folder_lock.h"

#include <spdlog/fmt/fmt.h>

#include <filesystem>
#include <thread>

namespace capstan {

Status lock_folder(FileLock& lock, const std::string& folder, const std::string& name,
                   std::chrono::milliseconds patience, const std::string& advice) {
  constexpr std::chrono::milliseconds kPoll{20};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return make_error(ErrorCode::kIo,
                      fmt::format("the folder {} cannot be made: {}. Name another one (checkpoint.path, "
                                  "work_dir), or let this user write there",
                                  folder, error.message()));
  }
  const std::string path = folder + "/" + name;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  Status locked = lock.try_acquire(path);
  while (!locked.ok() && locked.error().code == ErrorCode::kTaken &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kPoll);
    locked = lock.try_acquire(path);
  }
  if (locked.ok() || locked.error().code != ErrorCode::kTaken) return locked;
  return make_error(ErrorCode::kTaken,
                    fmt::format("{} is in use: {}. {}", folder, locked.error().message, advice));
}

Status lock_run(FileLock& lock, const std::string& work_dir) {
  constexpr std::chrono::seconds kPatience{1};  // for a run that was killed just now
  return lock_folder(
      lock, work_dir, "run.lock", kPatience,
      "Wait for that run or stop it, or give this one a folder of its own: --set work_dir=DIR");
}

}  // namespace capstan
