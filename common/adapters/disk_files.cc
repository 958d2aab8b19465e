#include "common/adapters/disk_files.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <system_error>

namespace capstan {
namespace {

namespace fs = std::filesystem;

Error disk_error(std::string_view attempted, const std::string& path, int reason) {
  ErrorCode code = ErrorCode::kIo;
  if (reason == ENOSPC || reason == EDQUOT || reason == EFBIG) code = ErrorCode::kNoSpace;
  if (reason == ENOENT) code = ErrorCode::kNotFound;
  return make_error(code, fmt::format("{} {}: {}", attempted, path, std::generic_category().message(reason)));
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  // 0 or the reason. The descriptor is gone either way.
  int close() { return ::close(std::exchange(fd_, -1)) == 0 ? 0 : errno; }

 private:
  int fd_;
};

Result<Descriptor> open_file(std::string_view attempted, const std::string& path, int flags) {
  constexpr mode_t kMode = 0666;  // less the umask, as everywhere
  while (true) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, kMode);
    if (fd >= 0) return Descriptor(fd);
    if (errno != EINTR) return disk_error(attempted, path, errno);
  }
}

// Fills `into` from `offset`; fewer bytes than asked when the file ends before.
Result<std::size_t> read_at(const Descriptor& file, const std::string& path, std::uint64_t offset,
                            std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    const ssize_t got =
        ::pread(file.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
    if (got == 0) break;
    if (got > 0) {
      done += static_cast<std::size_t>(got);
    } else if (errno != EINTR) {
      return disk_error("read", path, errno);
    }
  }
  return done;
}

Result<std::uint64_t> size_of(const Descriptor& file, const std::string& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return disk_error("read", path, errno);
  if (S_ISDIR(info.st_mode)) return disk_error("read", path, EISDIR);
  return static_cast<std::uint64_t>(info.st_size);
}

class DiskFile final : public WritableFile {
 public:
  DiskFile(std::string path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}

  Status append(std::span<const std::byte> bytes) override {
    CAPSTAN_TRY(usable());
    std::size_t done = 0;
    while (done < bytes.size()) {
      const ssize_t written = ::write(file_.get(), bytes.data() + done, bytes.size() - done);
      if (written >= 0) {
        done += static_cast<std::size_t>(written);
      } else if (errno != EINTR) {
        return fail("write", errno);
      }
    }
    return ok_status();
  }

  Status reserve(std::uint64_t bytes) override {
    CAPSTAN_TRY(usable());
    CAPSTAN_ASSIGN(const std::uint64_t size, size_of(file_, path_));
    int reason = 0;
    do {
      const int done =
          ::fallocate(file_.get(), FALLOC_FL_KEEP_SIZE, static_cast<off_t>(size), static_cast<off_t>(bytes));
      reason = done == 0 ? 0 : errno;
    } while (reason == EINTR);
    if (reason == 0 || reason == EOPNOTSUPP || reason == ENOSYS) return ok_status();
    return disk_error("set room aside behind", path_, reason);
  }

  Status sync() override {
    CAPSTAN_TRY(usable());
    if (::fdatasync(file_.get()) != 0) return fail("sync", errno);
    return ok_status();
  }

  Status close() override {
    if (!file_.open()) return ok_status();
    const int reason = file_.close();
    if (reason != 0) return disk_error("close", path_, reason);
    return ok_status();
  }

 private:
  Status usable() const {
    if (failed_) return make_error(ErrorCode::kIo, fmt::format("{}: an earlier write or sync failed", path_));
    if (!file_.open()) return make_error(ErrorCode::kIo, fmt::format("{}: already closed", path_));
    return ok_status();
  }
  Error fail(std::string_view attempted, int reason) {
    failed_ = true;
    return disk_error(attempted, path_, reason);
  }

  std::string path_;
  Descriptor file_;
  bool failed_ = false;
};

Result<std::unique_ptr<WritableFile>> open_writable(const std::string& path, int flags) {
  CAPSTAN_ASSIGN(auto file, open_file("create", path, O_WRONLY | O_CREAT | flags));
  return std::unique_ptr<WritableFile>(std::make_unique<DiskFile>(path, std::move(file)));
}

// Another file may take its place by a rename: a regular file, or nothing yet. Not a device, pipe or link.
Result<bool> may_be_replaced(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(path, error);
  if (status.type() == fs::file_type::not_found) return true;
  if (error) return disk_error("look at", path, error.value());
  return status.type() == fs::file_type::regular;
}

// By the first and the last byte of the range.
bool is_cached(const Descriptor& file, std::uint64_t offset, std::uint64_t size) {
  const auto is_here = [&](std::uint64_t at) {
    std::byte byte{};
    iovec into{&byte, 1};
    return ::preadv2(file.get(), &into, 1, static_cast<off_t>(at), RWF_NOWAIT) == 1;
  };
  return is_here(offset) && is_here(offset + size - 1);
}

// From the disk into the buffer, without the page cache: filling that costs as much processor time as the
// rows' way into a table. nullopt: not possible here, or it failed; the ordinary way will say why.
std::optional<Buffer> read_direct(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  constexpr std::uint64_t kAligned = 4096;
  const auto file = open_file("read", path, O_RDONLY | O_DIRECT);
  if (!file.ok()) return std::nullopt;
  const std::uint64_t before = offset % kAligned;
  const std::uint64_t length = (before + size + kAligned - 1) / kAligned * kAligned;
  Buffer pages = Buffer::allocate(length + kAligned);
  const std::uint64_t skipped =
      (kAligned - reinterpret_cast<std::uintptr_t>(pages.data()) % kAligned) % kAligned;
  const std::span<std::byte> into(pages.mutable_data() + skipped, length);
  for (std::uint64_t done = 0; done < before + size;) {
    const ssize_t got =
        ::pread(file->get(), into.data() + done, length - done, static_cast<off_t>(offset - before + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || (done + static_cast<std::uint64_t>(got) < before + size && got % kAligned != 0))
      return std::nullopt;
    done += static_cast<std::uint64_t>(got);
  }
  return pages.slice(skipped + before, size);
}

std::string parent_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

Result<Buffer> DiskFiles::read(const std::string& path) {
  CAPSTAN_ASSIGN(const auto file, open_file("read", path, O_RDONLY));
  CAPSTAN_ASSIGN(const auto size, size_of(file, path));
  Buffer buffer = Buffer::allocate(size);
  CAPSTAN_ASSIGN(const auto got, read_at(file, path, 0, {buffer.mutable_data(), buffer.size()}));
  return got == size ? buffer : buffer.slice(0, got);
}

Result<Buffer> DiskFiles::read_range(const std::string& path, std::uint64_t offset, std::uint64_t size) {
  CAPSTAN_ASSIGN(const auto file, open_file("read", path, O_RDONLY));
  CAPSTAN_ASSIGN(const auto total, size_of(file, path));
  // Looked at before anything is allocated: the range may come from a damaged file.
  if (offset > total || size > total - offset) {
    return make_error(ErrorCode::kCorrupt, fmt::format("read {}: {} bytes at {} asked for, the file has {}",
                                                       path, size, offset, total));
  }
  constexpr std::uint64_t kLarge = std::uint64_t{1} << 20;
  if (size >= kLarge && !is_cached(file, offset, size)) {
    if (auto direct = read_direct(path, offset, size); direct.has_value()) return *std::move(direct);
  }
  Buffer buffer = Buffer::allocate(size);
  CAPSTAN_ASSIGN(const auto got, read_at(file, path, offset, {buffer.mutable_data(), buffer.size()}));
  if (got != size) return make_error(ErrorCode::kCorrupt, fmt::format("read {}: it shrank meanwhile", path));
  return buffer;
}

Result<std::unique_ptr<WritableFile>> DiskFiles::create(const std::string& path) {
  return open_writable(path, O_TRUNC);
}

Result<std::unique_ptr<WritableFile>> DiskFiles::open_append(const std::string& path) {
  return open_writable(path, O_APPEND);
}

Status DiskFiles::publish(const std::string& path, std::span<const std::byte> bytes) {
  CAPSTAN_ASSIGN(const bool replaceable, may_be_replaced(path));
  if (replaceable) return publish_by_rename(*this, path, bytes);
  CAPSTAN_ASSIGN(auto file, create(path));
  CAPSTAN_TRY(file->append(bytes));
  return file->close();
}

Status DiskFiles::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) == 0) return ok_status();
  return disk_error("rename", fmt::format("{} to {}", from, to), errno);
}

Status DiskFiles::remove(const std::string& path) {
  std::error_code error;
  const auto removed = fs::remove_all(path, error);
  if (error) return disk_error("remove", path, error.value());
  if (removed == 0) return disk_error("remove", path, ENOENT);
  return ok_status();
}

Status DiskFiles::create_dirs(const std::string& path) {
  std::error_code error;
  if (path.empty() || fs::is_directory(path, error)) return ok_status();
  const std::string parent = parent_of(path);
  if (parent != path) CAPSTAN_TRY(create_dirs(parent));
  if (::mkdir(path.c_str(), 0777) != 0 && errno != EEXIST) return disk_error("create directory", path, errno);
  if (!fs::is_directory(path, error)) return disk_error("create directory", path, ENOTDIR);
  return sync_dir(parent);
}

Status DiskFiles::sync_dir(const std::string& path) {
  CAPSTAN_ASSIGN(const auto directory, open_file("sync directory", path, O_RDONLY | O_DIRECTORY));
  if (::fsync(directory.get()) != 0) return disk_error("sync directory", path, errno);
  return ok_status();
}

Result<std::vector<std::string>> DiskFiles::list(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  fs::directory_iterator entry(path, error);
  while (!error && entry != fs::directory_iterator()) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  if (error) return disk_error("list", path, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::map<std::string, std::uint64_t>> DiskFiles::sizes(const std::string& path) {
  std::error_code error;
  std::map<std::string, std::uint64_t> sizes;
  fs::directory_iterator entry(path, error);
  while (!error && entry != fs::directory_iterator()) {
    if (entry->is_regular_file(error)) sizes[entry->path().filename().string()] = entry->file_size(error);
    if (!error) entry.increment(error);
  }
  if (error) return disk_error("list", path, error.value());
  return sizes;
}

Result<bool> DiskFiles::exists(const std::string& path) {
  std::error_code error;
  const bool found = fs::exists(path, error);
  if (error) return disk_error("look at", path, error.value());
  return found;
}

}  // namespace capstan
