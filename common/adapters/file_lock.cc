#include "common/adapters/file_lock.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace capstan {
namespace {

// "process 4711"
std::string holder_of(int descriptor) {
  char digits[16];
  const ssize_t size = ::pread(descriptor, digits, sizeof(digits), 0);
  std::string number(digits, size > 0 ? static_cast<std::size_t>(size) : 0);
  number.erase(std::min(number.find_first_not_of("0123456789"), number.size()));
  return number.empty() ? "another process" : "process " + number;
}

}  // namespace

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status FileLock::acquire(const std::string& path) {
  return lock(path, LOCK_EX);
}

Status FileLock::try_acquire(const std::string& path) {
  return lock(path, LOCK_EX | LOCK_NB);
}

Status FileLock::lock(const std::string& path, int operation) {
  const auto failed = [&] {
    return make_error(ErrorCode::kIo, fmt::format("lock {}: {}", path, std::strerror(errno)));
  };
  const int opened = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (opened < 0) return failed();
  int outcome = ::flock(opened, operation);
  while (outcome != 0 && errno == EINTR) outcome = ::flock(opened, operation);
  if (outcome != 0) {
    const Error error = errno == EWOULDBLOCK ? make_error(ErrorCode::kTaken,
                                                          fmt::format("{} holds {}", holder_of(opened), path))
                                             : failed();
    ::close(opened);
    return error;
  }
  descriptor_ = opened;
  const std::string number = fmt::format("{}\n", ::getpid());
  const bool written = ::ftruncate(opened, 0) == 0 && ::pwrite(opened, number.data(), number.size(), 0) > 0;
  return written ? ok_status() : Status(failed());
}

}  // namespace capstan
