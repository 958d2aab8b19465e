// EncryptedStorage: Storage over another one, whose files it encrypts.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/adapters/encrypted_frames.h"
#include "common/storage.h"

namespace capstan {

// Paths are those of the other storage with "encrypted:" in front. Sizes and ranges are those of the plain
// bytes; names of files are not hidden. As in an object store a file is whole once it is synced, and nothing
// can be appended after it. kRefused: there is no key, or a file was written with another. Thread-safe as the
// other storage is.
class EncryptedStorage final : public Storage {
 public:
  // `keys` is asked when one is needed. `base` outlives this.
  using Keys = std::function<Result<std::vector<FileKey>>()>;
  EncryptedStorage(Storage& base, Keys keys) : base_(base), ask_keys_(std::move(keys)) {}

  // That there is a key. kRefused says where it is looked for.
  Status check_key();

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

 private:
  // What a file's frames cannot be found without.
  struct Shape {
    EncryptedHead head;
    std::uint64_t size = 0;  // of the file as it is stored
  };

  Result<std::vector<FileKey>> keys();
  Result<FileKey> key_of(const EncryptedHead& head, const std::string& path);
  Result<Shape> look_at(const std::string& path);
  Result<Buffer> read_frames(const std::string& path, const Shape& shape, std::uint64_t offset,
                             std::uint64_t size);

  Storage& base_;
  Keys ask_keys_;
  std::mutex mutex_;
  std::vector<FileKey> keys_;            // guarded by mutex_
  std::map<std::string, Shape> shapes_;  // guarded by mutex_; of files read in ranges
};

}  // namespace capstan
