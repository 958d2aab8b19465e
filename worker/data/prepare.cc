#include "worker/data/prepare.h"

#include <spdlog/fmt/fmt.h>

#include <fstream>

#include "common/adapters/disk_files.h"
#include "common/adapters/file_lock.h"
#include "common/hash.h"
#include "worker/data/build.h"
#include "worker/data/cache.h"
#include "worker/data/fingerprint.h"

namespace capstan {
namespace {

// The bad lines as the job that prepared the data had them; absent when it asked for no reject file.
std::string rejects_in(const std::string& folder) {
  return folder + "/rejected.tsv";
}

// What is kept, with the reject file that this job asks for. It may only be written under the lock. Not ok:
// the data must be prepared anew.
Result<Dataset> reuse(const JobConfig& job, const std::string& folder, std::uint64_t fingerprint,
                      bool locked) {
  CAPSTAN_ASSIGN(Dataset data, map_prepared(folder, fingerprint));
  const std::string& wanted = job.data.reject_file;
  if (wanted.empty()) return data;
  DiskFiles files;
  CAPSTAN_ASSIGN(const Buffer kept, files.read(rejects_in(folder)));
  const auto there = files.read(wanted);
  if (there.ok() && there->text() == kept.text()) return data;
  // Written in place: it may be a device.
  if (!locked || !(std::ofstream(wanted, std::ios::binary) << kept.text()).flush()) {
    return make_error(ErrorCode::kIo, fmt::format("reject file {}: not written", wanted));
  }
  return data;
}

Status keep(Storage& storage, const std::string& folder, const std::string& reject_file,
            const Dataset& data) {
  if (!reject_file.empty()) {
    CAPSTAN_TRY(storage.create_dirs(folder));
    CAPSTAN_ASSIGN(const Buffer rejects, storage.read(reject_file));
    CAPSTAN_TRY(storage.publish(rejects_in(folder), rejects.bytes()));
  }
  return write_prepared(storage, folder, data);
}

Result<Dataset> prepare_as(const JobConfig& job, std::uint64_t fingerprint, const PrepareProgress& progress) {
  const auto report = [&](std::string_view stage, double done) {
    if (progress) progress(stage, done);
  };
  const std::string work_dir = job.work_dir.empty() ? ".capstan/" + job.name : job.work_dir;
  // What was prepared with more bad lines allowed is the same data, but its lines are to be counted again.
  const std::uint64_t name = combine(fingerprint, job.data.max_bad_lines);
  const std::string folder = fmt::format("{}/data/{:016x}", work_dir, name);
  auto kept = reuse(job, folder, fingerprint, false);
  if (kept.ok()) return kept;

  DiskFiles files;
  CAPSTAN_TRY(files.create_dirs(work_dir + "/data").wrap("work_dir"));
  report("wait for another process that prepares", 0.0);
  FileLock lock;
  CAPSTAN_TRY(lock.acquire(folder + ".lock"));
  kept = reuse(job, folder, fingerprint, true);
  if (kept.ok()) return kept;

  CAPSTAN_ASSIGN(Dataset data, build_dataset(job, progress));
  data.fingerprint = fingerprint;
  report("write", 0.9);
  if (const Status written = keep(files, folder, job.data.reject_file, data); !written.ok()) {
    // A full disk costs the other processes their short cut, not the job its data.
    data.summary += "\nnot kept for other processes: " + written.error().message;
    return data;
  }
  return map_prepared(folder, fingerprint);
}

}  // namespace

Result<Dataset> prepare(const JobConfig& job, const PrepareProgress& progress) {
  if (progress) progress("fingerprint", 0.0);
  CAPSTAN_ASSIGN(const DataFingerprints prints, fingerprints_of(job));
  CAPSTAN_ASSIGN(Dataset data, prepare_as(job, prints.prepared, progress));
  data.rows_fingerprint = prints.rows;
  return data;
}

}  // namespace capstan
