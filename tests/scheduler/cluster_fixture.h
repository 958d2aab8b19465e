// A Scheduler with everything around it in memory, and nodes that a test plays by hand: message in, messages
// out.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/wire/codec.h"
#include "scheduler/scheduler.h"

namespace capstan::testing {

class FakeLoop : public EventLoop {
 public:
  Instant now() const override { return now_; }
  TimerId call_after(Duration delay, std::function<void()> callback) override {
    timers_[{now_ + delay, ++last_}] = std::move(callback);
    return last_;
  }
  void cancel(TimerId timer) override {
    std::erase_if(timers_, [&](const auto& entry) { return entry.first.second == timer; });
  }
  void post(std::function<void()> callback) override { call_after(Duration(0), std::move(callback)); }

  void advance(Duration duration) {
    const Instant end = now_ + duration;
    while (!timers_.empty() && timers_.begin()->first.first <= end) {
      auto first = timers_.extract(timers_.begin());
      now_ = std::max(now_, first.key().first);
      first.mapped()();
    }
    now_ = end;
  }
  // As of a process that is stopped: time passes, and what was due comes after it.
  void stand_still(Duration duration) { now_ += duration; }

 private:
  Instant now_{};
  TimerId last_ = 0;
  std::map<std::pair<Instant, TimerId>, std::function<void()>> timers_;
};

class FakeTransport : public Transport {
 public:
  struct Sent {
    PeerId to;
    Message message;
    std::uint64_t request_id;
  };

  Result<std::string> bind(const std::string& endpoint) override { return endpoint; }
  Result<PeerId> connect(const std::string&) override { return PeerId{1}; }
  Status send(PeerId to, Frames frames) override {
    auto decoded = decode(frames);
    EXPECT_TRUE(decoded.ok());
    sent.push_back({to, std::move(decoded->message), decoded->request_id});
    return ok_status();
  }
  void close(PeerId peer) override { closed.push_back(peer); }
  void on_message(Handler handler) override { handler_ = std::move(handler); }
  void deliver(PeerId from, Frames frames) { handler_(from, std::move(frames)); }

  std::vector<Sent> sent;
  std::vector<PeerId> closed;

 private:
  Handler handler_;
};

// Files as strings; fail_with makes every write fail.
class FakeStorage : public Storage {
 public:
  Result<Buffer> read(const std::string& path) override {
    const auto found = files.find(path);
    if (found == files.end()) return make_error(ErrorCode::kNotFound, path);
    return Buffer::copy_of(std::string_view(found->second));
  }
  Result<Buffer> read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) override {
    CAPSTAN_ASSIGN(const Buffer all, read(path));
    if (offset + size > all.size()) return make_error(ErrorCode::kCorrupt, path + ": too short");
    return all.slice(offset, size);
  }
  Result<std::unique_ptr<WritableFile>> create(const std::string& path) override {
    if (!fail_with.empty()) return make_error(ErrorCode::kNoSpace, path + ": " + fail_with);
    files[path].clear();
    return std::unique_ptr<WritableFile>(new File(*this, path));
  }
  Result<std::unique_ptr<WritableFile>> open_append(const std::string& path) override {
    return std::unique_ptr<WritableFile>(new File(*this, path));
  }
  Status publish(const std::string& path, std::span<const std::byte> bytes) override {
    return publish_by_rename(*this, path, bytes);
  }
  Status rename(const std::string& from, const std::string& to) override {
    files[to] = files[from];
    files.erase(from);
    return ok_status();
  }
  Status remove(const std::string& path) override {
    std::erase_if(files,
                  [&](const auto& file) { return file.first == path || file.first.starts_with(path + "/"); });
    std::erase(directories, path);
    return ok_status();
  }
  Status create_dirs(const std::string& path) override {
    directories.push_back(path);
    return ok_status();
  }
  Status sync_dir(const std::string&) override { return ok_status(); }
  Result<std::vector<std::string>> list(const std::string& path) override {
    std::map<std::string, bool> names;
    const auto add = [&](const std::string& each) {
      if (each.starts_with(path + "/"))
        names[each.substr(path.size() + 1, each.find('/', path.size() + 1) - path.size() - 1)];
    };
    for (const auto& [name, bytes] : files) add(name);
    for (const std::string& name : directories) add(name);
    if (names.empty()) return make_error(ErrorCode::kNotFound, path);
    std::vector<std::string> sorted;
    for (const auto& [name, unused] : names) sorted.push_back(name);
    return sorted;
  }
  Result<std::map<std::string, std::uint64_t>> sizes(const std::string& path) override {
    std::map<std::string, std::uint64_t> sizes;
    for (const auto& [name, bytes] : files) {
      if (name.starts_with(path + "/")) sizes[name.substr(path.size() + 1)] = bytes.size();
    }
    return sizes;
  }
  Result<bool> exists(const std::string& path) override { return files.contains(path); }

  std::map<std::string, std::string> files;
  std::vector<std::string> directories;
  std::string fail_with;
  bool full = false;  // but for what was set aside

 private:
  struct File : WritableFile {
    File(FakeStorage& owner, std::string name) : storage(owner), path(std::move(name)) {}
    Status append(std::span<const std::byte> bytes) override {
      if (!storage.fail_with.empty()) return make_error(ErrorCode::kNoSpace, path + ": " + storage.fail_with);
      storage.files[path].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return ok_status();
    }
    Status reserve(std::uint64_t) override {
      return storage.full ? make_error(ErrorCode::kNoSpace, path + ": no room") : ok_status();
    }
    Status sync() override { return ok_status(); }
    Status close() override { return ok_status(); }
    FakeStorage& storage;
    std::string path;
  };
};

}  // namespace capstan::testing
