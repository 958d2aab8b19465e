#include "common/adapters/secret_file.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "common/adapters/disk_files.h"

namespace capstan {
namespace {

Error io_error(const std::filesystem::path& path, int reason) {
  const ErrorCode code = reason == ENOENT   ? ErrorCode::kNotFound
                         : reason == EEXIST ? ErrorCode::kTaken
                                            : ErrorCode::kIo;
  return make_error(code, fmt::format("{}: {}", path.string(), std::strerror(reason)));
}

}  // namespace

Result<std::string> read_secret(const std::filesystem::path& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return io_error(path, errno);
  // A file of root's that a group may read is how Kubernetes gives a secret to a process.
  const mode_t too_much = about.st_uid == 0 ? S_IWGRP | S_IXGRP | S_IRWXO : S_IRWXG | S_IRWXO;
  if ((about.st_mode & too_much) != 0) {
    return make_error(ErrorCode::kInvalid,
                      fmt::format("{0}: others than its owner may read it: chmod 600 {0}", path.string()));
  }
  CAPSTAN_ASSIGN(const Buffer bytes, DiskFiles().read(path.string()));
  return std::string(bytes.text());
}

Status write_file(const std::filesystem::path& path, std::string_view text, mode_t mode, int flags) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, mode);
  if (file < 0) return io_error(path, errno);
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(file) == 0;
  const int reason = errno;
  ::close(file);
  return written ? ok_status() : Status(io_error(path, reason));
}

}  // namespace capstan
