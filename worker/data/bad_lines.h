// BadLines: what was wrong with the input, counted, written to the reject file, and a limit on it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "common/result.h"

namespace capstan {

// How many rows went for which reason, for the summary.
using DropCounts = std::map<std::string, std::uint64_t>;

// Used from one thread. The reject file has one line a bad line: FILE:LINE, reason and the text,
// tab-separated.
class BadLines {
 public:
  // An empty reject_path keeps no file; else it is made at the first bad line or by close().
  BadLines(std::uint64_t max, std::string reject_path);

  // `kind` groups reasons in the summary ("wrong column count"); `detail` is for people.
  // kInvalid once more than max lines were bad; the message names this line.
  Status add(std::string_view where, std::string_view kind, std::string_view detail, std::string_view text);

  Status close();  // the reject file is whole, empty when no line was bad

  std::uint64_t count() const { return count_; }
  std::uint64_t max() const { return max_; }
  // What became of lines: an indented line a reason, a line break before each; bad lines with their first.
  std::string reasons(const DropCounts& drops) const;

 private:
  Status open();
  Error failed() const;

  struct Kind {
    std::uint64_t count = 0;
    std::string first;  // where, and why
  };
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::uint64_t max_;
  std::string reject_path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t count_ = 0;
  std::map<std::string, Kind, std::less<>> by_kind_;
};

}  // namespace capstan
