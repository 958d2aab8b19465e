// An advisory lock between processes of one host.
#pragma once

#include <string>

#include "common/result.h"

namespace capstan {

// Held from acquire() to destruction, and let go by the system when the process dies. Does not move. The file
// holds the number of the process that has the lock, or had it last.
class FileLock {
 public:
  FileLock() = default;
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Makes the file if need be and waits for the lock.
  Status acquire(const std::string& path);
  // Does not wait: kTaken, naming the process, while another one has it.
  Status try_acquire(const std::string& path);

 private:
  Status lock(const std::string& path, int operation);

  int descriptor_ = -1;
};

}  // namespace capstan
