// Options of one transform, read with checks. Every getter notes its name, so that finish() knows the unknown
// ones.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/config/job_config.h"
#include "common/result.h"

namespace capstan {

class TransformOptions {
 public:
  explicit TransformOptions(const TransformStep& step) : step_(step) {}

  std::string word(const std::string& name, std::string fallback);
  // One of `choices`, the first when absent.
  std::string choice(const std::string& name, const std::vector<std::string>& choices);
  std::uint64_t count(const std::string& name, std::uint64_t fallback, std::uint64_t least);
  bool flag(const std::string& name, bool fallback);
  std::vector<double> numbers(const std::string& name);  // "0, 10, 20", also in [ ]; empty when absent
  bool has(const std::string& name) const { return step_.options.contains(name); }
  void fail(std::string message);  // for what only the transform can check

  // The first mistake of all the getters, or an option that no getter asked for.
  Status finish() const;

 private:
  const std::string* find(const std::string& name);

  const TransformStep& step_;
  std::vector<std::string> known_;
  std::string mistake_;
};

}  // namespace capstan
