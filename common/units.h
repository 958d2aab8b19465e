// Sizes and times with units, numbers that survive printing and parsing, and advice about a wrong word.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"

namespace capstan {

// " (did you mean 'x'?)" when one is near, else " (one of: a, b, c)"; empty without candidates.
std::string suggestion(std::string_view word, std::span<const std::string> candidates);

// "64MiB", "64 MB" (10^6), "1.5GiB", "4096": bytes.
Result<std::uint64_t> parse_bytes(std::string_view text);
// "30s", "500ms", "5m", "2h", "1d"; a bare number is seconds.
Result<std::chrono::microseconds> parse_duration(std::string_view text);
// The shortest exact form: "64MiB", "1000"; "90s", "2h". Parsing gives the same value back.
std::string format_bytes(std::uint64_t bytes);
std::string format_duration(std::chrono::microseconds duration);

// For people, who are shown "12.3 MiB".
constexpr double in_mib(std::uint64_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

constexpr double seconds_of(std::chrono::microseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

// The whole text as one finite number, else nothing.
std::optional<double> parse_finite_double(std::string_view text);
std::optional<float> parse_finite_float(std::string_view text);
// The shortest text that parses to the same value.
std::string format_number(double value);
std::string format_number(float value);

// Offset of the first byte that is not UTF-8.
std::optional<std::size_t> first_non_utf8(std::string_view text);

}  // namespace capstan
