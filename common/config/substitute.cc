#include "common/config/substitute.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <cstdlib>

#include "common/text.h"

namespace capstan {
namespace {

// kPlain[i] is hidden as kFirstHidden + i.
constexpr std::string_view kPlain = "${}:,[] #\"'";
constexpr char kFirstHidden = 0x10;

char hide(char c) {
  const auto at = kPlain.find(c);
  return at == std::string_view::npos ? c : static_cast<char>(kFirstHidden + static_cast<char>(at));
}

bool is_hidden(char c) {
  return c >= kFirstHidden && static_cast<std::size_t>(c - kFirstHidden) < kPlain.size();
}

// End of the reference that starts at `start` with "${": just behind its brace; npos when it has none on this
// line.
std::size_t reference_end(std::string_view text, std::size_t start) {
  const auto end = text.find_first_of("}\n\r", start);
  return end == std::string_view::npos || text[end] != '}' ? std::string_view::npos : end + 1;
}

bool is_variable_name(std::string_view name) {
  const auto good = [](char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), good) && !(name[0] >= '0' && name[0] <= '9');
}

// The value of "NAME" or "NAME:-default"; nothing after an error.
std::optional<std::string> value_of(std::string_view reference, const Environment& environment, Place& place,
                                    std::vector<ConfigError>& errors) {
  const auto split = reference.find(":-");
  const std::string name(reference.substr(0, split));
  if (!is_variable_name(name)) {
    errors.push_back({place, fmt::format("'${{{}}}' names no environment variable", reference)});
    return std::nullopt;
  }
  auto value = environment(name);
  const bool use_default = split != std::string_view::npos && (!value || value->empty());
  if (use_default) {
    place.via = fmt::format("default of ${{{}}}", name);
    return std::string(reference.substr(split + 2));
  }
  if (!value) {
    errors.push_back(
        {place,
         fmt::format("environment variable {} is not set (write ${{{}:-value}} for a default)", name, name)});
    return std::nullopt;
  }
  if (!is_utf8(*value) || holds_hiding_characters(*value)) {
    errors.push_back({place, fmt::format("environment variable {} is not plain UTF-8 text", name)});
    return std::nullopt;
  }
  place.via = fmt::format("env {}", name);
  return value;
}

void substitute_text(std::string& text, Place& place, const Environment& environment,
                     std::vector<ConfigError>& errors) {
  std::string result;
  const Place written = place;
  for (std::size_t i = 0; i < text.size();) {
    if (text.compare(i, 3, "$${") == 0) {
      result += "${";
      i += 3;
      continue;
    }
    if (text.compare(i, 2, "${") != 0) {
      result += text[i++];
      continue;
    }
    const std::size_t end = reference_end(text, i);
    if (end == std::string_view::npos) {
      errors.push_back({written, fmt::format("'{}' lacks its closing brace", text.substr(i))});
      return;
    }
    Place from = written;
    if (const auto value =
            value_of(std::string_view(text).substr(i + 2, end - i - 3), environment, from, errors)) {
      result += *value;
      place = from;
    }
    i = end;
  }
  text = std::move(result);
}

}  // namespace

Environment process_environment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

std::string hide_references(std::string_view text) {
  std::string result(text);
  for (std::size_t i = 0; i + 1 < text.size();) {
    if (text.substr(i, 3) == "$${") {
      i += 3;
      continue;
    }
    if (text.substr(i, 2) != "${") {
      ++i;
      continue;
    }
    std::size_t end = reference_end(text, i);
    if (end == std::string_view::npos) end = i + 2;  // said later, and not by YAML
    std::transform(text.begin() + static_cast<std::ptrdiff_t>(i),
                   text.begin() + static_cast<std::ptrdiff_t>(end),
                   result.begin() + static_cast<std::ptrdiff_t>(i), hide);
    i = end;
  }
  return result;
}

std::string show_references(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (is_hidden(c)) c = kPlain[static_cast<std::size_t>(c - kFirstHidden)];
  }
  return result;
}

bool holds_hiding_characters(std::string_view text) {
  return std::any_of(text.begin(), text.end(), is_hidden);
}

void substitute(YamlNode& node, const Environment& environment, std::vector<ConfigError>& errors) {
  if (node.is_scalar()) substitute_text(node.scalar, node.place, environment, errors);
  for (YamlNode& item : node.items) substitute(item, environment, errors);
  for (auto& [key, place, value] : node.entries) substitute(value, environment, errors);
}

}  // namespace capstan
