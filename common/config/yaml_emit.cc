#include "common/config/yaml_emit.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace capstan {
namespace {

bool is_plain_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '/' || c == '-' || c == '+' || c == '@';
}

// Text that means the same without quotes, wherever it stands.
bool needs_no_quotes(std::string_view text) {
  constexpr std::array<std::string_view, 12> kWords = {"null", "Null", "NULL", "true", "false", "yes",
                                                       "no",   "on",   "off",  "y",    "n",     "-"};
  if (text.empty() || text[0] == '@' || text.starts_with("---") || text.starts_with("...")) return false;
  if (std::find(kWords.begin(), kWords.end(), text) != kWords.end() && text != "true" && text != "false")
    return false;
  return std::all_of(text.begin(), text.end(), is_plain_char);
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (c == '\n') {
      result += "\\n";
    } else if (c == '\t') {
      result += "\\t";
    } else if ((c >= 0 && c < 0x20) || c == 0x7f) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else if (text.substr(i, 2) == "${") {
      result += "$$";
    } else {
      result += c;
    }
  }
  return result + '"';
}

std::string scalar_text(std::string_view text) {
  return needs_no_quotes(text) ? std::string(text) : quoted(text);
}

bool is_leaf(const YamlNode& node) {
  if (node.is_map()) return node.entries.empty();
  return std::none_of(node.items.begin(), node.items.end(), [](const YamlNode& n) { return n.is_map(); });
}

class Emitter {
 public:
  explicit Emitter(const CommentOf& comment_of) : comment_of_(comment_of) {}

  std::string take() { return std::move(text_); }

  // `lead` is what the first line starts with in place of its indent.
  void map(const YamlNode& node, const std::string& path, const std::string& indent, std::string lead) {
    for (const auto& [key, place, value] : node.entries) {
      if (value.is_null()) continue;
      entry(scalar_text(key), value, join_path(path, key), indent, lead);
      lead = indent;
    }
  }

 private:
  void entry(const std::string& key, const YamlNode& value, const std::string& path,
             const std::string& indent, const std::string& lead) {
    if (is_leaf(value)) {
      line(fmt::format("{}{}: {}", lead, key, emit_inline(value)), path);
      return;
    }
    text_ += fmt::format("{}{}:\n", lead, key);
    if (value.is_map()) {
      map(value, path, indent + "  ", indent + "  ");
      return;
    }
    for (std::size_t i = 0; i < value.items.size(); ++i) {
      const YamlNode& item = value.items[i];
      if (is_leaf(item)) {
        line(fmt::format("{}  - {}", indent, emit_inline(item)), join_path(path, i));
      } else {
        map(item, join_path(path, i), indent + "    ", indent + "  - ");
      }
    }
  }

  void line(const std::string& content, const std::string& path) {
    constexpr std::size_t kCommentColumn = 52;
    const std::string comment = comment_of_ ? comment_of_(path) : "";
    text_ += comment.empty() ? content : fmt::format("{:<{}} # {}", content, kCommentColumn, comment);
    text_ += '\n';
  }

  const CommentOf& comment_of_;
  std::string text_;
};

}  // namespace

std::string join_path(const std::string& parent, const std::string& key) {
  return parent.empty() ? key : parent + "." + key;
}

std::string join_path(const std::string& parent, std::size_t index) {
  return fmt::format("{}[{}]", parent, index);
}

std::string emit_yaml(const YamlNode& root, const CommentOf& comment_of) {
  Emitter emitter(comment_of);
  emitter.map(root, "", "", "");
  return emitter.take();
}

std::string emit_inline(const YamlNode& node) {
  if (node.is_scalar()) return scalar_text(node.scalar);
  std::vector<std::string> parts;
  for (const YamlNode& item : node.items) parts.push_back(emit_inline(item));
  for (const auto& [key, place, value] : node.entries) {
    if (!value.is_null()) parts.push_back(fmt::format("{}: {}", scalar_text(key), emit_inline(value)));
  }
  if (node.is_list()) return fmt::format("[{}]", fmt::join(parts, ", "));
  return node.is_map() ? fmt::format("{{{}}}", fmt::join(parts, ", ")) : "~";
}

}  // namespace capstan
