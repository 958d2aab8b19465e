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
  const std::map<std::string, std::uint64_t, std::less<>>& by_kind() const { return by_kind_; }

 private:
  Status open();
  Error failed() const;

  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::uint64_t max_;
  std::string reject_path_;
  std::unique_ptr<std::FILE, Close> file_;
  std::uint64_t count_ = 0;
  std::map<std::string, std::uint64_t, std::less<>> by_kind_;
};

}  // namespace capstan
