#include "common/adapters/s3_storage.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

namespace capstan {
namespace {

// Then parts double in size: a store takes 10,000 of them at most.
constexpr std::size_t kPartsOfOneSize = 1000;

// At most a part is held in memory. A small file is one request and never an upload in parts.
class S3File final : public WritableFile {
 public:
  S3File(std::shared_ptr<S3Client> client, ObjectPath object)
      : client_(std::move(client)), object_(std::move(object)) {}
  // Whoever drops a file may be a loop that must not wait.
  ~S3File() override {
    if (!upload_.empty()) client_->abort_later(object_, upload_);
  }

  Status append(std::span<const std::byte> bytes) override {
    CAPSTAN_TRY(usable());
    while (!bytes.empty()) {
      const std::size_t room = part_bytes() - waiting_.size();
      if (waiting_.empty() && bytes.size() >= room) {  // without a copy
        CAPSTAN_TRY(keep(upload(bytes.first(room))));
        bytes = bytes.subspan(room);
        continue;
      }
      const auto more = bytes.first(std::min(room, bytes.size()));
      waiting_.insert(waiting_.end(), more.begin(), more.end());
      bytes = bytes.subspan(more.size());
      if (waiting_.size() == part_bytes()) CAPSTAN_TRY(keep(upload_waiting()));
    }
    return ok_status();
  }

  Status reserve(std::uint64_t) override { return ok_status(); }

  Status sync() override {
    if (synced_) return ok_status();
    CAPSTAN_TRY(usable());
    return keep(finish());
  }

  Status close() override {
    give_up();
    closed_ = true;
    return ok_status();
  }

 private:
  Status usable() const {
    const char* why = failed_ ? "an earlier write failed" : closed_ ? "already closed" : nullptr;
    if (synced_) why = "an object is not written on once it is there";
    if (why == nullptr) return ok_status();
    return make_error(ErrorCode::kIo, fmt::format("{}: {}", object_.text(), why));
  }
  Status keep(Status status) {
    if (!status.ok()) {
      failed_ = true;
      give_up();
    }
    return status;
  }
  std::size_t part_bytes() const { return client_->limits().part_bytes << (etags_.size() / kPartsOfOneSize); }

  Status upload(std::span<const std::byte> bytes) {
    if (upload_.empty()) {
      CAPSTAN_ASSIGN(upload_, client_->begin_upload(object_));
    }
    CAPSTAN_ASSIGN(std::string etag, client_->upload_part(object_, upload_, etags_.size() + 1, bytes));
    etags_.push_back(std::move(etag));
    uploaded_ += bytes.size();
    return ok_status();
  }
  Status upload_waiting() {
    CAPSTAN_TRY(upload(waiting_));
    waiting_.clear();
    return ok_status();
  }
  Status finish() {
    if (upload_.empty()) {
      CAPSTAN_TRY(client_->put(object_, waiting_));
    } else {
      if (!waiting_.empty()) CAPSTAN_TRY(upload_waiting());
      CAPSTAN_TRY(client_->complete_upload(object_, upload_, etags_, uploaded_));
    }
    synced_ = true;
    upload_.clear();
    waiting_ = {};
    return ok_status();
  }
  void give_up() {
    if (!upload_.empty()) client_->abort_upload(object_, upload_);
    upload_.clear();
    waiting_ = {};
  }

  std::shared_ptr<S3Client> client_;
  ObjectPath object_;
  std::vector<std::byte> waiting_;  // for its part to be full
  std::string upload_;              // its name; empty: none is under way
  std::vector<std::string> etags_;
  std::uint64_t uploaded_ = 0;
  bool synced_ = false, failed_ = false, closed_ = false;
};

Error not_here(std::string_view what, const std::string& path) {
  return make_error(ErrorCode::kInvalid,
                    fmt::format("{} {}: an object store cannot do that; name a folder", what, path));
}

// What is right below a folder: objects with their sizes, and folders with none. Some tools make an object
// that is named like its folder: it is none of ours.
std::map<std::string, std::optional<std::uint64_t>> names_below(const ObjectPath& folder,
                                                                const S3Page& found) {
  const std::size_t skip = folder.key.empty() ? 0 : folder.key.size() + 1;
  std::map<std::string, std::optional<std::uint64_t>> names;
  for (const std::string& prefix : found.prefixes) {
    if (prefix.size() > skip + 1) names[prefix.substr(skip, prefix.size() - skip - 1)];
  }
  for (const S3Object& object : found.objects) {
    if (object.key.size() > skip && !object.key.ends_with('/')) names[object.key.substr(skip)] = object.size;
  }
  return names;
}

Error nothing_in(const std::string& path) {
  return make_error(ErrorCode::kNotFound, fmt::format("list {}: nothing is there", path));
}

}  // namespace

S3Storage::S3Storage(const S3Settings& settings, const S3Limits& limits)
    : client_(std::make_shared<S3Client>(settings, limits)) {}

Result<Buffer> S3Storage::read(const std::string& path) {
  CAPSTAN_ASSIGN(const ObjectPath object, parse_object_path(path));
  return client_->get(object);
}

Result<Buffer> S3Storage::read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  CAPSTAN_ASSIGN(const ObjectPath object, parse_object_path(path));
  return client_->get_range(object, offset, size);
}

Result<std::unique_ptr<WritableFile>> S3Storage::create(const std::string& path) {
  CAPSTAN_ASSIGN(ObjectPath object, parse_object_path(path));
  return std::unique_ptr<WritableFile>(std::make_unique<S3File>(client_, std::move(object)));
}

Result<std::unique_ptr<WritableFile>> S3Storage::open_append(const std::string& path) {
  return not_here("append to", path);
}

Status S3Storage::publish(const std::string& path, std::span<const std::byte> bytes) {
  CAPSTAN_ASSIGN(const ObjectPath object, parse_object_path(path));
  return client_->put(object, bytes);
}

Status S3Storage::rename(const std::string& from, const std::string&) {
  return not_here("rename", from);
}

Status S3Storage::remove(const std::string& path) {
  CAPSTAN_ASSIGN(const ObjectPath object, parse_object_path(path));
  CAPSTAN_ASSIGN(const S3Page below, client_->list(object, S3Client::Depth::kAll));
  std::vector<std::string> keys;
  for (const S3Object& each : below.objects) keys.push_back(each.key);
  const auto itself = client_->size_of(object);
  if (itself.ok()) keys.push_back(object.key);
  if (!itself.ok() && itself.error().code != ErrorCode::kNotFound) return itself.error();
  if (keys.empty()) return make_error(ErrorCode::kNotFound, fmt::format("remove {}: no such object", path));
  for (std::string& key : keys)
    CAPSTAN_TRY(client_->remove({.bucket = object.bucket, .key = std::move(key)}));
  return ok_status();
}

Status S3Storage::create_dirs(const std::string& path) {
  CAPSTAN_TRY(parse_object_path(path));
  return ok_status();
}

Status S3Storage::sync_dir(const std::string&) {
  return ok_status();
}

Result<std::vector<std::string>> S3Storage::list(const std::string& path) {
  CAPSTAN_ASSIGN(const ObjectPath folder, parse_object_path(path));
  CAPSTAN_ASSIGN(const S3Page found, client_->list(folder, S3Client::Depth::kOne));
  std::vector<std::string> names;
  for (const auto& [name, size] : names_below(folder, found)) names.push_back(name);
  if (names.empty()) return nothing_in(path);
  return names;
}

Result<std::map<std::string, std::uint64_t>> S3Storage::sizes(const std::string& path) {
  CAPSTAN_ASSIGN(const ObjectPath folder, parse_object_path(path));
  CAPSTAN_ASSIGN(const S3Page found, client_->list(folder, S3Client::Depth::kOne));
  const auto names = names_below(folder, found);
  if (names.empty()) return nothing_in(path);
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& [name, size] : names) {
    if (size.has_value()) sizes[name] = *size;
  }
  return sizes;
}

Result<bool> S3Storage::exists(const std::string& path) {
  CAPSTAN_ASSIGN(const ObjectPath object, parse_object_path(path));
  if (!object.key.empty()) {
    const auto size = client_->size_of(object);
    if (size.ok()) return true;
    if (size.error().code != ErrorCode::kNotFound) {
      const auto below = client_->any_below(object);  // its refusal has words, that of HEAD has none
      return below.ok() ? size.error() : below.error();
    }
  }
  return client_->any_below(object);
}

Status S3Storage::check_writable(const std::string& path) {
  CAPSTAN_ASSIGN(ObjectPath object, parse_object_path(path));
  const std::string token = fmt::format("{:08x}", std::random_device{}());
  object.key += fmt::format("{}write-check-{}", object.key.empty() ? "" : "/", token);
  CAPSTAN_TRY(client_->put(object, std::as_bytes(std::span(token))));
  const auto read = client_->get(object);
  CAPSTAN_TRY(client_->remove(object));
  if (!read.ok()) return read.error();
  if (read->text() == token) return ok_status();
  return make_error(ErrorCode::kRefused, fmt::format("{}: what is written there does not come back", path));
}

Status S3Storage::abandon_uploads(const std::string& path) {
  CAPSTAN_ASSIGN(const ObjectPath folder, parse_object_path(path));
  CAPSTAN_ASSIGN(const std::vector<S3Upload> uploads, client_->open_uploads(folder));
  for (const S3Upload& upload : uploads)
    client_->abort_upload({.bucket = folder.bucket, .key = upload.key}, upload.id);
  return ok_status();
}

}  // namespace capstan
