#include "common/adapters/any_storage.h"

#include <spdlog/fmt/fmt.h>

#include <cstdlib>
#include <utility>

#include "common/adapters/file_keys.h"
#include "common/object_path.h"

namespace capstan {
namespace {

std::string folder_from_environment() {
  const char* folder = std::getenv("CAPSTAN_KEYS");
  return folder == nullptr ? "" : folder;
}

Result<std::vector<FileKey>> file_keys(const std::string& keys_folder) {
  const std::string place = file_keys_place(keys_folder);
  if (!place.empty()) {
    auto keys = read_file_keys(place);
    if (keys.ok() || keys.error().code != ErrorCode::kNotFound) return keys;
  }
  return make_error(
      ErrorCode::kNotFound,
      fmt::format("an `encrypted:` path needs a key: {}`capstan keys new --role checkpoint` "
                  "makes one; CAPSTAN_CHECKPOINT_KEY=FILE says where it is, or --keys FOLDER of a node",
                  place.empty() ? "" : fmt::format("there is no {}; ", place)));
}

}  // namespace

AnyStorage::AnyStorage(S3Settings settings, const S3Limits& limits, std::string keys_folder)
    : keys_folder_(keys_folder.empty() ? folder_from_environment() : std::move(keys_folder)),
      encrypted_(
          std::make_shared<EncryptedStorage>(*this, [folder = keys_folder_] { return file_keys(folder); })),
      settings_(std::move(settings)),
      limits_(limits) {}

Result<std::shared_ptr<S3Storage>> AnyStorage::objects(const std::string& path) {
  CAPSTAN_ASSIGN(const ObjectPath object, parse_object_path(path));
  const std::lock_guard lock(mutex_);
  std::shared_ptr<S3Storage>& storage = objects_[object.endpoint];
  if (storage == nullptr) {
    S3Settings settings = settings_;
    if (!object.endpoint.empty()) settings.endpoint = object.endpoint;
    storage = std::make_shared<S3Storage>(settings, limits_);
  }
  return storage;
}

Result<std::shared_ptr<Storage>> AnyStorage::of(const std::string& path) {
  CAPSTAN_TRY(check_storage_path(path));
  if (is_encrypted_path(path)) return std::shared_ptr<Storage>(encrypted_);
  if (is_object_path(path)) {
    CAPSTAN_ASSIGN(std::shared_ptr<Storage> storage, objects(path));
    return storage;
  }
  return std::shared_ptr<Storage>(files_);
}

Status AnyStorage::prepare_destination(const std::string& path) {
  if (is_encrypted_path(path)) {
    CAPSTAN_TRY(encrypted_->check_key());
    return prepare_destination(std::string(stored_path(path)));
  }
  if (!is_object_path(path)) return ok_status();
  CAPSTAN_ASSIGN(const auto store, objects(path));
  CAPSTAN_TRY(store->check_writable(path));
  static_cast<void>(store->abandon_uploads(path).ok());  // not every store can list them
  return ok_status();
}

Result<Buffer> AnyStorage::read(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->read(path);
}

Result<Buffer> AnyStorage::read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->read_range(path, offset, size);
}

Result<std::unique_ptr<WritableFile>> AnyStorage::create(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->create(path);
}

Result<std::unique_ptr<WritableFile>> AnyStorage::open_append(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->open_append(path);
}

Status AnyStorage::publish(const std::string& path, std::span<const std::byte> bytes) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->publish(path, bytes);
}

Status AnyStorage::rename(const std::string& from, const std::string& to) {
  CAPSTAN_ASSIGN(const auto storage, of(is_object_path(to) || is_encrypted_path(to) ? to : from));
  return storage->rename(from, to);
}

Status AnyStorage::remove(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->remove(path);
}

Status AnyStorage::create_dirs(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->create_dirs(path);
}

Status AnyStorage::sync_dir(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->sync_dir(path);
}

Result<std::vector<std::string>> AnyStorage::list(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->list(path);
}

Result<std::map<std::string, std::uint64_t>> AnyStorage::sizes(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->sizes(path);
}

Result<bool> AnyStorage::exists(const std::string& path) {
  CAPSTAN_ASSIGN(const auto storage, of(path));
  return storage->exists(path);
}

}  // namespace capstan
