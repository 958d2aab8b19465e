#include "common/units.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "common/text.h"

namespace capstan {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kByteUnits = {
    Unit{"TiB", 1ULL << 40},      Unit{"GiB", 1ULL << 30},   Unit{"MiB", 1ULL << 20}, Unit{"KiB", 1ULL << 10},
    Unit{"TB", 1000000000000ULL}, Unit{"GB", 1000000000ULL}, Unit{"MB", 1000000ULL},  Unit{"KB", 1000ULL},
    Unit{"kB", 1000ULL},          Unit{"B", 1ULL},           Unit{"", 1ULL},
};
constexpr std::array kTimeUnits = {
    Unit{"d", 86400000000ULL}, Unit{"h", 3600000000ULL}, Unit{"min", 60000000ULL}, Unit{"m", 60000000ULL},
    Unit{"s", 1000000ULL},     Unit{"ms", 1000ULL},      Unit{"us", 1ULL},         Unit{"", 1000000ULL},
};

constexpr std::uint64_t kMax = 1ULL << 63;

// "1.5GiB" as a count of the smallest unit. Nothing when it is no such quantity, not whole, or above 2^63.
std::optional<std::uint64_t> parse_quantity(std::string_view text, std::span<const Unit> units) {
  std::size_t end = 0;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) ++end;
  const std::string_view number = text.substr(0, end);
  while (end < text.size() && text[end] == ' ') ++end;
  const std::string_view name = text.substr(end);
  const auto unit = std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == name; });
  if (unit == units.end()) return std::nullopt;
  if (const auto count = parse_uint(number)) {
    if (*count > kMax / unit->factor) return std::nullopt;
    return *count * unit->factor;
  }
  const auto value = parse_finite_double(number);
  if (!value) return std::nullopt;
  const double product = *value * static_cast<double>(unit->factor);
  const double whole = std::round(product);
  constexpr double kRoundingError = 1e-12;  // 1.1 times a million is not quite whole in binary
  if (product >= static_cast<double>(kMax) || std::abs(product - whole) > kRoundingError * product) {
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(whole);
}

template <typename T>
std::optional<T> parse_all(std::string_view text) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <typename T>
std::string shortest(T value) {
  std::array<char, 64> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc{} ? std::string(buffer.data(), end) : std::string();
}

}  // namespace

std::string suggestion(std::string_view word, std::span<const std::string> candidates) {
  if (candidates.empty()) return "";
  const std::string near = nearest_word(word, candidates);
  if (!near.empty()) return fmt::format(" (did you mean '{}'?)", near);
  return fmt::format(" (one of: {})", fmt::join(candidates, ", "));
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  const auto bytes = parse_quantity(text, kByteUnits);
  if (bytes) return *bytes;
  return make_error(ErrorCode::kInvalid, fmt::format("'{}' is no size (write 4096, 64MiB, 1.5GB)", text));
}

Result<std::chrono::microseconds> parse_duration(std::string_view text) {
  const auto us = parse_quantity(text, kTimeUnits);
  if (us && *us < kMax) return std::chrono::microseconds(static_cast<std::int64_t>(*us));
  return make_error(ErrorCode::kInvalid, fmt::format("'{}' is no duration (write 30s, 500ms, 5m, 2h)", text));
}

std::string format_bytes(std::uint64_t bytes) {
  for (const Unit& unit : kByteUnits) {
    if (!unit.name.ends_with("iB") || bytes == 0 || bytes % unit.factor != 0) continue;
    return fmt::format("{}{}", bytes / unit.factor, unit.name);
  }
  return fmt::format("{}", bytes);
}

std::string format_duration(std::chrono::microseconds duration) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
  for (const Unit& unit : kTimeUnits) {
    if (us == 0 || us % unit.factor != 0 || unit.name == "min") continue;
    return fmt::format("{}{}", us / unit.factor, unit.name);
  }
  return "0s";
}

std::optional<double> parse_finite_double(std::string_view text) {
  const auto value = parse_all<double>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<float> parse_finite_float(std::string_view text) {
  const auto value = parse_all<float>(text);
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::string format_number(double value) {
  return shortest(value);
}
std::string format_number(float value) {
  return shortest(value);
}

}  // namespace capstan
