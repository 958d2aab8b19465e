// S3Storage: Storage in an object store.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/adapters/s3_client.h"
#include "common/storage.h"

namespace capstan {

// Paths are s3://bucket/key. A file that is created goes up in parts while it is written and is seen once it
// is synced; publish() is one request. Thread-safe as long as two threads do not write one file.
class S3Storage final : public Storage {
 public:
  explicit S3Storage(const S3Settings& settings, const S3Limits& limits = {});

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

  // Writes a small object below `path`, reads it and removes it again: what is wrong with credentials, bucket
  // or clock is found before there is anything to lose.
  Status check_writable(const std::string& path);
  // Gives up the uploads below `path` that those who began them left behind. Nobody may be writing there.
  Status abandon_uploads(const std::string& path);

 private:
  std::shared_ptr<S3Client> client_;  // its files outlive this
};

}  // namespace capstan
