#include "worker/data/prepare.h"

#include <spdlog/fmt/fmt.h>

#include "common/adapters/disk_files.h"
#include "worker/data/build.h"
#include "worker/data/cache.h"
#include "common/adapters/file_lock.h"
#include "worker/data/fingerprint.h"

namespace capstan {

Result<Dataset> prepare(const JobConfig& job, const PrepareProgress& progress) {
  const auto report = [&](std::string_view stage, double done) {
    if (progress) progress(stage, done);
  };
  report("fingerprint", 0.0);
  CAPSTAN_ASSIGN(const std::uint64_t fingerprint, fingerprint_of(job));
  const std::string work_dir = job.work_dir.empty() ? ".capstan/" + job.name : job.work_dir;
  const std::string folder = fmt::format("{}/data/{:016x}", work_dir, fingerprint);
  auto kept = map_prepared(folder, fingerprint);
  if (kept.ok()) return kept;

  DiskFiles files;
  CAPSTAN_TRY(files.create_dirs(work_dir + "/data").wrap("work_dir"));
  report("wait for another process that prepares", 0.0);
  FileLock lock;
  CAPSTAN_TRY(lock.acquire(folder + ".lock"));
  kept = map_prepared(folder, fingerprint);
  if (kept.ok()) return kept;

  CAPSTAN_ASSIGN(Dataset data, build_dataset(job, progress));
  data.fingerprint = fingerprint;
  report("write", 0.9);
  if (const Status written = write_prepared(files, folder, data); !written.ok()) {
    // A full disk costs the other processes their short cut, not the job its data.
    data.summary += "\nnot kept for other processes: " + written.error().message;
    return data;
  }
  return map_prepared(folder, fingerprint);
}

}  // namespace capstan
