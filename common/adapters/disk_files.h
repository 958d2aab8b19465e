// DiskFiles: Storage on the machine's file system.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/storage.h"

namespace capstan {

// Thread-safe as long as two threads do not write one file. create_dirs() is durable when it returns.
// remove() of what is not there is kNotFound. A file whose append() or sync() failed refuses everything but
// close() from then on.
class DiskFiles final : public Storage {
 public:
  Result<Buffer> read(const std::string& path) override;
  Result<Buffer> read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) override;
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override;
  Status publish(const std::string& path, std::span<const std::byte> bytes) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status create_dirs(const std::string& path) override;
  Status sync_dir(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::map<std::string, std::uint64_t>> sizes(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
};

}  // namespace capstan
