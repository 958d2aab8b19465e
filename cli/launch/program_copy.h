// ProgramCopy: this program, for hosts that do not have it.
#pragma once

#include <string>
#include <string_view>

#include "common/buffer.h"
#include "common/result.h"

namespace capstan {

class ProgramCopy {
 public:
  // Of the running process.
  static Result<ProgramCopy> make();

  // Where it is on a host, as a shell reads it. Its bytes decide the name: another build gets another one,
  // and one that is there stays.
  const std::string& path() const { return path_; }
  // A shell's line that reads the bytes and puts them there. Several hosts may share the folder.
  std::string line() const;
  std::string_view bytes() const { return bytes_.text(); }

 private:
  explicit ProgramCopy(Buffer bytes);

  Buffer bytes_;
  std::string path_;
};

}  // namespace capstan
