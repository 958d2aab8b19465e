#include "worker/data/readers/jsonl.h"

#include <spdlog/fmt/fmt.h>

#include <boost/json.hpp>
#include <set>

#include "common/text.h"
#include "worker/data/line_ranges.h"

namespace capstan {
namespace {

namespace json = boost::json;

// The value as a cell; absent when it is nested.
std::optional<std::string> cell_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "";
    case json::kind::bool_:
      return value.get_bool() ? "1" : "0";
    case json::kind::int64:
      return fmt::format("{}", value.get_int64());
    case json::kind::uint64:
      return fmt::format("{}", value.get_uint64());
    case json::kind::double_:
      return fmt::format("{}", value.get_double());
    case json::kind::string:
      return std::string(value.get_string());
    case json::kind::array:
    case json::kind::object:
      break;
  }
  return std::nullopt;
}

class Jsonl final : public LineFormat {
 public:
  explicit Jsonl(const FileFormat& format)
      : names_(format.columns.empty() ? format.wanted : format.columns) {}

  Result<std::vector<std::string>> begin(std::string_view& text) override {
    if (!names_.empty()) {
      CAPSTAN_TRY(every_name_occurs(text));
      return names_;
    }
    std::string_view rest = text;
    CAPSTAN_ASSIGN(names_, keys_of(take_line(rest)));
    std::set<std::string> known(names_.begin(), names_.end());
    while (!rest.empty()) {
      const auto keys = keys_of(take_line(rest));
      if (!keys.ok()) continue;  // a bad line, when it is parsed
      for (const std::string& key : *keys) {
        if (known.insert(key).second) names_.push_back(key);
      }
    }
    return names_;
  }

  LineProblem parse(std::string_view line, Cells& cells) const override {
    json::monotonic_resource memory;
    boost::system::error_code error;
    const json::value value = json::parse(json::string_view(line.data(), line.size()), error, &memory);
    if (error || !value.is_object()) return {"not a JSON object", "the line is not one JSON object"};
    const json::object& object = value.get_object();
    for (const auto& name : names_) {
      const json::value* found = object.if_contains(name);
      auto cell = found == nullptr ? std::string() : cell_of(*found);
      if (!cell) return {"nested value", fmt::format("'{}' is a list or an object", name)};
      cells.add_owned(*std::move(cell));
    }
    return {};
  }

 private:
  static Result<std::vector<std::string>> keys_of(std::string_view line) {
    boost::system::error_code error;
    const json::value value = json::parse(json::string_view(line.data(), line.size()), error);
    if (error || !value.is_object())
      return make_error(ErrorCode::kInvalid, "the first line is not a JSON object");
    std::vector<std::string> keys;
    for (const auto& entry : value.get_object()) keys.emplace_back(entry.key());
    return keys;
  }

  // A name that no line has is a slip of the pen, not a missing value.
  Status every_name_occurs(std::string_view text) const {
    std::string_view rest = text;
    CAPSTAN_ASSIGN(const auto keys, keys_of(take_line(rest)));
    for (const auto& name : names_) {
      if (text.find(fmt::format("\"{}\"", name)) != std::string_view::npos) continue;
      const std::string near = nearest_word(name, keys);
      return make_error(
          ErrorCode::kInvalid,
          fmt::format("no line has '{}'{}; the first line has {}", name,
                      near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near), join(keys, ", ")));
    }
    return ok_status();
  }

  std::vector<std::string> names_;
};

}  // namespace

std::unique_ptr<LineFormat> make_jsonl(const FileFormat& format) {
  return std::make_unique<Jsonl>(format);
}

}  // namespace capstan
