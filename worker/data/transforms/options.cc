#include "worker/data/transforms/options.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cmath>

#include "common/text.h"

namespace capstan {

const std::string* TransformOptions::find(const std::string& name) {
  known_.push_back(name);
  const auto found = step_.options.find(name);
  return found == step_.options.end() ? nullptr : &found->second;
}

void TransformOptions::fail(std::string message) {
  if (mistake_.empty()) mistake_ = std::move(message);
}

std::string TransformOptions::word(const std::string& name, std::string fallback) {
  const std::string* text = find(name);
  return text == nullptr ? std::move(fallback) : *text;
}

std::string TransformOptions::choice(const std::string& name, const std::vector<std::string>& choices) {
  const std::string* text = find(name);
  if (text == nullptr || std::find(choices.begin(), choices.end(), *text) != choices.end()) {
    return text == nullptr ? choices.front() : *text;
  }
  const std::string near = nearest_word(*text, choices);
  fail(fmt::format("{} '{}' is not one of {}{}", name, *text, join(choices, ", "),
                   near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
  return choices.front();
}

std::uint64_t TransformOptions::count(const std::string& name, std::uint64_t fallback, std::uint64_t least) {
  const std::string* text = find(name);
  if (text == nullptr) return fallback;
  const auto number = parse_uint(trim(*text));
  if (number && *number >= least) return *number;
  fail(fmt::format("{} '{}' is not a whole number of at least {}", name, *text, least));
  return fallback;
}

bool TransformOptions::flag(const std::string& name, bool fallback) {
  const std::string* text = find(name);
  if (text == nullptr) return fallback;
  if (*text != "true" && *text != "false")
    fail(fmt::format("{} '{}' is neither true nor false", name, *text));
  return *text == "true";
}

std::vector<double> TransformOptions::numbers(const std::string& name) {
  const std::string* text = find(name);
  if (text == nullptr) return {};
  std::string_view list = trim(*text);
  if (list.starts_with('[') && list.ends_with(']')) list = list.substr(1, list.size() - 2);
  std::vector<double> values;
  for (const auto part : split_text(list, ",")) {
    const auto number = parse_double(trim(part));
    if (!number || !std::isfinite(*number)) {
      fail(fmt::format("{} '{}' is not a list of numbers", name, *text));
      return {};
    }
    values.push_back(*number);
  }
  return values;
}

Status TransformOptions::finish() const {
  if (!mistake_.empty()) return make_error(ErrorCode::kInvalid, mistake_);
  for (const auto& [name, value] : step_.options) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    const std::string near = nearest_word(name, known_);
    std::string there = known_.empty() ? "it has none" : "it has " + join(known_, ", ");
    return make_error(ErrorCode::kInvalid,
                      fmt::format("no option '{}'{}; {}", name,
                                  near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), there));
  }
  return ok_status();
}

}  // namespace capstan
