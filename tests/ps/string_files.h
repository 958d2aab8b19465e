// Files as strings that can be told to fail. A file is durable once it and its directory are synced.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/storage.h"

namespace capstan {

class StringFiles final : public Storage {
 public:
  Result<Buffer> read(const std::string& path) override {
    return Buffer::copy_of(std::string_view(files[path]));
  }
  Result<Buffer> read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) override {
    if (read_fails) return make_error(*read_fails, path + ": read failed");
    if (!files.contains(path)) return make_error(ErrorCode::kNotFound, path + ": no such file");
    if (offset + size > files[path].size()) return make_error(ErrorCode::kCorrupt, path + ": too short");
    return Buffer::copy_of(std::string_view(files[path]).substr(offset, size));
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    files[path].clear();
    return std::unique_ptr<WritableFile>(new File(*this, path));
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override { return create(path); }
  Status publish(const std::string& path, std::span<const std::byte> bytes) override {
    return publish_by_rename(*this, path, bytes);
  }
  Status rename(const std::string&, const std::string&) override { return ok_status(); }
  Status remove(const std::string&) override { return ok_status(); }
  Status create_dirs(const std::string& path) override {
    log += "mkdir " + path + "; ";
    return ok_status();
  }
  Status sync_dir(const std::string& path) override {
    log += "sync " + path + "; ";
    return ok_status();
  }
  Result<std::vector<std::string>> list(const std::string&) override { return std::vector<std::string>(); }
  Result<std::map<std::string, std::uint64_t>> sizes(const std::string&) override {
    return std::map<std::string, std::uint64_t>();
  }
  Result<bool> exists(const std::string& path) override { return files.contains(path); }

  std::map<std::string, std::string> files;
  std::string log;  // what was made durable, in order
  std::optional<ErrorCode> append_fails, sync_fails, read_fails;

 private:
  struct File final : WritableFile {
    File(StringFiles& owner, std::string name) : files(owner), path(std::move(name)) {}
    Status append(std::span<const std::byte> bytes) override {
      if (files.append_fails) return make_error(*files.append_fails, path + ": append failed");
      files.files[path].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return ok_status();
    }
    Status reserve(std::uint64_t) override { return ok_status(); }
    Status sync() override {
      if (files.sync_fails) return make_error(*files.sync_fails, path + ": sync failed");
      files.log += "sync " + path + "; ";
      return ok_status();
    }
    Status close() override { return ok_status(); }
    StringFiles& files;
    std::string path;
  };
};

}  // namespace capstan
