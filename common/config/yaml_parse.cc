#include "common/config/yaml_parse.h"

#include <spdlog/fmt/fmt.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "common/config/substitute.h"
#include "common/text.h"
#include "common/units.h"

namespace capstan {
namespace {

constexpr std::size_t kMaxBytes = 16 << 20;
constexpr std::size_t kMaxNodes = 200000;
constexpr std::size_t kMaxDepth = 64;

// Ends the parse from inside yaml-cpp's callbacks; never leaves this file.
struct Refused {
  ConfigError error;
};

std::size_t count_nodes(const YamlNode& node) {
  std::size_t count = 1;
  for (const auto& item : node.items) count += count_nodes(item);
  for (const auto& entry : node.entries) count += 1 + count_nodes(entry.value);
  return count;
}

// Builds the tree from yaml-cpp's events. Aliases are copies of what they name.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::string file, std::vector<ConfigError>& errors) : file_(std::move(file)), errors_(errors) {}

  YamlNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { leaf(YamlNode(), mark, anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (tag != "?" && tag != "!" && !tag.empty())
      refuse(mark, fmt::format("tags such as {} mean nothing here", tag));
    leaf(YamlNode::of(show_references(value)), mark, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto named = anchors_.find(anchor);
    if (named == anchors_.end()) refuse(mark, "an alias inside the value that it names");
    YamlNode copy = named->second;
    nodes_ += count_nodes(copy);
    leaf(std::move(copy), mark, 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::list(), mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::map(), mark, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    YamlNode::Entry entry;  // of the key that waits for its value
  };

  Place place_of(const YAML::Mark& mark) const { return {file_, mark.line + 1, mark.column + 1, ""}; }

  [[noreturn]] void refuse(const YAML::Mark& mark, std::string message) const {
    throw Refused{{place_of(mark), std::move(message)}};
  }

  void leaf(YamlNode node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (++nodes_ > kMaxNodes) refuse(mark, fmt::format("more than {} values", kMaxNodes));
    node.place = place_of(mark);
    if (anchor != 0) anchors_[anchor] = node;
    put(std::move(node));
  }

  void open(YamlNode node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (stack_.size() >= kMaxDepth) refuse(mark, fmt::format("nested deeper than {}", kMaxDepth));
    if (++nodes_ > kMaxNodes) refuse(mark, fmt::format("more than {} values", kMaxNodes));
    node.place = place_of(mark);
    Open level;
    level.node = std::move(node);
    level.anchor = anchor;
    stack_.push_back(std::move(level));
  }

  void close() {
    Open level = std::move(stack_.back());
    stack_.pop_back();
    if (level.anchor != 0) anchors_[level.anchor] = level.node;
    put(std::move(level.node));
  }

  void put(YamlNode node) {
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& level = stack_.back();
    if (level.node.is_list()) {
      level.node.items.push_back(std::move(node));
    } else if (!level.has_key) {
      take_key(level, std::move(node));
    } else {
      level.has_key = false;
      level.entry.value = std::move(node);
      if (!level.entry.key.empty()) level.node.entries.push_back(std::move(level.entry));
    }
  }

  // A key that cannot be used is left empty, and its value is dropped.
  void take_key(Open& level, YamlNode node) {
    level.has_key = true;
    level.entry = YamlNode::Entry{node.scalar, node.place, {}};
    const auto& entries = level.node.entries;
    const auto same = std::find_if(entries.begin(), entries.end(),
                                   [&](const YamlNode::Entry& e) { return e.key == node.scalar; });
    if (!node.is_scalar() || node.scalar.empty()) {
      errors_.push_back({node.place, fmt::format("a key must be a word, not {}", node.describe())});
      level.entry.key.clear();
    } else if (same != entries.end()) {
      errors_.push_back({node.place, fmt::format("key '{}' stands twice (first at line {})", node.scalar,
                                                 same->place.line)});
      level.entry.key.clear();
    }
  }

  std::string file_;
  std::vector<ConfigError>& errors_;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  std::size_t nodes_ = 0;
  YamlNode root_;
};

Place place_at(std::string_view text, std::size_t offset, const std::string& file) {
  const auto before = text.substr(0, offset);
  const auto line_start = before.rfind('\n');
  const std::size_t column = line_start == std::string_view::npos ? offset : offset - line_start - 1;
  return {file, 1 + static_cast<int>(std::count(before.begin(), before.end(), '\n')),
          1 + static_cast<int>(column), ""};
}

// True when the text may be handed to the parser.
bool check_text(std::string_view text, const std::string& file, std::vector<ConfigError>& errors) {
  if (text.size() > kMaxBytes) {
    errors.push_back({{file, 1, 1, ""}, fmt::format("larger than {}", format_bytes(kMaxBytes))});
    return false;
  }
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    if (!is_utf8(text.substr(start, end - start))) {
      errors.push_back({place_at(text, start, file), "not UTF-8 text in this line"});
      return false;
    }
    start = end + 1;
  }
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    return (c >= 0 && c < 0x20 && c != '\n' && c != '\t' && c != '\r') || c == 0x7f;
  });
  if (control != text.end()) {
    const auto offset = static_cast<std::size_t>(control - text.begin());
    errors.push_back({place_at(text, offset, file),
                      fmt::format("control character 0x{:02x}", static_cast<unsigned>(*control))});
    return false;
  }
  return true;
}

}  // namespace

YamlNode parse_yaml(std::string_view text, const std::string& file, std::vector<ConfigError>& errors) {
  if (!check_text(text, file, errors)) return {};
  TreeBuilder builder(file, errors);
  try {
    std::istringstream stream(hide_references(text));
    YAML::Parser parser(stream);
    parser.HandleNextDocument(builder);
    YamlNode root = builder.take_root();
    TreeBuilder next(file, errors);
    if (parser.HandleNextDocument(next)) {
      const YamlNode second = next.take_root();
      errors.push_back({second.place, "a second document: a job file holds one"});
    }
    return root;
  } catch (const Refused& refused) {
    errors.push_back(refused.error);
  } catch (const YAML::Exception& error) {
    const int line = error.mark.line < 0 ? 1 : error.mark.line + 1;
    const int column = error.mark.column < 0 ? 1 : error.mark.column + 1;
    errors.push_back({{file, line, column, ""}, "broken YAML: " + error.msg});
  } catch (const std::exception& error) {
    errors.push_back({{file, 1, 1, ""}, fmt::format("broken YAML: {}", error.what())});
  }
  return {};
}

}  // namespace capstan
