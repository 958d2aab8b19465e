#include "worker/data/mapped_file.h"

#include <fcntl.h>
#include <spdlog/fmt/fmt.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace capstan {
namespace {

Error system_error(const std::string& path) {
  const int code = errno;
  return make_error(code == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                    fmt::format("{}: {}", path, std::strerror(code)));
}

}  // namespace

Result<Buffer> map_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(path);
  struct stat info {};
  if (::fstat(descriptor, &info) != 0) {
    const Error error = system_error(path);
    ::close(descriptor);
    return error;
  }
  if (!S_ISREG(info.st_mode)) {
    ::close(descriptor);
    return make_error(ErrorCode::kInvalid, fmt::format("{}: not a file", path));
  }
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size == 0) {
    ::close(descriptor);
    return Buffer();
  }
  void* start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
  const Error error = system_error(path);
  ::close(descriptor);
  if (start == MAP_FAILED) return error;
  auto owner = std::shared_ptr<std::byte>(static_cast<std::byte*>(start),
                                          [size](std::byte* bytes) { ::munmap(bytes, size); });
  return Buffer(std::move(owner), size);
}

}  // namespace capstan
