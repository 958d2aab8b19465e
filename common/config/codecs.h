// Codecs for the values of a job file: numbers with ranges, words, sizes, durations, lists, maps, sections.
#pragma once

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/config/schema.h"
#include "common/config/yaml_emit.h"
#include "common/text.h"
#include "common/units.h"

namespace capstan {

// Bounds of a number; `open_low` leaves the lower bound itself out.
struct Range {
  double low = std::numeric_limits<double>::lowest();
  double high = std::numeric_limits<double>::max();
  bool open_low = false;

  bool holds(double value) const { return (open_low ? value > low : value >= low) && value <= high; }
  std::string text() const;  // "1 to 64", "above 0", "at least 0"; empty: any
};

inline Range at_least(double low) {
  return {.low = low};
}
inline Range above(double low) {
  return {.low = low, .open_low = true};
}
inline Range between(double low, double high) {
  return {.low = low, .high = high};
}

Codec<bool> boolean();
Codec<std::string> text();
Codec<std::uint64_t> bytes(Range range = {});
// A count of `unit`s; the file gives "30s" or bare seconds.
Codec<std::uint64_t> duration(std::chrono::microseconds unit, Range range_in_seconds = {});

void wrong_type(const YamlNode& node, const std::string& path, const std::string& wanted,
                ReadContext& context);
// True when `value` lies in the range; else an error.
bool check_range(double value, const Range& range, const YamlNode& node, const std::string& path,
                 ReadContext& context);
// The word's index in `words`; nothing after an error that names the nearest.
std::optional<std::size_t> read_word(const std::vector<WordSpec>& words, const YamlNode& node,
                                     const std::string& path, ReadContext& context);

template <std::unsigned_integral T>
Codec<T> integer(Range range = {}) {
  range.low = std::max(range.low, 0.0);
  range.high = std::min(range.high, static_cast<double>(std::numeric_limits<T>::max()));
  Codec<T> codec;
  codec.type = {"integer", range.text(), {}, nullptr};
  codec.read = [range](T& value, const YamlNode& node, const std::string& path, ReadContext& context) {
    const auto number = node.is_scalar() ? parse_uint(node.scalar) : std::nullopt;
    const auto negative = node.is_scalar() ? parse_int(node.scalar) : std::nullopt;
    if (!number && !negative) return wrong_type(node, path, "a whole number", context);
    if (!number || *number > std::numeric_limits<T>::max()) {
      check_range(number ? static_cast<double>(*number) * 1.001 : -1.0, range, node, path, context);
    } else if (check_range(static_cast<double>(*number), range, node, path, context)) {
      value = static_cast<T>(*number);
    }
  };
  codec.write = [](const T& value) { return YamlNode::of(std::to_string(value)); };
  return codec;
}

template <std::floating_point T>
Codec<T> number(Range range = {}) {
  Codec<T> codec;
  codec.type = {"number", range.text(), {}, nullptr};
  codec.read = [range](T& value, const YamlNode& node, const std::string& path, ReadContext& context) {
    std::optional<T> parsed;
    if constexpr (std::same_as<T, float>) {
      if (node.is_scalar()) parsed = parse_finite_float(node.scalar);
    } else {
      if (node.is_scalar()) parsed = parse_finite_double(node.scalar);
    }
    if (!parsed) return wrong_type(node, path, "a number", context);
    if (check_range(static_cast<double>(*parsed), range, node, path, context)) value = *parsed;
  };
  codec.write = [](const T& value) { return YamlNode::of(format_number(value)); };
  return codec;
}

template <typename E>
struct Choice {
  std::string word;
  E value;
  std::string doc;
};

template <typename E>
Codec<E> word(std::vector<Choice<E>> choices) {
  Codec<E> codec;
  codec.type.name = "word";
  for (const auto& choice : choices) codec.type.words.push_back({choice.word, choice.doc});
  codec.read = [choices, words = codec.type.words](E& value, const YamlNode& node, const std::string& path,
                                                   ReadContext& context) {
    if (const auto index = read_word(words, node, path, context)) value = choices[*index].value;
  };
  codec.write = [choices](const E& value) {
    for (const auto& choice : choices) {
      if (choice.value == value) return YamlNode::of(choice.word);
    }
    return YamlNode();
  };
  return codec;
}

// A word kept as text: names of models, metrics, baselines.
Codec<std::string> name_of(std::vector<WordSpec> words);

template <typename T>
Codec<std::optional<T>> maybe(Codec<T> inner) {
  Codec<std::optional<T>> codec;
  codec.type = inner.type;
  codec.read = [inner](std::optional<T>& value, const YamlNode& node, const std::string& path,
                       ReadContext& context) {
    T read = value.value_or(T{});
    inner.read(read, node, path, context);
    if (!context.failed(path)) value = std::move(read);
  };
  codec.write = [inner](const std::optional<T>& value) { return value ? inner.write(*value) : YamlNode(); };
  return codec;
}

// A list; one plain value counts as a list of one.
template <typename T>
Codec<std::vector<T>> list(Codec<T> inner) {
  Codec<std::vector<T>> codec;
  codec.type = inner.type;
  codec.type.name = "list of " + inner.type.name + (inner.type.name == "text" ? "" : "s");
  codec.read = [inner](std::vector<T>& value, const YamlNode& node, const std::string& path,
                       ReadContext& context) {
    value.clear();
    if (node.is_null()) return;
    const std::vector<YamlNode> one = {node};
    const auto& items = node.is_list() ? node.items : one;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const std::string here = join_path(path, i);
      context.note(here, items[i].place);
      T element{};
      inner.read(element, items[i], here, context);
      value.push_back(std::move(element));
    }
  };
  codec.write = [inner](const std::vector<T>& value) {
    YamlNode node = YamlNode::list();
    for (const T& element : value) node.items.push_back(inner.write(element));
    return node;
  };
  return codec;
}

template <typename T>
Codec<T> section(std::shared_ptr<const SectionSpec> spec) {
  Codec<T> codec;
  codec.type = {"section", "", {}, spec};
  codec.read = [spec](T& value, const YamlNode& node, const std::string& path, ReadContext& context) {
    read_section(*spec, &value, node, path, context);
  };
  codec.write = [spec](const T& value) { return write_section(*spec, &value); };
  return codec;
}

}  // namespace capstan
