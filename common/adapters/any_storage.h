// AnyStorage: the one place where a path's scheme chooses between the machine's files and an object store,
// and whether what lies there is encrypted.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/adapters/disk_files.h"
#include "common/adapters/encrypted_storage.h"
#include "common/adapters/s3_settings.h"
#include "common/adapters/s3_storage.h"

namespace capstan {

// Thread-safe as DiskFiles and S3Storage are. Nothing of an object store is touched before its first path.
class AnyStorage final : public Storage {
 public:
  // keys_folder: where checkpoint.key is looked for unless CAPSTAN_CHECKPOINT_KEY names a file; empty: what
  // CAPSTAN_KEYS says.
  explicit AnyStorage(S3Settings settings = s3_settings_from_environment(), const S3Limits& limits = {},
                      std::string keys_folder = "");

  // Before a job begins that will write there: checks an object store, and clears up what a former job's
  // servers left half done; that there is a key for what is to be encrypted. Nothing to do for a folder.
  Status prepare_destination(const std::string& path);

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
  // REQUIRES: an object path.
  Result<std::shared_ptr<S3Storage>> objects(const std::string& path);
  Result<std::shared_ptr<Storage>> of(const std::string& path);

  std::string keys_folder_;
  std::shared_ptr<EncryptedStorage> encrypted_;  // over this
  std::shared_ptr<DiskFiles> files_ = std::make_shared<DiskFiles>();
  std::mutex mutex_;
  S3Settings settings_;
  S3Limits limits_;
  std::map<std::string, std::shared_ptr<S3Storage>> objects_;  // guarded by mutex_; by the paths' endpoint
};

}  // namespace capstan
