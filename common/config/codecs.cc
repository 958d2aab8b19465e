#include "common/config/codecs.h"

#include <cmath>

namespace capstan {
namespace {

std::string bound_text(double value) {
  constexpr double kExact = 1e15;
  return std::abs(value) < kExact ? fmt::format("{}", value) : fmt::format("{:g}", value);
}

}  // namespace

std::string Range::text() const {
  constexpr double kAsGoodAsNone = 4294967295.0;  // the largest value of the smallest type we bind to
  const bool has_low = low > std::numeric_limits<double>::lowest();
  const bool has_high = high < kAsGoodAsNone;
  if (has_low && has_high) {
    return fmt::format("{}{} to {}", open_low ? "above " : "", bound_text(low), bound_text(high));
  }
  if (has_low) return fmt::format("{} {}", open_low ? "above" : "at least", bound_text(low));
  return has_high ? fmt::format("at most {}", bound_text(high)) : "";
}

void wrong_type(const YamlNode& node, const std::string& path, const std::string& wanted,
                ReadContext& context) {
  context.fail(path, node.place, fmt::format("{} must be {}, not {}", path, wanted, node.describe()));
}

bool check_range(double value, const Range& range, const YamlNode& node, const std::string& path,
                 ReadContext& context) {
  if (range.holds(value)) return true;
  std::string allowed = range.text();
  if (allowed.empty() || value > range.high) allowed = fmt::format("at most {}", bound_text(range.high));
  if (!range.text().empty() && range.text().find(" to ") != std::string::npos) allowed = range.text();
  context.fail(path, node.place, fmt::format("{} must be {}, not {}", path, allowed, node.describe()));
  return false;
}

std::optional<std::size_t> read_word(const std::vector<WordSpec>& words, const YamlNode& node,
                                     const std::string& path, ReadContext& context) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (node.is_scalar() && node.scalar == words[i].word) return i;
    names.push_back(words[i].word);
  }
  if (!node.is_scalar()) {
    wrong_type(node, path, fmt::format("one of {}", fmt::join(names, ", ")), context);
  } else {
    context.fail(path, node.place,
                 fmt::format("{} cannot be '{}'{}", path, node.scalar, suggestion(node.scalar, names)));
  }
  return std::nullopt;
}

Codec<bool> boolean() {
  Codec<bool> codec;
  codec.type = {"true or false", "", {}, nullptr};
  codec.read = [](bool& value, const YamlNode& node, const std::string& path, ReadContext& context) {
    const std::vector<WordSpec> words = {{"true", ""}, {"false", ""}, {"yes", ""},
                                         {"no", ""},   {"on", ""},    {"off", ""}};
    if (const auto index = read_word(words, node, path, context)) value = *index % 2 == 0;
  };
  codec.write = [](const bool& value) { return YamlNode::of(value ? "true" : "false"); };
  return codec;
}

Codec<std::string> text() {
  Codec<std::string> codec;
  codec.type = {"text", "", {}, nullptr};
  codec.read = [](std::string& value, const YamlNode& node, const std::string& path, ReadContext& context) {
    if (!node.is_scalar()) return wrong_type(node, path, "text", context);
    value = node.scalar;
  };
  codec.write = [](const std::string& value) { return YamlNode::of(value); };
  return codec;
}

Codec<std::string> name_of(std::vector<WordSpec> words) {
  Codec<std::string> codec;
  codec.type = {"word", "", words, nullptr};
  codec.read = [words](std::string& value, const YamlNode& node, const std::string& path,
                       ReadContext& context) {
    if (read_word(words, node, path, context)) value = node.scalar;
  };
  codec.write = [](const std::string& value) { return value.empty() ? YamlNode() : YamlNode::of(value); };
  return codec;
}

Codec<std::uint64_t> bytes(Range range) {
  Codec<std::uint64_t> codec;
  codec.type = {"size", range.text(), {}, nullptr};
  codec.read = [range](std::uint64_t& value, const YamlNode& node, const std::string& path,
                       ReadContext& context) {
    if (!node.is_scalar()) return wrong_type(node, path, "a size such as 64MiB", context);
    const auto size = parse_bytes(node.scalar);
    if (!size.ok()) return context.fail(path, node.place, fmt::format("{}: {}", path, size.error().message));
    if (check_range(static_cast<double>(*size), range, node, path, context)) value = *size;
  };
  codec.write = [](const std::uint64_t& value) { return YamlNode::of(format_bytes(value)); };
  return codec;
}

Codec<std::uint64_t> duration(std::chrono::microseconds unit, Range range) {
  Codec<std::uint64_t> codec;
  codec.type = {"duration", range.text().empty() ? "" : range.text() + " s", {}, nullptr};
  codec.read = [unit, range](std::uint64_t& value, const YamlNode& node, const std::string& path,
                             ReadContext& context) {
    if (!node.is_scalar()) return wrong_type(node, path, "a duration such as 30s", context);
    const auto time = parse_duration(node.scalar);
    if (!time.ok()) return context.fail(path, node.place, fmt::format("{}: {}", path, time.error().message));
    if (*time % unit != std::chrono::microseconds(0)) {
      return wrong_type(node, path, fmt::format("a multiple of {}", format_duration(unit)), context);
    }
    const double seconds = seconds_of(*time);
    if (check_range(seconds, range, node, path, context)) value = static_cast<std::uint64_t>(*time / unit);
  };
  codec.write = [unit](const std::uint64_t& value) {
    return YamlNode::of(format_duration(unit * static_cast<std::int64_t>(value)));
  };
  return codec;
}

}  // namespace capstan
