// YamlNode: a parsed YAML document as a plain tree in which every key and value knows where it was written.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace capstan {

// Where a value was written. Line and column count from 1 (columns in bytes); line 0: nowhere in the file.
struct Place {
  std::string file;
  int line = 0;
  int column = 0;
  std::string via;  // "--set train.passes=3" or "env CAPSTAN_DATA" when the value came from there

  bool operator==(const Place&) const = default;
};

struct ConfigError {
  Place place;
  std::string message;

  // "movielens.yaml:12:5: unknown key ..."; "--set train.passes=x: ..." for an override.
  std::string text() const;
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Entry;

  Kind kind = Kind::kNull;
  std::string scalar;
  std::vector<YamlNode> items;
  std::vector<Entry> entries;  // in the order written
  Place place;

  static YamlNode of(std::string text);
  static YamlNode list();
  static YamlNode map();

  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }
  // The value of a map's key, or null.
  const YamlNode* find(const std::string& key) const;
  YamlNode* find(const std::string& key);
  void add(std::string key, YamlNode value);
  // Same content, wherever written.
  bool same(const YamlNode& other) const;
  // "a list", "the text 'x'": for messages.
  std::string describe() const;

 private:
  static YamlNode of_kind(Kind kind);
};

struct YamlNode::Entry {
  std::string key;
  Place place;  // of the key
  YamlNode value;
};

}  // namespace capstan
