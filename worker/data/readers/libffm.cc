#include "worker/data/readers/libffm.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>

#include "common/text.h"
#include "worker/data/line_ranges.h"
#include "worker/data/readers/libsvm.h"

namespace capstan {
namespace {

constexpr std::uint64_t kFieldsMax = 4096;

// The field number at the front of a token, taken off; absent when there is none below kFieldsMax.
std::optional<std::size_t> take_field(std::string_view& token) {
  const std::size_t colon = token.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto field = parse_uint(token.substr(0, colon));
  if (!field || *field >= kFieldsMax) return std::nullopt;
  token.remove_prefix(colon + 1);
  return static_cast<std::size_t>(*field);
}

class Libffm final : public LineFormat {
 public:
  Result<std::vector<std::string>> begin(std::string_view& text) override {
    for (std::string_view rest = text; !rest.empty();) {
      std::string_view line = take_line(rest);
      for (auto token = take_token(line); !token.empty(); token = take_token(line)) {
        if (const auto field = take_field(token)) fields_ = std::max(fields_, *field + 1);
      }
    }
    std::vector<std::string> names = {"label"};
    for (std::size_t f = 0; f < fields_; ++f) names.push_back(fmt::format("f{}", f));
    return names;
  }

  LineProblem parse(std::string_view line, Cells& cells) const override {
    const std::string_view label = take_token(line);
    if (!parse_double(label)) return {"bad label", fmt::format("the label '{}' is not a number", label)};
    std::vector<std::string> values(fields_);
    for (auto whole = take_token(line); !whole.empty(); whole = take_token(line)) {
      std::string_view token = whole;
      const auto field = take_field(token);
      if (!field) {
        return {"not field:index:value",
                fmt::format("'{}' is not field:index:value with a field below {}", whole, kFieldsMax)};
      }
      LineProblem problem = check_indexed_value(token);
      if (!problem.kind.empty()) return problem;
      auto& value = values[*field];
      if (!value.empty()) value += ' ';
      value += token;
    }
    cells.add(label);
    for (auto& value : values) cells.add_owned(std::move(value));
    return {};
  }

 private:
  std::size_t fields_ = 0;
};

}  // namespace

std::unique_ptr<LineFormat> make_libffm() {
  return std::make_unique<Libffm>();
}

}  // namespace capstan
