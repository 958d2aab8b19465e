// An advisory lock between processes of one host.
#pragma once

#include <string>

#include "common/result.h"

namespace capstan {

// Held from acquire() to destruction, and let go by the system when the process dies. Does not move.
class FileLock {
 public:
  FileLock() = default;
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Makes the file if need be and waits for the lock.
  Status acquire(const std::string& path);

 private:
  int descriptor_ = -1;
};

}  // namespace capstan
