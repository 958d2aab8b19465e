#include "worker/data/file_lock.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace capstan {

FileLock::~FileLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Status FileLock::acquire(const std::string& path) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  int outcome = descriptor_ < 0 ? -1 : ::flock(descriptor_, LOCK_EX);
  while (descriptor_ >= 0 && outcome != 0 && errno == EINTR) outcome = ::flock(descriptor_, LOCK_EX);
  if (outcome == 0) return ok_status();
  return make_error(ErrorCode::kIo, fmt::format("lock {}: {}", path, std::strerror(errno)));
}

}  // namespace capstan
