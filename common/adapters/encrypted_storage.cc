#include "common/adapters/encrypted_storage.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "common/object_path.h"

namespace capstan {
namespace {

constexpr std::uint64_t kWholeFrame = kFrameBytes + kFrameOverhead;

std::string below(const std::string& path) {
  return std::string(stored_path(path));
}

Error not_encrypted(const std::string& path) {
  return make_error(ErrorCode::kCorrupt,
                    fmt::format("{} is not encrypted: name it without `encrypted:`", below(path)));
}

// A frame is written once it is known whether it is the last.
class EncryptedFile final : public WritableFile {
 public:
  EncryptedFile(std::string path, const FileKey& key, std::unique_ptr<WritableFile> base)
      : path_(std::move(path)), key_(key), head_(new_encrypted_head(key)), base_(std::move(base)) {
    plain_.reserve(kFrameBytes);
  }

  Status append(std::span<const std::byte> bytes) override {
    if (whole_)
      return make_error(ErrorCode::kInvalid, path_ + ": an encrypted file takes nothing after its sync");
    while (!bytes.empty()) {
      if (plain_.size() == kFrameBytes) CAPSTAN_TRY(write_frame(false));
      const auto part = bytes.first(std::min(bytes.size(), kFrameBytes - plain_.size()));
      plain_.insert(plain_.end(), part.begin(), part.end());
      bytes = bytes.subspan(part.size());
    }
    return ok_status();
  }
  Status reserve(std::uint64_t bytes) override {
    return base_->reserve(bytes + (bytes / kFrameBytes + 2) * kFrameOverhead + kEncryptedHeadBytes);
  }
  Status sync() override {
    if (!whole_) CAPSTAN_TRY(write_frame(true));
    whole_ = true;
    return base_->sync();
  }
  Status close() override { return base_->close(); }

 private:
  Status write_frame(bool last) {
    if (index_ == 0) CAPSTAN_TRY(base_->append(to_bytes(head_)));
    frame_.resize(plain_.size() + kFrameOverhead);
    encrypt_frame(key_, head_, index_, last, plain_, frame_);
    CAPSTAN_TRY(base_->append(frame_));
    ++index_;
    plain_.clear();
    return ok_status();
  }

  std::string path_;
  FileKey key_;
  EncryptedHead head_;
  std::unique_ptr<WritableFile> base_;
  std::vector<std::byte> plain_, frame_;
  std::uint64_t index_ = 0;
  bool whole_ = false;
};

}  // namespace

Result<std::vector<FileKey>> EncryptedStorage::keys() {
  const std::lock_guard lock(mutex_);
  if (keys_.empty()) {
    auto keys = ask_keys_();
    if (!keys.ok()) return make_error(ErrorCode::kRefused, keys.error().message);
    keys_ = std::move(keys).value();
  }
  return keys_;
}

Status EncryptedStorage::check_key() {
  CAPSTAN_TRY(keys());
  return ok_status();
}

Result<FileKey> EncryptedStorage::key_of(const EncryptedHead& head, const std::string& path) {
  CAPSTAN_ASSIGN(const auto all, keys());
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const FileKey& key) { return id_of(key) == head.key_id; });
  if (found != all.end()) return *found;
  return make_error(ErrorCode::kRefused,
                    fmt::format("{}: encrypted with another key (number {:016x}); the keys here are for "
                                "other files: add the line of that key to the file of keys",
                                path, head.key_id));
}

Result<Buffer> EncryptedStorage::read(const std::string& path) {
  CAPSTAN_ASSIGN(const Buffer file, base_.read(below(path)));
  const auto head = read_encrypted_head(file.bytes());
  if (!head) return not_encrypted(path);
  CAPSTAN_ASSIGN(const FileKey key, key_of(*head, path));
  return decrypt_file(key, *head, file.bytes()).wrap(path);
}

Result<EncryptedStorage::Shape> EncryptedStorage::look_at(const std::string& path) {
  const std::string stored = below(path);
  const auto slash = stored.rfind('/');
  CAPSTAN_ASSIGN(const auto sizes, base_.sizes(slash == std::string::npos ? "." : stored.substr(0, slash)));
  const auto size = sizes.find(slash == std::string::npos ? stored : stored.substr(slash + 1));
  if (size == sizes.end()) return make_error(ErrorCode::kNotFound, fmt::format("no file {}", stored));
  CAPSTAN_ASSIGN(const Buffer bytes, base_.read_range(stored, 0, kEncryptedHeadBytes));
  const auto head = read_encrypted_head(bytes.bytes());
  if (!head) return not_encrypted(path);
  return Shape{*head, size->second};
}

Result<Buffer> EncryptedStorage::read_frames(const std::string& path, const Shape& shape,
                                             std::uint64_t offset, std::uint64_t size) {
  const std::uint64_t total = plain_size(shape.size).value_or(0);
  // Looked at before anything is allocated: the range may come from a damaged file.
  if (offset > total || size > total - offset) {
    return make_error(ErrorCode::kCorrupt, fmt::format("read {}: {} bytes at {} asked for, the file has {}",
                                                       path, size, offset, total));
  }
  if (size == 0) return Buffer();
  CAPSTAN_ASSIGN(const FileKey key, key_of(shape.head, path));
  const std::uint64_t first = offset / kFrameBytes, frames = (offset + size - 1) / kFrameBytes - first + 1;
  const std::uint64_t begin = kEncryptedHeadBytes + first * kWholeFrame;
  CAPSTAN_ASSIGN(const Buffer stored,
                 base_.read_range(below(path), begin, std::min(shape.size - begin, frames * kWholeFrame)));
  Buffer plain = Buffer::allocate(stored.size() - frames * kFrameOverhead);
  for (std::uint64_t i = 0; i < frames; ++i) {
    const auto left = stored.bytes().subspan(i * kWholeFrame);
    const auto frame = left.first(std::min<std::size_t>(left.size(), kWholeFrame));
    const std::size_t length = frame.size() - kFrameOverhead;
    if (!decrypt_frame(key, shape.head, first + i, frame, {plain.mutable_data() + i * kFrameBytes, length})) {
      const std::uint64_t at = (first + i) * kFrameBytes;
      return make_error(ErrorCode::kCorrupt,
                        fmt::format("{}: damaged in bytes {} to {} of what it holds", path, at, at + length));
    }
  }
  return plain.slice(offset - first * kFrameBytes, size);
}

Result<Buffer> EncryptedStorage::read_range(const std::string& path, std::uint64_t offset,
                                            std::uint64_t size) {
  std::unique_lock lock(mutex_);
  if (const auto known = shapes_.find(path); known != shapes_.end()) {
    const Shape shape = known->second;
    lock.unlock();
    auto read = read_frames(path, shape, offset, size);
    if (read.ok() || is_unreachable(read.error())) return read;
    lock.lock();  // another file may have taken its place
  }
  shapes_.erase(path);
  lock.unlock();
  CAPSTAN_ASSIGN(const Shape shape, look_at(path));
  auto read = read_frames(path, shape, offset, size);
  lock.lock();
  constexpr std::size_t kRemembered = 64;
  if (shapes_.size() >= kRemembered) shapes_.clear();
  if (read.ok()) shapes_[path] = shape;
  return read;
}

Result<std::unique_ptr<WritableFile>> EncryptedStorage::create(const std::string& path) {
  CAPSTAN_ASSIGN(const auto keys, this->keys());
  CAPSTAN_ASSIGN(auto file, base_.create(below(path)));
  return std::unique_ptr<WritableFile>(std::make_unique<EncryptedFile>(path, keys.front(), std::move(file)));
}

Result<std::unique_ptr<WritableFile>> EncryptedStorage::open_append(const std::string& path) {
  return make_error(ErrorCode::kInvalid, path + ": nothing can be appended to an encrypted file");
}

Status EncryptedStorage::publish(const std::string& path, std::span<const std::byte> bytes) {
  CAPSTAN_ASSIGN(const auto keys, this->keys());
  return base_.publish(below(path), encrypt_file(keys.front(), bytes).bytes());
}

Status EncryptedStorage::rename(const std::string& from, const std::string& to) {
  return base_.rename(below(from), below(to));
}

Status EncryptedStorage::remove(const std::string& path) {
  return base_.remove(below(path));
}

Status EncryptedStorage::create_dirs(const std::string& path) {
  return base_.create_dirs(below(path));
}

Status EncryptedStorage::sync_dir(const std::string& path) {
  return base_.sync_dir(below(path));
}

Result<std::vector<std::string>> EncryptedStorage::list(const std::string& path) {
  return base_.list(below(path));
}

Result<std::map<std::string, std::uint64_t>> EncryptedStorage::sizes(const std::string& path) {
  CAPSTAN_ASSIGN(auto sizes, base_.sizes(below(path)));
  for (auto& [name, size] : sizes) size = plain_size(size).value_or(0);
  return sizes;
}

Result<bool> EncryptedStorage::exists(const std::string& path) {
  return base_.exists(below(path));
}

}  // namespace capstan
