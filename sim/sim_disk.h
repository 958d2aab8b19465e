// SimDisk: a disk in memory that outlives its node's crashes and keeps no more than a real one promises.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"
#include "common/rng.h"
#include "sim/event_queue.h"
#include "sim/options.h"

namespace capstan {

// Durable are the bytes of a file up to its last sync, and the names of a directory up to its last sync_dir.
// create(), rename() and remove() change names only: a file that is created over another is a new one.
// Directories made by create_dirs are durable at once. Paths are taken apart at '/'; "a//b/" is "a/b".
class SimDisk {
 public:
  struct File {
    std::vector<std::byte> bytes;
    std::uint64_t reserved = 0;  // room behind them
    std::size_t synced = 0;      // this much of bytes survives a crash
    bool sync_failed = false;    // what was unsynced then never becomes durable, whatever later syncs say
    NodeIndex writer = kWorld;   // who wrote last
  };
  using FilePtr = std::shared_ptr<File>;

  SimDisk(const DiskOptions& options, Rng rng) : options_(options), rng_(rng) {}

  // Faults on demand. They concern only files whose path holds `part`; empty: all.
  void set_faulty_paths(std::string part) { faulty_part_ = std::move(part); }
  void fail_next_syncs(std::uint32_t count) { failing_syncs_ = count; }
  void fail_next_writes(std::uint32_t count) { failing_writes_ = count; }
  void rot_next_reads(std::uint32_t count) { rotten_reads_ = count; }  // one bit is not what was written
  std::uint32_t rotten_reads() const { return rotten_reads_; }         // to come
  void set_capacity(std::uint64_t bytes) { capacity_ = bytes; }
  void set_faults(bool on) { faults_ = on; }

  // `node` loses power: of what it had not made durable some first part of each file and of each directory's
  // changes survives, as the seed says; perhaps with zeros for the file's last bytes. What others did stays.
  void crash(NodeIndex node);

  // For SimStorage; errors as Storage says.
  Result<FilePtr> open(NodeIndex node, const std::string& path, bool truncate);
  Result<FilePtr> find(const std::string& path) const;
  // A copy, as good as the disk is.
  Buffer read(const std::string& path, std::span<const std::byte> bytes);
  Status append(NodeIndex node, const std::string& path, File& file, std::span<const std::byte> bytes);
  Status reserve(const std::string& path, File& file, std::uint64_t bytes) const;
  Status sync(const std::string& path, File& file);
  Status rename(NodeIndex node, const std::string& from, const std::string& to);
  Status remove(NodeIndex node, const std::string& path);
  Status create_dirs(const std::string& path);
  Status sync_dir(const std::string& path);
  Result<std::vector<std::string>> list(const std::string& path) const;
  Result<std::map<std::string, std::uint64_t>> sizes(const std::string& path) const;
  bool exists(const std::string& path) const;

 private:
  struct Names {
    std::map<std::string, FilePtr> files;
    std::set<std::string> dirs;
  };
  enum class ChangeKind { kLink, kRename, kRemove };
  struct Change {
    ChangeKind kind;
    std::string path, from;
    FilePtr file;
    NodeIndex writer;
  };

  bool faulty(const std::string& path) const { return path.find(faulty_part_) != std::string::npos; }
  void change(Change change);
  static void apply(Names& names, const Change& change);
  static bool is_dir(const Names& names, const std::string& path);
  void tear(File& file);
  std::uint64_t free_for(const std::string& path) const;

  DiskOptions options_;
  Rng rng_;
  bool faults_ = true;
  std::string faulty_part_;
  std::uint32_t failing_syncs_ = 0, failing_writes_ = 0, rotten_reads_ = 0;
  std::uint64_t capacity_ = ~std::uint64_t{0};
  Names current_, durable_;
  std::vector<Change> pending_;  // in current_, not yet in durable_
};

}  // namespace capstan
