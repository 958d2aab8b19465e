// Storage: files, the third of the three seams.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

// Bytes are durable only after sync(). After a failed sync the file's contents are unknown: never retry it.
// In an object store nobody sees the file before sync() is ok, and nothing can be appended after it; what was
// not synced is given up.
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
// disk is kNoSpace, an absent file kNotFound. An object store has no directories: a path is one when
// something lies below it. It has no rename and no appending either: these say kInvalid there.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual Result<Buffer> read(const std::string& path) = 0;
  // `size` bytes from `offset`; kCorrupt when the file is shorter.
  virtual Result<Buffer> read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) = 0;
  virtual Result<std::unique_ptr<WritableFile>> create(const std::string& path) = 0;  // truncates
  virtual Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) = 0;
  // Readers see all of `bytes` or what was there before, whatever dies meanwhile; durable on return. What is
  // no regular file, such as /dev/stdout, is written to as it is.
  virtual Status publish(const std::string& path, std::span<const std::byte> bytes) = 0;
  virtual Status rename(const std::string& from,
                        const std::string& to) = 0;    // atomic; durable after sync_dir
  virtual Status remove(const std::string& path) = 0;  // file or whole directory
  virtual Status create_dirs(const std::string& path) = 0;
  virtual Status sync_dir(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;  // names, sorted
  // Of the files in a directory, by name.
  virtual Result<std::map<std::string, std::uint64_t>> sizes(const std::string& path) = 0;
  virtual Result<bool> exists(const std::string& path) = 0;
};

// publish() where there is a rename: writes beside, syncs, renames over `path`, syncs the directory.
Status publish_by_rename(Storage& storage, const std::string& path, std::span<const std::byte> bytes);

// The storage did not answer, or does not accept us: this says nothing about its files. Disks never say so.
bool is_unreachable(const Error& error);

}  // namespace capstan
