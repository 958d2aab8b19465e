// The command line of a program that measures: FOLDER, values that may be left out from the last on, and
// flags anywhere.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace capstan {

class Arguments {
 public:
  // Without a folder the program ends with `usage` and exit code 2.
  Arguments(int argc, char** argv, const char* usage) {
    for (int i = 1; i < argc; ++i) {
      (std::string_view(argv[i]).starts_with("--") ? flags_ : words_).push_back(argv[i]);
    }
    if (!words_.empty()) return;
    std::fprintf(stderr, "usage: %s\n", usage);
    std::exit(2);
  }

  bool flag(std::string_view name) const {
    return std::find(flags_.begin(), flags_.end(), name) != flags_.end();
  }
  bool json() const { return flag("--json"); }
  std::string folder() const { return words_[0]; }
  // The next of the values, if it was given.
  template <typename Value>
  void take(Value& value) {
    if (next_ == words_.size()) return;
    const char* word = words_[next_++];
    if constexpr (std::is_same_v<Value, std::string>) {
      value = word;
    } else if constexpr (std::is_floating_point_v<Value>) {
      value = static_cast<Value>(std::strtod(word, nullptr));
    } else {
      value = static_cast<Value>(std::strtoull(word, nullptr, 10));
    }
  }

 private:
  std::vector<const char*> words_, flags_;
  std::size_t next_ = 1;
};

}  // namespace capstan
