// SimStorage: Storage of one node on a simulated disk, its own or one it shares with others.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/storage.h"
#include "sim/event_queue.h"
#include "sim/sim_disk.h"

namespace capstan {

// Takes no virtual time. While the node is down, and on files opened in an earlier life, every call is kIo.
class SimStorage final : public Storage {
 public:
  SimStorage(EventQueue& queue, std::shared_ptr<SimDisk> disk, NodeIndex node)
      : queue_(queue), disk_(std::move(disk)), node_(node) {}

  Result<Buffer> read(const std::string& path) override;
  Result<Buffer> read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) override;
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override;
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override;
  Status publish(const std::string& path, std::span<const std::byte> bytes) override {
    return publish_by_rename(*this, path, bytes);
  }
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status create_dirs(const std::string& path) override;
  Status sync_dir(const std::string& path) override;
  Result<std::vector<std::string>> list(const std::string& path) override;
  Result<std::map<std::string, std::uint64_t>> sizes(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;

  SimDisk& disk() { return *disk_; }

 private:
  Status usable() const;
  Result<std::unique_ptr<WritableFile>> open(const std::string& path, bool truncate);

  EventQueue& queue_;
  std::shared_ptr<SimDisk> disk_;
  NodeIndex node_;
};

}  // namespace capstan
