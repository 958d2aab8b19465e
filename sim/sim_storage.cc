#include "sim/sim_storage.h"

#include <spdlog/fmt/fmt.h>

namespace capstan {
namespace {

class SimFile final : public WritableFile {
 public:
  SimFile(EventQueue& queue, std::shared_ptr<SimDisk> disk, NodeIndex node, std::string path,
          SimDisk::FilePtr file)
      : queue_(queue),
        disk_(std::move(disk)),
        node_(node),
        life_(queue.life(node)),
        path_(std::move(path)),
        file_(std::move(file)) {}

  Status append(std::span<const std::byte> bytes) override {
    CAPSTAN_TRY(usable());
    return keep(disk_->append(node_, path_, *file_, bytes));
  }
  Status reserve(std::uint64_t bytes) override {
    CAPSTAN_TRY(usable());
    return disk_->reserve(path_, *file_, bytes);
  }
  Status sync() override {
    CAPSTAN_TRY(usable());
    return keep(disk_->sync(path_, *file_));
  }
  Status close() override {
    closed_ = true;
    return ok_status();
  }

 private:
  Status usable() const {
    if (closed_) return make_error(ErrorCode::kIo, fmt::format("{}: already closed", path_));
    if (failed_) return make_error(ErrorCode::kIo, fmt::format("{}: an earlier write or sync failed", path_));
    if (queue_.life(node_) == life_) return ok_status();
    return make_error(ErrorCode::kIo, fmt::format("{}: opened before the node's crash", path_));
  }
  Status keep(Status status) {
    failed_ = !status.ok();
    return status;
  }

  EventQueue& queue_;
  std::shared_ptr<SimDisk> disk_;
  NodeIndex node_;
  std::uint64_t life_;
  std::string path_;
  SimDisk::FilePtr file_;
  bool closed_ = false, failed_ = false;
};

}  // namespace

Status SimStorage::usable() const {
  if (queue_.up(node_)) return ok_status();
  return make_error(ErrorCode::kIo, "this node is down");
}

Result<Buffer> SimStorage::read(const std::string& path) {
  CAPSTAN_TRY(usable());
  CAPSTAN_ASSIGN(const auto file, disk_->find(path));
  return disk_->read(path, file->bytes);
}

Result<Buffer> SimStorage::read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  CAPSTAN_TRY(usable());
  CAPSTAN_ASSIGN(const auto file, disk_->find(path));
  const std::uint64_t total = file->bytes.size();
  if (offset > total || size > total - offset) {
    return make_error(ErrorCode::kCorrupt, fmt::format("read {}: {} bytes at {} asked for, the file has {}",
                                                       path, size, offset, total));
  }
  return disk_->read(path, std::span<const std::byte>(file->bytes).subspan(offset, size));
}

Result<std::unique_ptr<WritableFile>> SimStorage::open(const std::string& path, bool truncate) {
  CAPSTAN_TRY(usable());
  CAPSTAN_ASSIGN(auto file, disk_->open(node_, path, truncate));
  return std::unique_ptr<WritableFile>(
      std::make_unique<SimFile>(queue_, disk_, node_, path, std::move(file)));
}

Result<std::unique_ptr<WritableFile>> SimStorage::create(const std::string& path) {
  return open(path, true);
}
Result<std::unique_ptr<WritableFile>> SimStorage::open_append(const std::string& path) {
  return open(path, false);
}

Status SimStorage::rename(const std::string& from, const std::string& to) {
  CAPSTAN_TRY(usable());
  return disk_->rename(node_, from, to);
}
Status SimStorage::remove(const std::string& path) {
  CAPSTAN_TRY(usable());
  return disk_->remove(node_, path);
}
Status SimStorage::create_dirs(const std::string& path) {
  CAPSTAN_TRY(usable());
  return disk_->create_dirs(path);
}
Status SimStorage::sync_dir(const std::string& path) {
  CAPSTAN_TRY(usable());
  return disk_->sync_dir(path);
}
Result<std::vector<std::string>> SimStorage::list(const std::string& path) {
  CAPSTAN_TRY(usable());
  return disk_->list(path);
}
Result<std::map<std::string, std::uint64_t>> SimStorage::sizes(const std::string& path) {
  CAPSTAN_TRY(usable());
  return disk_->sizes(path);
}
Result<bool> SimStorage::exists(const std::string& path) {
  CAPSTAN_TRY(usable());
  return disk_->exists(path);
}

}  // namespace capstan
