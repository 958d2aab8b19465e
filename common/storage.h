// Storage: files, the third of the three seams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

// Bytes are durable only after sync(). After a failed sync the file's contents are unknown: never retry it.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  virtual Status append(std::span<const std::byte> bytes) = 0;
  // Sets room aside behind the file's end: the next `bytes` that are appended will find it, however full the
  // disk is by then. kNoSpace when there is none; the file can be used as before. Does nothing where the file
  // system cannot promise it.
  virtual Status reserve(std::uint64_t bytes) = 0;
  virtual Status sync() = 0;
  virtual Status close() = 0;  // without sync
};

// Paths are '/'-separated. Thread-safe in production. Errors name the path and the system's reason; a full
// disk is kNoSpace, an absent file kNotFound.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual Result<Buffer> read(const std::string& path) = 0;
  // `size` bytes from `offset`; kCorrupt when the file is shorter.
  virtual Result<Buffer> read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) = 0;
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;  // truncates
  virtual Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) = 0;
  virtual Status rename(const std::string& from,
                        const std::string& to) = 0;    // atomic; durable after sync_dir
  virtual Status remove(const std::string& path) = 0;  // file or whole directory
  virtual Status create_dirs(const std::string& path) = 0;
  virtual Status sync_dir(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  // names, sorted
  virtual Result<bool> exists(const std::string& path) = 0;
  // Another file may take its place by a rename: a regular file, or nothing yet. Not a device, pipe or link.
  virtual Result<bool> replaceable(const std::string& path) = 0;
};

// Writes beside, syncs, renames over `path`, syncs the directory: readers see the old bytes or the new ones.
// What is no regular file, such as /dev/stdout, is written to as it is.
Status write_atomically(Storage& storage, const std::string& path, std::span<const std::byte> bytes);

}  // namespace capstan
